"""Progress on standard error: a bar or a line that fits the terminal whole, and a line now and then where there is none."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from fastexec import printing
from fastexec.cli.console import console_of_errors, said_once, shown
from fastexec.runs.pace import done_of, line_reporter, paces

if TYPE_CHECKING:
    from fastexec.runs.progress import Progress

Report = Callable[["Progress"], None]
TrainingReport = Callable[[str, int, int, float, float | None], None]
CheckReport = Callable[[str, int, int], None]
_LONGEST_BAR, _SHORTEST_BAR = 40, 8
_SPINNER = 2  # columns before a line that follows something


@contextlib.contextmanager
def progress(quiet: bool) -> Iterator[Report | None]:
    """A bar while chunks finish, with rates and time left; a line every ten seconds where there is no terminal."""
    if quiet:
        yield None
    elif not printing.errors_are_to_terminal():
        yield line_reporter()
    else:
        from rich.live import Live

        from fastexec.kernels import _jit

        console = console_of_errors()
        ascii_only = console.options.ascii_only
        _jit.on_compile(said_once(console, "compiling kernels (once on this machine; later runs load them)"))
        live = Live(console=console, transient=True, refresh_per_second=10)

        def report(now: Progress) -> None:
            live.update(shown(bar(now, console.width, ascii_only)))
            live.start()  # at the first word only: while agents train there is a line of theirs

        try:
            yield report
        finally:
            live.stop()


def bar(now: Progress, width: int, ascii_only: bool = False) -> str:
    """One line of at most ``width`` columns: what is done, the bar, and as much of the pace as there is room for whole."""
    room = width - 1  # the last column stays free: some terminals would begin another line
    count = done_of(now)
    told = longest_of([f" {text}" for text in paces(now)] + [""], room - len(count) - 1 - _SHORTEST_BAR)
    length = min(room - len(count) - 1 - len(told), _LONGEST_BAR)
    if length < _SHORTEST_BAR:
        short = f"{now.done:,} of {now.total:,}"
        return longest_of([count, short, f"{100.0 * now.done / max(now.total, 1):.0f} %"], room)
    full = length * now.done // max(now.total, 1)
    line, rest = ("#", "-") if ascii_only else ("━", "─")
    return f"{count} {line * full}{rest * (length - full)}{told}"


def longest_of(texts: Sequence[str], room: int) -> str:
    """The first that fits, else the last."""
    return next((text for text in texts if len(text) <= room), texts[-1])


@contextlib.contextmanager
def training(quiet: bool) -> Iterator[TrainingReport | None]:
    """A line that follows an agent's rounds, on standard error and only to a terminal."""
    with _following(quiet) as update:
        if update is None:
            yield None
            return

        def report(agent: str, number: int, rounds: int, cost: float, completion: float | None) -> None:
            done = f"{cost:.3f} bps without the moves"
            count = f"training {agent}: round {number:,} of {rounds:,}"
            by_itself = "" if completion is None else f", {100 * completion:.1f} % traded by itself"
            update(
                [f"{count}, {done}{by_itself}", f"{count}, {done}", count, f"training: round {number:,} of {rounds:,}"]
            )

        yield report


@contextlib.contextmanager
def checking() -> Iterator[CheckReport | None]:
    """A line that follows the scenarios of a sweep, on standard error and only to a terminal."""
    with _following(False) as update:
        yield None if update is None else lambda what, number, count: update([f"{what} {number:,} of {count:,}"])


@contextlib.contextmanager
def _following(quiet: bool) -> Iterator[Callable[[Sequence[str]], None] | None]:
    """What takes the texts, from long to short, of a line that is written over again and again; None where there is no
    terminal to do so.
    """
    if quiet or not printing.errors_are_to_terminal():
        yield None
        return
    console = console_of_errors()
    with console.status("", spinner="line" if console.options.ascii_only else "dots") as status:
        yield lambda texts: status.update(shown(longest_of(texts, console.width - 1 - _SPINNER)))

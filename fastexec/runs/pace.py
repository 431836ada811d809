"""How far a run is, in words: for a terminal, a file of a log, or a notebook."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import TYPE_CHECKING, Any

from fastexec import printing
from fastexec.errors import InputError
from fastexec.wording import counted

if TYPE_CHECKING:
    from fastexec.runs.progress import Progress, Report

LINE_EVERY = 10.0  # seconds


def line_reporter() -> Callable[[Progress], None]:
    """Says how far a run is on standard error, a line every ten seconds: nothing of a short run."""
    last = perf_counter()

    def report(now: Progress) -> None:
        nonlocal last
        if perf_counter() - last >= LINE_EVERY and now.done < now.total:
            last = perf_counter()
            printing.tell(f"{done_of(now)}, {pace(now)}")

    return report


def done_of(now: Progress) -> str:
    """``12,000 of 20,000 episodes``."""
    return f"{now.done:,} of {counted(now.total, 'episode')}"


def pace(now: Progress) -> str:
    """Episodes and steps a second, time left, failures."""
    return paces(now)[0]


def paces(now: Progress) -> list[str]:
    """The pace from long to short; that a chunk failed is kept longest, then the time left."""
    rates = [f"{now.rate:,.0f} episodes/s", f"{now.rate * now.steps / 1e6:,.1f} M steps/s"]
    left = [] if now.left is None else [f"{duration(now.left)} left"]
    failed = [f"{counted(now.failures, 'chunk')} tried again"] if now.failures else []
    kept = ([*rates, *left, *failed], [rates[1], *left, *failed], [*left, *failed], failed or left)
    return [", ".join(parts) for parts in kept]


def duration(seconds: float) -> str:
    """59 s, 12:34 or 3:45:06."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    hours, rest = divmod(whole, 3600)
    return (f"{hours}:{rest // 60:02d}" if hours else f"{rest // 60}") + f":{rest % 60:02d}"


@contextlib.contextmanager
def following(progress: Report | bool | None) -> Iterator[Report | None]:
    """What ``run`` reports to: a function of the caller's; True or, in a notebook, None: a bar, or lines where none can be
    drawn; else nothing.
    """
    if callable(progress):
        yield progress
    elif progress is False or (progress is None and not in_notebook()):
        yield None
    elif progress not in (True, None):
        raise InputError(f"progress: must be True, False or a function, not {progress!r}")
    elif not _has_bar():
        yield line_reporter()
    else:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress as Bar, TextColumn

        columns = (TextColumn("episodes"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[told]}"))
        with Bar(*columns, transient=True) as bar:
            task = bar.add_task("", total=None, told="")
            yield lambda now: bar.update(task, completed=now.done, total=now.total, told=pace(now))


def in_notebook() -> bool:
    """Whether a notebook's kernel runs this process."""
    shell: Any = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return type(shell).__name__ == "ZMQInteractiveShell"


def _has_bar() -> bool:
    """A terminal can redraw a line, and a notebook with ipywidgets; one without would add a line at each turn."""
    if not in_notebook():
        return printing.errors_are_to_terminal()
    from importlib.util import find_spec

    return find_spec("ipywidgets") is not None

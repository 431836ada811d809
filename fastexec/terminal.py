"""What the command line prints: tables by rich, plain when piped, progress on standard error and only to a terminal."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from fastexec.errors import FastexecError, InputError

if TYPE_CHECKING:
    import pyarrow as pa

    from fastexec.studies.check import Examination
    from fastexec.studies.progress import Progress
    from fastexec.studies.status import Status
    from fastexec.studies.verify import Verification

Report = Callable[["Progress"], None]
TrainingReport = Callable[[str, int, int, float, float], None]
_LINE_EVERY = 10.0  # seconds


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """The reader left, as `head` does: for the command line to end in peace; rich would end with status 1."""
        raise BrokenPipeError


def console_of(**options: Any) -> Console:
    """The console for standard output."""
    # Piped, rich would assume 80 columns and break rows; a reader of a pipe wants whole lines.
    own = os.environ.get("COLUMNS", "")
    width = None if sys.stdout.isatty() or own.isdigit() else 160
    if own.isdigit():
        width = max(int(own), 60)  # narrower, and no number could be read
    return _Console(highlight=False, soft_wrap=False, width=width, **options)


@contextlib.contextmanager
def progress(quiet: bool) -> Iterator[Report | None]:
    """A bar while chunks finish, with rates and time left; a line every ten seconds where there is no terminal."""
    if quiet:
        yield None
    elif not sys.stderr.isatty():
        yield _line_reporter()
    else:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.progress import Progress as Bar

        from fastexec.kernels import _jit

        columns = (TextColumn("episodes"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[told]}"))
        with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("", total=None, told="")
            _jit.on_compile(bar.console.print)
            yield lambda now: bar.update(task, completed=now.done, total=now.total, told=pace(now))


def _line_reporter() -> Report:
    last = perf_counter()

    def report(now: Progress) -> None:
        nonlocal last
        if perf_counter() - last >= _LINE_EVERY and now.done < now.total:
            last = perf_counter()
            sys.stderr.write(f"{now.done:,} of {now.total:,} episodes, {pace(now)}\n")

    return report


def pace(now: Progress) -> str:
    """Episodes and steps a second, time left, failures."""
    told = f"{now.rate:,.0f} episodes/s, {now.rate * now.steps / 1e6:,.1f} M steps/s"
    if now.left is not None:
        told += f", {duration(now.left)} left"
    return told + (f", {now.failures} chunks tried again" if now.failures else "")


def duration(seconds: float) -> str:
    """59 s, 12:34 or 3:45:06."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    hours, rest = divmod(whole, 3600)
    return (f"{hours}:{rest // 60:02d}" if hours else f"{rest // 60}") + f":{rest % 60:02d}"


@contextlib.contextmanager
def training(quiet: bool) -> Iterator[TrainingReport | None]:
    """A line that follows an agent's rounds, on standard error and only to a terminal."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    console = Console(stderr=True)
    with console.status("") as status:

        def report(agent: str, number: int, rounds: int, cost: float, completion: float) -> None:
            done = f"{cost:.3f} bps without the moves, {100 * completion:.1f} % traded by itself"
            status.update(f"training {escape(agent)}: round {number} of {rounds}, {done}")

        yield report


def show_status(found: Status) -> None:
    """Where a study stands, in a few lines."""
    lines = [f"{found.name}: {found.state}"]
    total = "an unknown number of" if found.total is None else f"{found.total:,}"
    share = f" ({100 * found.done / found.total:.1f} %)" if found.total else ""
    lines.append(f"{found.done:,} of {total} episodes{share}")
    if found.word is not None and found.age is not None:
        lines.append(pace(found.word))
        lines.append(f"told {duration(found.age)} ago by {found.where}")
    if found.state == "incomplete":
        lines.append("nobody writes there; --resume goes on")
    click.echo("\n".join(lines))


def show_verification(folder: str, found: Verification) -> None:
    """What was checked, or every fault, a line each; FastexecError (status 1) where there is one."""
    for fault in found.faults:
        click.echo(fault)
    if found.faults:
        count = "1 fault" if len(found.faults) == 1 else f"{len(found.faults)} faults"
        raise FastexecError(f"{folder}: {count}; --resume computes damaged and missing chunks anew")
    again = f", {found.simulated} of them simulated again" if found.simulated else ""
    what = f"{found.chunks:,} chunks with {found.episodes:,} episodes{again}" if found.chunks else "its summaries"
    click.echo(f"{folder}: all is well: {what}, summary and comparison")


def show_check(found: Examination) -> None:
    """The resolved study, what it costs, what is known of it, warnings."""
    console = console_of()
    console.print(found.study.to_toml(), markup=False)
    table = Table(box=None, show_header=False, pad_edge=False)
    for label, text in [*found.costs, *found.known]:
        table.add_row(label, escape(text))
    console.print(table)
    for warning in found.warnings:
        console.print(f"warning: {escape(warning)}")


def show_presets(shipped: list[tuple[str, str]]) -> None:
    """Name and description of each preset."""
    table = Table("preset", "what it is", box=None, pad_edge=False)
    for name, description in shipped:
        table.add_row(name, description)
    console_of().print(table)


def show_steps(steps: pa.Table, form: str) -> None:
    """The steps of an episode as a table, csv, or Parquet on standard output."""
    if form == "table":
        names = [name for name in steps.column_names if name != "episode"]
        if len(steps["strategy"].unique()) == 1:
            names.remove("strategy")
        title = (
            f"episode {steps['episode'][0].as_py()}, {steps['strategy'][0].as_py()}" if "strategy" not in names else ""
        )
        table = Table(title=escape(title) or None, title_justify="left", box=None, pad_edge=False)
        for name in names:
            table.add_column(name, justify="left" if name == "strategy" else "right", no_wrap=True)
        for row in steps.to_pylist():
            table.add_row(*(_cell(row[name]) for name in names))
        console_of().print(table)
    elif form == "csv":
        import pyarrow.csv as arrow_csv

        arrow_csv.write_csv(steps, sys.stdout.buffer)
    else:
        import pyarrow.parquet as pq

        if sys.stdout.isatty():
            raise InputError(
                "--format parquet writes bytes to standard output; redirect it to a file: > episode.parquet"
            )
        pq.write_table(steps, sys.stdout.buffer)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:,.6g}" if isinstance(value, float) else str(value)


def show_info(warm: bool) -> None:
    """Versions, threads, kernels, cache; with ``warm`` every kernel is compiled or loaded first."""
    import platform
    from importlib.metadata import version

    import fastexec
    import fastexec.simulation
    import fastexec.studies.run  # noqa: F401 - both register their entry kernels
    from fastexec.kernels import _jit

    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_row("fastexec", fastexec.__version__)
    table.add_row("python", platform.python_version())
    for name in ("numba", "llvmlite", "numpy", "pyarrow", "pandas", "pydantic"):
        table.add_row(name, version(name))
    table.add_row("processors", str(fastexec.simulation.default_threads()))
    table.add_row("lanes", str(_jit.LANES))
    table.add_row("kernel hash", _jit.kernel_hash()[:16])
    table.add_row("kernel cache", str(_jit.cache_folder()))
    if warm:
        for entry in _jit.entries:
            table.add_row(f"kernel {entry.name}", f"{entry.warm():.2f} s")
    console_of().print(table)

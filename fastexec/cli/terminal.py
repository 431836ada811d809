"""What the command line prints: tables by rich, plain when piped, progress on standard error and only to a terminal."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from shlex import quote
from time import perf_counter
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from fastexec import printing
from fastexec.cli.console import console_of, console_of_errors, said_once, shown
from fastexec.errors import FastexecError, InputError

if TYPE_CHECKING:
    import pyarrow as pa

    from fastexec.runs.check import Examination
    from fastexec.runs.progress import Progress
    from fastexec.runs.status import Status
    from fastexec.runs.verify import Verification

Report = Callable[["Progress"], None]
TrainingReport = Callable[[str, int, int, float, float], None]
CheckReport = Callable[[str, int, int], None]
_LINE_EVERY = 10.0  # seconds


def say(console: Console, text: str, style: str | None = None) -> None:
    """A line of text; piped, it is not broken."""
    console.print(shown(text), style=style, soft_wrap=not console.is_terminal)


def table_of(console: Console, title: str = "") -> Table:
    """An empty table: a rule under its head in a terminal, plain columns in a pipe."""
    look = SIMPLE_HEAD if console.is_terminal else None
    return Table(title=shown(title) or None, title_justify="left", box=look, pad_edge=False, collapse_padding=True)


def fits(console: Console, table: Table) -> bool:
    """Whether every cell of a table is seen whole."""
    return Measurement.get(console, console.options.update(width=1_000), table).maximum <= console.width


@contextlib.contextmanager
def progress(quiet: bool) -> Iterator[Report | None]:
    """A bar while chunks finish, with rates and time left; a line every ten seconds where there is no terminal."""
    if quiet:
        yield None
    elif not printing.errors_are_to_terminal():
        yield _line_reporter()
    else:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress as Bar, TextColumn

        from fastexec.kernels import _jit

        columns = (TextColumn("episodes"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[told]}"))
        with Bar(*columns, console=console_of_errors(), transient=True) as bar:
            task = bar.add_task("", total=None, told="", visible=False)  # while agents train there is none
            _jit.on_compile(said_once(bar.console, "compiling kernels (once on this machine; later runs load them)"))
            yield lambda now: bar.update(task, completed=now.done, total=now.total, told=pace(now), visible=True)


def _line_reporter() -> Report:
    last = perf_counter()

    def report(now: Progress) -> None:
        nonlocal last
        if perf_counter() - last >= _LINE_EVERY and now.done < now.total:
            last = perf_counter()
            printing.tell(f"{now.done:,} of {now.total:,} episodes, {pace(now)}")

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
    with _following(quiet) as update:
        if update is None:
            yield None
            return

        def report(agent: str, number: int, rounds: int, cost: float, completion: float) -> None:
            done = f"{cost:.3f} bps without the moves, {100 * completion:.1f} % traded by itself"
            update(f"training {agent}: round {number} of {rounds}, {done}")

        yield report


@contextlib.contextmanager
def checking() -> Iterator[CheckReport | None]:
    """A line that follows the scenarios of a sweep, on standard error and only to a terminal."""
    with _following(False) as update:
        yield None if update is None else lambda what, number, count: update(f"{what} {number:,} of {count:,}")


@contextlib.contextmanager
def _following(quiet: bool) -> Iterator[Callable[[str], None] | None]:
    """What takes the text of a line that is written over again and again; None where there is no terminal to do so."""
    if quiet or not printing.errors_are_to_terminal():
        yield None
        return
    console = console_of_errors()
    with console.status("", spinner="line" if console.options.ascii_only else "dots") as status:
        yield lambda text: status.update(shown(text))


def show_first_steps() -> None:
    """What `fastexec` alone says: the commands that people need first, and where the rest is."""
    console = console_of()
    say(console, "Which execution strategy is cheaper, by how many basis points, and how sure is that?", "bold")
    console.print()
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column()
    for command, meaning in _FIRST_STEPS:
        table.add_row(f"  fastexec {command}", meaning)
    console.print(table)
    console.print()
    say(
        console,
        "STUDY is a TOML file or a preset; fastexec new NAME writes one to begin with. All commands: fastexec --help; one: "
        "fastexec run --help; every key of a study and every column of the results: fastexec schema; the handbook: "
        "fastexec guide.",
    )


_FIRST_STEPS = (
    ("presets", "the studies that ship"),
    ("check STUDY", "what a study means and costs, and warnings"),
    ("run STUDY", "simulate, write Parquet, print the comparison"),
    ("compare DIR", "the comparison again, from the files alone"),
    ("report DIR", "a page with every chart"),
)


def show_status(found: Status) -> None:
    """Where a study stands, in a few lines."""
    lines = [f"{found.name}: {found.state}"]
    total = "an unknown number of" if found.total is None else f"{found.total:,}"
    share = f" ({100 * found.done / found.total:.1f} %)" if found.total else ""
    lines.append(f"{found.done:,} of {total} episodes{share}")
    if found.word is not None and found.age is not None and found.state != "incomplete":
        lines.append(pace(found.word))
        lines.append(f"told {duration(found.age)} ago by {found.where}")
    if found.state == "incomplete":
        lines.append("nobody writes there; --resume goes on")
    for line in lines:
        printing.say(line)


def show_verification(folder: str, found: Verification) -> None:
    """What was checked, or every fault, a line each; FastexecError (status 1) where there is one."""
    for fault in found.faults:
        printing.say(fault)
    if found.faults:
        count = "1 fault" if len(found.faults) == 1 else f"{len(found.faults)} faults"
        command = f"fastexec run {quote(f'{folder}/study.toml')} --out {quote(folder)} --resume"
        raise FastexecError(f"{folder}: {count}; `{command}` computes damaged and missing chunks anew")
    again = f", {found.simulated} of them simulated again" if found.simulated else ""
    what = f"{found.chunks:,} chunks with {found.episodes:,} episodes{again}" if found.chunks else "its summaries"
    printing.say(f"{folder}: all is well: {what}, summary and comparison")


def show_check(found: Examination, full: bool = False) -> None:
    """What is doubtful, whether an optimum is known, what a run costs, what else is known; with ``full`` the resolved study."""
    console = console_of()
    for warning in found.warnings:
        say(console, f"warning: {warning}")
    if not found.warnings:
        say(console, "nothing doubtful was found")
    table = Table(box=None, show_header=False, pad_edge=False)
    first = [fact for fact in found.known if fact[0] == "optimum"]
    for label, text in [*first, *found.costs, *(fact for fact in found.known if fact[0] != "optimum")]:
        table.add_row(shown(label), shown(text))
    console.print(table)
    if full:
        console.print()
        console.print(found.study.to_toml(), markup=False, soft_wrap=True)
    else:
        say(console, "the whole study, every default written out: --full", "dim")


def show_steps(steps: pa.Table, form: str) -> None:
    """The steps of an episode as tables (one a strategy), csv, or Parquet on standard output."""
    if form == "table":
        console = console_of()
        for name in steps["strategy"].unique().to_pylist():
            console.print(_steps_table(console, name, [r for r in steps.to_pylist() if r["strategy"] == name]))
    elif form == "csv":
        from fastexec.analysis.format import csv_of

        printing.say_lines(csv_of(steps))
    else:
        import pyarrow as pa
        import pyarrow.parquet as pq

        if printing.output_is_terminal():
            raise InputError(
                "--format parquet writes bytes to standard output; redirect it to a file: > episode.parquet"
            )
        stream = pa.BufferOutputStream()
        pq.write_table(steps, stream)
        printing.say_bytes(stream.getvalue())


#: Column of steps, unit shown, factor to it, format.
_STEP_COLUMNS = (
    ("step", "", 1.0, "d"),
    ("mid", "currency", 1.0, ",.4f"),
    ("spread", "bps", 1e4, ".2f"),
    ("volume", "shares", 1.0, ",.6g"),
    ("shares", "shares", 1.0, ",.6g"),
    ("price", "currency", 1.0, ",.4f"),
    ("remaining", "shares", 1.0, ",.6g"),
    ("own_impact", "currency", 1.0, ".3g"),
)


def _steps_table(console: Console, strategy: str, rows: list[dict[str, Any]]) -> Table:
    """A strategy's steps; where there is no room, without its last columns."""
    for count in range(len(_STEP_COLUMNS), 5, -1):
        columns = _STEP_COLUMNS[:count]
        table = table_of(console, f"episode {rows[0]['episode']}, {strategy}")
        for name, unit, _, _ in columns:
            table.add_column(f"{name}\n{unit}" if unit else name, justify="right", no_wrap=True)
        for row in rows:
            table.add_row(*(_cell(row[name], factor, form) for name, _, factor, form in columns))
        if fits(console, table):
            break
    return table


def _cell(value: float | None, factor: float, form: str) -> str:
    if value is None:
        return "-"
    if form == ",.6g" and abs(value) >= 1_000.0:
        form = ",.0f"
    return format(value if form == "d" else value * factor, form)


def show_info(warm: bool) -> None:
    """Versions, threads, kernels, cache; with ``warm`` every kernel is compiled or loaded first."""
    import platform
    from importlib.metadata import version

    import fastexec
    import fastexec.runs.run  # noqa: F401 - both register their entry kernels
    import fastexec.simulation
    import fastexec.threads
    from fastexec.kernels import _jit
    from fastexec.kernels._bind import bound_stage
    from fastexec.kernels._sources import kernel_hash

    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_row("fastexec", fastexec.__version__)
    table.add_row("python", platform.python_version())
    for name in ("numba", "llvmlite", "numpy", "pyarrow", "pandas", "pydantic"):
        table.add_row(name, version(name))
    table.add_row("processors", str(fastexec.threads.default_threads()))
    table.add_row("lanes", str(_jit.LANES))
    table.add_row("kernel hash", kernel_hash()[:16])
    if warm:
        for entry in _jit.entries:
            table.add_row(f"kernel {entry.name}", f"{entry.warm():.2f} s")
        for name in _jit.bound_stages:
            table.add_row(f"stage {name}", f"{bound_stage(name).warm():.2f} s")
    console = console_of()
    console.print(table)
    say(console, f"kernel cache  {_jit.cache_folder()}")

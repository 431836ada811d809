"""What the command line prints: tables by rich, plain when piped."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from fastexec import printing
from fastexec.cli.console import console_of, shown
from fastexec.errors import FastexecError, InputError
from fastexec.runs.pace import duration, pace
from fastexec.wording import counted

if TYPE_CHECKING:
    import pyarrow as pa

    from fastexec.runs.check import Examination
    from fastexec.runs.status import Status
    from fastexec.runs.verify import Verification


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
    total = "an unknown number of episodes" if found.total is None else counted(found.total, "episode")
    share = f" ({100 * found.done / found.total:.1f} %)" if found.total else ""
    lines.append(f"{found.done:,} of {total}{share}")
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
        count = counted(len(found.faults), "fault")
        command = f"fastexec run {quote(f'{folder}/study.toml')} --out {quote(folder)} --resume"
        raise FastexecError(f"{folder}: {count}; `{command}` computes damaged and missing chunks anew")
    again = f", {found.simulated} of them simulated again" if found.simulated else ""
    what = (
        f"{counted(found.chunks, 'chunk')} with {counted(found.episodes, 'episode')}{again}"
        if found.chunks
        else "its summaries"
    )
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

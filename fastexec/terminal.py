"""What the command line prints: tables by rich, plain when piped, progress on standard error and only to a terminal."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table

if TYPE_CHECKING:
    import pyarrow as pa

    from fastexec.analysis.comparison import Comparison
    from fastexec.calibration.calibrate import Calibration
    from fastexec.studies.check import Examination
    from fastexec.studies.run import StudyResult

Report = Callable[[int, int], None]
TrainingReport = Callable[[str, int, int, float, float], None]


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """The reader left, as `head` does: for the command line to end in peace; rich would end with status 1."""
        raise BrokenPipeError


def _console(**options: Any) -> Console:
    # Piped, rich would assume 80 columns and break rows; a reader of a pipe wants whole lines.
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 160
    return _Console(highlight=False, soft_wrap=False, width=width, **options)


@contextlib.contextmanager
def progress(quiet: bool) -> Iterator[Report | None]:
    """A bar with episodes a second and time left while chunks finish; None where nobody would see it."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from fastexec.kernels import _jit

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.fields[rate]}"), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("episodes", total=None, rate="")
        _jit.on_compile(bar.console.print)

        def report(done: int, total: int) -> None:
            speed = bar.tasks[0].speed
            bar.update(task, completed=done, total=total, rate=f"{speed:,.0f} episodes/s" if speed else "")

        yield report


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


def show_agent(told: list[str], table: list[list[str]]) -> None:
    """What an agent learned: lines in words, then what it does by time and inventory."""
    console = _console()
    for line in told:
        console.print(escape(line))
    shown = Table(box=SIMPLE_HEAD, pad_edge=False)
    for number, name in enumerate(table[0]):
        shown.add_column(escape(name), justify="left" if number == 0 else "right", no_wrap=True)
    for row in table[1:]:
        shown.add_row(*map(escape, row))
    console.print(shown)


def show_result(result: StudyResult) -> None:
    """The comparison of a run, its warnings, and where the files are."""
    from fastexec.analysis.comparison import compare

    if result.finished_before:
        _console().print("This study is complete in this folder; here is its table again.")
    show_comparison(compare(result.folder), "table")
    for warning in result.warnings:
        _console().print(f"warning: {warning}")
    _console().print(f"Parquet files: {escape(str(result.folder.resolve()))}", soft_wrap=True)


def show_comparison(comparison: Comparison, form: str) -> None:
    """The paired comparison as a table for eyes, or as csv, json or markdown for programs."""
    if form != "table":
        from fastexec.analysis.format import formatted

        head = {"baseline": comparison.baseline, "notes": comparison.notes}
        sys.stdout.write(formatted(comparison.table, form, head))
        return
    console = _console()
    for line in _captured_lines(comparison):
        comparison.notes.append(line)
    for group, summary in comparison.summaries.items():
        if summary["program_cost_mean"][0].as_py() is not None:
            console.print(_program_table(group, summary))
            continue
        table = _comparison_table(comparison, group, summary, wide=True)
        if Measurement.get(console, console.options.update(width=1_000), table).maximum > console.width:
            table = _comparison_table(comparison, group, summary, wide=False)
        console.print(table)
    for note in comparison.notes:
        console.print(f"[dim]{escape(note)}[/dim]")


def _comparison_table(comparison: Comparison, group: str, summary: pa.Table, wide: bool) -> Table:
    """One group's strategies, cheapest first, the baseline among them; not ``wide``: one saving, the sharper one."""
    from fastexec.analysis.comparison import CONTROLS, verdict

    rows = {row["strategy"]: row for row in comparison.table.to_pylist() if row.get("group", "") == group}
    names = ["strategy", "model", "episodes", "unfinished", "completion", "shortfall_mean_bps", "shortfall_sd_bps"]
    stats = summary.select(names)
    title = f"{group + ': ' if group else ''}{stats['episodes'][0].as_py():,} episodes, saving against {comparison.baseline}"
    table = Table(title=escape(title), title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    _add_columns(table, wide)
    for s in sorted(stats.to_pylist(), key=lambda r: r["shortfall_mean_bps"]):
        mark = "*" if s["completion"] < 0.9995 or s["unfinished"] else ""
        mark += "+" if s["model"] in CONTROLS else ""
        sd = [_number(s["shortfall_sd_bps"], ".2f")] if wide else []
        own = [escape(s["strategy"]) + mark, f"{s['shortfall_mean_bps']:.3f}", *sd]
        done = f"{100 * s['completion']:.1f}"
        row = rows.get(s["strategy"])
        if row is None:
            table.add_row(*own, *[""] * (4 if wide else 2), done, "baseline", style="bold")
        elif wide:
            saving, wins = f"{row['saving_bps']:+.3f}", f"{100 * row['win_rate']:.1f}"
            table.add_row(*own, saving, _interval(row, ""), _controlled(row), wins, done, verdict(row))
        else:
            kind = "" if row["saving_cv_bps"] is None else "_cv"
            table.add_row(*own, f"{row[f'saving{kind}_bps']:+.3f}", _interval(row, kind), done, verdict(row))
    return table


def _captured_lines(comparison: Comparison) -> list[str]:
    """What each agent captured of what the optimum saves, where one is known."""
    lines = []
    models = {row["strategy"]: row["model"] for summary in comparison.summaries.values() for row in summary.to_pylist()}
    for row in comparison.table.to_pylist():
        if row["captured"] is not None and models[row["strategy"]] == "qtable":
            low, high = 100 * row["captured_low"], 100 * row["captured_high"]
            group = f"{row['group']}: " if "group" in row else ""
            lines.append(
                f"{group}{row['strategy']} captured {100 * row['captured']:.1f} % [{low:.1f}, {high:.1f}] of what the optimum "
                f"(cost {row['optimum_bps']:.3f} bps without the moves) saves against {comparison.baseline}"
            )
    return lines


def _program_table(group: str, summary: pa.Table) -> Table:
    """Under the rule per_step: the mini-project's cost in currency, cheapest first."""
    title = f"{group + ': ' if group else ''}{summary['episodes'][0].as_py():,} episodes, the mini-project's cost"
    table = Table(title=escape(title), title_justify="left", box=SIMPLE_HEAD, pad_edge=False, min_width=len(title))
    for name in ("strategy", "program cost (currency)", "sd", "done (%)"):
        table.add_column(name, justify="left" if name == "strategy" else "right", no_wrap=True)
    for row in sorted(summary.to_pylist(), key=lambda r: r["program_cost_mean"]):
        numbers = (
            f"{row['program_cost_mean']:.3f}",
            _number(row["program_cost_sd"], ".3f"),
            f"{100 * row['completion']:.1f}",
        )
        table.add_row(escape(row["strategy"]), *numbers)
    return table


def _add_columns(table: Table, wide: bool) -> None:
    columns = [("strategy", ""), ("cost", "bps"), ("sd", "bps"), ("saving", "bps"), ("95 % interval", "bps")]
    columns += [("with control variate", "bps"), ("wins", "%"), ("done", "%"), ("", "")]
    chosen = [c for c in columns if wide or c[0] not in ("sd", "with control variate", "wins")]
    for name, _ in chosen:
        left = name in ("strategy", "")
        table.add_column(
            name, justify="left" if left else "right", no_wrap=True, overflow="fold" if left else "ellipsis"
        )
    table.add_row(*(unit for _, unit in chosen), style="dim")


def _controlled(row: dict[str, Any]) -> str:
    if row["saving_cv_bps"] is None:
        return "-"
    return f"{row['saving_cv_bps']:+.3f} {_interval(row, '_cv')}"


def _interval(row: dict[str, Any], kind: str) -> str:
    low, high = row[f"ci_low{kind}_bps"], row[f"ci_high{kind}_bps"]
    return "-" if low is None else f"[{low:+.3f}, {high:+.3f}]".replace("[", r"\[")


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def show_calibration(found: Calibration, form: str) -> None:
    """The fit, statistic by statistic; what does not fit is marked."""
    if form != "table":
        from fastexec.analysis.format import formatted

        head = {"source": found.head, "curves": found.curves, "notes": found.notes}
        sys.stdout.write(formatted(found.table, form, head))
        return
    console = _console()
    table = Table(title=escape(found.head[0]), title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for name in ("statistic", "unit", "data", "+- (sd error)", "simulated", "difference", "fits"):
        table.add_column(name, justify="left" if name in ("statistic", "unit", "fits") else "right", no_wrap=True)
    verdicts = {True: "yes", False: "[bold]NO[/bold]", None: "-"}
    for row in found.table.to_pylist():
        numbers = (row[name] for name in ("data", "standard_error", "simulated", "difference"))
        table.add_row(row["statistic"], row["unit"], *(_number(x, ",.4g") for x in numbers), verdicts[row["within"]])
    console.print(table)
    console.print("[dim]fits: the difference lies within the 95 % interval of the data's own mean over days[/dim]")
    for line in (*found.head[1:], *found.curves, *found.notes):
        console.print(escape(line))


def show_check(found: Examination) -> None:
    """The resolved study, what it costs, what is known of it, warnings."""
    console = _console()
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
    _console().print(table)


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
        _console().print(table)
    elif form == "csv":
        import pyarrow.csv as arrow_csv

        arrow_csv.write_csv(steps, sys.stdout.buffer)
    else:
        import pyarrow.parquet as pq

        if sys.stdout.isatty():
            from fastexec.errors import InputError

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
    _console().print(table)

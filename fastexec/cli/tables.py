"""What the command line prints of a run, an agent, a calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastexec import printing
from fastexec.cli.console import console_of, shown
from fastexec.cli.savings import number_of, show_comparison
from fastexec.cli.terminal import say, table_of
from fastexec.wording import counted

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import Console

    from fastexec.calibration.calibrate import Calibration
    from fastexec.runs.job import StudyResult

_MOST_AFTER_A_RUN = 12


def show_agent(told: list[str], table: list[list[str]]) -> None:
    """What an agent learned: lines in words, then what it does by time and inventory, where that is told."""
    console = console_of()
    for line in told:
        say(console, line)
    if not table:
        return
    console.print()
    say(console, "Mean action, by step (down) and share of the order that is left (across):")
    agent = table_of(console)
    for number, name in enumerate(table[0]):
        agent.add_column(shown(name.removesuffix(" left")), justify="left" if number == 0 else "right", no_wrap=True)
    for row in table[1:]:
        agent.add_row(*map(shown, row))
    console.print(agent)


def show_result(result: StudyResult) -> None:
    """The comparison of a run, with what is doubtful about it, and where the files are."""
    from fastexec.analysis.comparison import compare

    console = console_of()
    if result.finished_before:
        say(console, "This study is complete in this folder; here is its table again.")
    show_comparison(compare(result.folder), "table", most=_MOST_AFTER_A_RUN)
    console.print(f"Parquet files: {shown(result.folder.absolute())}", soft_wrap=True)


_SHORT = {"standard_error": "+-"}


def show_calibration(found: Calibration, form: str) -> None:
    """The fit, statistic by statistic; what does not fit is marked."""
    from fastexec.calibration.comparison import FEW_DAYS

    if form != "table":
        from fastexec.analysis.format import formatted

        head = {"source": found.head, "curves": found.curves, "notes": found.notes}
        head |= {"signals": found.signals.to_pylist()} if len(found.signals) else {}
        printing.say_lines(formatted(found.table, form, head))
        return
    console = console_of()
    table = table_of(console, found.head[0])
    columns = ("data", "standard_error", "simulated", *(("difference",) if console.width >= 100 else ()))
    table.add_column("statistic")
    for name in ("unit", *columns, "fits"):
        left = name in ("unit", "fits")
        table.add_column(_SHORT.get(name, name), justify="left" if left else "right", no_wrap=name != "fits")
    for row in found.table.to_pylist():
        numbers = (number_of(row[name], ",.4g") for name in columns)
        style = "bold" if row["within"] is False else None
        table.add_row(row["statistic"], row["unit"], *numbers, row["fits"] or "-", style=style)
    console.print(table)
    what = (
        "+-: standard error of the data over days; fits: the difference lies within the 95 % interval of the data's own mean, "
        f"which under {FEW_DAYS} days holds nearly anything"
    )
    say(console, what, "dim")
    if len(found.signals):
        _show_signals(console, found.signals)
    for line in (*found.head[1:], *found.curves, *found.notes):
        say(console, line)


def _show_signals(console: Console, signals: pa.Table) -> None:
    """A row a column, a column a horizon."""
    rows = signals.to_pylist()
    horizons = sorted({row["horizon"] for row in rows})
    table = table_of(console, "Correlation of a column with the move over the next steps")
    table.add_column("column")
    for name in ("persistence", *(counted(horizon, "step") for horizon in horizons)):
        table.add_column(name, justify="right")
    for name in dict.fromkeys(row["signal"] for row in rows):
        own = {row["horizon"]: row for row in rows if row["signal"] == name}
        told = [f"{x['correlation']:+.3f} +- {x['standard_error']:.3f}" if (x := own.get(h)) else "-" for h in horizons]
        table.add_row(shown(name), f"{own[horizons[0]]['persistence']:.3f}", *told)
    console.print(table)

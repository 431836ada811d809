"""Tables of results for the command line: comparisons, agents, calibrations."""

from __future__ import annotations

import math
from itertools import islice
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from fastexec import printing
from fastexec.console import console_of, shown
from fastexec.terminal import fits, say, table_of

if TYPE_CHECKING:
    import pyarrow as pa

    from fastexec.analysis.comparison import Comparison
    from fastexec.calibration.calibrate import Calibration
    from fastexec.studies.job import StudyResult

_MOST_AFTER_A_RUN = 12


def show_agent(told: list[str], table: list[list[str]]) -> None:
    """What an agent learned: lines in words, then what it does by time and inventory."""
    console = console_of()
    for line in told:
        say(console, line)
    console.print()
    say(console, "Mean action, by step (down) and share of the order that is left (across):")
    agent = table_of(console)
    for number, name in enumerate(table[0]):
        agent.add_column(shown(name.removesuffix(" left")), justify="left" if number == 0 else "right", no_wrap=True)
    for row in table[1:]:
        agent.add_row(*map(shown, row))
    console.print(agent)


def show_result(result: StudyResult) -> None:
    """The comparison of a run, its warnings, and where the files are."""
    from fastexec.analysis.comparison import compare

    console = console_of()
    if result.finished_before:
        say(console, "This study is complete in this folder; here is its table again.")
    show_comparison(compare(result.folder), "table", most=_MOST_AFTER_A_RUN)
    for warning in result.warnings:
        say(console, f"warning: {warning}")
    console.print(f"Parquet files: {shown(result.folder.absolute())}", soft_wrap=True)


def show_comparison(comparison: Comparison, form: str, most: int | None = None) -> None:
    """The paired comparison as a table for eyes, or as csv, json or markdown for programs; ``most``: scenarios shown."""
    if form != "table":
        from fastexec.analysis.format import formatted

        head = {"baseline": comparison.baseline, "notes": comparison.notes}
        printing.say_lines(formatted(comparison.table, form, head))
        return
    console = console_of()
    for line in _captured_lines(comparison):
        comparison.notes.append(line)
    rows: dict[str, dict[str, dict[str, Any]]] = {title: {} for title in comparison.summaries}
    for row in comparison.table.to_pylist():
        rows[_title(row)][row["strategy"]] = row
    for title, summary in islice(comparison.summaries.items(), most):
        if summary["program_cost_mean"][0].as_py() is not None:
            console.print(_program_table(console, title, summary))
            continue
        for columns in _LAYOUTS:
            table = _comparison_table(console, comparison.baseline, title, summary, rows[title], columns)
            if fits(console, table):
                break
        console.print(table)
    if most is not None and len(rows) > most:
        console.print(
            f"{len(rows) - most:,} more scenarios: fastexec compare shows all of them, or one (--scenario NAME)"
        )
    for note in comparison.notes:
        say(console, note, "dim")


#: Column of a comparison: its head and unit.
_HEADS = {
    "strategy": ("strategy", ""),
    "cost": ("cost", "bps"),
    "sd": ("sd", "bps"),
    "plain": ("saving, 95 % interval", "bps"),
    "controlled": ("with control variate", "bps"),
    "sharper": ("saving, 95 % interval", "bps"),
    "wins": ("wins", "%"),
    "done": ("done", "%"),
    "verdict": ("", ""),
}
#: From wide to narrow; ``sharper`` is the saving with the control variate where that is valid.
_LAYOUTS = (
    ("strategy", "cost", "sd", "plain", "controlled", "wins", "done", "verdict"),
    ("strategy", "cost", "sharper", "done", "verdict"),
    ("strategy", "cost", "sharper", "done"),
)


def _comparison_table(
    console: Console,
    baseline: str,
    title: str,
    summary: pa.Table,
    rows: dict[str, dict[str, Any]],
    columns: tuple[str, ...],
) -> Table:
    """One part's strategies, cheapest first, the baseline among them."""
    from fastexec.analysis.comparison import CONTROLS, verdict

    names = ["strategy", "model", "episodes", "unfinished", "completion", "shortfall_mean_bps", "shortfall_sd_bps"]
    stats = summary.select(names)
    head = f"{title + ': ' if title else ''}{stats['episodes'][0].as_py():,} episodes, saving against {baseline}"
    table = table_of(console, head)
    for name in columns:
        label, unit = _HEADS[name]
        left = name in ("strategy", "verdict")
        table.add_column(f"{label}\n{unit}" if unit else label, justify="left" if left else "right", no_wrap=not left)
    digits = _digits(list(rows.values()))
    for s in sorted(stats.to_pylist(), key=lambda r: r["shortfall_mean_bps"]):
        mark = "*" if s["completion"] < 0.9995 or s["unfinished"] else ""
        mark += "+" if s["model"] in CONTROLS else ""
        row = rows.get(s["strategy"])
        cells = {
            "strategy": shown(s["strategy"]) + mark,
            "cost": f"{s['shortfall_mean_bps']:.{digits}f}",
            "sd": _number(s["shortfall_sd_bps"], ".2f"),
            "done": f"{100 * s['completion']:.1f}",
            "verdict": "baseline",
        }
        if row is not None:
            cells |= {
                "plain": _saving(row, "", digits),
                "controlled": _saving(row, "_cv", digits),
                "sharper": _saving(row, "" if row["saving_cv_bps"] is None else "_cv", digits),
                "wins": f"{100 * row['win_rate']:.1f}",
                "verdict": verdict(row),
            }
        table.add_row(*(cells.get(name, "") for name in columns), style="bold" if row is None else None)
    return table


def _digits(rows: list[dict[str, Any]]) -> int:
    """Decimals that show two digits of a typical interval's half width, at most three."""
    halves = []
    for row in rows:
        kind = "" if row["ci_low_cv_bps"] is None else "_cv"
        if row[f"ci_low{kind}_bps"] is not None:
            halves.append(0.5 * (row[f"ci_high{kind}_bps"] - row[f"ci_low{kind}_bps"]))
    typical = sorted(half for half in halves if half > 1e-6)
    if not typical:
        return 2
    return min(max(1 - math.floor(math.log10(typical[len(typical) // 2])), 1), 3)


def _saving(row: dict[str, Any], kind: str, digits: int) -> str:
    """A saving with its interval, or neither."""
    saving, low, high = (row[f"{name}{kind}_bps"] for name in ("saving", "ci_low", "ci_high"))
    if saving is None or low is None:
        return "-"
    return shown(f"{saving:+.{digits}f} [{low:+.{digits}f}, {high:+.{digits}f}]")


def _title(row: dict[str, Any]) -> str:
    from fastexec.analysis.comparison import title_of

    return title_of(row.get("scenario"), row.get("group"))


def _captured_lines(comparison: Comparison) -> list[str]:
    """What each agent captured of what the optimum saves, where one is known."""
    from fastexec.models.strategies import strategy_class

    models = {row["strategy"]: row["model"] for summary in comparison.summaries.values() for row in summary.to_pylist()}
    lines = []
    for row in comparison.table.to_pylist():
        if row["captured"] is not None and strategy_class(models[row["strategy"]]).is_agent:
            low, high = 100 * row["captured_low"], 100 * row["captured_high"]
            group = f"{_title(row)}: " if _title(row) else ""
            lines.append(
                f"{group}{row['strategy']} captured {100 * row['captured']:.1f} % [{low:.1f}, {high:.1f}] of what the optimum "
                f"(cost {row['optimum_bps']:.3f} bps without the moves) saves against {comparison.baseline}"
            )
    return lines


def _program_table(console: Console, group: str, summary: pa.Table) -> Table:
    """Under the rule per_step: the mini-project's cost in currency, cheapest first."""
    title = f"{group + ': ' if group else ''}{summary['episodes'][0].as_py():,} episodes, the mini-project's cost"
    table = table_of(console, title)
    table.min_width = len(title)
    for name in ("strategy", "program cost\ncurrency", "sd\ncurrency", "done\n%"):
        table.add_column(name, justify="left" if name == "strategy" else "right", no_wrap=True)
    for row in sorted(summary.to_pylist(), key=lambda r: r["program_cost_mean"]):
        numbers = (
            f"{row['program_cost_mean']:,.0f}",
            _number(row["program_cost_sd"], ",.0f"),
            f"{100 * row['completion']:.1f}",
        )
        table.add_row(shown(row["strategy"]), *numbers)
    return table


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


_SHORT = {"standard_error": "+-"}


def show_calibration(found: Calibration, form: str) -> None:
    """The fit, statistic by statistic; what does not fit is marked."""
    if form != "table":
        from fastexec.analysis.format import formatted

        head = {"source": found.head, "curves": found.curves, "notes": found.notes}
        printing.say_lines(formatted(found.table, form, head))
        return
    console = console_of()
    table = table_of(console, found.head[0])
    columns = ("data", "standard_error", "simulated", *(("difference",) if console.width >= 100 else ()))
    table.add_column("statistic")
    for name in ("unit", *columns, "fits"):
        left = name in ("unit", "fits")
        table.add_column(_SHORT.get(name, name), justify="left" if left else "right", no_wrap=True)
    verdicts = {True: "yes", False: "NO", None: "-"}
    for row in found.table.to_pylist():
        numbers = (_number(row[name], ",.4g") for name in columns)
        style = "bold" if row["within"] is False else None
        table.add_row(row["statistic"], row["unit"], *numbers, verdicts[row["within"]], style=style)
    console.print(table)
    what = "+-: standard error of the data over days; fits: the difference lies within the 95 % interval of the data's own mean"
    say(console, what, "dim")
    for line in (*found.head[1:], *found.curves, *found.notes):
        say(console, line)

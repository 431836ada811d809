"""Tables of results for the command line: comparisons, agents, calibrations."""

from __future__ import annotations

import sys
from itertools import islice
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table

from fastexec.terminal import console_of

if TYPE_CHECKING:
    import pyarrow as pa

    from fastexec.analysis.comparison import Comparison
    from fastexec.calibration.calibrate import Calibration
    from fastexec.studies.claim import StudyResult

_MOST_AFTER_A_RUN = 12


def show_agent(told: list[str], table: list[list[str]]) -> None:
    """What an agent learned: lines in words, then what it does by time and inventory."""
    console = console_of()
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
        console_of().print("This study is complete in this folder; here is its table again.")
    show_comparison(compare(result.folder), "table", most=_MOST_AFTER_A_RUN)
    for warning in result.warnings:
        console_of().print(f"warning: {warning}")
    console_of().print(f"Parquet files: {escape(result.folder.absolute())}", soft_wrap=True)


def show_comparison(comparison: Comparison, form: str, most: int | None = None) -> None:
    """The paired comparison as a table for eyes, or as csv, json or markdown for programs; ``most``: scenarios shown."""
    if form != "table":
        from fastexec.analysis.format import formatted

        head = {"baseline": comparison.baseline, "notes": comparison.notes}
        sys.stdout.write(formatted(comparison.table, form, head))
        return
    console = console_of()
    for line in _captured_lines(comparison):
        comparison.notes.append(line)
    rows: dict[str, dict[str, dict[str, Any]]] = {title: {} for title in comparison.summaries}
    for row in comparison.table.to_pylist():
        rows[_title(row)][row["strategy"]] = row
    for title, summary in islice(comparison.summaries.items(), most):
        if summary["program_cost_mean"][0].as_py() is not None:
            console.print(_program_table(title, summary))
            continue
        table = _comparison_table(comparison.baseline, title, summary, rows[title], wide=True)
        if Measurement.get(console, console.options.update(width=1_000), table).maximum > console.width:
            table = _comparison_table(comparison.baseline, title, summary, rows[title], wide=False)
        console.print(table)
    if most is not None and len(rows) > most:
        console.print(
            f"{len(rows) - most:,} more scenarios: fastexec compare shows all of them, or one (--scenario NAME)"
        )
    for note in comparison.notes:
        console.print(f"[dim]{escape(note)}[/dim]")


def _comparison_table(
    baseline: str, group: str, summary: pa.Table, rows: dict[str, dict[str, Any]], wide: bool
) -> Table:
    """One part's strategies, cheapest first, the baseline among them; not ``wide``: one saving, the sharper one."""
    from fastexec.analysis.comparison import CONTROLS, verdict

    names = ["strategy", "model", "episodes", "unfinished", "completion", "shortfall_mean_bps", "shortfall_sd_bps"]
    stats = summary.select(names)
    title = f"{group + ': ' if group else ''}{stats['episodes'][0].as_py():,} episodes, saving against {baseline}"
    table = Table(title=escape(title), title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    _add_columns(table, wide)
    ends = [abs(row[end] or 0.0) for row in rows.values() for end in ("ci_low_bps", "ci_high_bps")]
    digits = 3 if max(ends, default=0.0) < 1.0 else 2  # narrow: what is that uncertain needs no thousandths
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
            table.add_row(*own, f"{row[f'saving{kind}_bps']:+.3f}", _interval(row, kind, digits), done, verdict(row))
    return table


def _title(row: dict[str, Any]) -> str:
    from fastexec.analysis.comparison import title_of

    return title_of(row.get("scenario"), row.get("group"))


def _captured_lines(comparison: Comparison) -> list[str]:
    """What each agent captured of what the optimum saves, where one is known."""
    lines = []
    models = {row["strategy"]: row["model"] for summary in comparison.summaries.values() for row in summary.to_pylist()}
    for row in comparison.table.to_pylist():
        if row["captured"] is not None and models[row["strategy"]] == "qtable":
            low, high = 100 * row["captured_low"], 100 * row["captured_high"]
            group = f"{_title(row)}: " if _title(row) else ""
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


def _interval(row: dict[str, Any], kind: str, digits: int = 3) -> str:
    low, high = row[f"ci_low{kind}_bps"], row[f"ci_high{kind}_bps"]
    return "-" if low is None else f"[{low:+.{digits}f}, {high:+.{digits}f}]".replace("[", r"\[")


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def show_calibration(found: Calibration, form: str) -> None:
    """The fit, statistic by statistic; what does not fit is marked."""
    if form != "table":
        from fastexec.analysis.format import formatted

        head = {"source": found.head, "curves": found.curves, "notes": found.notes}
        sys.stdout.write(formatted(found.table, form, head))
        return
    console = console_of()
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

"""The paired comparison on the command line: costs and savings that add up, the same columns at any width."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from fastexec import printing
from fastexec.cli.console import console_of, shown
from fastexec.cli.terminal import fits, say, table_of
from fastexec.wording import counted

if TYPE_CHECKING:
    import pyarrow as pa

    from fastexec.analysis.comparison import Comparison
    from fastexec.statistics.verdict import Difference

_SIGNS = "*~"  # of footnotes, behind a number
#: Column of a comparison: its head and unit.
_HEADS = {
    "strategy": ("strategy", ""),
    "cost": ("cost", "bps"),
    "sd": ("sd", "bps"),
    "saving": ("saving, 95 % interval", "bps"),
    "plain": ("without control variate", "bps"),
    "wins": ("wins", "%"),
    "done": ("done", "%"),
    "verdict": ("", ""),
}
#: From wide to narrow.
_LAYOUTS = (
    ("strategy", "cost", "sd", "saving", "plain", "wins", "done", "verdict"),
    ("strategy", "cost", "saving", "done", "verdict"),
    ("strategy", "cost", "saving", "done"),
)


def show_comparison(comparison: Comparison, form: str, most: int | None = None, money: bool = False) -> None:
    """The paired comparison as a table for eyes, or as csv, json or markdown for programs.

    most: scenarios shown. money: savings in currency for an order, as the metric ``risk`` has them anyway.
    """
    if form != "table":
        from fastexec.analysis.format import formatted

        head: dict[str, Any] = {"baseline": comparison.baseline, "metric": comparison.metric.name}
        head |= {"notes": comparison.notes, "warnings": comparison.warnings}
        printing.say_lines(formatted(comparison.table, form, head))
        return
    console = console_of()
    rows: dict[str, dict[str, dict[str, Any]]] = {title: {} for title in comparison.summaries}
    for row in comparison.table.to_pylist():
        rows[_title(row)][row["strategy"]] = row
    for title, summary in islice(comparison.summaries.items(), most):
        if summary["program_cost_mean"][0].as_py() is not None:
            console.print(_program_table(console, title, summary))
            continue
        console.print(_widest(console, comparison, title, rows[title], money or comparison.metric.kind == "risk"))
    if most is not None and len(rows) > most:
        console.print(
            f"{len(rows) - most:,} more scenarios: fastexec compare shows all of them, or one (--scenario NAME)"
        )
    for note in [*comparison.notes, *_captured_lines(comparison)]:
        say(console, note, "dim")
    for warning in comparison.warnings:
        say(console, f"warning: {warning}")


def _widest(
    console: Console, comparison: Comparison, title: str, rows: dict[str, dict[str, Any]], money: bool
) -> Table:
    """One part's strategies, cheapest first, the baseline among them, in as many columns as there is room for."""
    cells, unit = _cells(comparison, title, rows, money)
    there = {name for own in cells for name in own if own[name]}
    episodes = counted(_episodes(comparison, title), "episode")
    head = f"{title + ': ' if title else ''}{episodes}, saving against {comparison.baseline}"
    if comparison.metric.kind != "shortfall":
        head += f" by {comparison.metric.name}"
    for layout in _LAYOUTS:
        columns = [name for name in layout if name in there]
        table = table_of(console, head)
        for name in columns:
            label, bps = _HEADS[name]
            own = unit if bps == "bps" and name != "sd" else bps
            left = name in ("strategy", "verdict")
            table.add_column(f"{label}\n{own}" if own else label, justify="left" if left else "right", no_wrap=not left)
        for own_cells in cells:
            style = "bold" if own_cells["verdict"] == "baseline" else None
            table.add_row(*(own_cells.get(name, "") for name in columns), style=style)
        if fits(console, table):
            break
    return table


def _episodes(comparison: Comparison, title: str) -> int:
    return int(comparison.summaries[title]["episodes"][0].as_py())


def _cells(
    comparison: Comparison, title: str, rows: dict[str, dict[str, Any]], money: bool
) -> tuple[list[dict[str, str]], str]:
    """A line for each strategy, cheapest first, and the unit of costs and savings."""
    from fastexec.analysis.footnotes import sign_at
    from fastexec.statistics.metrics import material_of
    from fastexec.statistics.paired import printed_costs
    from fastexec.statistics.verdict import cost_beside, single, told_with_interval

    summary, judge = comparison.summaries[title], comparison.judges[title]
    material = material_of(summary, comparison.metric)
    b, of_tail = list(material.strategies).index(comparison.baseline), comparison.metric.kind in ("risk", "cvar95")
    costs, scale = printed_costs(material, b), material.order_value / 1e4 if money else 1.0
    found = {k: single(material, b, k) for k in range(len(costs)) if k != b}
    digits, own = _digits([scaled(one, scale) for one in found.values()]), summary.to_pylist()
    cells = []
    for k in costs.argsort(kind="stable").tolist():
        told = {
            "strategy": shown(own[k]["strategy"] + sign_at("strategy", own[k])),
            "cost": cost_beside(costs[b] * scale, (costs[b] - costs[k]) * scale, digits) + sign_at("cost", own[k]),
            "sd": "" if of_tail else number_of(own[k]["shortfall_sd_bps"], ",.2f"),
            "done": f"{100 * own[k]['completion']:.1f}{sign_at('done', own[k])}",
            "verdict": "baseline",
        }
        if k != b:
            row = rows[own[k]["strategy"]]
            told |= {
                "saving": shown(told_with_interval(scaled(found[k], scale), digits)),
                "wins": "" if of_tail else f"{100 * row['win_rate']:.1f}",
                "verdict": judge.verdict(found[k]),
            }
            if found[k].controlled:
                names = ("saving", "standard_error", "ci_low", "ci_high")
                ends = {n: row[f"{n}_bps"] for n in names}
                plain = replace(
                    found[k],
                    saving=ends["saving"],
                    error=ends["standard_error"],
                    low=ends["ci_low"],
                    high=ends["ci_high"],
                )
                told["plain"] = shown(told_with_interval(scaled(plain, scale), digits))
        cells.append(told)
    for column in ("cost", "done"):
        _line_up(cells, column)
    return cells, "currency" if money else "bps"


def _line_up(cells: list[dict[str, str]], column: str) -> None:
    """Room behind the numbers that have no sign, so that all stand under one another."""
    signs = [len(own[column]) - len(own[column].rstrip(_SIGNS)) for own in cells]
    for own, sign in zip(cells, signs, strict=True):
        own[column] += " " * (max(signs) - sign)


def scaled(found: Difference, scale: float) -> Difference:
    """A saving in another unit."""
    numbers = {name: getattr(found, name) * scale for name in ("saving", "error", "low", "high", "rounding")}
    return replace(found, **numbers)


def _digits(found: list[Difference]) -> int:
    """Decimals that show two digits of the narrowest interval's half width, at most three."""
    import math

    halves = sorted(one.high - one.saving for one in found if one.known and one.high - one.saving > 1e-6)
    if not halves:
        return 2
    return min(max(1 - math.floor(math.log10(halves[0])), 1), 3)


def _title(row: dict[str, Any]) -> str:
    from fastexec.analysis.cautions import title_of

    return title_of(row.get("scenario"), row.get("group"))


def _captured_lines(comparison: Comparison) -> list[str]:
    """What each agent captured of what the optimum saves, where one is known."""
    lines, optimum = list[str](), "numerical optimum" if comparison.numerical else "optimum"
    rows = [row for summary in comparison.summaries.values() for row in summary.to_pylist()]
    split = any(row.get("timing_unexpected_mean_bps") is not None for row in rows)
    moves, models = "moves that nobody expected" if split else "moves", {row["strategy"]: row["model"] for row in rows}
    for row in comparison.table.to_pylist():
        if row["captured"] is not None and models[row["strategy"]] == "qtable":
            low, high = 100 * row["captured_low"], 100 * row["captured_high"]
            group = f"{_title(row)}: " if _title(row) else ""
            lines.append(
                f"{group}{row['strategy']} captured {100 * row['captured']:.1f} % [{low:.1f}, {high:.1f}] of what the "
                f"{optimum} (cost {row['optimum_bps']:.3f} bps without the {moves}) saves against {comparison.baseline}"
            )
    return lines


def _program_table(console: Console, group: str, summary: pa.Table) -> Table:
    """Under the rule per_step: the mini-project's cost in currency, cheapest first."""
    from fastexec.analysis.footnotes import sign_at

    title = (
        f"{group + ': ' if group else ''}{counted(summary['episodes'][0].as_py(), 'episode')}, the mini-project's cost"
    )
    table = table_of(console, title)
    table.min_width = len(title)
    for name in ("strategy", "program cost\ncurrency", "sd\ncurrency", "done\n%"):
        table.add_column(name, justify="left" if name == "strategy" else "right", no_wrap=True)
    for row in sorted(summary.to_pylist(), key=lambda r: r["program_cost_mean"]):
        numbers = (
            f"{row['program_cost_mean']:,.0f}",
            number_of(row["program_cost_sd"], ",.0f"),
            f"{100 * row['completion']:.1f}{sign_at('done', row)}",
        )
        table.add_row(shown(row["strategy"]), *numbers)
    return table


def number_of(value: float | None, form: str) -> str:
    """A number, or - where there is none."""
    return "-" if value is None else format(value, form)

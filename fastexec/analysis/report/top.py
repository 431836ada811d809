"""What stands above the charts and at the foot: the answer, the table, cautions, what the page was made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastexec.analysis.cautions import cautions
from fastexec.analysis.footnotes import sign_at
from fastexec.analysis.report.costs import method_note
from fastexec.analysis.report.frame import padded, reach
from fastexec.analysis.report.material import Material
from fastexec.analysis.report.sentence import adapting, answer, optimum, percent
from fastexec.analysis.report.styles import Style
from fastexec.statistics.verdict import Difference, Judge, decimals, told
from fastexec.wording import counted

if TYPE_CHECKING:
    import pyarrow as pa

    from fastexec.studies.study import Study

_WIDE = 180.0  # of an interval drawn in the table
_EDGE = 6.0


class Cell(NamedTuple):
    """A number in words, what it sorts by, and the signs of footnotes that speak of it."""

    text: str
    order: float
    sign: str = ""


@dataclass(frozen=True)
class Row:
    """A strategy's line: texts of the cells with what they sort by, and its interval drawn: x of (low, saving, high);
    ``beyond``: the side ("left", "right") on which it lies outside of what is drawn; ``sign``: at its name; ``link``: its page.
    """

    names: list[str]
    style: Style
    baseline: bool
    cells: list[Cell]
    drawn: tuple[float, float, float] | None
    zero: float
    verdict: str
    sign: str = ""
    link: str = ""

    @property
    def beyond(self) -> str:
        """The side on which the saving lies outside of what is drawn."""
        if self.drawn is None or _EDGE < self.drawn[1] < _WIDE - _EDGE:
            return ""
        return "left" if self.drawn[1] <= _EDGE else "right"


@dataclass(frozen=True)
class Top:
    """``lines``: below the answer; ``names``, ``headings``: columns of texts and (name, unit) of those of numbers;
    ``intervals``: whether a column of drawn ones follows; ``warnings``: what is doubtful about the study, as
    ``check`` says it; ``table``: the same as CSV, in full; ``study``: as TOML; ``pages``: names and addresses of pages beside
    this one.
    """

    title: str
    answer: str
    lines: list[str]
    order: str
    names: list[str]
    headings: list[tuple[str, str]]
    intervals: bool
    against: str
    rows: list[Row]
    method: str
    warnings: list[str]
    cautions: list[str]
    facts: list[tuple[str, str]]
    command: str
    table: pa.Table
    study: str
    pages: list[tuple[str, str]] = field(default_factory=list)


def top_of(material: Material, whole: Study) -> Top:
    """The top of a study's report; ``whole``: the study with its sweep, if it has one."""
    scenario = material.swept.name
    return Top(
        title=material.study.name + (f", scenario {scenario}" if scenario else ""),
        answer=answer(material),
        lines=[*adapting(material), *([line] if (line := optimum(material)) else [])],
        order=_order(material),
        names=["strategy"],
        headings=_headings(material),
        intervals=not material.per_step,
        against=material.baseline,
        rows=_rows(material),
        method="" if material.per_step or not material.pairs.critical > 0 else method_note(material),
        warnings=material.comparison.warnings,
        cautions=cautions([material.study], [material.summary]),
        facts=facts_of(material.study, material.footer),
        command=command_of(material.footer),
        table=material.comparison.table,
        study=whole.to_toml(),
    )


def _headings(material: Material) -> list[tuple[str, str]]:
    unit = material.measure[1]
    costs = [("cost", unit), ("sd", unit)]
    if material.per_step:
        return [*costs, ("done", "%")]
    return [*costs, ("saving", "bps"), ("from", "bps"), ("to", "bps"), ("wins", "%"), ("done", "%")]


def _rows(material: Material) -> list[Row]:
    """The comparison, cheapest first."""
    costs = material.printed_costs
    found = (
        []
        if material.per_step
        else [material.pairs.against(material.baseline, s) for s in material.strategies if s != material.baseline]
    )
    at = scale_of(found)
    return [_row(material, k, at) for k in costs.argsort(kind="stable").tolist()]


def scale_of(differences: list[Difference]) -> Callable[[float], float]:
    """Where a saving lies in the drawn column, such that intervals and 0 have room; what lies far off stands at the edge."""
    known = [d for d in differences if d.known]
    low, high = padded(reach(np.array([d.low for d in known]), np.array([d.high for d in known]), [0.0]), 0.02)
    scale = (_WIDE - 2.0 * _EDGE) / (high - low)
    return lambda value: round(_EDGE + scale * (min(max(value, low), high) - low), 2)


def _row(material: Material, k: int, at: Callable[[float], float]) -> Row:
    name, own = material.strategies[k], material.rows[k]
    base = name == material.baseline
    sd = own["program_cost_sd" if material.per_step else "shortfall_sd_bps"]
    cost = Cell(material.cost_text(name), float(material.printed_costs[k]), sign_at("cost", own))
    cells = [cost, cell(sd, lambda x: f"{x:,.2f}")]
    drawn, verdict = None, "baseline" if base else ""
    if not material.per_step:
        found = None if base else material.pairs.against(material.baseline, name)
        texts, drawn, judged = of_difference(found, at, material.judge)
        verdict = verdict or judged
        wins = None if base else material.win_rate(name)
        cells += [*texts, cell(wins, lambda x: f"{100 * x:.1f}")]
    cells.append(done_cell(own))
    return Row([name], material.style(name), base, cells, drawn, at(0.0), verdict, sign_at("strategy", own))


def done_cell(row: Mapping[str, Any]) -> Cell:
    """How much of the order was done, of a summary's row."""
    return Cell(percent(row["completion"]).removesuffix(" %"), row["completion"], sign_at("done", row))


def of_difference(
    found: Difference | None, at: Callable[[float], float], judge: Judge
) -> tuple[list[Cell], tuple[float, float, float] | None, str]:
    """Cells of a saving and its interval, the interval drawn, and the verdict; no saving without an interval."""
    if found is None or not found.known:
        return [Cell("", float("-inf"))] * 3, None, "no interval"
    places = decimals(found)
    cells = [cell(x, lambda y: told(y, places)) for x in (found.saving, found.low, found.high)]
    return cells, (at(found.low), at(found.saving), at(found.high)), judge.verdict(found)


def cell(value: float | None, form: Callable[[float], str]) -> Cell:
    """A text and what it sorts by."""
    return Cell("–", float("-inf")) if value is None else Cell(form(value), value)


def facts_of(study: Study, footer: dict[str, Any]) -> list[tuple[str, str]]:
    """What stands at the foot."""
    inputs = [(f"input {name}", f"SHA-256 {digest}") for name, digest in sorted(footer["inputs"].items())]
    versions = ", ".join(f"{name} {version}" for name, version in sorted(footer["versions"].items()))
    return [
        ("study", f"{study.name}, identity {footer['identity']}"),
        ("seed", footer["seed"]),
        ("episodes", f"{footer['episodes']:,}, the first is {footer['first_episode']:,}"),
        ("versions", versions),
        ("kernels", footer["kernels"]),
        ("costs", "as the study has them; none was fitted to orders or tested on them here"),
        *(inputs or [("inputs", "none: every number comes from the study and its seed")]),
    ]


def command_of(footer: dict[str, Any]) -> str:
    """What makes the same files again."""
    shard = f" --first-episode {footer['first_episode']} --episodes {footer['episodes']}"
    return f"fastexec run study.toml --out again{shard if footer['first_episode'] else ''}"


def _order(material: Material) -> str:
    """The order and its market in a line."""
    order, market = material.study.order, material.study.market
    shares = order.shares
    size = f"{shares:,.10g}" if isinstance(shares, (int, float)) else f"{shares.low:,.10g} to {shares.high:,.10g}"
    days = material.rows[0]["day_ids"]
    where = f"{market.model} of {counted(len(days), 'day')}" if days else "a simulated market"
    return (
        f"{order.side} {size} shares in {counted(order.steps, 'step')} of {order.step_seconds:,g} s, "
        f"{counted(material.episodes, 'episode')} in "
        f"{where}; baseline {material.baseline}; at_horizon = {order.at_horizon}"
        f"{' with mark_price = quote' if order.rest == 'quote' else ''}."
    )

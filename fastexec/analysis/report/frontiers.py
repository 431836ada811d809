"""A sweep's frontiers: mean cost against risk, with intervals along both axes, and who is beaten by none in both."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fastexec.analysis.report.charts import Chart, Line, Panel, Points, absent
from fastexec.analysis.report.frame import framed
from fastexec.analysis.report.material import Material
from fastexec.analysis.report.risk import t95
from fastexec.analysis.report.rows import read_risks
from fastexec.analysis.report.styles import NEUTRAL, Style
from fastexec.analysis.report.sweep_material import SweepMaterial
from fastexec.analysis.sweep_tables import RISKS, axes_of, frontier, undominated
from fastexec.runs import store
from fastexec.runs.summary_file import read_summary
from fastexec.statistics.paired import FEWEST_DAYS, from_summary
from fastexec.studies.study import swept_studies

if TYPE_CHECKING:
    import pyarrow as pa

_LABELS = {"sd": "standard deviation of the cost (bps)", "cvar95": "mean of the worst 5 % (bps)"}
_MOST_VIEWS = 120
_MOST_PASSES = 256  # scenarios whose rows are read for the interval of a risk
_Ends = dict[tuple[str, str], tuple[float, float]]  # of (scenario, strategy)


def frontier_charts(material: SweepMaterial) -> list[Chart]:
    """Mean cost against risk, a view for each combination of the other keys; named with the reason where there is none."""
    title = "Mean cost against risk"
    if material.study.costs.rule == "per_step":
        return [absent("frontier", title, "the cost rule per_step has no basis points")]
    summary = read_summary(material.folder, material.study)
    upright, level = _of_means(material), _of_risks(material)
    if not _differ(summary):
        return [absent("frontier", title, "the strategies do not differ in risk")]
    views, tables = {}, []
    for risk in RISKS:
        table = frontier(summary, material.scenarios, risk)
        rows = table.to_pylist()
        tables.append(_with_ends(table, rows, upright, level[risk]))
        for panel in dict.fromkeys(row["panel"] for row in rows):
            marks = []
            for strategy in dict.fromkeys(row["strategy"] for row in rows):
                own = [row for row in rows if row["panel"] == panel and row["strategy"] == strategy]
                x, y = (np.array([row[name] for row in own], np.float64) for name in ("risk_bps", "mean_bps"))
                low, high = _ends(own, upright)
                style, across = material.style(strategy), _ends(own, level[risk])
                marks.append(Points(strategy, x, y, style, low, high, "y", across, joined=True))
            label = ", ".join(word for word in (_LABELS[risk].removesuffix(" (bps)"), panel) if word)
            inside, ranges, beyond = framed(marks, "xy")
            own = [row for row in rows if row["panel"] == panel]
            best = _best([row["mean_bps"] for row in own], [row["risk_bps"] for row in own])
            views[label] = [
                Panel(
                    [best, *inside],
                    _LABELS[risk],
                    "mean cost (bps)",
                    x_range=ranges["x"],
                    y_range=ranges["y"],
                    note=beyond,
                )
            ]
            if len(views) >= _MOST_VIEWS:
                break
    note = "Lower left is better; the dotted line joins those that no other beats in both. "
    if any(key.endswith(".risk_aversion") for key in axes_of(material.scenarios)):
        note += "Along a line of a strategy its risk aversion changes. "
    note += "The moves are left out of the mean where their mean is known to be zero. "
    note += "Bars: intervals of 95 %, each by itself"
    note += "." if level["sd"] else "; of the risk there is none, which needs the episodes' rows and at most "
    note += "" if level["sd"] else f"{_MOST_PASSES} scenarios."
    return [Chart("frontier", title, note, views, tables[0], view_label="risk as")]


def _differ(summary: pa.Table) -> bool:
    """Whether somewhere two strategies, or two scenarios of one, have another risk, by more than rounding."""
    risks = [value for value in summary[RISKS["sd"]].to_pylist() if value is not None]
    return len(risks) > 1 and max(risks) - min(risks) > 1e-9 * max(risks)


def _best(mean: list[float], risk: list[float]) -> Line:
    """The frontier itself."""
    places = undominated(mean, risk)
    x, y = (np.array([values[j] for j in places], np.float64) for values in (risk, mean))
    return Line("beaten by none in both", x, y, Style(NEUTRAL, "dot"))


def _ends(rows: list[dict[str, Any]], known: _Ends) -> tuple[np.ndarray, np.ndarray]:
    found = np.array([known.get((row["scenario"], row["strategy"]), (np.nan, np.nan)) for row in rows], np.float64)
    return found[:, 0], found[:, 1]


def _with_ends(table: pa.Table, rows: list[dict[str, Any]], upright: _Ends, level: _Ends) -> pa.Table:
    import pyarrow as pa

    for name, known in (("mean", upright), ("risk", level)):
        for end, values in zip(("low", "high"), _ends(rows, known), strict=True):
            table = table.append_column(f"{name}_{end}_bps", pa.array(values, from_pandas=True))
    return table


def _of_means(material: SweepMaterial) -> _Ends:
    """Of each mean cost, the moves taken out as in ``frontier``; days are the clusters of a replay."""
    found: _Ends = {}
    for scenario, summary in material.comparison.summaries.items():
        own, n = from_summary(summary), summary["episodes"][0].as_py()
        strategies = len(own.strategies)
        for k, name in enumerate(own.strategies):
            timing, p = strategies + k, own.products
            mean, sum_ = float(own.mean[k]), float(p[k, k])
            if own.control_variate[k]:
                mean, sum_ = mean - float(own.timing_mean[k]), sum_ - float(2.0 * p[k, timing] - p[timing, timing])
            error, freedom = np.sqrt(max(sum_, 0.0) / max(n - 1, 1) / n), n - 1
            if own.day_counts is not None and own.day_sums is not None:
                scores, freedom = own.day_sums[:, k] - mean * own.day_counts, own.day_counts.size - 1
                error = np.sqrt((freedom + 1) / max(freedom, 1) * float(scores @ scores)) / n
            if not own.conditional and freedom >= (1 if own.day_counts is None else FEWEST_DAYS - 1):
                half = t95(freedom) * float(error)
                found[scenario, name] = mean - half, mean + half
    return found


def _of_risks(material: SweepMaterial) -> dict[str, _Ends]:
    """Of each risk, from the rows; nothing without them."""
    found: dict[str, _Ends] = {risk: {} for risk in RISKS}
    summaries = material.comparison.summaries
    if material.study.output.rows != "all" or len(summaries) > _MOST_PASSES:
        return found
    footer = store.read_footer(material.folder / "summary.parquet")
    for swept in swept_studies(material.study):
        name = str(swept.name)
        comparison = replace(material.comparison, summaries={name: summaries[name]})
        own = Material(material.folder, swept, comparison, footer)
        for risk, (low, high) in read_risks(own).intervals().items():
            ends = zip(low.tolist(), high.tolist(), strict=True)
            found[risk] |= {(name, strategy): pair for strategy, pair in zip(own.strategies, ends, strict=True)}
    return found

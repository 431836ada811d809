"""What the strategies cost: savings with intervals, parts of the mean, mean against risk."""

from __future__ import annotations

import numpy as np

from fastexec.analysis.report.charts import Bars, Chart, Line, Panel, Points, absent
from fastexec.analysis.report.frame import Edges, framed, moved, padded, reach
from fastexec.analysis.report.material import Material
from fastexec.analysis.report.rows import Rows
from fastexec.analysis.report.styles import NEUTRAL, PART_COLOURS, Style
from fastexec.analysis.sweep_tables import undominated
from fastexec.statistics.metrics import LEAST_EPISODES
from fastexec.statistics.verdict import decimals, told
from fastexec.wording import counted

_NEGLIGIBLE = 5e-4  # bps: a part that small in every strategy is not drawn


def savings_chart(material: Material) -> Chart:
    """Savings against the baseline with simultaneous intervals; dearest at the bottom."""
    import pyarrow as pa

    title = f"Saving against {material.baseline}"
    if material.per_step or not np.isfinite(material.pairs.critical):
        reason = "the cost rule per_step has no basis points" if material.per_step else "there is no interval to draw"
        return absent("savings", title, reason)
    others = [material.pairs.against(material.baseline, s) for s in material.strategies if s != material.baseline]
    others.sort(key=lambda d: d.saving)
    marks = [
        Points(d.other, np.array([d.saving]), np.array([float(y)]), material.style(d.other), np.array([d.low]),
               np.array([d.high]), texts=[told(d.saving, decimals(d))])
        for y, d in enumerate(others)
    ]  # fmt: skip
    inside, ranges, beyond = framed(marks, "x", {"x": [0.0]})
    panel = Panel(
        inside, "saving (bps)", "", y_names=[d.other for d in others], zero="x", x_range=ranges["x"],
        note=beyond,
    )  # fmt: skip
    table = pa.table(
        {
            "strategy": [d.other for d in others],
            "saving_bps": [d.saving for d in others],
            "standard_error_bps": [d.error for d in others],
            "low_bps": [d.low for d in others],
            "high_bps": [d.high for d in others],
            "control_variate": [d.controlled for d in others],
        }
    )
    return Chart(
        "savings",
        title,
        f"The intervals of the table; right of 0: it cost less than {material.baseline}.",
        {"": [panel]},
        table,
        height=150 + 36 * len(marks),
    )


def method_note(material: Material) -> str:
    """How the intervals are made, in words."""
    pairs = material.pairs
    controlled = any(d.controlled for d in pairs.differences.values())
    held = "Intervals hold" if pairs.pairs == 1 else "Intervals hold together"
    over = "" if pairs.pairs == 1 else f", over all {pairs.pairs} pairs of strategies"
    note = f"{held}, with 95 %{over}: {pairs.critical:.2f} standard errors to each side ({pairs.method})"
    note += (
        "; price moves, whose mean is known, are taken out of savings and costs as control variate where that is valid."
        if controlled
        else "."
    )
    return note


def parts_chart(material: Material) -> Chart:
    """Mean cost parts, positive ones stacked upwards and negative ones downwards, the sum as a mark."""
    import pyarrow as pa

    title = "Parts of the mean cost"
    if material.per_step:
        return absent("parts", title, "the cost rule per_step has one part only")
    order = sorted(material.rows, key=lambda row: -row["shortfall_mean_bps"])
    places = np.arange(len(order), dtype=float)
    marks: list[Bars] = []
    parts = material.study.cost_parts
    for j, part in enumerate(parts):
        means = np.array([row[f"{part}_mean_bps"] for row in order])
        if np.abs(means).max() >= _NEGLIGIBLE:
            marks.append(Bars(part, places, means, PART_COLOURS[j % len(PART_COLOURS)], along="x"))
    total = np.array([row["shortfall_mean_bps"] for row in order])
    lengths = np.stack([mark.lengths for mark in marks]) if marks else np.zeros((1, total.size))
    low, high = np.minimum(lengths, 0.0).sum(axis=0), np.maximum(lengths, 0.0).sum(axis=0)
    ends = {"x": padded(reach(low, high, [0.0]))}
    sums = Points("shortfall (sum)", total, places, Style("#D11F1F", symbol="diamond"))
    edges = Edges.over([sums])
    inside = moved(sums, ends, edges)
    panel = Panel(
        [*marks, *inside], "bps of the order's value", "", y_names=[row["strategy"] for row in order], zero="x",
        x_range=ends["x"], note="A bar that the frame cuts goes on to the sum written at its edge." if edges.values else "",
    )  # fmt: skip
    table = pa.table(
        {
            "strategy": [row["strategy"] for row in order],
            **{f"{part}_bps": [row[f"{part}_mean_bps"] for row in order] for part in parts},
            "shortfall_bps": total,
        }
    )
    note = "What the order lost to each cause; timing is the price's own move, which is chance where prices are a martingale."
    return Chart("parts", title, note, {"": [panel]}, table, height=150 + 36 * len(order))


def risk_chart(material: Material, rows: Rows | None) -> Chart:
    """Mean cost against its standard deviation, and against the mean of its worst 5 %, with intervals along both axes."""
    import pyarrow as pa

    title, unit = "Mean against risk", material.measure[1]
    kinds = {
        "standard deviation": ("sd", "shortfall_sd_bps"),
        "mean of the worst 5 %": ("cvar95", "shortfall_cvar95_bps"),
    }
    if material.per_step:
        kinds = {"standard deviation": ("sd", "program_cost_sd")}
    mean, (low, high) = material.printed_costs, _around(material)
    found = {} if rows is None else rows.risks.intervals()
    columns = {"strategy": material.strategies, f"mean_{unit}": mean, f"low_{unit}": low, f"high_{unit}": high}
    views: dict[str, list[Panel]] = {}
    for label, (risk, column) in kinds.items():
        values = np.array([row[column] for row in material.rows], np.float64)
        if np.isnan(values).any():
            return absent("risk", title, "one episode has no standard deviation")
        ends = found.get(risk, (np.full(values.size, np.nan),) * 2)
        marks = [
            Points(
                name,
                values[[k]],
                mean[[k]],
                material.style(name),
                low[[k]],
                high[[k]],
                "y",
                (ends[0][[k]], ends[1][[k]]),
            )
            for k, name in enumerate(material.strategies)
        ]
        inside, ranges, beyond = framed(marks, "xy")
        x, y = f"{label} of the cost ({unit})", f"mean cost ({unit})"
        places = undominated(mean.tolist(), values.tolist())
        best = Line("beaten by none in both", values[places], mean[places], Style(NEUTRAL, "dot"))
        views[label] = [Panel([best, *inside], x, y, x_range=ranges["x"], y_range=ranges["y"], note=beyond)]
        columns |= {column: values, f"{risk}_low_{unit}": ends[0], f"{risk}_high_{unit}": ends[1]}
    note = _risk_note(material, low, found)
    return Chart("risk", title, note, views, pa.table(columns), view_label="risk as")


def _risk_note(material: Material, low: np.ndarray, found: dict[str, tuple[np.ndarray, np.ndarray]]) -> str:
    note = "Lower left is better: a lower cost on average, and less spread from episode to episode; the dotted line "
    note += "joins those that no other beats in both."
    if np.isfinite(low).any():
        note += f" Upright bars: the interval of the saving against {material.baseline}, which has none."
    if not found:
        return f"{note} The risk has no interval: that needs the episodes' rows."
    if not np.isfinite(found["sd"][0]).any():
        return f"{note} The risk has no interval here."
    note += " Level bars: the interval of the risk, each of 95 % by itself, by the delta method"
    note += "; of two strategies on the same episodes the difference is known better than either."
    few = [name for name, least in LEAST_EPISODES.items() if material.episodes < least]
    return (
        f"{note} {counted(material.episodes, 'episode is', 'episodes are')} few for them: they are too narrow."
        if few
        else note
    )


def _around(material: Material) -> tuple[np.ndarray, np.ndarray]:
    """(low, high) of each cost, float64[k], as the interval of its saving leaves them; NaN where there is none."""
    if material.per_step:
        none = np.full(len(material.strategies), np.nan)
        return none, none
    base = material.printed_costs[material.strategies.index(material.baseline)]
    found = [
        None if s == material.baseline else material.pairs.against(material.baseline, s) for s in material.strategies
    ]
    low = [np.nan if d is None else base - d.high for d in found]
    return np.array(low), np.array([np.nan if d is None else base - d.low for d in found])

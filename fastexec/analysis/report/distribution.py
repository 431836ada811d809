"""How the cost is spread over episodes: its density, its tail, and how much of the order was done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastexec.analysis.report.charts import Chart, Line, Panel, Points, absent
from fastexec.analysis.report.frame import Edges, edge_mark, framed
from fastexec.analysis.report.material import Material
from fastexec.columns import QUANTILES
from fastexec.wording import counted

if TYPE_CHECKING:
    import pyarrow as pa

    from fastexec.analysis.report.rows import Histogram, Rows

_OUTSIDE = 1.5  # % of the episodes beyond an edge, from which on that is marked
_FEW = 10  # strategies that a note may enumerate
_NO_ROWS = 'the study wrote no rows (output.rows = "none")'


def cost_label(material: Material) -> str:
    """The axis of costs."""
    return "program cost (currency)" if material.per_step else "implementation shortfall (bps)"


def distribution_chart(material: Material, rows: Rows | None) -> Chart:
    """Densities from a histogram of every row; quantiles of the summary where there are no rows."""
    import pyarrow as pa

    title = "Distribution of the cost"
    if rows is None:
        return _quantiles(material) if not material.per_step else absent("distribution", title, _NO_ROWS)
    edges, counts = rows.body.edges, rows.body.counts
    middle, width = 0.5 * (edges[1:] + edges[:-1]), edges[1] - edges[0]
    density = 100.0 * counts[:, 1:-1] / counts.sum(axis=1)[:, None]
    marks = [Line(name, middle, density[k], material.style(name)) for k, name in enumerate(material.strategies)]
    unit = material.measure[1]
    top, beyond = _frame(density.max(axis=1), material.strategies)
    edges_marked, outside = _beyond(rows.body, marks, density, top)
    panel = Panel(
        [*marks, *edges_marked], cost_label(material), f"% of episodes in each {width:,.3g} {unit}",
        x_range=(float(edges[0]), float(edges[-1])), y_range=(0.0, top), note=outside,
    )  # fmt: skip
    table = pa.table(
        {
            "strategy": np.repeat(material.strategies, middle.size),
            f"from_{unit}": np.tile(edges[:-1], len(counts)),
            f"to_{unit}": np.tile(edges[1:], len(counts)),
            "episodes": counts[:, 1:-1].ravel(),
        }
    )
    note = (
        f"All {counted(material.episodes, 'episode')}, between the 1 % and 99 % points; right is dearer. The tail is the next "
        "chart."
    )
    if beyond:
        note += f" Their peak lies beyond the frame: {beyond}."
    return Chart("distribution", title, note, {"": [panel]}, table)


def _beyond(body: Histogram, lines: list[Line], density: np.ndarray, top: float) -> tuple[list[Points], str]:
    """Marks on the edges where more of a strategy's episodes lie beyond than the points of 1 % and 99 % leave out."""
    found: list[Points] = []
    told: list[str] = []
    sides = Edges.over(lines)
    share = 100.0 * body.counts / body.counts.sum(axis=1)[:, None]
    for k, line in enumerate(lines):
        for cell, edge, at in ((0, "left", 0), (-1, "right", -1)):
            if share[k, cell] > _OUTSIDE:
                y = min(float(density[k, at]), top)
                found.append(
                    edge_mark(line, float(body.edges[at]), y, edge, f"{line.name} {share[k, cell]:.0f} %", sides)
                )
                told.append(f"{line.name} ({share[k, cell]:.0f} % of its episodes)")
    return found, f"Beyond the frame, marked at its edge: {', '.join(told)}." if told else ""


def _frame(peaks: np.ndarray, names: list[str]) -> tuple[float, str]:
    """Where to cut the axis, and whose peak is cut: one that costs the same in every episode would flatten all others."""
    middle = float(np.median(peaks))
    high = peaks > 4.0 * middle
    if not high.any():
        return 1.08 * float(peaks.max()), ""
    told = [f"{name} ({peak:.0f} %)" for name, peak, cut in zip(names, peaks.tolist(), high, strict=True) if cut]
    return 1.4 * float(peaks[~high].max()), ", ".join(told)


def _quantiles(material: Material) -> Chart:
    """The 5, 25, 50, 75, 95 % points as nested intervals."""
    place = np.arange(len(material.rows), dtype=float)[::-1]
    marks = []
    for k, row in enumerate(material.rows):
        name, at = row["strategy"], place[[k]]
        low, high = (np.array([row[f"shortfall_p{q}_bps"]]) for q in ("05", "95"))
        marks.append(Points(name, np.array([row["shortfall_p50_bps"]]), at, material.style(name), low, high))
    inside, ranges, beyond = framed(marks, "x")
    panel = Panel(inside, cost_label(material), "", y_names=material.strategies[::-1], x_range=ranges["x"], note=beyond)
    columns = ["strategy", *(f"shortfall_p{q:02d}_bps" for q in QUANTILES)]
    note = (
        "The study wrote no rows: instead of densities the median, and the 5 % to 95 % range of episodes (no confidence "
        "interval), from the summary."
    )
    height = 160 + 34 * len(marks)
    return Chart(
        "distribution",
        "Distribution of the cost",
        note,
        {"": [panel]},
        _plain(material.summary.select(columns)),
        height=height,
    )


def _plain(table: pa.Table) -> pa.Table:
    import pyarrow as pa

    return table.set_column(0, "strategy", table["strategy"].cast(pa.string()))


def tail_chart(material: Material, rows: Rows | None) -> Chart:
    """How often the cost exceeded a level, on a logarithmic axis; from quantiles where there are no rows."""
    import pyarrow as pa

    if rows is None and material.per_step:
        return absent("tail", "Tail of the cost", _NO_ROWS)
    names, marks = material.strategies, []
    table: dict[str, list[object]] = {"strategy": [], f"cost_{material.measure[1]}": [], "exceeded_percent": []}
    for k, name in enumerate(names):
        x, y = _exceeded(rows.tail, k) if rows is not None else _exceeded_of(material.rows[k])
        marks.append(Line(name, x, y, material.style(name), marked=rows is None))
        for column, values in zip(table.values(), ([name] * x.size, x.tolist(), y.tolist()), strict=True):
            column += values
    note = "How often an episode cost more than so much."
    if not material.per_step and len(names) <= _FEW:
        worst = sorted(material.rows, key=lambda row: row["shortfall_cvar95_bps"])
        means = ", ".join(f"{row['strategy']} {row['shortfall_cvar95_bps']:,.1f}" for row in worst)
        note += f" Mean of the worst 5 % of episodes (bps): {means}."
    end = float(rows.tail.edges[-1]) if rows is not None else np.inf
    beyond = _goes_on(material, marks, end)
    panel = Panel([*marks, *beyond], cost_label(material), "% of episodes that cost more", log_y=True)
    return Chart("tail", "Tail of the cost", note, {"": [panel]}, pa.table(table))


def _goes_on(material: Material, lines: list[Line], end: float) -> list[Points]:
    """Marks at the right edge of the tails that go on beyond it, with the dearest episode's cost where that is known."""
    if material.per_step:
        return []
    found, sides = [], Edges.over(lines)
    for line, row in zip(lines, material.rows, strict=True):
        most = row["shortfall_maximum_bps"]
        if most > end * (1.0 + 1e-9):
            place = float(line.x[-1]), float(line.y[-1])
            found.append(edge_mark(line, *place, "right", f"{line.name} to {most:,.0f}", sides))
    return found


def _exceeded(tail: Histogram, k: int) -> tuple[np.ndarray, np.ndarray]:
    """(level, % above it) at the cells' edges where somebody is above; every tenth of a decade is enough."""
    above = tail.counts[k].sum() - np.cumsum(tail.counts[k])[:-1]
    share = 100.0 * above / tail.counts[k].sum()
    there = np.flatnonzero(share > 0.0)
    if there.size == 0:
        return tail.edges[:1], np.full(1, 100.0)
    step = np.floor(40.0 * np.log10(share[there]))
    kept = there[np.r_[True, np.diff(step) != 0.0]]
    return tail.edges[kept], share[kept]


def _exceeded_of(row: dict[str, float]) -> tuple[np.ndarray, np.ndarray]:
    upper = [q for q in QUANTILES if q >= 50]
    return np.array([row[f"shortfall_p{q:02d}_bps"] for q in upper]), np.array([100.0 - q for q in upper])


def completion_chart(material: Material, rows: Rows | None) -> Chart:
    """Mean completion by the strategies' own decisions, and how many episodes they finished so."""
    import pyarrow as pa

    names = material.strategies
    mean = 100.0 * np.array([row["completion"] for row in material.rows])
    place = np.arange(len(names), dtype=float)[::-1]
    marks = [
        Points(name, mean[[k]], place[[k]], material.style(name), texts=[f"{_percent(mean[k])} %"])
        for k, name in enumerate(names)
    ]
    table = {
        "strategy": names,
        "completion_percent": mean,
        "unfinished_episodes": [r["unfinished"] for r in material.rows],
    }
    note = (
        "Share of the order that a strategy traded by its own decisions, before the horizon rule "
        f"({_horizon(material)}); mean over episodes."
    )
    if rows is not None:
        done = 100.0 * rows.finished / material.episodes
        table["episodes_finished_by_itself_percent"] = done
    if rows is not None and len(names) <= _FEW:
        note += " Finished by itself, of 100 episodes: " + ", ".join(
            f"{name} {_percent(x)}" for name, x in zip(names, done.tolist(), strict=True)
        )
        note += "."
    low = 90.0 if mean.min() >= 90.0 else 50.0 if mean.min() >= 50.0 else 0.0
    reach = (low - 0.06 * (100.0 - low), 100.0 + 0.06 * (100.0 - low))
    panel = Panel(marks, "completion (% of the order)", "", y_names=names[::-1], x_range=reach)
    return Chart("completion", "Completion", note, {"": [panel]}, pa.table(table), height=140 + 30 * len(names))


def _percent(value: float) -> str:
    """100 only where it is 100."""
    return "100" if value >= 100.0 - 1e-9 else f"{min(value, 99.99):.2f}" if value > 99.9 else f"{value:.1f}"


def _horizon(material: Material) -> str:
    return {
        "complete": "at_horizon = complete: the rest joins the last slice, at a cost",
        "trade": "at_horizon = mark: the rest is valued as if it were traded in one step more",
        "quote": "mark_price = quote: the rest is valued at the last quote, which flatters whoever does less",
        "leave": "at_horizon = leave: the rest costs nothing, which flatters whoever does less",
    }[material.study.order.rest]

"""When the strategies trade: mean schedules with bands against the market's volume, from a bounded number of episodes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastexec.analysis.report.charts import Area, Chart, Line, Panel, Points, absent, thinned
from fastexec.analysis.report.frame import Edges, edge_mark
from fastexec.analysis.report.material import Material
from fastexec.runs import layout, store
from fastexec.simulation import Prepared
from fastexec.wording import counted

_EPISODES, _FEWEST = 512, 100
_CELLS = 4_000_000  # episodes x strategies x steps in memory
_MOST_POINTS = 200
_TITLE = "Schedules against the market's volume"


@dataclass(frozen=True)
class Played:
    """Slices as shares of the order float64[e, k, t], and the market's volume float64[e, t]."""

    slices: np.ndarray
    volume: np.ndarray


def played(material: Material, prepared: Prepared | None) -> Played | None:
    """Stored steps where there are enough episodes of them, else the first episodes regenerated, else what is stored."""
    parts = layout.parts(material.home("steps"))
    stored = material.study.output.steps if parts else 0
    if prepared is None or stored >= _FEWEST:
        return _stored(material) if parts else None
    cells = len(material.strategies) * material.study.order.steps
    count = max(1, min(_EPISODES, material.episodes, _CELLS // cells))
    return _shaped(material, prepared.steps(material.first, count))


def _stored(material: Material) -> Played:
    import pyarrow as pa
    import pyarrow.parquet as pq

    place = layout.parts(material.home("steps"))[0]
    cells = len(material.strategies) * material.study.order.steps
    wanted = max(1, min(_EPISODES, _CELLS // cells)) * cells
    columns = ["shares", "volume", "remaining"]
    store.read_footer(place)  # says in one line where the file is damaged
    batches = []
    for batch in pq.ParquetFile(place.open()).iter_batches(min(wanted, 1 << 18), columns=columns):
        batches.append(batch)
        if sum(len(b) for b in batches) >= wanted:
            break
    table = pa.Table.from_batches(batches)[:wanted]
    return _shaped(material, {name: table[name].to_numpy() for name in columns})


def _shaped(material: Material, steps: dict[str, np.ndarray]) -> Played:
    shape = (-1, len(material.strategies), material.study.order.steps)
    shares, volume = steps["shares"].reshape(shape), steps["volume"].reshape(shape)[:, 0]
    order = (steps["remaining"].reshape(shape) + shares)[:, :, :1]
    return Played(shares / order, volume)


def schedules_chart(material: Material, found: Played | None, why: str) -> Chart:
    """Traded so far, and the slice of each step, with the band of the middle 80 % of episodes."""
    import pyarrow as pa

    if found is None:
        return absent("schedules", _TITLE, why)
    steps = material.study.order.steps
    volume = found.volume.mean(axis=0)
    share = volume / max(float(volume.sum()), 1e-300)
    t = thinned(np.arange(float(steps)), _MOST_POINTS)
    done = np.cumsum(found.slices, axis=2)
    views = {
        "traded so far": [_panel(material, t, done, np.cumsum(share), "% of the order traded", 102.0)],
        "slice of each step": [_panel(material, t, found.slices, share, "% of the order in a step", None)],
    }
    width = t.size
    slices, so_far = 100.0 * found.slices, 100.0 * done
    table = pa.table(
        {
            "strategy": np.repeat(material.strategies, width),
            "step": np.tile(t, len(material.strategies)),
            "slice_percent": thinned(slices.mean(axis=0), _MOST_POINTS).ravel(),
            "traded_percent": thinned(so_far.mean(axis=0), _MOST_POINTS).ravel(),
            "traded_p10_percent": thinned(np.quantile(so_far, 0.1, axis=0), _MOST_POINTS).ravel(),
            "traded_p90_percent": thinned(np.quantile(so_far, 0.9, axis=0), _MOST_POINTS).ravel(),
            "market_volume_percent": np.tile(thinned(100.0 * share, _MOST_POINTS), len(material.strategies)),
        }
    )
    note = (
        f"Mean over {counted(len(found.slices), 'episode')}; the band is where 80 % of them lie. Grey: the market's mean "
        "volume, as a share of its total."
    )
    return Chart("schedules", _TITLE, note, views, table, height=460)


def _panel(
    material: Material, t: np.ndarray, values: np.ndarray, share: np.ndarray, label: str, top: float | None
) -> Panel:
    percent = 100.0 * values
    mean, low, high = percent.mean(axis=0), *np.quantile(percent, (0.1, 0.9), axis=0)
    marks: list[Area | Line] = [Area("market volume", t, thinned(100.0 * share, _MOST_POINTS))]
    most = float(100.0 * share.max())
    for k, name in enumerate(material.strategies):
        line, lower, upper = (thinned(x[k], _MOST_POINTS) for x in (mean, low, high))
        moves = bool((upper - lower).max() > 1e-9)
        marks.append(Line(name, t, line, material.style(name), True, (lower, upper) if moves else None))
        most = max(most, float(np.quantile(line, 0.97)))
    # Whoever trades all at once would press the others flat: his peak is marked at the edge.
    ends = (0.0, top or 1.35 * most)
    lines = [mark for mark in marks if isinstance(mark, Line)]
    edges = Edges.over(lines)
    peaks = [_peak(mark, ends[1], edges) for mark in lines if mark.y.max() > ends[1]]
    return Panel([*marks, *peaks], f"step (of {material.study.order.step_seconds:g} s)", label, y_range=ends)


def _peak(line: Line, top: float, edges: Edges) -> Points:
    at = int(np.argmax(line.y))
    return edge_mark(line, float(line.x[at]), 0.98 * top, "top", f"{line.y[at]:,.3g} %", edges)

"""Savings by market condition: the same paired savings within fifths of the episodes by spread, volume, volatility."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fastexec.analysis.report.charts import Chart, Panel, Points, absent
from fastexec.analysis.report.frame import framed
from fastexec.analysis.report.material import Material
from fastexec.place import Place
from fastexec.runs import store
from fastexec.statistics.paired import FEWEST_DAYS

_GROUPS = 5
_SAMPLE = 1_000_000
_COLUMNS = {
    "mean_spread_bps": ("mean spread", "bps", 1.0),
    "market_volume": ("market volume", "shares", 1.0),
    "realised_volatility": ("realised volatility", "bps a step", 1e4),
    "order_shares": ("order size", "shares", 1.0),
}
_TITLE = "Savings by market condition"


@dataclass(frozen=True)
class Condition:
    """One column's groups: ``names`` [g], ``counts`` [g], ``saving`` and ``error`` [g, k] (bps; NaN: no interval),
    ``freedom`` [g].
    """

    column: str
    names: list[str]
    counts: np.ndarray
    saving: np.ndarray
    error: np.ndarray
    freedom: np.ndarray


class Conditions:
    """Sums of paired savings by group, block by block; moments about the overall saving, so that nothing cancels."""

    def __init__(self, material: Material, parts: list[Place]) -> None:
        edges = {} if why_missing(material) else {name: _edges(parts, name) for name in _COLUMNS}
        self._edges = {name: edge for name, edge in edges.items() if edge.size}
        self._baseline = material.strategies.index(material.baseline)
        mean = material.mean_costs()
        self._shift = mean[self._baseline] - mean
        days = material.rows[0]["day_ids"]
        self._days = None if days is None else np.array(days)
        shape = (_GROUPS, 1 if days is None else len(days))
        self._counts = {name: np.zeros(shape, np.int64) for name in self._edges}
        self._sums = {name: np.zeros((*shape, mean.size)) for name in self._edges}
        self._squares = {name: np.zeros((_GROUPS, mean.size)) for name in self._edges}

    @property
    def columns(self) -> list[str]:
        """The columns of markets that are needed."""
        return [*self._edges, *([] if self._days is None or not self._edges else ["day"])]

    def add(self, markets: dict[str, np.ndarray], costs: np.ndarray) -> None:
        """costs: float64[e, k] of the episodes whose columns are ``markets`` [e]."""
        if not self._edges:
            return
        count = costs.shape[1]
        saving = costs[:, [self._baseline]] - costs - self._shift
        day = 0 if self._days is None else np.searchsorted(self._days, markets["day"])
        strategy = np.arange(count)
        for name, edges in self._edges.items():
            group = np.searchsorted(edges, markets[name])
            cell = group * self._counts[name].shape[1] + day
            self._counts[name] += np.bincount(cell, minlength=self._counts[name].size).reshape(self._counts[name].shape)
            at = (cell[:, None] * count + strategy).ravel()
            sums, squares = self._sums[name], self._squares[name]
            sums += np.bincount(at, saving.ravel(), sums.size).reshape(sums.shape)
            at = (group[:, None] * count + strategy).ravel()
            squares += np.bincount(at, (saving * saving).ravel(), squares.size).reshape(squares.shape)

    def table(self) -> list[Condition]:
        """What was found, a condition for each column that varies."""
        return [self._condition(name) for name in self._edges]

    def _condition(self, name: str) -> Condition:
        by_day, sums = self._counts[name], self._sums[name]
        counts = by_day.sum(axis=1)
        n = np.maximum(counts, 1)[:, None]
        mean = sums.sum(axis=1) / n
        if self._days is None:
            variance = np.maximum(self._squares[name] - n * mean * mean, 0.0) / np.maximum(n - 1, 1)
            error, freedom = np.sqrt(variance / n), counts - 1.0
            error[counts < 2] = np.nan
        else:
            clusters = (by_day > 0).sum(axis=1)
            scores = sums - by_day[:, :, None] * mean[:, None, :]
            error = np.sqrt((scores * scores).sum(axis=1) * (clusters / np.maximum(clusters - 1, 1))[:, None]) / n
            error[clusters < FEWEST_DAYS] = np.nan
            freedom = clusters - 1.0
        kept = counts > 0
        names = [text for text, there in zip(_names(name, self._edges[name]), kept, strict=True) if there]
        return Condition(name, names, counts[kept], (self._shift + mean)[kept], error[kept], freedom[kept])


def why_missing(material: Material) -> str:
    """Why there can be no savings by condition, or nothing."""
    if material.per_step:
        return "the cost rule per_step has no basis points and no intervals"
    if not material.has_rows:
        return 'the study wrote no rows (output.rows = "none")'
    if not np.isfinite(material.pairs.critical):
        return "so few days (or one episode) tell no interval, and no saving is shown without one"
    return ""


def _edges(parts: list[Place], column: str) -> np.ndarray:
    """Inner edges of the groups, from at most 10^6 episodes; none where the column does not vary."""
    stride = -(-sum(store.read_footer(part)["episodes"] for part in parts) // _SAMPLE)
    sample = np.concatenate([store.read_columns(part, [column])[column][::stride] for part in parts])
    sample = sample[np.isfinite(sample)]
    if sample.size == 0 or sample.max() - sample.min() <= 1e-9 * abs(float(sample.max())):
        return np.zeros(0)
    return np.asarray(np.quantile(sample, np.arange(1, _GROUPS) / _GROUPS))


def _names(column: str, edges: np.ndarray) -> list[str]:
    scale = _COLUMNS[column][2]
    shown = [f"{edge * scale:,.3g}" if edge * scale < 1e5 else f"{edge * scale / 1e3:,.0f}k" for edge in edges.tolist()]
    between = [f"{low}–{high}" for low, high in zip(shown, shown[1:], strict=False)]
    return [f"up to {shown[0]}", *between, f"over {shown[-1]}"]


def conditions_chart(material: Material, found: list[Condition]) -> Chart:
    """Savings against the baseline in each group, a view a column; none without its interval."""
    import pyarrow as pa

    reason = why_missing(material)
    told = [condition for condition in found if np.isfinite(condition.error).any()]
    if not reason and not told:
        reason = "the groups have too few days for an interval" if found else "the market is the same in every episode"
    others = [k for k, name in enumerate(material.strategies) if name != material.baseline]
    if not others:
        reason = "there is no second strategy to compare with"
    if reason:
        return absent("conditions", _TITLE, reason)
    views, tables = {}, []
    for condition in told:
        label, unit, _ = _COLUMNS[condition.column]
        marks, table = _groups(material, condition, others)
        inside, ranges, beyond = framed(marks, "y", {"y": [0.0]})
        shown = Panel(inside, f"{label} ({unit})", "saving (bps)", condition.names, zero="y", y_range=ranges["y"])
        views[label] = [replace(shown, note=beyond)]
        tables.append(pa.table(table))
    note = (
        f"Fifths of the episodes by what their market did; above 0 is cheaper than {material.baseline}. Intervals hold "
        "together over all points of a view (95 %, Šidák), without control variate, so they are wider than those above: "
        "what a path did later is known here."
    )
    if not all(np.isfinite(condition.error).all() for condition in told):
        note += " Groups of fewer than five days tell no interval and are left open."
    return Chart("conditions", _TITLE, note, views, pa.concat_tables(tables), view_label="by")


def _groups(material: Material, condition: Condition, others: list[int]) -> tuple[list[Points], dict[str, Any]]:
    """Points of each strategy beside one another in each group, and the same as columns."""
    half = _half_widths(condition, len(others))
    groups = np.arange(len(condition.names))
    marks, saved = [], np.where(np.isfinite(half), condition.saving, np.nan)
    for j, k in enumerate(others):
        name, own = material.strategies[k], saved[:, k]
        x = groups + 0.5 * (j - (len(others) - 1) / 2) / len(others)
        marks.append(Points(name, x, own, material.style(name), own - half[:, k], own + half[:, k], along="y"))
    columns = {"saving_bps": saved, "low_bps": saved - half, "high_bps": saved + half}
    table = {
        "condition": [condition.column] * (groups.size * len(others)),
        "group": np.repeat(condition.names, len(others)),
        "episodes": np.repeat(condition.counts, len(others)),
        "strategy": np.tile([material.strategies[k] for k in others], groups.size),
    }
    return marks, table | {name: values[:, others].ravel() for name, values in columns.items()}


def _half_widths(condition: Condition, others: int) -> np.ndarray:
    from scipy.special import stdtrit

    single = 1.0 - 0.95 ** (1.0 / (len(condition.names) * others))
    return np.asarray(stdtrit(np.maximum(condition.freedom, 1.0), 1.0 - 0.5 * single)[:, None] * condition.error)

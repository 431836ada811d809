"""Summaries of any number of episodes in bounded memory: the same bits for any chunk size.

Moments are taken over leaves of 4,096 absolute episodes and combined leaf by leaf, in order (Chan, Golub and LeVeque
1979); what a chunk cuts is kept until its leaf is whole. Histogram counts are integers and add up in any order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fastexec.columns import PARTS, QUANTILES, build, repeated
from fastexec.kernels.summary import BINS, count_bins, products_of, spread_of
from fastexec.studies.sketch import quantiles, upper_mean

if TYPE_CHECKING:
    import pyarrow as pa

    from fastexec.simulation import Results

LEAF = 4096
#: The columns that are summarised; completion has moments and no histogram.
COLUMNS = ("shortfall_bps", *(f"{part}_bps" for part in PARTS), "completion")
_SKETCHED = len(COLUMNS) - 1
_TIMING = COLUMNS.index("timing_bps")


@dataclass
class Moments:
    """Count, means and sums of products over some episodes of K strategies; see ``kernels.summary`` for the shapes."""

    strategies: int
    count: int = 0
    mean: np.ndarray = field(init=False)
    low: np.ndarray = field(init=False)
    high: np.ndarray = field(init=False)
    squares: np.ndarray = field(init=False)
    products: np.ndarray = field(init=False)
    wins: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        shape, k = (len(COLUMNS), self.strategies), self.strategies
        self.mean, self.low, self.high = np.zeros(shape), np.full(shape, np.inf), np.full(shape, -np.inf)
        self.squares, self.products, self.wins = np.zeros(shape), np.zeros((2 * k, 2 * k)), np.zeros((k, k), np.int64)

    def add(self, values: np.ndarray, first: int, count: int) -> None:
        """Take in rows ``first <= e < first + count`` of ``values[c, e * K + k]`` as one leaf."""
        leaf = Moments(self.strategies, count)
        spread_of(values, first, count, leaf.mean, leaf.low, leaf.high)
        products_of(values, first, count, leaf.mean, _TIMING, leaf.squares, leaf.products, leaf.wins)
        self.combine(leaf)

    def combine(self, other: Moments) -> None:
        """Add the episodes of ``other``; the order of combining matters to the last bits."""
        total = self.count + other.count
        delta = other.mean - self.mean
        weight = self.count * other.count / total
        pair = np.concatenate((delta[0], delta[_TIMING]))
        self.squares += other.squares + delta * delta * weight
        self.products += other.products + pair[:, None] * pair[None, :] * weight
        self.mean += delta * (other.count / total)
        self.low, self.high = np.minimum(self.low, other.low), np.maximum(self.high, other.high)
        self.wins += other.wins
        self.count = total


def stacked(episodes: dict[str, np.ndarray]) -> np.ndarray:
    """The summarised columns of an episodes table, float64[c, e * K + k]; under the rule per_step program_cost stands in
    for the shortfall, and there are no parts.
    """
    if "program_cost" in episodes:
        none = dict.fromkeys(COLUMNS, np.zeros_like(episodes["program_cost"]))
        episodes = none | {"shortfall_bps": episodes["program_cost"], "completion": episodes["completion"]}
    return np.ascontiguousarray(np.stack([np.asarray(episodes[name], np.float64) for name in COLUMNS]))


class SummaryAccumulator:
    """Takes chunks in episode order, whatever their size, and ends in the summary table."""

    def __init__(self, strategies: Sequence[str], models: Sequence[str], source_days: Sequence[int] = ()) -> None:
        """source_days: the real days that bootstrapped episodes are made of."""
        self.strategies, self.models, self.source_days = list(strategies), list(models), list(source_days)
        self.moments = Moments(len(self.strategies))
        self.bins = np.zeros((_SKETCHED, len(self.strategies), BINS), np.int64)
        self.unfinished = np.zeros(len(self.strategies), np.int64)
        self._pending = np.zeros((len(COLUMNS), 0))
        self._days: dict[int, tuple[int, np.ndarray]] = {}
        self.per_step = False

    def add(self, first_episode: int, results: Results) -> None:
        """The next chunk; ``first_episode`` continues where the last one ended."""
        values, k = stacked(results.episodes), len(self.strategies)
        self.per_step = "program_cost" in results.episodes
        count = values.shape[1] // k
        count_bins(values, 0, count, self.bins)
        ordered = np.repeat(results.markets["order_shares"], k)
        left = (results.episodes["filled_shares"] < ordered).reshape(count, k)
        self.unfinished += left.sum(axis=0)
        if "day" in results.markets:
            self._add_days(results.markets["day"], values[0].reshape(count, k))
        at = 0
        if self._pending.shape[1]:
            at = min(LEAF - (first_episode % LEAF), count)
            self._pending = np.concatenate((self._pending, values[:, : at * k]), axis=1)
            if (first_episode + at) % LEAF == 0:
                self._flush()
        while at < count:
            end = min(at + LEAF - (first_episode + at) % LEAF, count)
            if (first_episode + end) % LEAF == 0:
                self.moments.add(values, at, end - at)
            else:
                self._pending = values[:, at * k : end * k].copy()
            at = end

    def _flush(self) -> None:
        if self._pending.shape[1]:
            values = np.ascontiguousarray(self._pending)
            self.moments.add(values, 0, values.shape[1] // len(self.strategies))
            self._pending = np.zeros((len(COLUMNS), 0))

    def _add_days(self, days: np.ndarray, shortfall: np.ndarray) -> None:
        for day in np.unique(days).tolist():
            rows = shortfall[days == day]
            count, total = self._days.get(day, (0, np.zeros(len(self.strategies))))
            # Row after row onto the running sum: chunks must not show in its last bits.
            self._days[day] = (count + len(rows), np.add.accumulate(np.vstack((total, rows)), axis=0)[-1])

    def table(self, control_variate: Sequence[bool]) -> pa.Table:
        """The summary, a row for each strategy; ``control_variate`` as ``Prepared.control_variate``."""
        self._flush()
        m, k = self.moments, len(self.strategies)
        values: dict[str, Any] = {
            "strategy": repeated(self.strategies, np.arange(k)),
            "model": self.models,
            "episodes": np.full(k, m.count),
            "unfinished": self.unfinished,
            "completion": m.mean[-1],
            "control_variate": list(control_variate),
        }
        for c, part in enumerate(("shortfall", *PARTS)):
            values |= {f"{part}_{name}_bps": column for name, column in self._statistics(c).items()}
        values["shortfall_cvar95_bps"] = np.array(
            [upper_mean(self.bins[0, j], 0.05, m.low[0, j], m.high[0, j]) for j in range(k)]
        )
        values |= {"shortfall_comoments": list(m.products[:k]), "timing_comoments": list(m.products[k:])}
        none = np.full(k, np.nan)
        program = (values["shortfall_mean_bps"], values["shortfall_sd_bps"]) if self.per_step else (none, none)
        if self.per_step:
            values |= dict.fromkeys((name for name in values if name.endswith("_bps")), none)
            values |= dict.fromkeys(("shortfall_comoments", "timing_comoments"), [np.full(2 * k, np.nan)] * k)
        values |= {"program_cost_mean": program[0], "program_cost_sd": program[1]}
        values["wins"] = list(m.wins)
        return build("summary", values | self._day_columns())

    def _statistics(self, c: int) -> dict[str, np.ndarray]:
        m, k = self.moments, len(self.strategies)
        sd = np.sqrt(m.squares[c] / (m.count - 1)) if m.count > 1 else np.full(k, np.nan)
        found = {"mean": m.mean[c], "sd": sd, "minimum": m.low[c], "maximum": m.high[c]}
        p = np.array(QUANTILES) / 100.0
        cut = np.stack([quantiles(self.bins[c, j], p, m.low[c, j], m.high[c, j]) for j in range(k)])
        return found | {f"p{q:02d}": cut[:, i] for i, q in enumerate(QUANTILES)}

    def _day_columns(self) -> dict[str, Any]:
        k = len(self.strategies)
        if not self._days:
            return {
                "day_ids": [self.source_days or None] * k,
                "day_episodes": [None] * k,
                "day_shortfall": [None] * k,
            }
        days = sorted(self._days)
        return {
            "day_ids": [days] * k,
            "day_episodes": [[self._days[day][0] for day in days]] * k,
            "day_shortfall": [[float(self._days[day][1][j]) for day in days] for j in range(k)],
        }

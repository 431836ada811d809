"""What strategies may be compared by, other than the mean shortfall: each as a score of an episode, whose mean it is.

So savings are paired and have intervals as the mean shortfall's do, by days where days are the clusters, and with timing as
control variate. ``risk:LAMBDA``: E + LAMBDA Var of the cost in currency (Almgren and Chriss 2000): the score C + LAMBDA
(C - E)^2 n/(n - 1); that E is estimated does not matter to the first order. ``cvar95``: the mean of the worst 5 %
(Rockafellar and Uryasev 2000): q + max(C - q, 0)/0.05 at the 95 % point q, whose error does not matter to the first order
either.
``vwap``: the average price against the market's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fastexec.errors import InputError, option
from fastexec.results import Results
from fastexec.statistics.moments import control_of, costs_in
from fastexec.statistics.paired import Paired, from_summary

if TYPE_CHECKING:
    import pyarrow as pa

_SAMPLE = 1_000_000
_TAIL = 0.05
#: Fewer episodes leave too few in the tail, or too little of a variance, for an interval to be taken at its word.
LEAST_EPISODES = {"cvar95": 2_000, "risk": 2_000}


@dataclass(frozen=True)
class Metric:
    """kind: shortfall, vwap, risk or cvar95; aversion: of risk, 1/currency."""

    kind: str
    aversion: float = 0.0

    @property
    def name(self) -> str:
        """As it is asked for."""
        return f"risk:{self.aversion:g}" if self.kind == "risk" else self.kind

    @property
    def words(self) -> str:
        """What is compared, in words."""
        return {
            "shortfall": "implementation shortfall",
            "vwap": "average price against the market's VWAP",
            "risk": f"E + {self.aversion:g} Var of the cost in currency",
            "cvar95": "mean of the worst 5 % of the shortfall",
        }[self.kind]


SHORTFALL = Metric("shortfall")


def metric_of(text: str) -> Metric:
    """InputError where it is none."""
    kind, _, number = text.partition(":")
    if kind == "risk":
        try:
            aversion = float(number)
        except ValueError:
            aversion = math.nan
        if not (math.isfinite(aversion) and aversion >= 0.0):
            raise InputError(
                f"{option('metric', text)}: behind risk: stands the risk aversion in 1/currency, at least 0: risk:1e-6"
            )
        return Metric(kind, aversion)
    if text not in ("shortfall", "vwap", "cvar95"):
        raise InputError(f"{option('metric', text)}: is none of shortfall, vwap, risk:LAMBDA and cvar95")
    return Metric(kind)


class Scores:
    """The scores of some episodes of K strategies: all of them are looked at first, then scored.

    ``left_out``: episodes without a score, in which a strategy traded nothing or the market had no volume.
    """

    def __init__(self, metric: Metric, strategies: int, episodes: int) -> None:
        """episodes: at most so many will be looked at."""
        self._metric, self._stride = metric, -(-episodes // _SAMPLE)
        self._count, self._value = 0, 0.0
        self._cost = np.zeros(strategies)
        self._sample: list[np.ndarray] = []
        self._quantile: np.ndarray | None = None
        self.left_out = 0

    def look(self, results: Results) -> None:
        """Take in what the scores need to know of all episodes."""
        shortfall, value = _paired(results, "shortfall_bps"), _values(results)
        if self._metric.kind == "cvar95":
            self._sample.append(shortfall[-self._count % self._stride :: self._stride])
        self._count += len(value)
        # Row after row, and every so many episodes: the parts that rows come in must not show in the last bits.
        self._value = float(_onto(self._value, value))
        self._cost = _onto(self._cost, shortfall * value[:, None] / 1e4)

    def of(self, results: Results) -> Results:
        """The episodes with their scores in place of the shortfall (bps of the mean order)."""
        shortfall, value = _paired(results, "shortfall_bps"), _values(results)
        timing, kind = _paired(results, _control(results)), self._metric.kind
        if kind == "vwap":
            shortfall = _paired(results, "vwap_slippage_bps")
        elif kind == "risk":
            weight = value[:, None] / (self._value / self._count)
            cost, mean = shortfall * value[:, None] / 1e4, self._cost / self._count
            spread = (cost - mean) ** 2 * (self._count / max(self._count - 1, 1))
            shortfall = shortfall * weight + 1e4 * self._metric.aversion * spread / (self._value / self._count)
            timing = timing * weight
        elif kind == "cvar95":
            if self._quantile is None:
                self._quantile = np.quantile(np.concatenate(self._sample), 1.0 - _TAIL, axis=0)
            shortfall = self._quantile + np.maximum(shortfall - self._quantile, 0.0) / _TAIL
        return self._scored(results, shortfall, timing)

    def _scored(self, results: Results, score: np.ndarray, timing: np.ndarray) -> Results:
        known = np.isfinite(score).all(axis=1)
        self.left_out += int((~known).sum())
        rows = np.repeat(known, score.shape[1])
        none = np.zeros(int(rows.sum()))
        episodes = {name: values[rows] for name, values in results.episodes.items()} | dict.fromkeys(
            costs_in(results), none
        )
        episodes |= {"shortfall_bps": score[known].ravel(), _control(results): timing[known].ravel()}
        return replace(
            results, markets={name: x[known] for name, x in results.markets.items()}, episodes=episodes, costs=None
        )


def _control(results: Results) -> str:
    """The column of the control variate."""
    costs = costs_in(results)
    return costs[control_of(costs)]


def _onto(total: float | np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The sum of rows, one after the other, onto what there is."""
    return np.asarray(np.add.accumulate(np.concatenate((np.asarray(total)[None], rows)), axis=0)[-1])


def _paired(results: Results, column: str) -> np.ndarray:
    """A column of episodes as float64[e, k]."""
    return np.asarray(results.episodes[column], np.float64).reshape(-1, len(results.strategies))


def _values(results: Results) -> np.ndarray:
    """Currency: the order's value on arrival in each episode."""
    return np.asarray(results.markets["order_shares"] * _paired(results, "arrival_price")[:, 0])


def material_of(summary: pa.Table, metric: Metric) -> Paired:
    """The comparison's material of a summary of scores: no optimum is known of another metric than the shortfall, and a tail
    or a variance has no winner in an episode.
    """
    found = from_summary(summary)
    if metric.kind == "shortfall":
        return found
    wins = found.wins if metric.kind == "vwap" else np.full(found.wins.shape, np.nan)
    return replace(found, models=(), wins=wins)

"""What a summary needs of some episodes: moments over leaves and histogram counts, taken where the chunk is computed.

A leaf is 4,096 absolute episodes and a node 256 leaves. Leaves are combined in order into their node, and nodes in order
(Chan, Golub and LeVeque 1979), so that neither chunks nor shards show in the last bits. Counts are integers and add up in
any order. Of a leaf that the ends of a chunk cut, the values are kept until it is whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from fastexec.kernels.summary import BINS, count_bins, products_of, spread_of
from fastexec.models.costs import ALWAYS, PARTS, SPLIT

if TYPE_CHECKING:
    from fastexec.results import Results

LEAF = 4096
NODE = 256 * LEAF


def costs_of(parts: Sequence[str]) -> tuple[str, ...]:
    """The columns of the shortfall and its parts."""
    return ("shortfall_bps", *(f"{part}_bps" for part in parts))


COSTS = costs_of(ALWAYS)  # of a study with no further part
TIMING = COSTS.index("timing_bps")


def control_of(costs: Sequence[str]) -> int:
    """The place among ``costs`` of the control variate: timing, of a split one the unexpected part, which stands last."""
    return len(costs) - 1 if costs[-1].startswith("timing_unexpected") else TIMING


#: What has a mean, and neither a histogram nor squares: shares of the order, and its value on arrival in currency.
MEANS = ("order_value", "filled", "completion")


#: What is counted for each strategy: episodes in which shares stayed untraded; steps that began with shares left; and those of
#: them in which an agent met what its training had not seen.
TALLIES = ("unfinished", "met", "unseen")


@dataclass
class Moments:
    """Count, means and sums of products over some episodes of K strategies; see ``kernels.summary`` for the shapes.

    ``costs``: the shortfall and its parts, so many columns; behind them stand ``MEANS``. ``control``: which is the variate.
    """

    strategies: int
    costs: int
    control: int
    count: int = 0
    mean: np.ndarray = field(init=False)
    low: np.ndarray = field(init=False)
    high: np.ndarray = field(init=False)
    squares: np.ndarray = field(init=False)
    products: np.ndarray = field(init=False)
    wins: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        shape, k = (self.costs + len(MEANS), self.strategies), self.strategies
        self.mean, self.low, self.high = np.zeros(shape), np.full(shape, np.inf), np.full(shape, -np.inf)
        self.squares, self.products, self.wins = np.zeros(shape), np.zeros((2 * k, 2 * k)), np.zeros((k, k), np.int64)

    @classmethod
    def of(cls, values: np.ndarray, means: np.ndarray, like: Moments, first: int, count: int) -> Moments:
        """Those of rows ``first <= e < first + count`` of the costs ``values[c, e * K + k]`` and of ``means``, likewise."""
        c = len(values)
        leaf = cls(like.strategies, c, like.control, count)
        spread_of(values, first, count, leaf.mean[:c], leaf.low[:c], leaf.high[:c])
        spread_of(means, first, count, leaf.mean[c:], leaf.low[c:], leaf.high[c:])
        products_of(values, first, count, leaf.mean[:c], like.control, leaf.squares[:c], leaf.products, leaf.wins)
        return leaf

    @classmethod
    def of_cut(cls, rows: np.ndarray, like: Moments) -> Moments:
        """Those of the values of a cut leaf, ``rows[c, e * K + k]`` of costs and ``MEANS``."""
        rows = np.ascontiguousarray(rows)
        return cls.of(rows[: -len(MEANS)], rows[-len(MEANS) :], like, 0, rows.shape[1] // like.strategies)

    def combine(self, other: Moments) -> None:
        """Add the episodes of ``other``; the order of combining matters to the last bits."""
        total = self.count + other.count
        delta = other.mean - self.mean
        weight = self.count * other.count / total
        pair = np.concatenate((delta[0], delta[self.control]))
        self.squares += other.squares + delta * delta * weight
        self.products += other.products + pair[:, None] * pair[None, :] * weight
        self.mean += delta * (other.count / total)
        self.low, self.high = np.minimum(self.low, other.low), np.maximum(self.high, other.high)
        self.wins += other.wins
        self.count = total


@dataclass(frozen=True)
class Partial:
    """The episodes ``first <= e < first + count`` of K strategies, for a summary to take in.

    head, tail: values[c, e * K + k] of the leaves that the ends cut; between them ``leaves``. places, counts: what stands
    in which of the flattened bins[c, k, bin]. tallies: ``TALLIES``, int64[tally, k]. days, day_shortfall: of a replay, int32[e]
    and float64[e, k].
    """

    first: int
    count: int
    head: np.ndarray
    leaves: list[Moments]
    tail: np.ndarray
    places: np.ndarray
    counts: np.ndarray
    tallies: np.ndarray
    days: np.ndarray
    day_shortfall: np.ndarray
    per_step: bool


class Gathering:
    """Takes the rows of a chunk, run after run of episodes, and ends in its ``Partial``. ``costs``: the columns."""

    def __init__(self, strategies: int, first: int, costs: Sequence[str]) -> None:
        self._strategies, self._first, self._at = strategies, first, first
        self._like = Moments(strategies, len(costs), control_of(costs))
        self._bins = np.zeros((len(costs), strategies, BINS), np.int64)
        self._cut: list[np.ndarray] = []  # values of the leaf that is not whole yet
        self._none = np.zeros((len(costs) + len(MEANS), 0))
        self._head = self._none
        self._leaves: list[Moments] = []
        self._tallies = np.zeros((len(TALLIES), strategies), np.int64)
        self._days: list[tuple[np.ndarray, np.ndarray]] = []
        self._per_step = False

    def add(self, results: Results) -> None:
        """The next episodes."""
        values, means = _values(results), _means(results)
        k, count = self._strategies, means.shape[1] // self._strategies
        self._per_step = "program_cost" in results.episodes
        count_bins(values, 0, count, self._bins)
        self._tallies += tallies_of(results)
        if "day" in results.markets:
            self._days.append((results.markets["day"], values[0].reshape(count, k).copy()))
        at = 0
        while at < count:
            end = min(at + LEAF - (self._at % LEAF), count)
            self._at += end - at
            if end - at == LEAF:
                self._leaves.append(Moments.of(values, means, self._like, at, LEAF))
            else:
                rows = slice(at * k, end * k)
                self._keep_cut(np.concatenate((values[:, rows], means[:, rows])))
            at = end

    def _keep_cut(self, rows: np.ndarray) -> None:
        """A part of a leaf, at whose end ``_at`` stands."""
        self._cut.append(rows)
        if self._at % LEAF == 0:
            joined = np.concatenate(self._cut, axis=1)
            if joined.shape[1] == LEAF * self._strategies:
                self._leaves.append(Moments.of_cut(joined, self._like))
            else:
                self._head = joined
            self._cut = []

    def partial(self) -> Partial:
        """What the rows come to."""
        flat = self._bins.ravel()
        places = np.flatnonzero(flat)
        tail = np.concatenate(self._cut, axis=1) if self._cut else self._none
        head, tail = (self._head, tail) if self._leaves or self._head.size else (tail, self._none)
        return Partial(
            first=self._first,
            count=self._at - self._first,
            head=head,
            leaves=self._leaves,
            tail=tail,
            places=places.astype(np.int32),
            counts=flat[places].astype(np.int32),  # half of what a worker sends home
            tallies=self._tallies,
            days=np.concatenate([np.zeros(0, np.int32), *(days for days, _ in self._days)]),
            day_shortfall=np.concatenate([np.zeros((0, self._strategies)), *(rows for _, rows in self._days)]),
            per_step=self._per_step,
        )


def tallies_of(results: Results) -> np.ndarray:
    """``TALLIES`` of some episodes, int64[tally, k]."""
    k, episodes = len(results.strategies), results.episodes
    filled = episodes["filled_shares"].reshape(-1, k)
    open_ = filled < results.markets["order_shares"][:, None]
    none = np.zeros(k, np.int64)
    counted = [episodes.get(f"states_{name}", none).reshape(-1, k).sum(axis=0, dtype=np.int64) for name in TALLIES[1:]]
    return np.stack((open_.sum(axis=0), *counted))


def summarise(first: int, results: Results) -> Partial:
    """The ``Partial`` of rows that are in memory."""
    gathering = Gathering(len(results.strategies), first, costs_in(results))
    gathering.add(results)
    return gathering.partial()


def costs_in(results: Results) -> tuple[str, ...]:
    """The columns of the shortfall, its parts and what timing is split into, that these results have."""
    return costs_of([part for part in (*PARTS, *SPLIT) if f"{part}_bps" in results.episodes])


def _values(results: Results) -> np.ndarray:
    """Shortfall and its parts, float64[c, e * K + k]; under the rule per_step program_cost stands in for the shortfall, and
    there are no parts.
    """
    if results.costs is not None:
        return results.costs
    episodes, costs = results.episodes, costs_in(results)
    if "program_cost" in episodes:
        episodes = dict.fromkeys(costs, np.zeros_like(episodes["program_cost"])) | {costs[0]: episodes["program_cost"]}
    return np.ascontiguousarray(np.stack([np.asarray(episodes[name], np.float64) for name in costs]))


def _means(results: Results) -> np.ndarray:
    """``MEANS`` as float64[c, e * K + k]; filled: shares traded, the horizon rule included, over those of the order."""
    episodes, shares = results.episodes, np.repeat(results.markets["order_shares"], len(results.strategies))
    found = shares * episodes["arrival_price"], episodes["filled_shares"] / shares, episodes["completion"]
    return np.ascontiguousarray(np.stack(found))

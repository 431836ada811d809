"""Summaries of any number of episodes in bounded memory: the same bits for any chunk size, and for shards."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from fastexec.columns import QUANTILES, build, repeated
from fastexec.kernels.summary import BINS
from fastexec.models.costs import ALWAYS
from fastexec.statistics.moments import LEAF, MEANS, NODE, TALLIES, Moments, Partial, control_of
from fastexec.statistics.sketch import quantiles, upper_mean
from fastexec.statistics.unseen import unseen_share

if TYPE_CHECKING:
    import pyarrow as pa


class SummaryAccumulator:
    """Takes partials in episode order, whatever their size, and ends in the summary table.

    ``end``: the episode that comes next. From episode 0 on everything whole is folded into one ``total``; a shard that
    begins later keeps the leaves before its first node, and its nodes, for the shard before it to fold in.
    """

    def __init__(
        self,
        strategies: Sequence[str],
        models: Sequence[str],
        source_days: Sequence[int] = (),
        first: int = 0,
        parts: Sequence[str] = ALWAYS,
    ) -> None:
        """source_days: the real days that bootstrapped episodes are made of. parts: of the cost, in the order of the sum,
        and what timing is split into.
        """
        self.strategies, self.models, self.source_days = list(strategies), list(models), list(source_days)
        self.first = self.end = first
        self.costs = ("shortfall", *parts)
        self.total, self.node, k = self.no_moments(), self.no_moments(), len(self.strategies)
        self.kept: list[Moments] = []
        self.tallies = np.zeros((len(TALLIES), k), np.int64)
        self.pending = np.zeros((len(self.costs) + len(MEANS), 0))
        self.days: dict[int, tuple[int, np.ndarray]] = {}
        self.per_step = False

    @cached_property
    def bins(self) -> np.ndarray:
        """Histogram counts [c, k, bin]; they take room, so there are none before the first episode."""
        return np.zeros((len(self.costs), len(self.strategies), BINS), np.int64)

    def no_moments(self, count: int = 0) -> Moments:
        """Of ``count`` episodes, to be filled in."""
        return Moments(len(self.strategies), len(self.costs), control_of(self.costs), count)

    def add(self, part: Partial) -> None:
        """The next episodes; ``part.first`` continues where the last ones ended."""
        self.per_step = part.per_step
        self.bins.ravel()[part.places] += part.counts
        self.tallies += part.tallies
        self._add_days(part.days, part.day_shortfall)
        self._add_cut(part.head)
        for leaf in part.leaves:
            self._add_leaf(leaf)
        self._add_cut(part.tail)

    def _add_cut(self, values: np.ndarray) -> None:
        k = len(self.strategies)
        self.end += values.shape[1] // k
        self.pending = np.concatenate((self.pending, values), axis=1) if self.pending.size else values
        if self.pending.size and self.end % LEAF == 0:
            count = self.pending.shape[1] // k
            self.end -= count
            self._add_leaf(Moments.of_cut(self.pending, self.no_moments()))
            self.pending = self.pending[:, :0]

    def _add_leaf(self, leaf: Moments) -> None:
        self.end += leaf.count
        before_first_node = self.end <= -(-self.first // NODE) * NODE
        if before_first_node:
            self.kept.append(leaf)
            return
        self.node.combine(leaf)
        if self.end % NODE == 0:
            self._add_node(self.node)
            self.node = self.no_moments()

    def _add_node(self, node: Moments) -> None:
        if self.first == 0:
            self.total.combine(node)
        else:
            self.kept.append(node)

    def extend(self, other: SummaryAccumulator) -> None:
        """The episodes of a shard that begins where these end, on a leaf's border; with the bits of a single run.

        Sums over replayed days are taken row after row, so shards of a replay are joined by their rows.
        """
        for piece in other.kept:
            if piece.count == NODE:
                self.end += NODE
                self._add_node(piece)
            else:
                self._add_leaf(piece)
        if other.node.count:
            self.end += other.node.count
            self.node = other.node
        self._add_cut(other.pending)
        self.bins += other.bins
        self.tallies += other.tallies
        self.per_step = other.per_step

    def _add_days(self, days: np.ndarray, shortfall: np.ndarray) -> None:
        for day in np.unique(days).tolist():
            rows = shortfall[days == day]
            count, total = self.days.get(day, (0, np.zeros(len(self.strategies))))
            # Row after row onto the running sum: chunks must not show in its last bits.
            self.days[day] = (count + len(rows), np.add.accumulate(np.vstack((total, rows)), axis=0)[-1])

    def _moments(self) -> Moments:
        """Those of all episodes so far; what is not whole is folded in, and stays open too."""
        total, open_node = deepcopy(self.total), deepcopy(self.node)
        if self.pending.size:
            open_node.combine(Moments.of_cut(self.pending, self.no_moments()))
        for piece in [*self.kept, *([open_node] if open_node.count else [])]:
            total.combine(piece)
        return total

    def table(self, control_variate: Sequence[bool]) -> pa.Table:
        """The summary, a row for each strategy; ``control_variate`` as ``Prepared.control_variate``."""
        m, k = self._moments(), len(self.strategies)
        values: dict[str, Any] = {
            "strategy": repeated(self.strategies, np.arange(k)),
            "model": self.models,
            "episodes": np.full(k, m.count),
            "unfinished": self.tallies[0],
            "unseen": unseen_share(self.tallies),
            **dict(zip(MEANS, m.mean[len(self.costs) :], strict=True)),
            "control_variate": list(control_variate),
        }
        for c, part in enumerate(self.costs):
            values |= {f"{part}_{name}_bps": column for name, column in self._statistics(m, c).items()}
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

    def _statistics(self, m: Moments, c: int) -> dict[str, np.ndarray]:
        k = len(self.strategies)
        sd = np.sqrt(m.squares[c] / (m.count - 1)) if m.count > 1 else np.full(k, np.nan)
        found = {"mean": m.mean[c], "sd": sd, "minimum": m.low[c], "maximum": m.high[c]}
        p = np.array(QUANTILES) / 100.0
        cut = np.stack([quantiles(self.bins[c, j], p, m.low[c, j], m.high[c, j]) for j in range(k)])
        return found | {f"p{q:02d}": cut[:, i] for i, q in enumerate(QUANTILES)}

    def _day_columns(self) -> dict[str, Any]:
        k = len(self.strategies)
        if not self.days:
            return {
                "day_ids": [self.source_days or None] * k,
                "day_episodes": [None] * k,
                "day_shortfall": [None] * k,
            }
        days = sorted(self.days)
        return {
            "day_ids": [days] * k,
            "day_episodes": [[self.days[day][0] for day in days]] * k,
            "day_shortfall": [[float(self.days[day][1][j]) for day in days] for j in range(k)],
        }

"""What it changes to move a part of one slice to another step, for many such moves at once.

Without lots a schedule's cost is a sum over its slices, over what is left behind each step, and over pairs of slices by what
the later one pays to the earlier one's impact. A move touches two slices: sums over the steps before and behind them, found
once for a schedule, give each move's change in a few operations, however many steps there are.
"""

from __future__ import annotations

import numpy as np

from fastexec.exact import plain_sum, power_of
from fastexec.planning.static_cost import ScheduleCost


class SmoothCost:
    """A schedule's cost as if fractions of shares could trade, the mean over the order's sizes; no step's volume is left to
    chance. Arrays float64[t] over all steps, impacts w. risk: times what is left behind a step, squared.
    """

    def __init__(self, cost: ScheduleCost) -> None:
        assert cost.gaps is None
        self._linear, self._exponents = cost.linear, cost.exponents
        self._square, self.risk = cost.square * cost.mean_power(1.0), cost.risk * cost.mean_power(1.0)
        self._scales = [row * cost.mean_power(e) for row, e in zip(cost.scales, cost.exponents, strict=True)]
        self._push_exponents = sorted({impact.exponent for impact in cost.impacts})
        self._kind = np.array([self._push_exponents.index(impact.exponent) for impact in cost.impacts], np.int64)
        sized = [impact.coefficient * cost.mean_power(impact.exponent) for impact in cost.impacts]
        self._coefficient, self._keep = np.array(sized), np.array([impact.keep for impact in cost.impacts])
        self._faded = np.ones((cost.linear.size, self._keep.size))  # what is left after a number of steps
        for lag in range(1, cost.linear.size):
            self._faded[lag] = self._faded[lag - 1] * self._keep

    def at(self, slices: np.ndarray, places: np.ndarray) -> Moves:
        """Moves from a schedule of slices, in shares of the order, in some steps."""
        whole = np.zeros(self._linear.size)
        whole[places] = slices
        return Moves(self, whole)

    def own(self, slices: np.ndarray, t: np.ndarray) -> np.ndarray:
        """What slices pay that meet no other: float64[m] in steps t."""
        found = self._linear[t] * slices + self._square * slices * slices
        for scale, e in zip(self._scales, self._exponents, strict=True):
            found = found + scale[t] * slices * power_of(slices, e)
        return np.asarray(found)

    def pushes(self, slices: np.ndarray) -> np.ndarray:
        """What slices add to transient impact, float64[m, w]."""
        if not self._kind.size:
            return np.zeros((slices.size, 0))
        powers = np.stack([power_of(slices, d) for d in self._push_exponents], axis=1)
        return np.asarray(powers[:, self._kind] * self._coefficient)

    def faded(self, lag: np.ndarray) -> np.ndarray:
        """What is left of impact after ``lag`` steps, float64[m, w]."""
        return np.asarray(self._faded[lag])

    def summed(self, pushes: np.ndarray) -> np.ndarray:
        """Impact behind each step, float64[t, w]: pushes and what is left of all earlier ones, in sums of 2, 4, 8... steps."""
        found, lag = pushes.copy(), 1
        while lag < len(found):
            found[lag:] = found[lag:] + self._faded[lag] * found[:-lag]
            lag *= 2
        return found


class Moves:
    """A schedule and the sums over its steps. ``total``: its cost."""

    def __init__(self, cost: SmoothCost, slices: np.ndarray) -> None:
        self._cost, self._slices, steps = cost, slices, slices.size
        self._own, self._pushes = cost.own(slices, np.arange(steps)), cost.pushes(slices)
        self._before = cost.summed(self._pushes) - self._pushes
        self._behind = (cost.summed(np.repeat(slices[::-1, None], self._pushes.shape[1], axis=1)))[::-1] - slices[
            :, None
        ]
        left = 1.0 - np.add.accumulate(slices)
        self._risk = np.concatenate(([0.0], np.add.accumulate(cost.risk)))
        self._weighed = np.concatenate(([0.0], np.add.accumulate(cost.risk * left)))
        impact = slices * _sum(self._before + 0.5 * self._pushes)
        self.total = plain_sum(self._own + cost.risk * left * left + impact)

    def changes(self, i: np.ndarray, j: np.ndarray, size: np.ndarray) -> np.ndarray:
        """How much dearer the schedule gets with ``size`` of slice i moved to step j, float64[m]."""
        cost, slices = self._cost, self._slices
        less, more = np.maximum(slices[i] - size, 0.0), slices[j] + size
        pushed_i, pushed_j = cost.pushes(less), cost.pushes(more)
        own = cost.own(less, i) - self._own[i] + cost.own(more, j) - self._own[j]
        changed_i, changed_j = pushed_i - self._pushes[i], pushed_j - self._pushes[j]
        later = (i < j)[:, None]
        crossed = np.where(later, changed_i, -changed_j) * cost.faded(
            np.abs(j - i)
        )  # the earlier's push times the later's move
        impact = self._before[j] - self._before[i] + crossed
        paid = 0.5 * (less[:, None] * pushed_i - slices[i][:, None] * self._pushes[i])
        paid += 0.5 * (more[:, None] * pushed_j - slices[j][:, None] * self._pushes[j])
        paid += size[:, None] * impact + changed_i * self._behind[i] + changed_j * self._behind[j]
        held, weighed = self._risk[j] - self._risk[i], self._weighed[j] - self._weighed[i]
        return np.asarray(own + _sum(paid) + 2.0 * size * weighed + size * size * np.abs(held))


def _sum(x: np.ndarray) -> np.ndarray:
    """Over impacts, from left to right; 0 where there are none."""
    return np.add.accumulate(x, axis=1)[:, -1] if x.shape[1] else np.zeros(x.shape[0])

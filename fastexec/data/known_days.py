"""Sums over the curve days that a replayed day may know: all, all but itself, those before it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

#: Which of the curve days a window's expectations come from: all, all but its own, those before it.
Which = Literal["all", "others", "earlier"]


@dataclass(frozen=True, eq=False)
class KnownDays:
    """Replayed days k, curve days d (int32, yyyymmdd, ascending) and times of day j. there: bool[d, j], whether the curve day
    has a step at that time.
    """

    replayed: np.ndarray
    curve_days: np.ndarray
    which: Which
    there: np.ndarray

    @cached_property
    def count(self) -> np.ndarray:
        """How many known days have a step at each time, float64[k, j]."""
        return self.sums(1.0 * self.there)

    def sums(self, each: np.ndarray) -> np.ndarray:
        """Over the days that each replayed day may know, float64[d, j] -> float64[k, j]; 0 where a day has no step."""
        if self.which == "all":
            return np.broadcast_to(np.add.accumulate(each)[-1], (self.replayed.size, each.shape[1]))
        earlier = _sums_of_first(each)[np.searchsorted(self.curve_days, self.replayed)]
        if self.which == "earlier":
            return np.asarray(earlier)
        # Not a grand total less the own row, which would lose digits.
        later = _sums_of_first(each[::-1])[::-1][np.searchsorted(self.curve_days, self.replayed, side="right")]
        return np.asarray(earlier + later)

    def filled(self, means: np.ndarray, at: tuple[np.ndarray, np.ndarray], everywhere: np.ndarray) -> np.ndarray:
        """Means of the windows' steps, float64[e, t]; where no known day has the time the mean of the window's other steps, or
        where there is none of ``everywhere``, float64[e].
        """
        known = self.count[at] > 0
        means = np.where(known, means, 0.0)
        number = known.sum(axis=1)
        stand_in = np.where(number > 0, total(means) / np.maximum(number, 1), everywhere)
        return np.where(known, means, stand_in[:, None])


def total(x: np.ndarray) -> np.ndarray:
    """Sums of rows, left to right: np.sum adds in an order that depends on the CPU."""
    return np.asarray(np.add.accumulate(x, axis=1)[:, -1])


def _sums_of_first(each: np.ndarray) -> np.ndarray:
    """In row n the sum of the first n rows, added in their order."""
    sums = np.zeros((each.shape[0] + 1, each.shape[1]))
    np.add.accumulate(each, out=sums[1:])
    return sums

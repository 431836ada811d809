"""What the other days lead a trader to expect of a window: volume, spread and volatility by the time of day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from fastexec.data.bars import Bars
from fastexec.errors import InputError

#: Which of the curve days a window's expectations come from: all, all but its own, those before it.
Which = Literal["all", "others", "earlier"]


@dataclass(frozen=True, eq=False)
class Curves:
    """Expectations of each window's steps, float64[e, t].

    volume: shares a step. spread: full quoted spread as a fraction of the mid. volatility: sd of the relative move of
    the mid in a step, constant over a window. unknown: bool[e, t], steps at a time of day that no curve day has.
    silent: bool[e], windows at whose times of day the curve days have no volume.
    """

    volume: np.ndarray
    spread: np.ndarray
    volatility: np.ndarray
    unknown: np.ndarray
    silent: np.ndarray


@dataclass(frozen=True, eq=False)
class _Sums:
    """Sums over the curve days by time of day j, float64[k, j] for each replayed day k; times: int32[j], ascending."""

    times: np.ndarray
    count: np.ndarray
    volume: np.ndarray
    spread: np.ndarray
    square: np.ndarray


def expected_curves(bars: Bars, rows: np.ndarray, steps: np.ndarray, curve_days: np.ndarray, which: Which) -> Curves:
    """Means over the curve days at the same time of day.

    rows: int64[e, t], the bars of the windows' steps. steps: int64[n], the bars of all days that can be a step (the bar
    before is there). curve_days: int32, yyyymmdd, ascending. which: of them, for each window.

    Where no curve day has the time of day, the mean of the window's other steps stands in; where none of those is
    known, or the window has no expected volume, the curve days' mean over all times. The volatility is the root mean
    square move of the curve days at the window's times.

    Raises InputError where the curve days have no step or no volume.
    """
    replayed, k = np.unique(bars.day[rows[:, 0]], return_inverse=True)
    sums = _sums(bars, steps, curve_days, replayed, which)
    at = k[:, None], np.searchsorted(sums.times, bars.second[rows])
    if not _total(sums.volume).all():
        raise InputError(
            f"{bars.source}, {bars.symbol!r}: no volume on the curve's days; name others in market.curve_days"
        )
    volume = _means(sums.volume, sums.count, at)
    silent = _total(volume) == 0.0
    volume[silent] = (_total(sums.volume) / _total(sums.count))[k[silent], None]
    squares, counts = _total(sums.square[at]), _total(sums.count[at])
    everywhere = (_total(sums.square) / _total(sums.count))[k]
    variance = np.where(counts > 0, squares / np.maximum(counts, 1.0), everywhere)
    return Curves(
        volume=volume,
        spread=_means(sums.spread, sums.count, at),
        volatility=np.broadcast_to(np.sqrt(variance)[:, None], rows.shape),
        unknown=sums.count[at] == 0,
        silent=silent,
    )


def _sums(bars: Bars, steps: np.ndarray, curve_days: np.ndarray, replayed: np.ndarray, which: Which) -> _Sums:
    times = np.unique(bars.second[steps])
    row = steps[np.isin(bars.day[steps], curve_days)]
    if row.size == 0:
        raise InputError(
            f"{bars.source}, {bars.symbol!r}: no step on the curve's days; name others in market.curve_days"
        )
    mid, place = bars.mid, (np.searchsorted(curve_days, bars.day[row]), np.searchsorted(times, bars.second[row]))
    move = mid[row] / mid[row - 1] - 1.0

    def summed(values: np.ndarray | float) -> np.ndarray:
        each = np.zeros((curve_days.size, times.size))
        each[place] = values
        if which == "all":
            return np.broadcast_to(np.add.accumulate(each)[-1], (replayed.size, times.size))
        earlier = _sums_of_first(each)[np.searchsorted(curve_days, replayed)]
        if which == "earlier":
            return np.asarray(earlier)
        # Not a grand total less the own row, which would lose digits.
        later = _sums_of_first(each[::-1])[::-1][np.searchsorted(curve_days, replayed, side="right")]
        return np.asarray(earlier + later)

    return _Sums(times, summed(1.0), summed(bars.volume[row]), summed(bars.spread[row - 1]), summed(move * move))


def _sums_of_first(each: np.ndarray) -> np.ndarray:
    """In row n the sum of the first n rows, added in their order."""
    sums = np.zeros((each.shape[0] + 1, each.shape[1]))
    np.add.accumulate(each, out=sums[1:])
    return sums


def _means(sums: np.ndarray, count: np.ndarray, at: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """The mean at each step, float64[e, t], with what stands in for unknown times."""
    known = count[at] > 0
    means = np.where(known, sums[at] / np.maximum(count[at], 1.0), 0.0)
    number = known.sum(axis=1)
    everywhere = (_total(sums) / _total(count))[at[0][:, 0]]
    stand_in = np.where(number > 0, _total(means) / np.maximum(number, 1), everywhere)
    return np.where(known, means, stand_in[:, None])


def _total(x: np.ndarray) -> np.ndarray:
    """Sums of rows, left to right: np.sum adds in an order that depends on the CPU."""
    return np.asarray(np.add.accumulate(x, axis=1)[:, -1])

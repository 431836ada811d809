"""What the other days lead a trader to expect of a window: volume, spread and volatility by the time of day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastexec.data.bars import Bars
from fastexec.data.known_days import KnownDays, Which, total
from fastexec.data.rate_curves import RateCurves
from fastexec.errors import InputError


@dataclass(frozen=True, eq=False)
class Curves:
    """Expectations of each window's steps, float64[e, t].

    volume: shares a step. spread: full quoted spread as a fraction of the mid. volatility: sd of the relative move of
    the mid in a step, constant over a window. unknown: bool[e, t], steps at a time of day that no curve day has.
    silent: bool[e], windows at whose times of day the curve days have no volume. rates: volumes to a power.
    """

    volume: np.ndarray
    spread: np.ndarray
    volatility: np.ndarray
    unknown: np.ndarray
    silent: np.ndarray
    rates: RateCurves


@dataclass(frozen=True, eq=False)
class _Sums:
    """Sums over the known curve days by time of day j, float64[k, j] for each replayed day k; times: int32[j], ascending.
    volumes: float64[d, j], of each curve day.
    """

    known: KnownDays
    times: np.ndarray
    volumes: np.ndarray
    volume: np.ndarray
    spread: np.ndarray
    square: np.ndarray

    @property
    def count(self) -> np.ndarray:
        return self.known.count


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
    if not total(sums.volume).all():
        raise InputError(
            f"{bars.source}, {bars.symbol!r}: no volume on the curve's days; name others in market.curve_days"
        )
    volume = _means(sums, sums.volume, at)
    silent = total(volume) == 0.0
    volume[silent] = (total(sums.volume) / total(sums.count))[k[silent], None]
    squares, counts = total(sums.square[at]), total(sums.count[at])
    everywhere = (total(sums.square) / total(sums.count))[k]
    variance = np.where(counts > 0, squares / np.maximum(counts, 1.0), everywhere)
    return Curves(
        volume=volume,
        spread=_means(sums, sums.spread, at),
        volatility=np.broadcast_to(np.sqrt(variance)[:, None], rows.shape),
        unknown=sums.count[at] == 0,
        silent=silent,
        rates=RateCurves(sums.known, sums.volumes, volume, at),
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

    def each(values: np.ndarray) -> np.ndarray:
        found = np.zeros((curve_days.size, times.size))
        found[place] = values
        return found

    known = KnownDays(replayed, curve_days, which, each(np.ones(row.size)) > 0.0)
    volumes, spread, square = each(bars.volume[row]), each(bars.spread[row - 1]), each(move * move)
    return _Sums(known, times, volumes, known.sums(volumes), known.sums(spread), known.sums(square))


def _means(sums: _Sums, which: np.ndarray, at: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """The mean at each step, float64[e, t], with what stands in for unknown times."""
    everywhere = (total(which) / total(sums.count))[at[0][:, 0]]
    return sums.known.filled(which[at] / np.maximum(sums.count[at], 1.0), at, everywhere)

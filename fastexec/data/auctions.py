"""The closing auction: the bar of a day that holds it, found by its volume; one definition for all who read bars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastexec.data.bars import Bars

_FACTOR = 4.0
_BEFORE = 30
_ROUND_THE_CLOCK = 80_000


@dataclass(frozen=True, eq=False)
class ClosingAuction:
    """second: since local midnight, at which its bar begins on most days. factor: how many times the usual volume it holds,
    the median over days. rows: bool[row], the bars that hold it.
    """

    second: int
    factor: float
    rows: np.ndarray


def bars_before_are_there(bars: Bars, spacing: int) -> np.ndarray:
    """Whether the bar before is there, bool[row]: its quotes are then those with which this bar begins."""
    follows = (np.diff(bars.day) == 0) & (np.diff(bars.second) == spacing)
    return np.concatenate((np.zeros(1, bool), follows))


def times_of_day(bars: Bars, days: list[int], spacing: int) -> np.ndarray:
    """Steps that most of the days have: times whose bar before is there too, int32[t], without a gap; none is possible."""
    follows = bars_before_are_there(bars, spacing)
    seconds, counts = np.unique(bars.second[follows & np.isin(bars.day, days)], return_counts=True)
    common = seconds[2 * counts >= len(days)]
    return np.arange(common[0], common[-1] + 1, spacing, dtype=np.int32) if common.size else np.zeros(0, np.int32)


def closing_auction(bars: Bars, spacing: int) -> ClosingAuction | None:
    """The auction that ends the days of a symbol; None where there is none to be seen, or the market never closes.

    Of all days of such bars that can be used the last time of day that most of them have is looked at: it holds an auction
    where its volume is above four times the mean of the thirty bars before, by the median over days. A day that ends earlier,
    as a half day does, has its own in its last bar, where that bar's volume is above four times the same mean.
    """
    there = np.unique(bars.day[bars_before_are_there(bars, spacing)])
    days = [day for day in there.tolist() if day not in bars.faults]
    times = times_of_day(bars, days, spacing)
    if times.size * spacing > _ROUND_THE_CLOCK or times.size <= _BEFORE:
        return None
    usable, last = np.isin(bars.day, days), int(times[-1])
    factor = _factors(bars, spacing)
    whole = factor[usable & (bars.second == last)]
    whole = whole[np.isfinite(whole)]
    if not whole.size or not np.median(whole) > _FACTOR:
        return None
    ends = np.append(np.diff(bars.day) != 0, True)
    early = usable & ends & (bars.second < last) & (np.nan_to_num(factor) > _FACTOR)
    return ClosingAuction(last, float(np.median(whole)), (bars.second == last) | early)


def _factors(bars: Bars, spacing: int) -> np.ndarray:
    """Each bar's volume over the mean of the thirty bars before it, float64[row]; NaN where one is missing or all are empty."""
    factor = np.full(bars.day.size, np.nan)
    if bars.day.size <= _BEFORE:
        return factor
    means = np.lib.stride_tricks.sliding_window_view(bars.volume[:-1], _BEFORE).mean(axis=1)
    unbroken = bars.day[_BEFORE:] == bars.day[:-_BEFORE]
    unbroken &= bars.second[_BEFORE:] - bars.second[:-_BEFORE] == _BEFORE * spacing
    known = unbroken & (means > 0.0)
    factor[_BEFORE:][known] = bars.volume[_BEFORE:][known] / means[known]
    return factor

"""Windows of real days as episodes.

A bar is a step. The mid and the spread of a step are the closing quotes of the bar before, its volume is the bar's own,
so a day's first bar starts no window and no step knows what happens within it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastexec.data.bar_files import listed
from fastexec.data.bars import Bars, read_bars
from fastexec.data.curves import Curves, expected_curves
from fastexec.data.paths import MarketPaths
from fastexec.errors import InputError
from fastexec.models.market import RealMarket
from fastexec.models.study import StudyModel


@dataclass(frozen=True, eq=False)
class ReplayWindows:
    """Windows in order of day, then start: the episodes e, with t steps each.

    paths: what happened. day: int32[e], yyyymmdd. start_second: int32[e], seconds since local midnight at which the
    first step begins. step_seconds: the spacing of the bars. expected_volume (shares), expected_spread (full, a
    fraction of the mid) and expected_volatility (sd of the relative move in a step): float64[e, t], what the curve's
    days lead to expect. warnings: one line each. sha256: of the file of bars.
    """

    paths: MarketPaths
    day: np.ndarray
    start_second: np.ndarray
    step_seconds: int
    expected_volume: np.ndarray
    expected_spread: np.ndarray
    expected_volatility: np.ndarray
    warnings: tuple[str, ...]
    sha256: str


def windows_of(study: StudyModel, market: RealMarket) -> ReplayWindows:
    """The windows of the bars that a study names; InputError where they do not fit it."""
    steps = study.order.steps
    bars = read_bars(study.bars_path(), market.symbol)
    leave_own = market.in_windows
    windows = replay_windows(bars, steps, market.stride or steps, market.days, market.curve_days, leave_own)
    if windows.step_seconds != study.order.step_seconds:
        raise InputError(
            f"order.step_seconds: {study.order.step_seconds:g}, but a bar of {market.bars} lasts {windows.step_seconds} s "
            "and is a step; make them equal"
        )
    return windows


def replay_windows(
    bars: Bars,
    steps: int,
    stride: int,
    days: tuple[int, ...] = (),
    curve_days: tuple[int, ...] = (),
    leave_own: bool = True,
) -> ReplayWindows:
    """Cut days into windows of ``steps`` bars, the first from a day's second bar on, the next ``stride`` bars later.

    days: yyyymmdd to replay; empty for all of the symbol. curve_days: days that the expectations are taken from; empty
    for, with each replayed day, all others of the symbol that can be used, or the same day where there is no other
    (with ``leave_own`` false all of them for every day). A gap splits a day: the bar behind it is like a day's first.
    No window crosses a gap or a night.

    Raises InputError where a day is not there or cannot be used, the bars of two days differ in length, or no day
    holds a window.
    """
    replayed = _chosen(bars, days, "days")
    spacing = _spacing(bars, replayed)
    follows = _follows(bars, spacing)
    first = _first_rows(bars, follows, replayed, steps, stride)
    rows = first[:, None] + np.arange(steps)
    day, mid, spread = bars.day[first], bars.mid, bars.spread
    usable = np.flatnonzero(follows & ~np.isin(bars.day, list(bars.faults)))
    given = _chosen(bars, curve_days, "curve_days") if curve_days else np.unique(bars.day[usable])
    others = leave_own and not curve_days and given.size > 1
    expected = expected_curves(bars, rows, usable, given, others)
    overlap = np.zeros(0, np.int32) if others else np.intersect1d(given, day)
    return ReplayWindows(
        paths=MarketPaths(
            mid[rows - 1],
            spread[rows - 1],
            bars.volume[rows],
            last_mid=mid[rows[:, -1]],
            last_spread=spread[rows[:, -1]],
        ),
        day=day,
        start_second=bars.second[first],
        step_seconds=spacing,
        expected_volume=expected.volume,
        expected_spread=expected.spread,
        expected_volatility=expected.volatility,
        warnings=(
            *_warnings_of_days(bars, follows, replayed, day),
            *_warnings_of_curve(expected, overlap, [] if curve_days else sorted(bars.faults)),
        ),
        sha256=bars.sha256,
    )


def _chosen(bars: Bars, asked: tuple[int, ...], key: str) -> np.ndarray:
    """The days asked for, ascending, all if none is; refuses days that are not there or cannot be used."""
    there = np.unique(bars.day)
    absent = sorted(set(asked) - set(there.tolist()))
    if absent:
        raise InputError(
            f"{bars.source}, {bars.symbol!r}: no day {listed(absent)}, which market.{key} names; the days are "
            f"{listed(there.tolist())}"
        )
    chosen = np.array(sorted(set(asked)), np.int32) if asked else there
    for day in chosen.tolist():
        if day in bars.faults:
            raise InputError(f"{bars.faults[day]}; leave it out: name the days to use in market.{key}")
    return chosen


def _spacing(bars: Bars, replayed: np.ndarray) -> int:
    """The smallest time from bar to bar within a day, in seconds, the same on all replayed days."""
    within = np.flatnonzero((np.diff(bars.day) == 0) & np.isin(bars.day[1:], replayed))
    if within.size == 0:
        raise InputError(
            f"{bars.source}, {bars.symbol!r}: the replayed days have one bar each; a window needs two or more"
        )
    days, place = np.unique(bars.day[within], return_inverse=True)
    smallest = np.full(days.size, 86_400)
    np.minimum.at(smallest, place, np.diff(bars.second)[within])
    shortest, longest = int(smallest.argmin()), int(smallest.argmax())
    if smallest[shortest] != smallest[longest]:
        raise InputError(
            f"{bars.source}, {bars.symbol!r}: bars of {smallest[shortest]} s on day {days[shortest]}, of "
            f"{smallest[longest]} s on day {days[longest]}; replay days of one kind, by market.days"
        )
    return int(smallest[shortest])


def _follows(bars: Bars, spacing: int) -> np.ndarray:
    """Whether the bar before is there, bool[row]: its quotes are then those with which this bar begins."""
    follows = (np.diff(bars.day) == 0) & (np.diff(bars.second) == spacing)
    return np.concatenate((np.zeros(1, bool), follows))


def _first_rows(bars: Bars, follows: np.ndarray, replayed: np.ndarray, steps: int, stride: int) -> np.ndarray:
    """The row of each window's first step, int64[e], ascending."""
    row = np.arange(follows.size)
    head = np.maximum.accumulate(np.where(follows, 0, row))  # the bar before the first step of the unbroken run
    tail = np.append(np.flatnonzero(~follows), row.size)
    length = tail[np.searchsorted(tail, head, side="right")] - head - 1
    offset = row - head - 1
    wanted = np.isin(bars.day, replayed)
    first = np.flatnonzero(wanted & follows & (offset % stride == 0) & (offset + steps <= length))
    if first.size == 0:
        raise InputError(
            f"{bars.source}, {bars.symbol!r}: a window of {steps} steps needs {steps + 1} bars of one day without a "
            f"gap, and the replayed days hold at most {length[wanted].max() + 1}; make order.steps smaller"
        )
    return first


def _warnings_of_days(bars: Bars, follows: np.ndarray, replayed: np.ndarray, day: np.ndarray) -> list[str]:
    found = list(bars.notes)
    if bars.locked or bars.crossed:
        share = 100 * (bars.locked + bars.crossed) / bars.day.size
        found.append(
            f"{bars.symbol}: {bars.locked} locked and {bars.crossed} crossed quotes ({share:.2g} % of its bars) are "
            f"read as one tick ({bars.tick:g}) wide"
        )
    breaks, counts = np.unique(bars.day[~follows & np.isin(bars.day, replayed)], return_counts=True)
    if (counts > 1).any():
        found.append(f"gaps in the bars of {listed(breaks[counts > 1].tolist())}: no window crosses one")
    short = np.setdiff1d(replayed, day)
    if short.size:
        found.append(f"too short for a window and left out: {listed(short.tolist())}")
    return found


def _warnings_of_curve(expected: Curves, overlap: np.ndarray, unusable: list[int]) -> list[str]:
    found = []
    if overlap.size:
        found.append(
            f"curve and replayed days overlap ({listed(overlap.tolist())}): there the schedules know the volume that "
            "they will meet"
        )
    if unusable:
        found.append(f"left out of the curve, for they cannot be used: {listed(unusable)}")
    if expected.unknown.any():
        found.append(
            f"{int(expected.unknown.sum())} steps of {int(expected.unknown.any(axis=1).sum())} windows are at a time "
            "that no curve day has: the mean of the window's other steps, or of the curve, stands in"
        )
    if expected.silent.any():
        found.append(
            f"{int(expected.silent.sum())} windows are at times at which the curve's days have no volume: their mean "
            "volume stands in"
        )
    return found

"""Windows of real days as episodes.

A bar is a step. The mid and the spread of a step are the closing quotes of the bar before, its volume is the bar's own,
so a day's first bar starts no window and no step knows what happens within it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from fastexec.data.bars import Bars, read_bars
from fastexec.data.curves import Curves, expected_curves
from fastexec.data.cutting import Steps, first_rows, notes_of_auction, notes_of_gaps, steps_of
from fastexec.data.empty_bars import halted_steps, last_quoted, rate_volumes
from fastexec.data.known_columns import known_columns
from fastexec.data.known_days import Which
from fastexec.data.paths import MarketPaths
from fastexec.data.rate_curves import RateCurves
from fastexec.errors import InputError, listed
from fastexec.models.real_days import RealMarket
from fastexec.models.study import StudyModel
from fastexec.wording import counted


@dataclass(frozen=True, eq=False)
class ReplayWindows:
    """Windows in order of day, then start: the episodes e, with t steps each.

    paths: what happened. day: int32[e], yyyymmdd. start_second: int32[e], seconds since local midnight at which the
    first step begins. step_seconds: the spacing of the bars. expected_volume (shares), expected_spread (full, a
    fraction of the mid) and expected_volatility (sd of the relative move in a step): float64[e, t], what the curve's
    days lead to expect. rate_volume: float64[e, t], shares, what the rates of slices are taken against: the bar's volume,
    in an empty bar the expected one, 0 in a halt. rates: what they lead to expect of a power of it. warnings: one line each.
    sha256: of the file of bars. signals: float64[j, e, t], the columns that were asked for, when each step begins, in sd of the
    days before.
    """

    paths: MarketPaths
    day: np.ndarray
    start_second: np.ndarray
    step_seconds: int
    expected_volume: np.ndarray
    expected_spread: np.ndarray
    expected_volatility: np.ndarray
    rate_volume: np.ndarray
    rates: RateCurves
    warnings: tuple[str, ...]
    sha256: str
    signals: np.ndarray


class Wanted(NamedTuple):
    """Which bars a study replays. days: yyyymmdd; empty for all of the symbol. curve_days: those that expectations are taken
    from; "others": with each replayed day all others of the symbol that can be used, or the same day where there is no other
    (with ``leave_own`` false all of them for every day); "earlier": those before it (before the first one). times: (first
    second, end) since local midnight, in which windows lie. auction: whether they may hold the closing auction's bar.
    signals: further columns of the bars that a step knows.
    """

    days: tuple[int, ...] = ()
    curve_days: Literal["others", "earlier"] | tuple[int, ...] = "others"
    leave_own: bool = True
    times: tuple[int, int] | None = None
    auction: bool = False
    signals: tuple[str, ...] = ()

    @property
    def named(self) -> tuple[int, ...]:
        """The curve days that are named, each by itself."""
        return () if isinstance(self.curve_days, str) else self.curve_days


WHOLE = Wanted()


def windows_of(study: StudyModel, market: RealMarket) -> ReplayWindows:
    """The windows of the bars that a study names; InputError where they do not fit it."""
    steps = study.order.steps
    bars = read_bars(study.bars_path(), market.symbol, between=market.between, **market.reading())
    columns = market.signal_columns
    wanted = Wanted(market.days, market.curve_days, market.in_windows, market.between, market.auction, columns)
    windows = replay_windows(bars, steps, market.stride or steps, wanted)
    if windows.step_seconds != study.order.step_seconds:
        raise InputError(
            f"order.step_seconds: {study.order.step_seconds:g}, but a bar of {market.bars} lasts {windows.step_seconds} s "
            "and is a step; make them equal"
        )
    return windows


def replay_windows(bars: Bars, steps: int, stride: int, wanted: Wanted = WHOLE) -> ReplayWindows:
    """Cut days into windows of ``steps`` bars, the first from a day's second bar on, the next ``stride`` bars later.

    A gap splits a day: the bar behind it is like a day's first. No window crosses a gap or a night, and none begins where no
    quote stands. In a halt nobody trades, and the mid and spread are the last that were quoted.

    Raises InputError where a day is not there or cannot be used, the bars of two days differ in length, or no day
    holds a window.
    """
    replayed = _chosen(bars, wanted.days, "days")
    cut = steps_of(bars, replayed, wanted.times, wanted.auction)
    usable = np.flatnonzero(cut.taken & ~np.isin(bars.day, list(bars.faults)))
    usable = usable[~halted_steps(bars, usable)]
    columns = known_columns(bars, wanted.signals, replayed, usable)
    replayed = np.setdiff1d(replayed, columns.unscaled)
    (given, which), alone = _curve_days(bars, wanted, replayed, usable)
    replayed = np.setdiff1d(replayed, alone)
    first, unquoted = first_rows(cut, replayed, steps, stride)
    rows = first[:, None] + np.arange(steps)
    signals = columns.values(rows)
    expected = expected_curves(bars, rows, usable, given, which)
    overlap = np.intersect1d(given, bars.day[first]) if which == "all" else np.zeros(0, np.int32)
    notes = (
        *_notes_of_days(cut, replayed, first),
        *_notes_of_bars(bars, rows, alone, unquoted),
        *columns.notes(rows, signals),
    )
    return ReplayWindows(
        paths=_paths(bars, rows),
        day=bars.day[first],
        start_second=bars.second[first],
        step_seconds=cut.spacing,
        expected_volume=expected.volume,
        expected_spread=expected.spread,
        expected_volatility=expected.volatility,
        rate_volume=rate_volumes(bars, rows, usable, (given, which), expected),
        rates=expected.rates,
        warnings=(*notes, *_notes_of_curve(expected, overlap, [] if wanted.named else sorted(bars.faults))),
        sha256=bars.sha256,
        signals=signals,
    )


def _paths(bars: Bars, rows: np.ndarray) -> MarketPaths:
    """What happened in the windows."""
    quotes = np.column_stack((rows[:, :1] - 1, rows))
    mid, spread = last_quoted(bars.mid[quotes]), last_quoted(bars.spread[quotes])
    return MarketPaths(mid[:, :-1], spread[:, :-1], bars.volume[rows], last_mid=mid[:, -1], last_spread=spread[:, -1])


def _curve_days(
    bars: Bars, wanted: Wanted, replayed: np.ndarray, usable: np.ndarray
) -> tuple[tuple[np.ndarray, Which], np.ndarray]:
    """The days that expectations come from, which of them for each window, and the replayed days for which there is none."""
    none = np.zeros(0, np.int32)
    if wanted.named:
        return (_chosen(bars, wanted.named, "curve_days"), "all"), none
    given = np.unique(bars.day[usable])
    if wanted.curve_days == "others":
        return (given, "others" if wanted.leave_own and given.size > 1 else "all"), none
    last = int(replayed[-1] if wanted.leave_own else replayed[0])
    before = given[given < last]
    if not before.size:
        raise InputError(
            f'{bars.source}, {bars.symbol!r}: market.curve_days = "earlier", but there is no day before {last} to take them '
            'from; replay later days, or take "others"'
        )
    if wanted.leave_own:
        return (given, "earlier"), replayed[replayed <= before[0]]
    return (before, "all"), none


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
            raise InputError(f"{bars.fault(day)}; leave it out: name the days to use in market.{key}")
    return chosen


def _notes_of_days(cut: Steps, replayed: np.ndarray, first: np.ndarray) -> list[str]:
    bars = cut.bars
    found = [*bars.notes, *notes_of_auction(cut, replayed)]
    if bars.locked or bars.crossed:
        share = 100 * (bars.locked + bars.crossed) / bars.day.size
        found.append(
            f"{bars.symbol}: {bars.locked} locked and {bars.crossed} crossed quotes ({share:.2g} % of its bars) are "
            f"read as one tick ({bars.tick:g}) wide"
        )
    found += notes_of_gaps(cut, replayed)
    short = np.setdiff1d(replayed, bars.day[first])
    if short.size:
        found.append(f"too short for a window and left out: {listed(short.tolist())}")
    return found


def _notes_of_bars(bars: Bars, rows: np.ndarray, alone: np.ndarray, unquoted: np.ndarray) -> list[str]:
    """Days and windows left out, and bars in which nobody trades, or nobody traded."""
    found = []
    if alone.size:
        found.append(f"left out, for no day before them can be used for curves: {listed(alone.tolist())}")
    if unquoted.size:
        found.append(f"windows that would begin where no quote stands: {unquoted.size}, left out")
    halted = halted_steps(bars, rows)
    stopped, empty = (np.unique(rows[which]).size for which in (halted, ~halted & (bars.volume[rows] == 0.0)))
    if stopped:
        found.append(f"bars that are halted, or begin without a quote: {stopped}; nobody trades in them")
    if empty:
        found.append(
            f"bars with quotes and no volume: {empty}; orders may cross there, their impact by the volume that other days lead "
            "to expect"
        )
    return found


def _notes_of_curve(expected: Curves, overlap: np.ndarray, unusable: list[int]) -> list[str]:
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
            f"at a time that no curve day has: {counted(int(expected.unknown.sum()), 'step')} of "
            f"{counted(int(expected.unknown.any(axis=1).sum()), 'window')}; the mean of the window's other steps, or of the "
            "curve, stands in"
        )
    if expected.silent.any():
        found.append(
            f"at times at which the curve's days have no volume: {counted(int(expected.silent.sum()), 'window')}; their mean "
            "volume stands in"
        )
    return found

"""Days side by side: move, spread and volume of each step at its time of day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastexec.data.auctions import ClosingAuction, closing_auction, times_of_day
from fastexec.data.bars import Bars
from fastexec.errors import InputError
from fastexec.models.times import clock
from fastexec.wording import counted

_LEAST_PRESENT = 0.9
_SPLIT = 2.0


@dataclass(frozen=True, eq=False)
class Panel:
    """D days of T steps at the same times of day, float64[d, t], NaN where a bar is missing.

    mid: currency, when the step begins. move: relative, over the step. spread: the full quoted one when the step begins,
    a fraction of the mid. volume: shares within the step.
    """

    mid: np.ndarray
    move: np.ndarray
    spread: np.ndarray
    volume: np.ndarray


@dataclass(frozen=True, eq=False)
class Session:
    """A panel and where it comes from. second: int32[t], local, when a step begins. days: yyyymmdd. left_out: why a day is
    not among them. step_seconds: a bar.
    daily_volume: float64[d], of the whole day, auctions too. day_steps: steps of a whole day. tick: currency. notes: what a
    reader must know, one line each.
    """

    panel: Panel
    second: np.ndarray
    days: list[int]
    left_out: dict[int, str]
    step_seconds: int
    daily_volume: np.ndarray
    day_steps: int
    tick: float
    notes: list[str]

    def of_days(self, days: list[int]) -> Panel:
        """The panel of some of the days."""
        rows = [self.days.index(day) for day in days]
        p = self.panel
        return Panel(p.mid[rows], p.move[rows], p.spread[rows], p.volume[rows])


def session_of(bars: Bars, window: tuple[int, int] | None = None) -> Session:
    """Line the days up by time of day.

    window: (first second, end) since local midnight; default the whole day. A day with quotes or volumes missing, or
    with fewer than nine in ten of the steps, is left out and named in ``notes``, and so is the last step of a day where
    it holds a closing auction (``data.auctions``).

    Raises InputError where no day is left, or the window holds fewer than two steps.
    """
    where = f"{bars.source}, {bars.symbol!r}"
    left_out = dict(bars.faults)
    days = [day for day in np.unique(bars.day).tolist() if day not in left_out]
    if not days:
        raise InputError(
            f"{bars.fault(min(bars.faults))}; there is no other day to calibrate on; a --window excuses what lies outside of it"
        )
    spacing = _spacing(bars, days, where)
    times = _times_of_day(bars, days, spacing, where)
    volume, mid, spread = _grids(bars, days, times, spacing)
    closing = closing_auction(bars, spacing)
    inside = np.ones(times.size, bool) if window is None else (times >= window[0]) & (times < window[1])
    inside[-1] &= closing is None
    if inside.sum() < 2:
        raise InputError(
            f"{where}: the window holds {counted(int(inside.sum()), 'step')} of {spacing} s; give one of two or more"
        )
    move = mid[:, 1:] / mid[:, :-1] - 1.0
    found = np.stack((mid[:, :-1], move, spread[:, :-1], volume))[:, :, inside]
    present = np.isfinite(found).all(axis=0).mean(axis=1)
    whole = present >= _LEAST_PRESENT
    left_out |= {
        day: f"it has {share:.0%} of the steps, nine in ten are needed"
        for day, share in zip(days, present.tolist(), strict=True)
        if share < _LEAST_PRESENT
    }
    if not whole.any():
        raise InputError(
            f"{where}: no day has nine in ten of the steps; give a --window that the days have, or --fill where an absent "
            "bar is one without volume"
        )
    kept = [day for day in days if day not in left_out]
    panel = Panel(*(np.ascontiguousarray(x[whole]) for x in found))
    notes = [*bars.notes, *(f"day {day} is left out: {why}" for day, why in sorted(left_out.items()))]
    notes += [*_auction_notes(closing), *_doubts(panel, kept)]
    daily = np.nansum(volume[whole], axis=1)
    return Session(panel, times[inside], kept, left_out, spacing, daily, times.size, bars.tick, notes)


def _spacing(bars: Bars, days: list[int], where: str) -> int:
    gaps = np.diff(bars.second)[(np.diff(bars.day) == 0) & np.isin(bars.day[1:], days)]
    if gaps.size == 0:
        raise InputError(f"{where}: the days have one bar each; a calibration needs many")
    values, counts = np.unique(gaps, return_counts=True)
    return int(values[counts.argmax()])


def _times_of_day(bars: Bars, days: list[int], spacing: int, where: str) -> np.ndarray:
    """Steps that most days have, int32[t], without a gap."""
    times = times_of_day(bars, days, spacing)
    if times.size < 2:
        raise InputError(f"{where}: the days share fewer than two times of day; bars of a regular spacing are needed")
    return times


def _grids(bars: Bars, days: list[int], times: np.ndarray, spacing: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """volume float64[d, t]; mid and spread at the t + 1 ends of bars, from the bar before the first step on."""
    shape = (len(days), times.size + 1)
    volume, mid, spread = np.full(shape, np.nan), np.full(shape, np.nan), np.full(shape, np.nan)
    place = (bars.second - (times[0] - spacing)) // spacing
    fits = np.isin(bars.day, days) & (place >= 0) & (place <= times.size)
    fits &= ((bars.second - times[0]) % spacing == 0) & bars.quoted
    row, column = np.searchsorted(days, bars.day[fits]), place[fits]
    volume[row, column], mid[row, column], spread[row, column] = bars.volume[fits], bars.mid[fits], bars.spread[fits]
    return volume[:, 1:], mid, spread


def _auction_notes(closing: ClosingAuction | None) -> list[str]:
    if closing is None:
        return []
    return [
        f"the bar of {clock(closing.second)} holds a closing auction ({closing.factor:.0f} times the volume of the minutes "
        "before): left out of the fit, counted in the daily volume"
    ]


def _doubts(panel: Panel, days: list[int]) -> list[str]:
    level = np.nanmedian(panel.mid, axis=1)
    found = []
    if level.max() > _SPLIT * level.min():
        found.append(
            f"the price level differs by a factor of {level.max() / level.min():.2g} between days (a split, or years "
            "apart): one tick and one volume for all may not fit"
        )
    if len(days) < 5:
        found.append(f"{counted(len(days), 'day')} only: what differs between days is hardly known")
    return found

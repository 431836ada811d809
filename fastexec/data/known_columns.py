"""Further columns of the bars as signals: what is known of each when a step begins, scaled by what earlier days had.

A step may know the bars that ended before it, no more: not its own, and of the mean and the scale nothing of its own day.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastexec.data.bars import Bars
from fastexec.errors import InputError, listed
from fastexec.models.times import clock
from fastexec.wording import counted

_MOST = 1e100  # of a value: squares of it are numbers still
_CONSTANT = 1e-12  # sd over the mean's size
_FAR, _MANY = 4.0, 0.01  # sd; share of the steps


@dataclass(frozen=True, eq=False)
class KnownColumns:
    """Columns j of bars. known: float64[j, row], the last value of the bar's day before it, NaN where there is none. carried:
    bool[j, row], it is not that of the bar before. mean, sd: float64[j, k], of what the steps of the days before ``days[k]``
    began with; sd 0 where these tell none.
    """

    bars: Bars
    columns: tuple[str, ...]
    known: np.ndarray
    carried: np.ndarray
    days: np.ndarray
    mean: np.ndarray
    sd: np.ndarray

    @property
    def unscaled(self) -> np.ndarray:
        """The days, int32, on which a column cannot be scaled."""
        return np.asarray(self.days[~(self.sd > 0.0).all(axis=0)])

    def values(self, rows: np.ndarray) -> np.ndarray:
        """What windows' steps begin with, float64[j, e, t], in sd of the days before; rows: int64[e, t], their bars.

        InputError where a day has no value yet.
        """
        _require_numbers(self.bars, self.columns, self.known, rows.ravel())
        found = self.known[:, rows]
        for name, missing in zip(self.columns, np.isnan(found), strict=True):
            if missing.any():
                row = int(rows[missing][0])
                raise InputError(
                    f"{_told(self.bars, row)}: column {name!r} has no value yet when the step of "
                    f"{clock(int(self.bars.second[row]))} begins; fill it, or begin later by market.times"
                )
        k = np.searchsorted(self.days, self.bars.day[rows[:, 0]])
        return np.ascontiguousarray((found - self.mean[:, k, None]) / self.sd[:, k, None])

    def notes(self, rows: np.ndarray, values: np.ndarray) -> list[str]:
        """What is doubtful about the ``values`` of those steps, and the days that were left out, a line each."""
        found = []
        if self.unscaled.size:
            days = listed(self.unscaled.tolist())
            found.append(f"left out, for the days before them have nothing to scale market.signals by: {days}")
        for j, name in enumerate(self.columns):
            carried, far = int(self.carried[j, rows].sum()), float((np.abs(values[j]) > _FAR).mean())
            if carried:
                told = f"column {name!r} has no value in the bar before {counted(carried, 'step')} of {rows.size:,}"
                found.append(f"{told}: the last of the day stands in")
            if far > _MANY:
                found.append(
                    f"column {name!r} lies beyond {_FAR:g} sd of its earlier days in {far:.0%} of the steps: a level that "
                    "wanders is better made a change first (`fastexec guide real-data`)"
                )
        return found


def known_columns(bars: Bars, columns: tuple[str, ...], days: np.ndarray, steps: np.ndarray) -> KnownColumns:
    """Of columns that ``bars.signals`` has. days: int32, yyyymmdd, ascending, that are replayed. steps: int64[n], ascending,
    the bars of all days that can be a step.

    Raises InputError where a column never varies, holds no finite number, or can be scaled on none of the days.
    """
    known, carried = np.zeros((2, len(columns), bars.day.size))
    mean, sd = np.zeros((2, len(columns), days.size))
    for j, name in enumerate(columns):
        known[j], carried[j] = _known(bars, name)
    _require_numbers(bars, columns, known, steps)
    for j, name in enumerate(columns):
        there = steps[~np.isnan(known[j, steps])]
        values = known[j, there]
        if not values.size or values.min() == values.max():
            raise InputError(
                f"{bars.source}, {bars.symbol!r}: column {name!r} never varies; there is nothing that it could tell"
            )
        mean[j], sd[j] = _of_days_before(values, bars.day[there], days)
    found = KnownColumns(bars, columns, known, carried > 0.0, days, mean, sd)
    if found.unscaled.size == days.size:
        raise InputError(
            f"{bars.source}, {bars.symbol!r}: the days before {int(days[-1])} have nothing to scale market.signals by; replay "
            "later days too"
        )
    return found


def _known(bars: Bars, name: str) -> tuple[np.ndarray, np.ndarray]:
    """The last value of the day before each bar, float64[row], and whether it is not the bar before's, bool[row]."""
    values, row = bars.signals[name], np.arange(bars.day.size)
    last = np.maximum.accumulate(np.where(np.isnan(values), -1, row))
    before = np.concatenate(([-1], last[:-1]))
    same = (before >= 0) & (bars.day[before] == bars.day)
    return np.where(same, values[before], np.nan), same & (before < row - 1)


def _of_days_before(values: np.ndarray, day: np.ndarray, days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and sd of the values of all days before each of ``days``, float64[k]; sd 0 where none differ. Day after day, so that
    no later one changes a bit (Chan, Golub and LeVeque 1983).
    """
    own, first = np.unique(day, return_index=True)
    means, sds = np.zeros((2, own.size + 1))
    count, mean, square = 0, 0.0, 0.0
    for d, part in enumerate(np.split(values, first[1:])):
        here = float(np.add.accumulate(part)[-1]) / part.size
        apart, both = here - mean, count + part.size
        square += float(np.add.accumulate((part - here) * (part - here))[-1]) + apart * apart * count * part.size / both
        mean, count = mean + apart * part.size / both, both
        sd = float(np.sqrt(square / count))
        means[d + 1], sds[d + 1] = mean, sd if sd > _CONSTANT * abs(mean) else 0.0
    k = np.searchsorted(own, days)
    return means[k], sds[k]


def _require_numbers(bars: Bars, columns: tuple[str, ...], known: np.ndarray, rows: np.ndarray) -> None:
    """InputError where a value is no finite number."""
    for j, name in enumerate(columns):
        wrong = np.flatnonzero(np.abs(known[j, rows]) > _MOST)
        if wrong.size:
            row = int(rows[wrong[0]])
            raise InputError(
                f"{_told(bars, row)}: column {name!r} holds {known[j, row]:g} in the last bar before "
                f"{clock(int(bars.second[row]))}; it must hold numbers up to {_MOST:g}, or none"
            )


def _told(bars: Bars, row: int) -> str:
    return f"{bars.source}, {bars.symbol!r}, day {bars.day[row]}"

"""Rows of a file as bars in order of time: their days, seconds, volumes and quotes."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import numpy as np

from fastexec.data.bar_columns import numbers
from fastexec.data.bar_rows import Rows
from fastexec.data.bar_times import local_times, shown_twice
from fastexec.data.reading import Reading
from fastexec.errors import InputError
from fastexec.models.times import clock


class Table(NamedTuple):
    """Arrays of one length. day, second: int32. volume: float64. bid, ask: float64, NaN where no quote stands. halted: bool.
    twice: bool, the clock shows this time twice, and so did the file. place: int64, the row of the file, from 0.
    """

    day: np.ndarray
    second: np.ndarray
    volume: np.ndarray
    bid: np.ndarray
    ask: np.ndarray
    halted: np.ndarray
    twice: np.ndarray
    place: np.ndarray

    @property
    def quoted(self) -> np.ndarray:
        """Whether a quote stands, bool."""
        return np.asarray(np.isfinite(self.bid))

    def take(self, rows: np.ndarray) -> Table:
        """Some of them."""
        return Table(*(x[rows] for x in self))

    def told(self, i: int) -> str:
        """A quote and its time, for a message."""
        return f"{self.bid[i]:.10g} / {self.ask[i]:.10g} at {clock(int(self.second[i]))}"


def table_of(rows: Rows, reading: Reading) -> tuple[Table, list[str]]:
    """Bars in order of time, and what was taken for granted. Of an hour that the clock shows twice the second is left out.

    InputError where a day or a second is none, or times are unsorted or twice.
    """
    date, second, zone, notes = local_times(rows, reading)
    _require_days(rows.where, date, second)
    place = np.lexsort((second, date)) if rows.is_folder else np.arange(date.size)
    twice = np.zeros(date.size, bool)
    if zone is not None:
        twice = shown_twice(date, second, zone)
        again = np.ones(date.size, bool)
        again[np.unique(date * 86_400 + second, return_index=True)[1]] = False
        again &= twice
        twice &= np.isin(date, date[again])
        place = place[~again[place]]
    _require_order(rows.where, date[place], second[place])
    volume, halted = numbers(rows, "volume", reading), _flags(rows, reading)
    bid, ask, said = _quotes(rows, reading)
    quoted = np.isfinite(bid) & np.isfinite(ask) & (bid > 0) & (ask > 0)
    halted |= ~quoted & (volume == 0)
    quoted &= ~halted
    bid, ask = np.where(quoted, bid, np.nan), np.where(quoted, ask, np.nan)
    table = Table(date.astype(np.int32), second.astype(np.int32), volume, bid, ask, halted, twice, np.arange(date.size))
    return table.take(place), [*notes, *said]


def _quotes(rows: Rows, reading: Reading) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """bid, ask and what is to be said of them."""
    if reading.spread is None:
        return numbers(rows, "bid_px_1", reading), numbers(rows, "ask_px_1", reading), []
    if "close" in rows.found:
        price, origin = numbers(rows, "close", reading), repr(rows.found["close"])
    else:
        price = 0.5 * (numbers(rows, "bid_px_1", reading) + numbers(rows, "ask_px_1", reading))
        origin = "the middle of its quotes"
    half = 0.5e-4 * reading.spread
    said = f"no quotes of the file: a spread of {reading.spread:g} bps, as given, around {origin}"
    return price * (1.0 - half), price * (1.0 + half), [said]


def _flags(rows: Rows, reading: Reading) -> np.ndarray:
    """Rows that are marked as halted, bool; none without such a column, nor where it is null."""
    if "halted" not in rows.table.column_names:
        return np.zeros(rows.table.num_rows, bool)
    values = np.nan_to_num(numbers(rows, "halted", reading))
    if not np.isin(values, (0.0, 1.0)).all():
        odd = values[~np.isin(values, (0.0, 1.0))][0]
        raise InputError(f"{rows.where}: column halted holds {odd:g}; it must be true or false (1 or 0)")
    return np.asarray(values == 1.0)


def _require_days(where: str, day: np.ndarray, second: np.ndarray) -> None:
    for value in np.unique(day).tolist():
        try:
            datetime.strptime(f"{value:08d}", "%Y%m%d")
        except ValueError:
            raise InputError(f"{where}: date {value} is no day; it must be yyyymmdd, such as 20131004") from None
    outside = (second < 0) | (second >= 86_400)
    if outside.any():
        at = int(outside.argmax())
        raise InputError(f"{where}, day {day[at]}: sec is {second[at]}; it counts from local midnight, 0 to 86399")


def _require_order(where: str, day: np.ndarray, second: np.ndarray) -> None:
    time = day * 86_400 + second
    wrong = np.diff(time) <= 0
    if wrong.any():
        at = int(wrong.argmax()) + 1
        what = "comes twice" if time[at] == time[at - 1] else f"comes after day {day[at - 1]}, {clock(second[at - 1])}"
        raise InputError(
            f"{where}, day {day[at]}: the bar of {clock(second[at])} {what}; sort bars by date and sec, each once"
        )

"""Bars of one symbol: the quotes at each bar's end and the volume within it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Unpack

import numpy as np

from fastexec.data.absent_bars import absent_bars, spacing_of
from fastexec.data.bar_columns import as_signal, numbers
from fastexec.data.bar_files import digest, read_rows
from fastexec.data.bar_table import Table, table_of
from fastexec.data.faults import faults_of, inside, require_few_touching, told_wild
from fastexec.data.reading import Reading, Words
from fastexec.data.wild_quotes import wild_quotes
from fastexec.wording import counted

_ON_GRID = 0.99


@dataclass(frozen=True, eq=False, repr=False)
class Bars:
    """Bars of one symbol in order of time, arrays of one length.

    source: the file; sha256: of its bytes. day: int32, yyyymmdd. second: int32, seconds since local midnight at which
    the bar begins. bid, ask: float64, currency, at the bar's end; locked and crossed ones read as one tick around the
    mid, NaN where a row has none. volume: float64, shares within the bar. tick: currency (``read_bars`` tells the
    rule; NaN without quotes). locked, crossed: rows that were so. faults: for each day that cannot be used, why, in the part
    of the day that was asked for. notes: how the file was read, where that had to be guessed, and what was put in or left out.
    signals: the further columns that were asked for, by name, float64, NaN where a row has no value.
    """

    source: str
    symbol: str
    sha256: str
    day: np.ndarray
    second: np.ndarray
    bid: np.ndarray
    ask: np.ndarray
    volume: np.ndarray
    tick: float
    locked: int = 0
    crossed: int = 0
    faults: dict[int, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    signals: dict[str, np.ndarray] = field(default_factory=dict)

    def __repr__(self) -> str:
        days = np.unique(self.day)
        size = f"{counted(self.day.size, 'bar')} of {counted(days.size, 'day')}"
        return f"Bars({self.symbol!r}, {size}, {days[0]} to {days[-1]}, tick {self.tick:g})"

    def fault(self, day: int) -> str:
        """Where and why a day cannot be used."""
        return f"{self.source}, {self.symbol!r}, day {day}: {self.faults[day]}"

    @property
    def mid(self) -> np.ndarray:
        """The mid at each bar's end, float64, currency."""
        return np.asarray(0.5 * (self.bid + self.ask))

    @property
    def quoted(self) -> np.ndarray:
        """Whether a quote stands at each bar's end, bool; on days without ``faults`` a bar without one is halted."""
        return np.asarray(np.isfinite(self.bid) & np.isfinite(self.ask))

    @property
    def spread(self) -> np.ndarray:
        """The full quoted spread at each bar's end as a fraction of the mid, float64."""
        return np.asarray((self.ask - self.bid) / self.mid)


def read_bars(path: str | Path, symbol: str, *, between: tuple[int, int] | None = None, **words: Unpack[Words]) -> Bars:
    """Read the bars of one symbol from a Parquet or CSV file, or from a folder of such files.

    path: columns symbol, date (yyyymmdd), sec (seconds since local midnight, when the bar begins), volume (shares), bid_px_1
    and ask_px_1 (currency, at the bar's end), or a column of times instead of date and sec; others are ignored. Other names
    are guessed, and said in ``notes``. words: how the file is to be read, see ``Reading``. between: (first second, end) since
    local midnight, the part of a day that will be used: nothing outside of it makes a day unusable.

    The tick is the widest increment between neighbouring distinct quoted prices (to six digits) on whose grid at
    least 99 % of the symbol's quotes lie: the smallest price step in use, which a stray quote between two ticks does
    not make smaller. Locked (ask = bid) and crossed (ask < bid) quotes are read as one tick wide around their mid,
    and counted, as long as those ``between`` are at most 1 % of the symbol's quoted rows.

    A bar is halted where it has no quote and a volume of 0, or where the column ``halted``, if there is one, is true: it has
    no quotes then. A day with other quotes that are missing or not positive, with a wild one (``wild_quotes``), with a volume
    that is missing or negative, or with a time that the clock shows twice, is kept and noted in ``faults``: whoever uses that
    day refuses it, and others can still be used.

    Raises InputError: no such file, no table, columns missing or of another type, a value that is no number or no time (with
    its row), symbol not there, times unsorted or twice, more locked or crossed quotes than 1 %.

    >>> fx.read_bars("bars.parquet", "S").mid.size  # six days of an hour, a bar a minute
    360
    """
    reading = Reading(**words)
    rows = read_rows(str(path), symbol, reading)
    table, notes = table_of(rows, reading)
    notes = [*rows.notes, *notes]
    signals = {name: numbers(rows, as_signal(name), reading) for name in reading.signals}
    wild = wild_quotes(table.day, table.bid, table.ask)
    if reading.drop_outliers and wild.any():
        notes.append(f"left out: {counted(int(wild.sum()), 'bar')}, {told_wild(table, wild, rows)}")
        table = table.take(~wild)
        wild = wild[~wild]
    used = inside(table, between)
    touching = table.ask <= table.bid
    require_few_touching(rows.where, table, touching, used)
    faults = faults_of(table, wild, used, rows, reading)
    tick = _tick(_prices(table.take(~wild), reading))
    table, locked, crossed = _apart(table, touching, tick)
    if reading.fill:
        table, said = _filled(table, rows.where)
        notes.append(said)
    return Bars(
        str(path), symbol, digest(str(path)), table.day, table.second, table.bid, table.ask, table.volume, tick,
        locked, crossed, faults, tuple(notes), {name: x[table.place] for name, x in signals.items()},
    )  # fmt: skip


def _prices(table: Table, reading: Reading) -> np.ndarray:
    """Those whose grid the tick is: the quotes, or where these were made the prices that they were made from."""
    bid, ask = table.bid[table.quoted], table.ask[table.quoted]
    return np.concatenate((bid, ask)) if reading.spread is None else np.round(0.5 * (bid + ask), 9)


def _apart(table: Table, touching: np.ndarray, tick: float) -> tuple[Table, int, int]:
    """Locked and crossed quotes as one tick around their mid, and how many there were of each."""
    middle = 0.5 * (table.bid + table.ask)
    locked, crossed = int((table.ask == table.bid).sum()), int((table.ask < table.bid).sum())
    bid = np.where(touching, middle - 0.5 * tick, table.bid)
    return table._replace(bid=bid, ask=np.where(touching, middle + 0.5 * tick, table.ask)), locked, crossed


def _filled(table: Table, where: str) -> tuple[Table, str]:
    """With bars in place of those that are absent: no volume, the quote before; and what was put in."""
    before, second = absent_bars(table.day, table.second, where)
    added = table.take(before)._replace(second=second.astype(np.int32), volume=np.zeros(before.size))
    both = Table(*(np.concatenate(pair) for pair in zip(table, added, strict=True)))
    share = 100.0 * before.size / max(both.day.size, 1)
    said = (
        f"{before.size} absent bars of {spacing_of(table.day, table.second)} s are put in ({share:.2g} %): no volume, "
        "the quote before stands"
    )
    return both.take(np.lexsort((both.second, both.day))), said


def _tick(prices: np.ndarray) -> float:
    """The tick by the rule that ``read_bars`` states; NaN for fewer than two distinct prices."""
    distinct, counts = np.unique(prices, return_counts=True)
    increments = sorted({float(f"{x:.6g}") for x in np.diff(distinct)})
    tick = increments[0] if increments else float("nan")
    for candidate in increments[:64]:  # the tick is among the smallest; a liquid year of prices has thousands
        ticks = distinct / candidate
        on_grid = np.abs(ticks - np.rint(ticks)) < 0.01
        if counts[on_grid].sum() >= _ON_GRID * prices.size:
            tick = candidate
    return tick

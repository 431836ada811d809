"""Bars of one symbol: the quotes at each bar's end and the volume within it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from fastexec.data.bar_files import read_table
from fastexec.errors import InputError

MOST_LOCKED = 0.01
_ON_GRID = 0.99


@dataclass(frozen=True, eq=False)
class Bars:
    """Bars of one symbol in order of time, arrays of one length.

    source: the file; sha256: of its bytes. day: int32, yyyymmdd. second: int32, seconds since local midnight at which
    the bar begins. bid, ask: float64, currency, at the bar's end; locked and crossed ones read as one tick around the
    mid, NaN where a row has none. volume: float64, shares within the bar. tick: currency (``read_bars`` tells the
    rule; NaN without quotes). locked, crossed: rows that were so. faults: for each day that cannot be used, why.
    notes: how the file was read, where that had to be guessed.
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


def read_bars(path: str | Path, symbol: str, columns: Mapping[str, str] | None = None, zone: str | None = None) -> Bars:
    """Read the bars of one symbol from a Parquet or CSV file.

    The file has the columns symbol, date (yyyymmdd), sec (seconds since local midnight, when the bar begins), volume
    (shares), bid_px_1 and ask_px_1 (currency, at the bar's end); others are ignored. The names of a CSV file are guessed,
    and so is a column of times instead of date and sec; ``columns`` names them (ours -> the file's). ``zone``: of the
    local times; times with an offset are converted to it, and a column ts_ns (UTC) must agree with it.

    The tick is the widest increment between neighbouring distinct quoted prices (to six digits) on whose grid at
    least 99 % of the symbol's quotes lie: the smallest price step in use, which a stray quote between two ticks does
    not make smaller. Locked (ask = bid) and crossed (ask < bid) quotes are read as one tick wide around their mid,
    and counted, on up to 1 % of the symbol's quoted rows.

    A bar is halted where it has no quote and a volume of 0, or where the column ``halted``, if there is one, is true: it has
    no quotes then. A day with other quotes that are missing or not positive, or with a volume that is missing or negative, is
    kept and noted in ``faults``: whoever uses that day refuses it, and others can still be used.

    Raises InputError: no such file, not Parquet, columns missing or of another type, symbol not there, times unsorted
    or twice, more locked or crossed quotes than 1 %.
    """
    table, notes = read_table(str(path), symbol, columns, zone)
    where = f"{path}, {symbol!r}"
    day, second = _times(table, where)
    volume, bid, ask = (_numbers(table, name) for name in ("volume", "bid_px_1", "ask_px_1"))
    quoted = np.isfinite(bid) & np.isfinite(ask) & (bid > 0) & (ask > 0)
    traded = np.isfinite(volume) & (volume >= 0)
    halted = _flags(table, where) | (~quoted & (volume == 0))
    faults = _faults(where, day, second, ~traded, "no volume of 0 or more")
    faults |= _faults(where, day, second, ~quoted & ~halted, "no positive bid and ask")
    quoted &= ~halted
    bid, ask = np.where(quoted, bid, np.nan), np.where(quoted, ask, np.nan)
    touching = ask <= bid
    _require_few(where, day, second, touching, int(quoted.sum()))
    tick = _tick(np.concatenate((bid[quoted], ask[quoted])))
    middle = 0.5 * (bid + ask)
    return Bars(
        source=str(path),
        symbol=symbol,
        sha256=_sha256(path),
        day=day,
        second=second,
        bid=np.where(touching, middle - 0.5 * tick, bid),
        ask=np.where(touching, middle + 0.5 * tick, ask),
        volume=volume,
        tick=tick,
        locked=int((ask == bid).sum()),
        crossed=int((ask < bid).sum()),
        faults=faults,
        notes=tuple(notes),
    )


def clock(second: int) -> str:
    """A second since midnight as hh:mm:ss."""
    return f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"


def _numbers(table: pa.Table, name: str) -> np.ndarray:
    """A column as float64, NaN where it is null."""
    return np.asarray(table[name].cast(pa.float64()).to_numpy())


def _flags(table: pa.Table, where: str) -> np.ndarray:
    """Rows that are marked as halted, bool; none without such a column, nor where it is null."""
    if "halted" not in table.column_names:
        return np.zeros(table.num_rows, bool)
    values = np.nan_to_num(_numbers(table, "halted"))
    if not np.isin(values, (0.0, 1.0)).all():
        odd = values[~np.isin(values, (0.0, 1.0))][0]
        raise InputError(f"{where}: column halted holds {odd:g}; it must be true or false (1 or 0)")
    return np.asarray(values == 1.0)


def _times(table: pa.Table, where: str) -> tuple[np.ndarray, np.ndarray]:
    """Day and second of each row, strictly ascending."""
    for name in ("date", "sec"):
        if table[name].null_count:
            raise InputError(f"{where}: {table[name].null_count} rows have no {name}; every bar needs one")
    day, second = (table[name].to_numpy().astype(np.int64) for name in ("date", "sec"))
    for value in np.unique(day).tolist():
        _require_date(where, value)
    outside = (second < 0) | (second >= 86_400)
    if outside.any():
        at = int(outside.argmax())
        raise InputError(f"{where}, day {day[at]}: sec is {second[at]}; it counts from local midnight, 0 to 86399")
    time = day * 86_400 + second
    wrong = np.diff(time) <= 0
    if wrong.any():
        at = int(wrong.argmax()) + 1
        what = "comes twice" if time[at] == time[at - 1] else f"comes after day {day[at - 1]}, {clock(second[at - 1])}"
        raise InputError(
            f"{where}, day {day[at]}: the bar of {clock(second[at])} {what}; sort bars by date and sec, each once"
        )
    return day.astype(np.int32), second.astype(np.int32)


def _require_date(where: str, value: int) -> None:
    try:
        datetime.strptime(f"{value:08d}", "%Y%m%d")
    except ValueError:
        raise InputError(f"{where}: date {value} is no day; it must be yyyymmdd, such as 20131004") from None


def _faults(where: str, day: np.ndarray, second: np.ndarray, bad: np.ndarray, what: str) -> dict[int, str]:
    """For each day with a bad row what is wrong with it."""
    found = {}
    for value in np.unique(day[bad]).tolist():
        rows = np.flatnonzero(bad & (day == value))
        count = f"{rows.size} of {int((day == value).sum())} bars have {what}"
        found[value] = f"{where}, day {value}: {count}, the first at {clock(second[rows[0]])}"
    return found


def _require_few(where: str, day: np.ndarray, second: np.ndarray, touching: np.ndarray, quoted: int) -> None:
    count = int(touching.sum())
    if count > MOST_LOCKED * quoted:
        at = int(touching.argmax())
        raise InputError(
            f"{where}: {count} of {quoted} quotes are locked or crossed (ask_px_1 <= bid_px_1, the first on day "
            f"{day[at]} at {clock(second[at])}); at most {100 * MOST_LOCKED:g} % may be"
        )


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


def _sha256(path: str | Path) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

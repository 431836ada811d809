"""Times of bars: from what a file holds to the day and the second of its market's clock."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fastexec.data.bar_columns import as_text, is_text, require_values, whole_numbers
from fastexec.data.bar_rows import Rows
from fastexec.data.epochs import seconds_of_numbers
from fastexec.data.reading import Reading
from fastexec.data.written_times import is_time_of_day, seconds_of_text, with_colons
from fastexec.errors import InputError

_DAY, _QUARTER = 86_400, 900
_LOCAL = "times as they stand: local"


def local_times(rows: Rows, reading: Reading) -> tuple[np.ndarray, np.ndarray, ZoneInfo | None, list[str]]:
    """date (yyyymmdd) and second since local midnight of each row, int64; the zone, if known; what was taken for granted."""
    if "sec" in rows.table.column_names:
        date, second = _dates(rows, reading), whole_numbers(rows, "sec", reading)
        if reading.clock is not None and "ts_ns" in rows.table.column_names:
            _require_zone(rows, date, second, reading.clock)
        return date, second, reading.clock, [_LOCAL] if rows.is_csv else []
    stamps, offset, notes = _stamps(rows, reading)
    clock = reading.clock
    name = rows.found["time"]
    if not offset and any(word in name.lower() for word in ("utc", "gmt")):
        offset = "UTC"
        notes = [*notes, f"times are UTC, as the name {name!r} says"]
    if not offset:
        return *_parts(stamps), clock, [*notes, _LOCAL]
    if clock is None and "/" in offset and not offset.startswith("Etc/"):
        clock = ZoneInfo(offset)
    if clock is None:
        raise InputError(
            f"{rows.path}: its times are UTC or carry an offset; name the market's zone: "
            f"{reading.say('zone', 'America/New_York')}"
        )
    return *_parts(_there(stamps, clock)), clock, [*notes, f"times converted to {clock.key}"]


def shown_twice(date: np.ndarray, second: np.ndarray, clock: ZoneInfo) -> np.ndarray:
    """Rows whose time the zone's clock shows twice, as summer time ends, bool[row]."""
    found = np.zeros(date.size, bool)
    for day in np.unique(date).tolist():
        year, month, number = day // 10_000, day // 100 % 100, day % 100
        first, last = (datetime(year, month, number, h, m, tzinfo=clock).utcoffset() for h, m in ((0, 0), (23, 59)))
        if first is None or last is None or not first > last:
            continue
        rows = np.flatnonzero(date == day)
        for at in np.unique(second[rows]).tolist():
            time = datetime(year, month, number, at // 3600, at // 60 % 60, at % 60, tzinfo=clock)
            if time.utcoffset() != time.replace(fold=1).utcoffset():
                found[rows[second[rows] == at]] = True
    return found


def _parts(stamps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Seconds since 1970 as yyyymmdd and seconds since midnight."""
    day = stamps // _DAY
    months = day.astype("datetime64[D]").astype("datetime64[M]")
    number = day - months.astype("datetime64[D]").astype(np.int64) + 1
    month = months.astype(np.int64)
    return (month // 12 + 1970) * 10_000 + (month % 12 + 1) * 100 + number, stamps - day * _DAY


def _there(stamps: np.ndarray, clock: ZoneInfo) -> np.ndarray:
    """UTC as the zone's clock shows it; its offset changes at quarters of an hour at most."""
    quarters, place = np.unique(stamps // _QUARTER, return_inverse=True)
    offsets = [datetime.fromtimestamp(at * _QUARTER, clock).utcoffset() for at in quarters.tolist()]
    seconds = np.array([0 if offset is None else int(offset.total_seconds()) for offset in offsets], np.int64)
    return np.asarray(stamps + seconds[place])


def _dates(rows: Rows, reading: Reading) -> np.ndarray:
    """The column date as yyyymmdd, int64."""
    column = rows.table["date"]
    if pa.types.is_integer(column.type):
        return whole_numbers(rows, "date", reading)
    require_values(rows, "date", column.null_count)
    if pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
        return _parts(column.cast(pa.date32()).cast(pa.int32()).to_numpy().astype(np.int64) * _DAY)[0]
    if not is_text(column.type):
        raise InputError(
            f"{rows.path}: column {rows.found['date']} is of type {column.type}; it must hold days, such as 20131004"
        )
    texts = as_text(column)
    if pc.all(pc.match_substring_regex(texts, r"^\d{1,8}(\.0+)?$")).as_py():
        return np.asarray(texts.cast(pa.float64()).to_numpy().astype(np.int64))
    return _parts(seconds_of_text(rows, "date", texts, reading)[0])[0]


def _stamps(rows: Rows, reading: Reading) -> tuple[np.ndarray, str, list[str]]:
    """Seconds since 1970 of each row, int64, floored; the zone or offset that they carry, empty where they are local; notes."""
    column = rows.table["time"]
    kind = column.type
    require_values(rows, "time", column.null_count)
    if pa.types.is_timestamp(kind):
        floored = pc.floor_temporal(column.cast(pa.timestamp(kind.unit)), unit="second").cast(
            pa.timestamp("s"), safe=False
        )
        return floored.cast(pa.int64()).to_numpy(), kind.tz or "", []
    if pa.types.is_date(kind):
        return column.cast(pa.date32()).cast(pa.int32()).to_numpy().astype(np.int64) * _DAY, "", []
    numeric = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if not (numeric or is_text(kind) or pa.types.is_time(kind)):
        raise InputError(f"{rows.path}: column {rows.found['time']} is of type {kind}; it must hold times")
    texts = as_text(column)
    if "date" in rows.table.column_names and is_time_of_day(texts):
        return *seconds_of_text(rows, "time", _joined(rows, texts), reading), []
    digits = numeric or (
        len(texts) > 0 and pc.match_substring_regex(texts[:1], r"^[+-]?\d+(\.\d+)?([eE]\+?\d+)?$")[0].as_py()
    )
    if digits and reading.time_format is None:
        return seconds_of_numbers(rows, column if numeric else texts)
    return *seconds_of_text(rows, "time", texts, reading), []


def _joined(rows: Rows, times: pa.ChunkedArray) -> pa.ChunkedArray:
    """Dates and times of day as one text."""
    date = rows.table["date"]
    require_values(rows, "date", date.null_count)
    date = date.cast(pa.date32()) if pa.types.is_timestamp(date.type) else date
    return pc.binary_join_element_wise(as_text(date), with_colons(times), pa.scalar(" ", pa.large_string()))


def _require_zone(rows: Rows, date: np.ndarray, second: np.ndarray, clock: ZoneInfo) -> None:
    """The first bar of each day at its UTC time must be at its local time in the zone."""
    stamp = rows.table["ts_ns"]
    stamp = (
        stamp.cast(pa.int64()) if pa.types.is_integer(stamp.type) else stamp.cast(pa.timestamp("ns")).cast(pa.int64())
    ).to_numpy()
    for i in np.unique(date, return_index=True)[1].tolist():
        there = datetime.fromtimestamp(int(stamp[i]) // 10**9, UTC).astimezone(clock)
        said = f"{date[i]} {second[i] // 3600:02}:{second[i] // 60 % 60:02}:{second[i] % 60:02}"
        if there.strftime("%Y%m%d %H:%M:%S") != said:
            raise InputError(
                f"{rows.path}: its bar of {said} is at {there:%Y%m%d %H:%M:%S} in {clock.key}, by its ts_ns; name the zone of "
                "its times"
            )

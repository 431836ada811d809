"""Times written as text: as a format says, or recognised where there is just one reading."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fastexec.data.bar_rows import Rows
from fastexec.data.reading import Reading
from fastexec.errors import InputError

_ZONE = r"(:\d{2}([.,]\d+)?|T\d{4}|T\d{6})[+-]\d{2}:?\d{2}$|\+0000$"
_TIME_OF_DAY = r"^\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( ?[AaPp]\.?[Mm]\.?)?(Z|[+-]\d{2}:?\d{2})?$|^\d{1,9}$"
_DATE = re.compile(
    r"(?P<year>\d{4})(?P<s>[-/. ]?)\d{1,2}(?P=s)\d{1,2}"
    r"|\d{1,2}(?P<t>[-/. ])\d{1,2}(?P=t)(?P<end>\d{4}|\d{2})(?!\d)"
    r"|\d{1,2}(?P<u>[-/. ]?)(?P<month>[A-Za-z]{3,9})(?P=u)(?P<last>\d{4}|\d{2})(?!\d)"
    r"|(?P<name>[A-Za-z]{3,9}) \d{1,2}(?P<comma>,?) \d{4}"
)
_CLOCK = re.compile(
    r"(?P<s>[ TD:,;-]+)\d{1,2}(?P<c>:?)\d{2}((?P=c)(?P<seconds>\d{2})((?P<point>[.,])\d+)?)?"
    r"(?P<half> ?[AaPp][Mm])?(?P<zone>[+-]\d{2}:?\d{2})?"
)
_ISO = r"^\d{4}-\d{2}-\d{2}"
_MOST_FORMATS = 8
_NONE = np.iinfo(np.int64).min


def is_time_of_day(texts: pa.ChunkedArray) -> bool:
    """Whether the first of them is a time without a day."""
    return len(texts) > 0 and bool(pc.match_substring_regex(texts[:1], _TIME_OF_DAY)[0].as_py())


def with_colons(times: pa.ChunkedArray) -> pa.ChunkedArray:
    """Times of day such as 93000 or 0930 as 09:30:00 or 09:30; others as they are."""
    if not pc.match_substring_regex(times[:1], r"^\d+$")[0].as_py():
        return times
    longest = pc.max(pc.utf8_length(times)).as_py()
    if longest <= 4:
        return pc.replace_substring_regex(pc.utf8_lpad(times, 4, "0"), r"^(\d\d)(\d\d)$", r"\1:\2")
    padded = pc.utf8_lpad(times, 6 if longest <= 6 else 9, "0")
    return pc.replace_substring_regex(padded, r"^(\d\d)(\d\d)(\d\d)\d*$", r"\1:\2:\3")


def seconds_of_text(rows: Rows, name: str, texts: pa.ChunkedArray, reading: Reading) -> tuple[np.ndarray, str]:
    """Seconds since 1970 of each, int64, floored, and "UTC" where they carry an offset, else "": then they are local.

    InputError where a text is no time, some carry an offset and others do not, or day and month cannot be told apart.
    """
    texts = pc.replace_substring_regex(texts, r"\s*(UTC|GMT|Z)$", "+0000")
    texts = pc.replace_substring_regex(texts, r"\s+([+-]\d{2}:?\d{2})$", r"\1")
    texts = pc.replace_substring_regex(texts, r"(:\d{2}(?:\.\d+)?[+-]\d{2})$", r"\1:00")
    zoned = pc.match_substring_regex(texts, _ZONE).to_numpy() != 0
    if zoned.any() and not zoned.all():
        odd = int(np.flatnonzero(zoned != zoned[0])[0])
        raise InputError(f"{rows.holds(name, odd)}: some times carry an offset and others do not; write all in one way")
    offset = "UTC" if zoned.any() else ""
    if reading.time_format is not None:
        return _given(rows, name, texts, reading), offset or ("UTC" if "%z" in reading.time_format else "")
    try:
        if pc.match_substring_regex(texts[:1], _ISO)[0].as_py():
            plain = texts.cast(pa.timestamp("ns", "UTC" if offset else None))
            return np.asarray(pc.floor_temporal(plain, unit="second").cast(pa.int64()).to_numpy() // 10**9), offset
    except pa.ArrowInvalid:
        pass  # written otherwise somewhere: below the row is found, or read
    return _recognised(rows, name, texts, reading), offset


def _given(rows: Rows, name: str, texts: pa.ChunkedArray, reading: Reading) -> np.ndarray:
    given = reading.time_format or ""
    formats = (
        [given]
        if re.search("%[HIXTc]", given)
        else [given, *(f"{given} {clock}" for clock in ("%H:%M:%S", "%H:%M", "%H:%M:%S.%f"))]
    )
    stamps = _parsed(np.array(texts.to_pylist(), object), formats)
    wrong = np.flatnonzero(stamps == _NONE)
    if wrong.size:
        raise InputError(
            f"{rows.holds(name, int(wrong[0]))}, which is not written as {reading.say('time_format', given)} says"
        )
    return stamps


def _recognised(rows: Rows, name: str, texts: pa.ChunkedArray, reading: Reading) -> np.ndarray:
    values = np.array(texts.to_pylist(), object)
    found = {order: _read_in(values, order) for order in _orders(values[0])}
    good = {order: stamps for order, stamps in found.items() if (stamps != _NONE).all()}
    if not good:
        first = max((int(np.flatnonzero(stamps == _NONE)[0]) for stamps in found.values()), default=0)
        raise InputError(
            f"{rows.holds(name, first)}, which is no time that can be "
            f"read; write 2013-10-04 09:31:00, or say how it is written: {reading.say('time_format', '%d.%m.%Y %H:%M')}"
        )
    readings = list(good.values())
    if any(not np.array_equal(readings[0], other) for other in readings[1:]):
        odd = int(np.flatnonzero(readings[0] != readings[1])[0])
        ways = [reading.say("time_format", _formats(values[odd], order)[0]) for order in good]
        raise InputError(
            f"{rows.holds(name, odd)}, in which day and month "
            f"cannot be told apart; say how it is written: {' or '.join(ways)}"
        )
    return readings[0]


def _read_in(values: np.ndarray, order: str) -> np.ndarray:
    """Seconds since 1970 by formats with this order of the date, as many as there are; ``_NONE`` where there is none."""
    stamps = np.full(values.size, _NONE, np.int64)
    tried: set[str] = set()
    while len(tried) < _MOST_FORMATS and (left := np.flatnonzero(stamps == _NONE)).size:
        formats = [f for f in _formats(values[left[0]], order) if f not in tried]
        if not formats:
            break
        stamps[left] = _parsed(values[left], formats)
        tried |= set(formats)
    return stamps


def _parsed(values: np.ndarray, formats: Iterable[str]) -> np.ndarray:
    """Seconds since 1970 by the first format that fits, ``_NONE`` where none does."""
    import pandas as pd

    stamps = np.full(values.size, _NONE, np.int64)
    for form in formats:
        left = np.flatnonzero(stamps == _NONE)
        if not left.size:
            break
        found = pd.to_datetime(pd.Series(values[left], dtype=object), format=form, errors="coerce", utc=True)
        fits = found.notna().to_numpy()
        seconds = found[fits].dt.tz_localize(None).to_numpy().astype("datetime64[s]").astype(np.int64)
        stamps[left[fits]] = seconds
    return stamps


def _orders(text: str) -> list[str]:
    """The formats of the date that a text may begin with."""
    match = _DATE.match(text)
    if match is None:
        return []
    m = match.groupdict()
    if m["year"]:
        return [m["s"].join(("%Y", "%m", "%d"))]
    if m["end"]:
        year = "%Y" if len(m["end"]) == 4 else "%y"
        orders = [m["t"].join(order) for order in (("%d", "%m", year), ("%m", "%d", year))]
        return orders if year == "%Y" else [*orders, m["t"].join(("%y", "%m", "%d"))]
    if m["month"]:
        month, year = ("%b" if len(m["month"]) == 3 else "%B"), ("%Y" if len(m["last"]) == 4 else "%y")
        return [m["u"].join(("%d", month, year))]
    return [f"{'%b' if len(m['name']) == 3 else '%B'} %d{m['comma']} %Y"]


def _formats(text: str, order: str) -> list[str]:
    """The formats of a text whose date has this order; none where its time is none."""
    match = _DATE.match(text)
    if match is None or order not in _orders(text):
        return []
    rest = text[match.end() :]
    if not rest:
        return [order]
    clock = _CLOCK.fullmatch(rest)
    if clock is None:
        return []
    m = clock.groupdict()
    parts = ["%I" if m["half"] else "%H", "%M", *(["%S"] if m["seconds"] else [])]
    form = f"{m['s']}{m['c'].join(parts)}{m['point'] + '%f' if m['point'] else ''}"
    half = "" if not m["half"] else " %p" if m["half"].startswith(" ") else "%p"
    return [f"{order}{form}{half}{'%z' if m['zone'] else ''}"]

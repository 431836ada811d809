"""Times written as numbers: seconds, milli-, micro- or nanoseconds since 1970, or all the digits of a date and a time."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fastexec.data.bar_columns import first_bad
from fastexec.data.bar_rows import Rows
from fastexec.errors import InputError

_UNITS = ((1e17, 10**9, "ns"), (1e14, 10**6, "us"), (1e11, 10**3, "ms"), (1e8, 1, "s"))
_MOST = 4_102_444_800  # the year 2100
_COMPACT = (8, 12, 14, 17)
_PARTS = r"^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)\d*$"


def seconds_of_numbers(rows: Rows, column: pa.ChunkedArray) -> tuple[np.ndarray, str, list[str]]:
    """Seconds since 1970 of each row, floored; "UTC" where they count from 1970, else local; and what was taken for granted.

    column: numbers, or text of such. The unit is that of each row by itself: between 1973 and 2100 none can be another.
    InputError names the row of what is no time.
    """
    if (compact := _all_digits(column)) is not None:
        return compact, "", []
    texts = not (
        pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_decimal(column.type)
    )
    kind = pa.int64() if pa.types.is_integer(column.type) else pa.float64()
    if texts and first_bad(column, lambda part: part.cast(pa.int64())) is None:
        kind = pa.int64()
    if (bad := first_bad(column, lambda part: part.cast(kind))) is not None:
        raise _no_time(rows, bad)
    values = column.cast(kind).to_numpy()
    stamps, units = np.full(values.size, -1, np.int64), []
    left = np.isfinite(values)
    for least, scale, unit in _UNITS:
        these = left & (values >= least)
        if these.any():
            stamps[these] = np.floor_divide(values[these], scale)
            units.append(unit)
        left &= ~these
    wrong = np.flatnonzero((stamps < 0) | (stamps > _MOST))
    if wrong.size:
        raise _no_time(rows, int(wrong[0]))
    return stamps, "UTC", [f"times in {' and '.join(reversed(units))} since 1970, row by row"] if len(units) > 1 else []


def _all_digits(column: pa.ChunkedArray) -> np.ndarray | None:
    """Of 20240307093000 and the like, if all rows are such, in one length."""
    if pa.types.is_floating(column.type) or pa.types.is_decimal(column.type):
        return None
    texts = column.cast(pa.large_string())
    lengths = pc.unique(pc.utf8_length(texts)).to_pylist()
    if len(lengths) != 1 or lengths[0] not in _COMPACT:
        return None
    whole = pc.utf8_rpad(texts, 14, "0")
    try:
        found = pc.replace_substring_regex(whole, _PARTS, r"\1-\2-\3 \4:\5:\6").cast(pa.timestamp("s"))
    except pa.ArrowInvalid:
        return None
    stamps = np.asarray(found.cast(pa.int64()).to_numpy())
    return stamps if 0 <= stamps.min() and stamps.max() <= _MOST else None


def _no_time(rows: Rows, i: int) -> InputError:
    return InputError(
        f"{rows.holds('time', i)}, which is no time; write 2013-10-04 09:31:00, or seconds, milli-, micro- or nanoseconds "
        "since 1970"
    )

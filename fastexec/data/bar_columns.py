"""Columns of bars: which of a file's are which of ours, and their values as numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fastexec.data.bar_rows import Rows
from fastexec.data.reading import Reading
from fastexec.errors import InputError, listed
from fastexec.wording import counted, nearest

NAMES = {
    "symbol": ("symbol", "ticker", "sym", "instrument", "ric", "code"),
    "date": ("date", "day", "tradingday", "tradedate", "datum"),
    "sec": ("sec", "seconds", "secondofday"),
    "time": (
        "time", "timestamp", "datetime", "ts", "tsns", "bartime", "timeutc", "utctime", "gmttime", "localtime", "opentime",
        "starttime", "indexlevel0", "indexlevel1",
    ),
    "volume": ("volume", "vol", "shares", "quantity", "qty", "tradedvolume"),
    "bid_px_1": ("bidpx1", "bid", "bidprice", "bidpx", "bestbid", "bidclose", "closebid", "bidprice1", "bid1"),
    "halted": ("halted", "ishalted", "tradinghalted"),
    "ask_px_1": ("askpx1", "ask", "askprice", "askpx", "bestask", "askclose", "closeask", "askprice1", "ask1", "offer"),
    "close": ("close", "closeprice", "last", "lastprice", "price", "c"),
}  # fmt: skip
_OUR_TIMES = "ts_ns"
_PLACES = ("symbol", "date", "sec", "time", _OUR_TIMES)  # where a bar stands
_NOTHING = ("", "na", "n/a", "#n/a", "<na>", "nan", "null", "none", "-")
_FLAGS = {"true": "1", "false": "0", "yes": "1", "no": "0"}


def match(path: str, names: Sequence[str], headed: bool, reading: Reading) -> dict[str, int]:
    """Our column -> the number of the file's, from 0: as given, else by its name. Just those that are needed, in our order.

    InputError where one is missing, or its name stands there twice.
    """
    if unknown := sorted(set(reading.columns) - set(NAMES)):
        raise InputError(f"column {unknown[0]!r}: no column of bars; there are {', '.join(NAMES)}")
    found = {ours: [_given(path, names, ours, theirs, headed)] for ours, theirs in reading.columns.items()}
    plain: dict[str, list[int]] = {}
    for j, name in enumerate(names):
        plain.setdefault(re.sub(r"[^a-z0-9]", "", name.lower()), []).append(j)
    for ours, guesses in NAMES.items():
        if ours not in found and (places := next((plain[guess] for guess in guesses if guess in plain), None)):
            found[ours] = places
    _choose_times(found, reading)
    if reading.spread is None or "close" not in found:
        found.pop("close", None)
    else:
        found.pop("bid_px_1", None), found.pop("ask_px_1", None)
    _require_all(path, names, headed, found, reading)
    for ours, places in found.items():
        if len(places) > 1:
            right = reading.say_column(ours, str(places[-1] + 1))
            raise InputError(
                f"{path}: {listed([repr(names[j]) for j in places])} may each be the column {ours}; rename "
                f"one, or name it by its number: {right}"
            )
    if reading.zone is not None and "sec" in found and _OUR_TIMES in names:
        found[_OUR_TIMES] = [names.index(_OUR_TIMES)]
    further = {
        as_signal(name): _further(path, names, name, headed, found, reading) for name in dict.fromkeys(reading.signals)
    }
    return {ours: found[ours][0] for ours in (*NAMES, _OUR_TIMES) if ours in found} | further


def _further(
    path: str, names: Sequence[str], name: str, headed: bool, found: dict[str, list[int]], reading: Reading
) -> int:
    """The number of a further column; InputError where it is none that could tell anything."""
    place = _given(path, names, reading.say("signals"), name, headed)
    for ours in _PLACES:
        if found.get(ours) == [place]:
            raise InputError(
                f"{path}: column {name!r}, given for {reading.say('signals')}, is the bars' own {ours}, which tells nothing of "
                "a market; name another"
            )
    return place


def as_signal(name: str) -> str:
    """Our name of a further column, which may be one of ours too."""
    return f"signal {name}"


def _given(path: str, names: Sequence[str], ours: str, theirs: str, headed: bool) -> int:
    if (count := names.count(theirs)) == 1:
        return names.index(theirs)
    if count > 1:
        raise InputError(
            f"{path}: {count} columns are named {theirs!r}, given for {ours}; rename one, or name it by its number, from 1"
        )
    if theirs.isdecimal() and 1 <= int(theirs) <= len(names):
        return int(theirs) - 1
    near = nearest(theirs, names) if headed else None
    right = f"there are {listed(names)}" if headed else f"it has no heading; name them by number, 1 to {len(names)}"
    right = right if near is None else f"did you mean {near!r}? {right}"
    raise InputError(f"{path}: no column {theirs!r}, given for {ours}; {right}")


def _choose_times(found: dict[str, list[int]], reading: Reading) -> None:
    """Either date and sec, or time, with date beside it where it is there."""
    if "date" in found and "sec" in found and not ("time" in reading.columns and "sec" not in reading.columns):
        found.pop("time", None)
    else:
        found.pop("sec", None)
        if "time" not in found and "date" in found:
            found["time"] = found.pop("date")


def _require_all(path: str, names: Sequence[str], headed: bool, found: dict[str, list[int]], reading: Reading) -> None:
    missing = [name for name in ("volume", "bid_px_1", "ask_px_1") if name not in found]
    if "close" in found:
        missing = [name for name in missing if name == "volume"]
    without_quotes = missing == ["bid_px_1", "ask_px_1"] and headed
    if "time" not in found and "sec" not in found:
        missing.append("time (or date and sec)")
    if not missing:
        return
    if not headed:
        raise InputError(
            f"{path}: no column for {', '.join(missing)}: its first line is no heading; name its {len(names)} columns by "
            f"number: {reading.say_column('time', '1')}"
        )
    right = f"name it by {reading.say_column('OURS' if reading.door == 'option' else missing[0].split()[0], 'THEIRS')}"
    if without_quotes:
        right += f"; bars without quotes need a fixed spread (basis points): {reading.say('spread', 5)}"
    raise InputError(f"{path}: no column for {', '.join(missing)} among {listed(names)}; {right}")


def is_text(kind: pa.DataType) -> bool:
    """Whether a type is text, in whatever form Arrow keeps it."""
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    names = ("is_string", "is_large_string", "is_string_view", "is_binary", "is_large_binary", "is_binary_view")
    return any(getattr(pa.types, name)(kind) for name in names)


def is_plain(kind: pa.DataType) -> bool:
    """Whether a type is text as Arrow's functions take it."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Text, or what can be written as one, as Arrow's plain text."""
    kind = column.type
    column = column.cast(kind.value_type) if pa.types.is_dictionary(kind) else column
    try:
        return column.cast(pa.large_string())
    except pa.ArrowNotImplementedError:  # views, in older Arrow
        return pa.chunked_array([pa.array(column.to_pylist(), pa.large_string())])


def whole_numbers(rows: Rows, name: str, reading: Reading) -> np.ndarray:
    """A column as int64; InputError where a value is missing or not whole."""
    column = rows.table[name]
    if not (pa.types.is_integer(column.type) or (rows.is_csv and is_text(column.type))):
        raise _wrong_type(rows, name, "whole numbers")
    require_values(rows, name, column.null_count)
    if pa.types.is_integer(column.type):
        return np.asarray(column.to_numpy().astype(np.int64))
    values = numbers(rows, name, reading)
    require_values(rows, name, int(np.isnan(values).sum()))
    odd = np.flatnonzero(values != np.floor(values))
    if odd.size:
        raise InputError(f"{rows.holds(name, int(odd[0]))}; it must hold whole numbers")
    return np.asarray(values.astype(np.int64))


def require_values(rows: Rows, name: str, missing: int) -> None:
    """InputError where rows have none of a column that every bar needs."""
    if missing:
        raise InputError(f"{rows.where}: {counted(missing, 'row')} without {name}; every bar needs one")


def numbers(rows: Rows, name: str, reading: Reading) -> np.ndarray:
    """A column as float64, NaN where it has no value; InputError names the row of what is no number."""
    column = rows.table[name]
    kind = column.type
    if rows.is_csv and is_text(kind):
        return _of_text(rows, name, reading)
    fits = (
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind) or pa.types.is_null(kind)
    )
    if pa.types.is_dictionary(kind) and not is_text(kind):
        column, fits = column.cast(kind.value_type), True
    if name == "halted" and not (pa.types.is_boolean(kind) or pa.types.is_integer(kind)):
        raise _wrong_type(rows, name, "true and false")
    if not fits and name != "halted":
        raise _wrong_type(rows, name, "numbers")
    # By its text: Arrow divides a decimal's digits by a power of ten, and may miss the nearest number.
    exact = column.cast(pa.large_string()) if pa.types.is_decimal(column.type) else column
    return np.asarray(exact.cast(pa.float64()).to_numpy())


def _wrong_type(rows: Rows, name: str, right: str) -> InputError:
    return InputError(
        f"{rows.path}: column {rows.found[name]} is of type {rows.table[name].type}; it must hold {right}"
    )


def _of_text(rows: Rows, name: str, reading: Reading) -> np.ndarray:
    texts = rows.table[name]
    lower = pc.utf8_lower(texts)
    nothing = pc.is_in(lower, value_set=pa.array(_NOTHING, pa.large_string()))
    plain = pc.if_else(nothing, pa.scalar(None, pa.large_string()), texts)
    if name == "halted":
        for word, digit in _FLAGS.items():
            plain = pc.if_else(pc.equal(lower, word), pa.scalar(digit, pa.large_string()), plain)
    else:
        plain = _without_marks(rows, name, plain, reading)
    bad = first_bad(plain, lambda part: part.cast(pa.float64()))
    if bad is not None:
        raise _no_number(rows, name, bad, reading)
    return np.asarray(plain.cast(pa.float64()).to_numpy())


def _without_marks(rows: Rows, name: str, texts: pa.ChunkedArray, reading: Reading) -> pa.ChunkedArray:
    """Numbers as text with a point and without marks for thousands; InputError where they are not as was said."""
    if reading.thousands is None and reading.decimal == ".":
        return texts
    point, mark = re.escape(reading.decimal), re.escape(reading.thousands or "")
    whole = rf"(\d+|\d{{1,3}}({mark}\d{{3}})+)" if mark else r"\d*"
    right = pc.match_substring_regex(texts, rf"^[+-]?{whole}({point}\d*)?([eE][+-]?\d+)?$")
    wrong = np.flatnonzero(pc.fill_null(right, True).to_numpy() == 0)
    if wrong.size:
        raise _no_number(rows, name, int(wrong[0]), reading)
    texts = pc.replace_substring(texts, reading.thousands, "") if reading.thousands else texts
    return pc.replace_substring(texts, reading.decimal, ".")


def _no_number(rows: Rows, name: str, i: int, reading: Reading) -> InputError:
    text = rows.table[name][i].as_py()
    hint = ""
    if re.fullmatch(r"[+-]?[\d.]*,\d+", text) and reading.decimal == ".":
        say = reading.say("decimal", ",")
        if "." in text:
            hint = f"; if the comma is its decimal point: {say} and {reading.say('thousands', '.')}"
        elif re.fullmatch(r"[+-]?\d{1,3},\d{3}", text):
            hint = f"; if the comma is its decimal point: {say}; if it marks thousands: {reading.say('thousands', ',')}"
        else:
            hint = f"; if the comma is its decimal point: {say}"
    elif re.fullmatch(r"[+-]?\d{1,3}([,' ]\d{3})+(\.\d*)?", text):
        mark = next(mark for mark in ",' " if mark in text)
        hint = f"; if {mark!r} marks thousands: {reading.say('thousands', mark)}"
    return InputError(f"{rows.holds(name, i)}, which is no number{hint}")


def first_bad(values: pa.ChunkedArray, convert: Callable[[pa.ChunkedArray], object]) -> int | None:
    """The first value that cannot be converted, None where all can."""
    low, high = 0, len(values)

    def fails(end: int) -> bool:
        try:
            convert(values[low:end])
        except pa.ArrowInvalid:
            return True
        return False

    if not fails(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        if fails(middle):
            high = middle
        else:
            low = middle
    return low

"""Files of bars as one kind of table: Parquet with our columns, or CSV with names that are given or guessed, said aloud."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fastexec.errors import InputError
from fastexec.files import open_local

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("symbol", "date", "sec", "volume", "bid_px_1", "ask_px_1")
_NAMES = {
    "symbol": ("symbol", "ticker", "sym", "instrument", "ric", "code"),
    "date": ("date", "day", "tradingday", "tradedate"),
    "sec": ("sec", "seconds", "secondofday"),
    "time": ("time", "timestamp", "datetime", "ts", "tsns", "bartime", "timeutc", "opentime"),
    "volume": ("volume", "vol", "shares", "quantity", "qty", "tradedvolume"),
    "bid_px_1": ("bidpx1", "bid", "bidprice", "bidpx", "bestbid", "bidclose", "closebid", "bidprice1", "bid1"),
    "halted": ("halted", "ishalted", "tradinghalted"),
    "ask_px_1": ("askpx1", "ask", "askprice", "askpx", "bestask", "askclose", "closeask", "askprice1", "ask1", "offer"),
}
_EPOCH_UNITS: tuple[tuple[float, Literal["ns", "us", "ms", "s"]], ...] = (
    (1e17, "ns"),
    (1e14, "us"),
    (1e11, "ms"),
    (1e8, "s"),
)
_RIGHT = "give a Parquet or CSV file of bars"


def read_table(
    path: str, symbol: str, columns: Mapping[str, str] | None = None, zone: str | None = None
) -> tuple[pa.Table, list[str]]:
    """The needed columns of a symbol's rows in the file's order, and what had to be guessed.

    columns: ours -> the file's. zone: of the local times, such as America/New_York: the file's UTC times must agree.
    """
    if columns and (unknown := sorted(set(columns) - set(_NAMES))):
        raise InputError(f"column {unknown[0]!r}: no column of bars; there are {', '.join(_NAMES)}")
    clock = _zone(zone)
    is_csv = re.search(r"\.(csv|txt|tsv)(\.gz)?$", path, re.IGNORECASE) is not None
    if is_csv or columns:
        return _guessed(path, symbol, _frame(path, is_csv), dict(columns or {}), clock)
    return _parquet(path, symbol, clock), []


def listed(names: Any, most: int = 12) -> str:
    """Names for one line: all, or the first ones and how many there are."""
    shown = ", ".join(str(name) for name in names[:most])
    return shown if len(names) <= most else f"{shown}, ... ({len(names)} in all)"


def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return None if name is None else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputError(f"zone {name!r}: no such time zone; write for example America/New_York") from None


def _parquet(path: str, symbol: str, clock: ZoneInfo | None) -> pa.Table:
    try:
        schema = pq.read_schema(open_local(path))
        _require_columns(path, schema)
        wanted = [*COLUMNS, *(["ts_ns"] if clock is not None and "ts_ns" in schema.names else [])]
        wanted += ["halted"] if "halted" in schema.names else []
        # By a handle, not a path: a folder of it named like symbol=IBM must not stand in for the column.
        table = pq.read_table(open_local(path), columns=wanted, filters=pc.field("symbol") == symbol)
        if table.num_rows == 0:
            known = pc.unique(pq.read_table(open_local(path), columns=["symbol"])["symbol"]).drop_null()
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; {_RIGHT}") from None
    except pa.ArrowInvalid:
        raise InputError(f"{path}: not a Parquet file, or a damaged one; {_RIGHT}") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({_first_line(error)}); {_RIGHT}") from None
    if table.num_rows == 0:
        raise _unknown_symbol(path, symbol, sorted(known.to_pylist()))
    if clock is not None and "ts_ns" in table.column_names:
        _require_zone(path, table, clock)
    return table


def _require_zone(path: str, table: pa.Table, clock: ZoneInfo) -> None:
    """The first bar of each day at its UTC time must be at its local time in the zone."""
    date, second, stamp = (table[name].to_numpy() for name in ("date", "sec", "ts_ns"))
    for i in np.unique(date, return_index=True)[1].tolist():
        there = datetime.fromtimestamp(int(stamp[i]) // 10**9, UTC).astimezone(clock)
        said = f"{date[i]} {second[i] // 3600:02}:{second[i] // 60 % 60:02}:{second[i] % 60:02}"
        if there.strftime("%Y%m%d %H:%M:%S") != said:
            raise InputError(
                f"{path}: its bar of {said} is at {there:%Y%m%d %H:%M:%S} in {clock.key}, by its ts_ns; name the zone of "
                "its times"
            )


def _frame(path: str, is_csv: bool) -> pd.DataFrame:
    import pandas as pd

    try:
        return pd.read_csv(path, sep=None, engine="python") if is_csv else pd.read_parquet(open_local(path))
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; {_RIGHT}") from None
    except (ValueError, pa.ArrowInvalid, OSError, EOFError) as error:
        raise InputError(f"{path}: cannot be read ({_first_line(error)}); {_RIGHT}") from None
    except Exception as error:  # csv.Error and whatever a sniffed dialect may raise: the file is no table
        raise InputError(f"{path}: is no table of comma-separated values ({_first_line(error)}); {_RIGHT}") from None


def _guessed(
    path: str, symbol: str, frame: pd.DataFrame, given: dict[str, str], clock: ZoneInfo | None
) -> tuple[pa.Table, list[str]]:
    found = _match(path, [str(name) for name in frame.columns], given)
    notes = [f"columns of {Path(path).name}: {', '.join(f'{ours} from {theirs!r}' for ours, theirs in found.items())}"]
    if "symbol" in found:
        known = frame[found["symbol"]].astype(str)
        frame = frame[known == symbol]
        if frame.empty:
            raise _unknown_symbol(path, symbol, sorted(set(known)))
    else:
        notes.append(f"no column of symbols: every row is taken for {symbol}")
    date, second, said = _times(path, frame, found, clock)
    named = ("volume", "bid_px_1", "ask_px_1", *(["halted"] if "halted" in found else []))
    numbers = {name: _numbers(path, frame, found[name]) for name in named}
    table = pa.table({"symbol": pa.array([symbol] * len(frame)), "date": date, "sec": second, **numbers})
    return table, [*notes, said]


def _match(path: str, names: list[str], given: dict[str, str]) -> dict[str, str]:
    """Our column -> the file's."""
    for ours, theirs in given.items():
        if theirs not in names:
            raise InputError(f"{path}: no column {theirs!r}, given for {ours}; there are {listed(names)}")
    plain = {re.sub(r"[^a-z0-9]", "", name.lower()): name for name in reversed(names)}
    found = {
        ours: given.get(ours) or next((plain[guess] for guess in guesses if guess in plain), None)
        for ours, guesses in _NAMES.items()
    }
    matched = {ours: theirs for ours, theirs in found.items() if theirs is not None}
    missing = [name for name in ("volume", "bid_px_1", "ask_px_1") if name not in matched]
    if "time" not in matched and not {"date", "sec"} <= matched.keys():
        missing.append("time (or date and sec)")
    if missing:
        raise InputError(
            f"{path}: no column for {', '.join(missing)} among {listed(names)}; name it by --column OURS=THEIRS"
        )
    if {"date", "sec"} <= matched.keys():
        matched.pop("time", None)
    return matched


def _times(
    path: str, frame: pd.DataFrame, found: dict[str, str], clock: ZoneInfo | None
) -> tuple[np.ndarray, np.ndarray, str]:
    """date (yyyymmdd) and second since local midnight of each row, and what was taken for granted."""
    import pandas as pd

    if "sec" in found and "date" in found:
        date = _numbers(path, frame.assign(**{found["date"]: _digits(frame[found["date"]])}), found["date"])
        return date.astype(np.int64), _numbers(path, frame, found["sec"]).astype(np.int64), "times as they stand: local"
    column = frame[found["time"]]
    try:
        if pd.api.types.is_numeric_dtype(column):
            unit = next(u for least, u in _EPOCH_UNITS if float(column.abs().max()) >= least)
            stamps = pd.Series(pd.to_datetime(column.to_numpy(np.int64), unit=unit, utc=True))
        else:
            text = column.astype(str)
            whole = (
                frame[found["date"]].astype(str) + " " + text
                if "date" in found and text.str.len().max() <= 12
                else text
            )
            stamps = pd.Series(pd.to_datetime(whole.to_numpy(str)))
    except (ValueError, StopIteration, TypeError):
        raise InputError(
            f"{path}: column {found['time']!r} holds no times that can be read ({column.iloc[0]!r}); write 2013-10-04 09:31:00"
        ) from None
    said = "times as they stand: local"
    if getattr(stamps.dtype, "tz", None) is not None:
        if clock is None:
            raise InputError(
                f"{path}: its times are UTC or carry an offset; name the market's zone: --zone America/New_York"
            )
        stamps, said = stamps.dt.tz_convert(clock), f"times converted to {clock.key}"
    date = (stamps.dt.year * 10_000 + stamps.dt.month * 100 + stamps.dt.day).to_numpy(np.int64)
    return date, (stamps.dt.hour * 3600 + stamps.dt.minute * 60 + stamps.dt.second).to_numpy(np.int64), said


def _digits(column: pd.Series[Any]) -> pd.Series[Any]:
    """2013-10-04 as 20131004."""
    return column.astype(str).str.replace("-", "", regex=False)


def _numbers(path: str, frame: pd.DataFrame, name: str) -> np.ndarray:
    import pandas as pd

    try:
        return np.asarray(pd.to_numeric(frame[name]).to_numpy(np.float64))
    except (ValueError, TypeError):
        bad = frame[name][pd.to_numeric(frame[name], errors="coerce").isna()].iloc[0]
        raise InputError(f"{path}: column {name!r} holds {bad!r}, which is no number") from None


def _first_line(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).splitlines()[0]


def _unknown_symbol(path: str, symbol: str, known: list[str]) -> InputError:
    near = get_close_matches(symbol.upper(), known, 1) or get_close_matches(symbol, known, 1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return InputError(f"{path}: symbol {symbol!r} is not there; {hint}there are {listed(known) or 'none'}")


def _require_columns(path: str, schema: pa.Schema) -> None:
    missing = [name for name in COLUMNS if name not in schema.names]
    if missing:
        raise InputError(f"{path}: no column {', '.join(missing)}; bars need {', '.join(COLUMNS)}")
    for name in (*COLUMNS, *(["halted"] if "halted" in schema.names else [])):
        kind = schema.field(name).type
        if name == "symbol":
            text = kind.value_type if pa.types.is_dictionary(kind) else kind
            fits, right = pa.types.is_string(text) or pa.types.is_large_string(text), "text"
        elif name in ("date", "sec"):
            fits, right = pa.types.is_integer(kind), "whole numbers"
        elif name == "halted":
            fits, right = pa.types.is_boolean(kind) or pa.types.is_integer(kind), "true and false"
        else:
            fits, right = pa.types.is_integer(kind) or pa.types.is_floating(kind), "numbers"
        if not fits:
            raise InputError(f"{path}: column {name} is of type {kind}; it must hold {right}")

"""Two days of bars as vendors write them: CSV of any make, Parquet of any types."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fastexec.data.bars import Bars, read_bars
from fastexec.errors import InputError

DAYS, MINUTES, OPEN = (20240307, 20240308, 20240311), 20, 34_200
NEW_YORK = ZoneInfo("America/New_York")
_RNG = np.random.default_rng(8)
_TICKS = 5_000 + _RNG.integers(-1, 2, len(DAYS) * MINUTES).cumsum()
BID, ASK = (np.round((_TICKS + side) / 100.0, 2) for side in (0, 2))
VOLUME = _RNG.integers(1_000, 9_999, BID.size).astype(float)
DAY, SECOND = np.repeat(DAYS, MINUTES), np.tile(OPEN + 60 * np.arange(MINUTES), len(DAYS))
TIMES = [
    datetime.strptime(str(day), "%Y%m%d") + timedelta(seconds=second)
    for day, second in zip(DAY.tolist(), SECOND.tolist(), strict=True)
]
UTC_SECONDS = [int(time.replace(tzinfo=NEW_YORK).timestamp()) for time in TIMES]


def spelled(form: str) -> list[str]:
    """The times by a format."""
    return [time.strftime(form) for time in TIMES]


def columns(**changed: Any) -> dict[str, Any]:
    """time, bid, ask and volume, as texts; changed or further ones by name, None takes one out."""
    found: dict[str, Any] = {
        "time": spelled("%Y-%m-%d %H:%M:%S"),
        "bid": [f"{x:.2f}" for x in BID],
        "ask": [f"{x:.2f}" for x in ASK],
        "volume": [f"{x:.0f}" for x in VOLUME],
    }
    return {name: values for name, values in (found | changed).items() if values is not None}


def lines(table: dict[str, Sequence[str]], separator: str = ",", heading: Iterable[str] | None = None) -> list[str]:
    """A CSV file's lines."""
    rows = zip(*table.values(), strict=True)
    return [separator.join(table if heading is None else heading), *(separator.join(row) for row in rows)]


def csv(
    path: Path, table: dict[str, Any] | None = None, change: Callable[[list[str]], list[str]] = list, **how: Any
) -> Path:
    """Written as a CSV file, its lines changed."""
    path.write_text("\n".join(change(lines(columns() if table is None else table, **how))) + "\n")
    return path


def parquet(path: Path, **changed: Any) -> Path:
    """Written as a Parquet file with columns of our names; None takes one out."""
    table: dict[str, Any] = {
        "symbol": ["ZZZ"] * BID.size,
        "date": DAY.astype(np.int32),
        "sec": SECOND.astype(np.int32),
        "volume": VOLUME,
        "bid_px_1": BID,
        "ask_px_1": ASK,
    }
    pq.write_table(pa.table({name: x for name, x in (table | changed).items() if x is not None}), path)
    return path


def is_whole(bars: Bars) -> None:
    """They are those that were written, to the bit."""
    np.testing.assert_array_equal(bars.day, DAY)
    np.testing.assert_array_equal(bars.second, SECOND)
    np.testing.assert_array_equal(bars.bid, BID)
    np.testing.assert_array_equal(bars.ask, ASK)
    np.testing.assert_array_equal(bars.volume, VOLUME)
    assert bars.faults == {}


def refused(path: Path, symbol: str = "ZZZ", **words: Any) -> str:
    """The line that refuses a file, without its path."""
    with pytest.raises(InputError) as caught:
        read_bars(path, symbol, **words)
    line = str(caught.value)
    assert "\n" not in line
    return line.removeprefix(f"{path}: ")

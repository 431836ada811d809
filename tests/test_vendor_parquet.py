"""Parquet files of every type, and folders of files."""

from __future__ import annotations

import decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fastexec.data.bars import read_bars
from vendors import (
    ASK,
    BID,
    DAY,
    DAYS,
    SECOND,
    TIMES,
    UTC_SECONDS,
    VOLUME,
    columns,
    is_whole,
    lines,
    parquet,
    refused,
    spelled,
)

ZONE = "America/New_York"


# ---- Parquet


def test_numbers_of_every_type(tmp_path: Path) -> None:
    cents = [decimal.Decimal(f"{x:.4f}") for x in BID]
    for kind in (pa.decimal128(18, 4), pa.decimal256(40, 4)):
        is_whole(read_bars(parquet(tmp_path / "b.parquet", bid_px_1=pa.array(cents, kind)), "ZZZ"))
    for kind in (pa.uint64(), pa.float32(), pa.decimal128(12, 0)):
        volume = pa.array([decimal.Decimal(int(x)) for x in VOLUME]) if pa.types.is_decimal(kind) else pa.array(VOLUME)
        is_whole(read_bars(parquet(tmp_path / "b.parquet", volume=volume.cast(kind)), "ZZZ"))
    is_whole(read_bars(parquet(tmp_path / "b.parquet", volume=pa.array(VOLUME).dictionary_encode()), "ZZZ"))


@pytest.mark.parametrize(
    "kind", [pa.string_view(), pa.large_string(), pa.binary(), pa.dictionary(pa.int8(), pa.string())]
)
def test_symbols_of_every_type(tmp_path: Path, kind: pa.DataType) -> None:
    path = parquet(tmp_path / "b.parquet", symbol=pa.array(["ZZZ"] * BID.size).cast(kind))
    is_whole(read_bars(path, "ZZZ"))
    assert refused(path, "ZZY").endswith("did you mean 'ZZZ'? there are ZZZ")


@pytest.mark.parametrize(
    "kind", [pa.string_view(), pa.string(), pa.date32(), pa.date64(), pa.timestamp("ms"), pa.int64()]
)
def test_dates_of_every_type(tmp_path: Path, kind: pa.DataType) -> None:
    texts = pa.array(spelled("%Y-%m-%d"))
    date = pa.array(DAY) if pa.types.is_integer(kind) else texts if not pa.types.is_temporal(kind) else texts.cast(kind)
    is_whole(read_bars(parquet(tmp_path / "b.parquet", date=date.cast(kind)), "ZZZ"))
    clock = pa.array(SECOND.astype(np.int32), pa.time32("s"))
    is_whole(read_bars(parquet(tmp_path / "b.parquet", date=date.cast(kind), sec=None, time=clock), "ZZZ"))


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "America/New_York", "UTC", "-05:00"])
def test_stamps_of_every_type(tmp_path: Path, unit: str, zone: str | None) -> None:
    stamps = pa.array(UTC_SECONDS if zone else TIMES, pa.timestamp("s", zone)).cast(pa.timestamp(unit, zone))
    path = parquet(tmp_path / "b.parquet", date=None, sec=None, ts=stamps)
    is_whole(read_bars(path, "ZZZ", zone=ZONE))
    is_whole(read_bars(path, "ZZZ", zone=ZONE, columns={"time": "ts"}))
    if zone in ("UTC", "-05:00"):
        assert "name the market's zone" in refused(path)
    else:
        is_whole(read_bars(path, "ZZZ"))


@pytest.mark.parametrize("levels", [["symbol", "timestamp"], ["timestamp"], ["timestamp", "symbol"], [None]])
def test_indexes_that_pandas_wrote(tmp_path: Path, levels: list[str | None]) -> None:
    frame = pd.DataFrame({"bid": BID, "ask": ASK, "volume": VOLUME, "symbol": "ZZZ"})
    frame["timestamp"] = pd.to_datetime(UTC_SECONDS, unit="s", utc=True).tz_convert(ZONE)
    frame = frame.set_index("timestamp").rename_axis(None) if levels == [None] else frame.set_index(levels)
    frame.to_parquet(tmp_path / "b.parquet")
    is_whole(read_bars(tmp_path / "b.parquet", "ZZZ", columns={"bid_px_1": "bid"}, zone=ZONE))


def test_names_that_stand_twice_in_parquet(tmp_path: Path) -> None:
    table = pq.read_table(parquet(tmp_path / "b.parquet"))
    pq.write_table(table.append_column("Volume", pa.array(VOLUME + 1.0)), tmp_path / "b.parquet")
    assert "'volume', 'Volume' may each be the column volume" in refused(tmp_path / "b.parquet")
    is_whole(read_bars(tmp_path / "b.parquet", "ZZZ", columns={"volume": "volume"}))


@pytest.mark.parametrize("name", ["b?.parquet", "b*.parquet", "b#1.parquet", "b%20 c.parquet", "ü.parquet"])
def test_paths_of_any_name(tmp_path: Path, name: str) -> None:
    is_whole(read_bars(parquet(tmp_path / name), "ZZZ"))


# ---- folders


@pytest.mark.parametrize("days", [DAYS, tuple(reversed(DAYS))])
def test_a_folder_of_parts(tmp_path: Path, days: tuple[int, ...]) -> None:
    table = pq.read_table(parquet(tmp_path / "whole.parquet"))
    folder = tmp_path / "parts"
    for number, day in enumerate(days):
        for symbol, factor in (("ZZZ", 1.0), ("YYY", 2.0)):
            place = folder / f"symbol={symbol}" / f"date={str(day)[:4]}-{str(day)[4:6]}-{str(day)[6:]}"
            place.mkdir(parents=True)
            part = table.filter(pa.array(DAY == day)).drop_columns(["symbol", "date"])
            volume = pa.array(VOLUME[DAY == day] * factor)
            pq.write_table(
                part.set_column(part.column_names.index("volume"), "volume", volume), place / f"{number}.parquet"
            )
    (folder / "_SUCCESS").write_text("")
    bars = read_bars(folder, "ZZZ")
    is_whole(bars)
    assert bars.sha256 != read_bars(folder, "YYY").sha256 or len(bars.sha256) == 64
    assert refused(folder, "XXX").endswith("there are YYY, ZZZ")
    before = bars.sha256
    next(folder.rglob("0.parquet")).rename(next(folder.rglob("0.parquet")).with_name("9.parquet"))
    assert read_bars(folder, "ZZZ").sha256 != before


def test_a_folder_of_csv_files(tmp_path: Path) -> None:
    rows = lines(columns())
    for number, first in enumerate(range(0, BID.size, 20)):
        (tmp_path / f"{9 - number}.csv").write_text("\n".join([rows[0], *rows[1 + first : 21 + first]]))
    is_whole(read_bars(tmp_path, "ZZZ"))
    (tmp_path / "9.csv").write_text("\n".join([*rows[:21], "x,1,1,1"]))
    assert "/9.csv: line 22: column 'time' holds 'x'" in refused(tmp_path)

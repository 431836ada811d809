"""Times as vendors write them: what has one reading is read, what has two is asked about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from fastexec.data.bars import read_bars
from vendors import DAY, TIMES, UTC_SECONDS, columns, csv, is_whole, parquet, refused, spelled

ZONE = "America/New_York"


@pytest.mark.parametrize(
    "form",
    [
        "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y/%m/%d %H:%M", "%Y.%m.%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f",
        "%Y%m%d%H%M%S", "%Y%m%d%H%M", "%Y%m%d%H%M%S000", "%Y%m%d %H:%M:%S", "%Y%m%d %H%M%S", "%Y%m%d-%H:%M:%S.%f",
        "%d %b %Y %H:%M", "%d-%b-%Y %H:%M:%S", "%b %d, %Y %I:%M %p", "%d%b%Y:%H:%M:%S", "%Y-%m-%d %I:%M:%S %p",
        "%Y-%m-%d %H:%M:%S,%f",
    ],
)  # fmt: skip
def test_local_times_in_one_reading(tmp_path: Path, form: str) -> None:
    is_whole(read_bars(csv(tmp_path / "b.csv", columns(time=spelled(form)), separator=";"), "ZZZ"))


@pytest.mark.parametrize("form", ["%d.%m.%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%d-%m-%Y %H:%M", "%d/%m/%y %H:%M"])
def test_day_and_month_that_cannot_be_told_apart_are_asked_about(tmp_path: Path, form: str) -> None:
    path = csv(tmp_path / "b.csv", columns(time=spelled(form)))
    assert refused(path).startswith(
        f"line 2: column 'time' holds '{TIMES[0].strftime(form)}', in which day and month cannot be told apart; say how it is "
        f'written: time_format = "{form}" or time_format = "'
    )
    is_whole(read_bars(path, "ZZZ", time_format=form))


def test_a_day_above_twelve_anywhere_tells_them_apart(tmp_path: Path) -> None:
    for form in ("%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M"):
        days = [time.replace(day=time.day + 3 if time.day < 11 else 13) for time in TIMES]
        bars = read_bars(csv(tmp_path / "b.csv", columns(time=[day.strftime(form) for day in days])), "ZZZ")
        assert np.unique(bars.day).tolist() == [20240310, 20240311, 20240313]


def test_the_same_day_and_month_needs_no_question(tmp_path: Path) -> None:
    same = [time.replace(month=3, day=3).strftime("%d/%m/%Y %H:%M") for time in TIMES[:20]]
    table = {name: values[:20] for name, values in columns().items()} | {"time": same}
    assert np.unique(read_bars(csv(tmp_path / "b.csv", table), "ZZZ").day).tolist() == [20240303]


@pytest.mark.parametrize(
    ("date", "time"),
    [
        ("%Y-%m-%d", "%H:%M:%S.%f"), ("%Y%m%d", "%H:%M"), ("%Y%m%d", "%H%M%S"), ("%Y%m%d", "%H%M"), ("%d %b %Y", "%I:%M %p"),
        ("%Y-%m-%d", "%H%M%S000"), ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S.%f"),
    ],
)  # fmt: skip
def test_a_date_and_a_time_of_day(tmp_path: Path, date: str, time: str) -> None:
    table = columns(time=spelled(time), Date=spelled(date))
    is_whole(read_bars(csv(tmp_path / "b.csv", table), "ZZZ"))


def test_a_format_of_the_date_alone_or_of_both(tmp_path: Path) -> None:
    path = csv(tmp_path / "b.csv", columns(time=spelled("%H:%M:%S"), date=spelled("%d.%m.%Y")))
    assert 'time_format = "%d.%m.%Y %H:%M:%S" or' in refused(path)
    for form in ("%d.%m.%Y", "%d.%m.%Y %H:%M:%S"):
        is_whole(read_bars(path, "ZZZ", time_format=form))
    assert "which is not written as time_format" in refused(path, time_format="%d/%m/%Y")


def test_a_column_of_dates_may_hold_the_time_too(tmp_path: Path) -> None:
    is_whole(read_bars(csv(tmp_path / "b.csv", columns(time=None, Date=spelled("%Y-%m-%d %H:%M"))), "ZZZ"))


@pytest.mark.parametrize("scale", [1, 10**3, 10**6, 10**9])
@pytest.mark.parametrize("name", ["time", "open_time", "ts"])
def test_epochs_of_every_unit(tmp_path: Path, scale: int, name: str) -> None:
    table = columns(time=None) | {name: [str(second * scale) for second in UTC_SECONDS]}
    path = csv(tmp_path / "b.csv", table)
    assert "name the market's zone" in refused(path)
    is_whole(read_bars(path, "ZZZ", zone=ZONE))
    stamps = pa.array([second * scale for second in UTC_SECONDS])
    is_whole(read_bars(parquet(tmp_path / "b.parquet", date=None, sec=None, **{name: stamps}), "ZZZ", zone=ZONE))


@pytest.mark.parametrize("scales", [(10**3, 10**6), (1, 10**3), (10**9, 1)])
def test_a_unit_that_changes_is_read_row_by_row_and_said(tmp_path: Path, scales: tuple[int, int]) -> None:
    stamps = [str(second * scales[j >= 30]) for j, second in enumerate(UTC_SECONDS)]
    bars = read_bars(csv(tmp_path / "b.csv", columns(time=stamps)), "ZZZ", zone=ZONE)
    is_whole(bars)
    assert any("since 1970, row by row" in note for note in bars.notes)


@pytest.mark.parametrize("end", ["%z", "Z", " UTC", "+00:00", "+00"])
def test_offsets(tmp_path: Path, end: str) -> None:
    zone = None if end == "%z" else pd.Timestamp(0, tz="UTC").tz
    stamps = [pd.Timestamp(second, unit="s", tz="UTC").tz_convert(zone or ZONE) for second in UTC_SECONDS]
    texts = [stamp.strftime(f"%Y-%m-%d %H:%M:%S{end}") for stamp in stamps]  # -0500, then -0400
    bars = read_bars(csv(tmp_path / "b.csv", columns(time=texts)), "ZZZ", zone="US/Eastern")
    is_whole(bars)
    assert "times converted to US/Eastern" in bars.notes


def test_offsets_in_some_rows_only_are_refused(tmp_path: Path) -> None:
    times = [text + ("Z" if j < 7 else "") for j, text in enumerate(columns()["time"])]
    assert refused(csv(tmp_path / "b.csv", columns(time=times)), zone=ZONE).startswith(
        "line 9: column 'time' holds '2024-03-07 09:37:00': some times carry an offset and others do not"
    )


@pytest.mark.parametrize("name", ["Gmt time", "time_utc", "UTC time"])
def test_a_column_that_is_named_utc_is(tmp_path: Path, name: str) -> None:
    utc = [pd.Timestamp(second, unit="s").strftime("%Y-%m-%d %H:%M") for second in UTC_SECONDS]
    is_whole(read_bars(csv(tmp_path / "b.csv", columns(time=None) | {name: utc}), "ZZZ", zone=ZONE))


@pytest.mark.parametrize("form", ["utc", "local", "seconds"])
def test_an_hour_that_the_clock_shows_twice_is_a_fault_of_its_day(tmp_path: Path, form: str) -> None:
    stamps = pd.date_range("2024-11-02 04:00", "2024-11-05 04:59", freq="min", tz="UTC")
    local = stamps.tz_convert(ZONE)
    times = {"utc": stamps.astype(str), "local": local.strftime("%Y-%m-%d %H:%M:%S"), "seconds": stamps.astype(str)}[
        form
    ]
    table: dict[str, Any] = {"time": times, "bid": 50.0 + np.arange(times.size) % 7 / 100, "ask": 50.1, "volume": 5.0}
    if form == "seconds":
        table |= {"date": local.strftime("%Y%m%d"), "sec": local.hour * 3600 + local.minute * 60}
        del table["time"]
    pd.DataFrame(table).to_csv(tmp_path / "b.csv", index=False)
    bars = read_bars(tmp_path / "b.csv", "ZZZ", zone=ZONE)
    assert list(bars.faults) == [20241103]
    assert "60 of 1440 bars have a time that the clock shows twice" in bars.faults[20241103]
    assert read_bars(tmp_path / "b.csv", "ZZZ", zone=ZONE, between=(36_000, 57_600)).faults == {}
    assert (np.diff(bars.day.astype(int) * 86_400 + bars.second) > 0).all()


def test_of_a_day_and_a_time_in_two_columns_both_are_named(tmp_path: Path) -> None:
    days = columns(Day=spelled("%d.%m.%Y"), time=spelled("%H:%M"))
    said = f"line 2: columns 'Day' and 'time' hold '{TIMES[0]:%d.%m.%Y %H:%M}', in which day and month cannot be told apart"
    assert refused(csv(tmp_path / "b.csv", days)).startswith(said)
    days["time"][7] = "9:77"
    assert "line 9: columns 'Day' and 'time' hold '07.03.2024 9:77', which is no time" in refused(
        csv(tmp_path / "b.csv", days)
    )


@pytest.mark.parametrize("form", ["{:.9e}", "{:.12E}", "{:.1f}"])
def test_seconds_since_1970_as_floats_are_written(tmp_path: Path, form: str) -> None:
    path = csv(tmp_path / "b.csv", columns(time=[form.format(float(x)) for x in UTC_SECONDS]))
    is_whole(read_bars(path, "ZZZ", zone="America/New_York"))


@pytest.mark.parametrize("form", ["%Y.%m.%dD%H:%M:%S.000000000", "%Y.%m.%dD%H:%M"])
def test_times_as_kdb_writes_them(tmp_path: Path, form: str) -> None:
    is_whole(read_bars(csv(tmp_path / "b.csv", columns(time=spelled(form))), "ZZZ"))


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_days_as_text_of_a_parquet_file(tmp_path: Path, kind: pa.DataType) -> None:
    days = pa.array([str(day) for day in DAY]).cast(kind)
    is_whole(read_bars(parquet(tmp_path / "b.parquet", date=days), "ZZZ"))

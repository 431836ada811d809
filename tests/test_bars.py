"""Bars from Parquet and given paths: what is read, and the line that refuses what cannot be used."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fastexec.data.bars import Bars, read_bars
from fastexec.data.paths import MarketPaths
from fastexec.errors import InputError

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
REAL = DATA / "us_bars_1min.parquet"
needs_data = pytest.mark.skipif(not REAL.exists(), reason="no sample of real bars beside the project")


def columns(rows: int = 200) -> dict[str, Any]:
    """One day of one symbol; the mid climbs a tick a bar and the spread is two ticks."""
    mid = 100.0 + 0.01 * np.arange(rows)
    return {
        "symbol": ["ABC"] * rows,
        "date": np.full(rows, 20131004, np.int32),
        "sec": (34_200 + 60 * np.arange(rows)).astype(np.int32),
        "volume": np.full(rows, 500.0, np.float32),
        "bid_px_1": np.round(mid - 0.01, 2),
        "ask_px_1": np.round(mid + 0.01, 2),
    }


def written(folder: Path, table: dict[str, Any]) -> Path:
    path = folder / "bars.parquet"
    pq.write_table(pa.table(table), path)
    return path


def read(folder: Path, table: dict[str, Any]) -> Bars:
    return read_bars(written(folder, table), "ABC")


def refusal(folder: Path, table: dict[str, Any], symbol: str = "ABC") -> str:
    path = written(folder, table)
    with pytest.raises(InputError) as caught:
        read_bars(path, symbol)
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith(str(path))
    return line.removeprefix(str(path))


def test_reads_one_symbol(tmp_path: Path) -> None:
    table = columns(4)
    table["symbol"] = ["ABC", "XYZ", "ABC", "XYZ"]
    bars = read(tmp_path, table)
    assert bars.sha256 == hashlib.sha256((tmp_path / "bars.parquet").read_bytes()).hexdigest()
    assert (bars.source, bars.symbol) == (str(tmp_path / "bars.parquet"), "ABC")
    assert (bars.day.dtype, bars.second.dtype, bars.volume.dtype) == (np.int32, np.int32, np.float64)
    np.testing.assert_array_equal(bars.second, [34_200, 34_320])
    np.testing.assert_array_equal(bars.bid, [99.99, 100.01])
    np.testing.assert_array_equal(bars.ask, [100.01, 100.03])
    np.testing.assert_allclose(bars.mid, [100.0, 100.02], rtol=1e-15)
    np.testing.assert_allclose(bars.spread, [0.02 / 100.0, 0.02 / 100.02], rtol=1e-12)
    assert (bars.locked, bars.crossed, bars.faults) == (0, 0, {})


def test_a_folder_named_like_the_column_does_not_stand_in_for_it(tmp_path: Path) -> None:
    folder = tmp_path / "symbol=XYZ"
    folder.mkdir()
    assert read(folder, columns(4)).day.size == 4


def test_symbols_may_be_a_dictionary_and_numbers_integers(tmp_path: Path) -> None:
    table = columns(4)
    plain = read(tmp_path, table)
    table |= {
        "symbol": pa.array(table["symbol"]).dictionary_encode(),
        "volume": np.full(4, 500),
        "date": [20131004] * 4,
    }
    np.testing.assert_array_equal(read(tmp_path, table).volume, plain.volume)


@pytest.mark.parametrize("tick", [0.01, 0.05, 1.0, 0.0625, 0.015625, 0.0001, 2.5])
def test_tick(tmp_path: Path, tick: float) -> None:
    steps = np.random.default_rng(1).integers(4_000, 4_100, 200)
    table = columns() | {"bid_px_1": steps * tick, "ask_px_1": (steps + 1) * tick}
    assert read(tmp_path, table).tick == tick


def test_a_stray_quote_between_two_ticks_does_not_set_the_tick(tmp_path: Path) -> None:
    table = columns()
    table["ask_px_1"][17] = 100.1834
    assert read(tmp_path, table).tick == 0.01


def test_locked_and_crossed_quotes_are_one_tick_wide_and_counted(tmp_path: Path) -> None:
    table = columns()
    table["ask_px_1"][5] = table["bid_px_1"][5]
    table["ask_px_1"][9] = table["bid_px_1"][9] - 0.04
    bars = read(tmp_path, table)
    assert (bars.locked, bars.crossed) == (1, 1)
    middle = table["bid_px_1"][[5, 9]] - [0.0, 0.02]
    np.testing.assert_allclose(bars.bid[[5, 9]], middle - 0.005, rtol=1e-15)
    np.testing.assert_allclose(bars.ask[[5, 9]], middle + 0.005, rtol=1e-15)


def test_more_locked_and_crossed_quotes_than_one_in_a_hundred(tmp_path: Path) -> None:
    table = columns()
    table["ask_px_1"][[5, 6, 7]] = 99.0
    assert refusal(tmp_path, table) == (
        ", 'ABC': 3 of 200 quotes are locked or crossed (ask_px_1 <= bid_px_1, the first on day 20131004 at 09:35:00); "
        "at most 1 % may be; use a part of the day with fewer"
    )


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.parquet: there is no such file; give a Parquet or CSV file"):
        read_bars(tmp_path / "none.parquet", "ABC")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_bars(tmp_path, "ABC")


@pytest.mark.parametrize("content", [b"", b"symbol,date\nABC,20131004\n", b"PAR1 cut short"])
def test_not_parquet(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bars.parquet"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"bars\.parquet: not a Parquet file, or a damaged one") as caught:
        read_bars(path, "ABC")
    assert "\n" not in str(caught.value)


def test_a_damaged_file_is_refused_in_one_line(tmp_path: Path) -> None:
    path = written(tmp_path, columns())
    content = bytearray(path.read_bytes())
    content[8:200] = bytes(192)
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_bars(path, "ABC")
    assert "\n" not in str(caught.value)


def test_missing_columns(tmp_path: Path) -> None:
    table = columns()
    del table["volume"], table["ask_px_1"]
    assert refusal(tmp_path, table) == (
        ': no column for volume, ask_px_1 among symbol, date, sec, bid_px_1; name it by columns = {"volume": "THEIRS"}'
    )


@pytest.mark.parametrize(
    ("name", "values", "right"),
    [
        ("symbol", np.arange(4), "of type int64; it must hold text"),
        ("date", np.arange(4) + 0.5, "of type double; it must hold days, such as 20131004"),
        ("sec", np.arange(4) + 0.5, "of type double; it must hold whole numbers"),
        ("volume", ["500"] * 4, "of type string; it must hold numbers"),
    ],
)
def test_columns_of_another_type(tmp_path: Path, name: str, values: Any, right: str) -> None:
    assert refusal(tmp_path, columns(4) | {name: values}) == f": column {name} is {right}"


@pytest.mark.parametrize("symbol", ["ABD", "abc"])
def test_an_unknown_symbol_names_the_nearest(tmp_path: Path, symbol: str) -> None:
    table = columns(4) | {"symbol": ["ABC", "XYZ", "XYZ", None]}
    line = refusal(tmp_path, table, symbol)
    assert line == f": symbol '{symbol}' is not there; did you mean 'ABC'? there are ABC, XYZ"


def test_an_unknown_symbol_of_a_file_without_rows(tmp_path: Path) -> None:
    empty = {name: pa.array(values)[:0] for name, values in columns(4).items()}
    assert refusal(tmp_path, empty) == ": symbol 'ABC' is not there; there are none"


@pytest.mark.parametrize(
    ("name", "values", "line"),
    [
        (
            "sec",
            [34_200, 34_320, 34_260, 34_380],
            "the bar of 09:31:00 comes after day 20131004, 09:32:00; sort bars by",
        ),
        (
            "sec",
            [34_200, 34_260, 34_260, 34_380],
            "the bar of 09:31:00 comes twice; sort bars by date and sec, each once",
        ),
        ("sec", [34_200, 34_260, 34_320, 86_400], "sec is 86400; it counts from local midnight, 0 to 86399"),
    ],
)
def test_times_that_are_wrong(tmp_path: Path, name: str, values: list[int], line: str) -> None:
    assert refusal(tmp_path, columns(4) | {name: values}).startswith(f", 'ABC', day 20131004: {line}")


def test_days_out_of_order(tmp_path: Path) -> None:
    table = columns(4) | {"date": [20131004, 20131003, 20131003, 20131003]}
    assert "day 20131003: the bar of 09:31:00 comes after day 20131004, 09:30:00" in refusal(tmp_path, table)


def test_a_date_that_is_none(tmp_path: Path) -> None:
    assert "date 20131340 is no day; it must be yyyymmdd" in refusal(tmp_path, columns(4) | {"date": [20131340] * 4})


def test_a_time_that_is_missing(tmp_path: Path) -> None:
    table = columns(4) | {"sec": pa.array([34_200, None, 34_320, 34_380])}
    assert refusal(tmp_path, table) == ", 'ABC': 1 row without sec; every bar needs one"


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0, -1.0, None])
@pytest.mark.parametrize("name", ["bid_px_1", "ask_px_1"])
def test_a_day_without_quotes_is_noted(tmp_path: Path, name: str, value: float | None) -> None:
    table = columns()
    table["date"][100:] = 20131007
    table[name] = [*table[name][:100], value, *table[name][101:]]
    bars = read(tmp_path, table)
    path = tmp_path / "bars.parquet"
    line = "1 of 100 bars have no positive bid and ask, the first at 11:10:00"
    assert bars.faults == {20131007: line}
    assert bars.fault(20131007) == f"{path}, 'ABC', day 20131007: {line}"
    assert np.flatnonzero(np.isnan(bars.mid)).tolist() == [100]


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0, None])
def test_a_day_without_volumes_is_noted(tmp_path: Path, value: float | None) -> None:
    table = columns(4) | {"volume": [500.0, value, value, 500.0]}
    (line,) = read(tmp_path, table).faults.values()
    assert line == "2 of 4 bars have no volume of 0 or more, the first at 09:31:00, the last at 09:32:00"


@needs_data
def test_real_bars() -> None:
    bars = read_bars(REAL, "AIG")
    assert bars.day.size == 5 * 390
    assert (bars.tick, bars.locked, bars.crossed, bars.faults) == (0.01, 7, 0, {})
    assert (bars.ask > bars.bid).all()


@needs_data
def test_real_bars_that_are_locked_too_often() -> None:
    with pytest.raises(InputError, match="'NWSA': 11 of 780 quotes are locked or crossed"):
        read_bars(REAL, "NWSA")


@needs_data
def test_real_day_without_quotes() -> None:
    bars = read_bars(REAL, "GOOG")
    assert list(bars.faults) == [20151223]
    assert "390 of 390 bars have no positive bid and ask" in bars.faults[20151223]


def test_paths_have_defaults() -> None:
    mid = np.array([[10, 11, 12], [20, 21, 22]])
    paths = MarketPaths(mid, np.full((2, 3), 0.001), np.zeros((2, 3)))
    np.testing.assert_array_equal(paths.arrival, [10.0, 20.0])
    np.testing.assert_array_equal(paths.last_mid, [12.0, 22.0])
    arrays = (paths.mid, paths.spread, paths.volume, paths.arrival, paths.last_mid)
    assert all(x.dtype == np.float64 and x.flags.c_contiguous for x in arrays)


def test_paths_become_contiguous() -> None:
    mid = np.asfortranarray(np.arange(1.0, 7.0).reshape(2, 3))
    paths = MarketPaths(mid, mid * 0, mid, arrival=[1, 2], last_mid=[-3, 4])
    assert paths.mid.flags.c_contiguous
    np.testing.assert_array_equal(paths.mid, mid)
    np.testing.assert_array_equal(paths.last_mid, [-3.0, 4.0])


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"mid": [1.0, 2.0]}, "paths.mid has shape (2,); it must be [episodes, steps], at least one of each"),
        ({"mid": np.ones((0, 3))}, "paths.mid has shape (0, 3); it must be [episodes, steps], at least one of each"),
        ({"mid": [[1.0, 2.0], [1.0]]}, "paths.mid has rows of different lengths; it must be an array of numbers"),
        ({"mid": [["1", "2"]]}, "paths.mid holds values of type <U1; it must be an array of numbers"),
        ({"spread": np.ones((2, 2))}, "paths.spread has shape (2, 2); it must be (2, 3), as paths.mid has it"),
        ({"arrival": [1.0]}, "paths.arrival has shape (1,); it must be (2,), as paths.mid has it"),
        ({"mid": [[1, 1, 1], [1, np.nan, 1]]}, "paths.mid[1, 1] is nan; it must be a finite number"),
        ({"volume": [[1, 1, 1], [1, 1, -2]]}, "paths.volume[1, 2] is -2; it must be 0 or more"),
        ({"spread": [[1, 1, np.inf], [1, 1, 1]]}, "paths.spread[0, 2] is inf; it must be a finite number"),
        ({"mid": [[1, 1, 1], [0, 1, 1]]}, "paths.arrival[1] is 0; it must be above 0"),
        ({"last_mid": [1, np.nan]}, "paths.last_mid[1] is nan; it must be a finite number"),
    ],
)
def test_paths_that_are_wrong(change: dict[str, Any], line: str) -> None:
    arrays: dict[str, Any] = {"mid": np.ones((2, 3)), "spread": np.zeros((2, 3)), "volume": np.ones((2, 3))} | change
    with pytest.raises(InputError) as caught:
        MarketPaths(**arrays)
    assert str(caught.value) == line

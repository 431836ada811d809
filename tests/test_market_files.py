"""What markets do to files of bars: pauses, absent minutes, wild quotes, no quotes."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import fastexec as fx
from conftest import data_file
from fastexec.calibration import market_fit
from fastexec.calibration.calibrate import calibrate
from fastexec.calibration.panel import session_of
from fastexec.data.bars import read_bars
from fastexec.data.replay import windows_of
from fastexec.data.wild_quotes import wild_quotes
from fastexec.errors import InputError
from vendors import columns, csv

DAYS = (20240304, 20240305, 20240306, 20240307)


def frame(minutes: int = 60, spacing: int = 60, begin: int = 34_200, days: tuple[int, ...] = DAYS) -> pd.DataFrame:
    """Days of bars of symbol ZZZ; the spread is one to three ticks."""
    rng = np.random.default_rng(4)
    n = minutes * len(days)
    mid = 5_000 + rng.integers(-1, 2, n).cumsum()
    half = rng.integers(1, 4, n)
    return pd.DataFrame(
        {
            "symbol": "ZZZ",
            "date": np.repeat(days, minutes).astype(np.int32),
            "sec": np.tile(begin + spacing * np.arange(minutes), len(days)).astype(np.int32),
            "volume": rng.integers(100, 900, n).astype(float),
            "bid_px_1": (2 * mid - half) / 200.0,
            "ask_px_1": (2 * mid + half) / 200.0,
        }
    )


def written(path: Path, table: pd.DataFrame) -> Path:
    pq.write_table(pa.Table.from_pandas(table, preserve_index=False), path)
    return path


def refused(call: Any, *args: Any, **words: Any) -> str:
    with pytest.raises(InputError) as caught:
        call(*args, **words)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# ---- the window excuses what lies outside of it


def without_quotes(t: pd.DataFrame, rows: pd.Series) -> None:
    t.loc[rows, ["bid_px_1", "ask_px_1"]] = np.nan


def crossed(t: pd.DataFrame, rows: pd.Series) -> None:
    t.loc[rows, "ask_px_1"] = t.loc[rows, "bid_px_1"] - 0.03


def without_volume(t: pd.DataFrame, rows: pd.Series) -> None:
    t.loc[rows, "volume"] = -1.0


def stubs(t: pd.DataFrame, rows: pd.Series) -> None:
    t.loc[rows, ["bid_px_1", "ask_px_1"]] = [0.01, 199_999.99]


@pytest.mark.parametrize("spoil", [without_quotes, crossed, without_volume, stubs])
@pytest.mark.parametrize(
    "outside", [lambda s: s < 35_000, lambda s: s > 37_000, lambda s: (s < 34_400) | (s == 37_740)]
)  # fmt: skip
def test_a_window_excuses_what_lies_outside(tmp_path: Path, spoil: Any, outside: Any) -> None:
    table = frame()
    spoil(table, outside(table["sec"]))
    path = written(tmp_path / "b.parquet", table)
    window = (35_400, 36_600)
    session = session_of(read_bars(path, "ZZZ", between=window), window)
    assert session.days == list(DAYS)
    good = session_of(read_bars(written(tmp_path / "good.parquet", frame()), "ZZZ"), window)
    np.testing.assert_array_equal(session.panel.volume, good.panel.volume)
    np.testing.assert_allclose(session.panel.spread, good.panel.spread, rtol=1e-12)
    line = refused(lambda: session_of(read_bars(path, "ZZZ")))
    assert "--window excuses what lies outside of it" in line or "locked or crossed" in line
    keys = {"order": {"steps": 5, "shares": 10}, "strategies": [{"model": "twap"}]}
    market = {"model": "replay", "bars": str(path), "symbol": "ZZZ", "times": "09:50-10:10"}
    study = fx.Study.from_dict(keys | {"market": market})
    assert windows_of(study, study.market).day.size == 16
    assert refused(
        fx.simulate, fx.Study.from_dict(keys | {"market": {k: market[k] for k in ("model", "bars", "symbol")}})
    )


def test_the_quote_with_which_a_window_begins_is_inside(tmp_path: Path) -> None:
    table = frame()
    without_quotes(table, table["sec"] == 35_340)
    bars = read_bars(written(tmp_path / "b.parquet", table), "ZZZ", between=(35_400, 36_600))
    assert list(bars.faults) == list(DAYS)


# ---- wild quotes


@pytest.mark.parametrize(
    ("bid", "ask"), [(0.01, 199_999.99), (5.01, 5.03), (499.9, 500.1), (0.01, 50.03), (49.9, 5_000.0)]
)
@pytest.mark.parametrize("row", [90, 60, 119])
def test_one_wild_quote_is_named_and_left_out_where_asked(tmp_path: Path, bid: float, ask: float, row: int) -> None:
    table = frame()
    table.loc[row, ["bid_px_1", "ask_px_1"]] = [bid, ask]
    path = written(tmp_path / "b.parquet", table)
    bars = read_bars(path, "ZZZ", door="option")
    assert list(bars.faults) == [20240305]
    minute = 30 + row - 60
    assert bars.faults[20240305] == (
        f"far from the quotes around: {bid:.10g} / {ask:.10g} at {9 + minute // 60:02}:{minute % 60:02}:00 (row {row + 1}); "
        "--drop-outliers leaves it out"
    )
    assert bars.tick == pytest.approx(0.005)
    assert session_of(bars).days == [20240304, 20240306, 20240307]
    kept = read_bars(path, "ZZZ", drop_outliers=True)
    assert (kept.day.size, kept.faults) == (239, {})
    assert kept.notes[0].startswith("left out: 1 bar, far from the quotes around")
    assert session_of(kept).days == list(DAYS)


def test_a_line_of_a_csv_file_is_named(tmp_path: Path) -> None:
    table = columns()
    table["bid"][25] = "0.01"
    bars = read_bars(csv(tmp_path / "b.csv", table), "ZZZ")
    assert "at 09:35:00 (line 27)" in bars.faults[20240308]


def test_what_jumps_and_stays_is_not_wild() -> None:
    day = np.repeat([1, 2], 40)
    for mid in (
        np.where(np.arange(80) % 40 < 20, 50.0, 90.0),
        np.where(day == 1, 50.0, 500.0),
        np.geomspace(1.0, 90.0, 80),
    ):
        assert not wild_quotes(day, mid - 0.01, mid + 0.01).any()
    wide = np.full(80, 0.3)  # an option: half of its price, always
    assert not wild_quotes(day, 1.0 - wide, 1.0 + wide).any()
    assert not wild_quotes(np.arange(4), np.array([1.0, 9.0, 80.0, 2.0]), np.array([1.1, 9.1, 80.1, 2.1])).any()


def test_the_samples_hold_no_wild_quote() -> None:
    for name in ("us_bars_1min.parquet", "crypto_bars_1min.parquet"):
        table = pq.read_table(data_file(name), columns=["symbol", "date", "bid_px_1", "ask_px_1"]).to_pandas()
        for _, rows in table.groupby("symbol"):
            found = wild_quotes(*(rows[column].to_numpy(float) for column in ("date", "bid_px_1", "ask_px_1")))
            assert not found.any()


# ---- absent minutes


@pytest.mark.parametrize("share", [0.15, 0.4])
def test_absent_minutes_are_bars_without_volume(tmp_path: Path, share: float) -> None:
    whole = frame(minutes=120)
    gone = np.random.default_rng(1).random(len(whole)) < share
    gone[::120], gone[119::120] = False, False
    path = written(tmp_path / "b.parquet", whole[~gone])
    assert "--fill where an absent bar is one without volume" in refused(lambda: session_of(read_bars(path, "ZZZ")))
    bars = read_bars(path, "ZZZ", fill=True)
    np.testing.assert_array_equal(bars.second, whole["sec"])
    np.testing.assert_array_equal(bars.volume, np.where(gone, 0.0, whole["volume"]))
    np.testing.assert_array_equal(bars.bid, whole["bid_px_1"].where(~gone).ffill())
    assert bars.notes == (
        f"{gone.sum()} absent bars of 60 s are put in ({100 * gone.mean():.2g} %): no volume, the quote before stands",
    )
    assert session_of(bars).days == list(DAYS)


def test_a_pause_and_a_night_are_not_filled(tmp_path: Path) -> None:
    table = frame(minutes=200)
    pause = table["sec"].between(37_800, 41_340)  # 10:30 to 11:29, as in Tokyo
    path = written(tmp_path / "b.parquet", table[~pause & (table.index % 7 != 3)])
    bars = read_bars(path, "ZZZ", fill=True)
    assert not ((bars.second >= 37_800) & (bars.second < 41_340 - 300)).any()
    one = table[(table["date"] == DAYS[0]) & ~pause]
    assert read_bars(written(tmp_path / "one.parquet", one), "ZZZ", fill=True).day.size == 200  # nothing tells a pause


def test_an_absent_minute_of_a_halt_has_no_quote(tmp_path: Path) -> None:
    table = frame()
    table.loc[[10, 12], "volume"] = 0.0
    without_quotes(table, table.index.isin([10, 12]))
    bars = read_bars(written(tmp_path / "b.parquet", table.drop(11)), "ZZZ", fill=True)
    assert not bars.quoted[10:13].any()
    assert (bars.faults, bars.quoted.sum()) == ({}, 237)


def test_a_bar_off_the_grid_cannot_be_filled(tmp_path: Path) -> None:
    table = frame()
    table.loc[20, "sec"] += 7
    line = refused(read_bars, written(tmp_path / "b.parquet", table), "ZZZ", fill=True)
    assert line.endswith(
        "day 20240304: the bar of 09:50:07 is not on the grid of 60 s, so what is absent is not known; give bars of one spacing"
    )


# ---- spacings and quotes


@pytest.fixture
def few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fit that is not asked how well it fits."""
    monkeypatch.setattr(market_fit, "_ROUNDS", 2)


@pytest.mark.usefixtures("few_rounds")
@pytest.mark.parametrize(("spacing", "bars"), [(3_600, 7), (2_700, 8), (5_400, 5)])
def test_long_bars_have_a_curve_value_each_at_most(tmp_path: Path, spacing: int, bars: int) -> None:
    days = tuple(range(20240301, 20240321))
    path = written(tmp_path / "b.parquet", frame(bars, spacing, days=days))
    found = calibrate(read_bars(path, "ZZZ"), episodes=200)
    assert len(found.market["volume"]["curve"]) == bars - 1
    assert np.isfinite(found.market["volume"]["curve"]).all()
    tomllib.loads(found.to_toml())


@pytest.mark.usefixtures("few_rounds")
@pytest.mark.parametrize("name", ["close", "Last", "Close Price"])
def test_bars_without_quotes_take_a_fixed_spread(tmp_path: Path, name: str) -> None:
    close = 50.0 + np.random.default_rng(3).integers(-2, 3, 60).cumsum() / 100
    table = columns(bid=None, ask=None) | {name: [f"{x:.2f}" for x in close]}
    path = csv(tmp_path / "b.csv", table)
    assert "bars without quotes need a fixed spread (basis points): --spread 5" in refused(
        read_bars, path, "ZZZ", door="option"
    )
    bars = read_bars(path, "ZZZ", spread=4.0)
    np.testing.assert_allclose(bars.mid, close, rtol=1e-15)
    np.testing.assert_allclose(bars.spread, 4e-4, rtol=1e-10)
    assert bars.tick == pytest.approx(0.01)
    found = calibrate(bars, episodes=200)
    assert found.market["spread"] == {"model": "constant", "initial": pytest.approx(4e-4)}
    assert f"a spread of 4 bps, as given, around '{name}'" in found.to_toml()


def test_a_given_spread_stands_around_quotes_too(tmp_path: Path) -> None:
    bars = read_bars(csv(tmp_path / "b.csv"), "ZZZ", spread=10.0)
    np.testing.assert_allclose(bars.spread, 1e-3, rtol=1e-10)
    assert "no quotes of the file: a spread of 10 bps, as given, around the middle of its quotes" in bars.notes

"""Calibration: planted parameters come back; real days are read rightly; what cannot be calibrated is said in one line."""

from __future__ import annotations

import tomllib

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import data_file
from fastexec.calibration.calibrate import calibrate
from fastexec.calibration.document import columns_of, day_of, seconds_of
from fastexec.calibration.market_fit import CORRELATIONS, Parameters, fit, market_alone, simulated
from fastexec.calibration.panel import session_of
from fastexec.calibration.statistics import daily
from fastexec.data.bars import read_bars
from fastexec.errors import InputError
from fastexec.exact import curve
from fastexec.models.study import StudyModel

SETS, DAYS, STEPS = 50, 30, 120
# Largest error over 50 sets of 30 days of 120 steps, relative for scales, absolute for correlations; seen: two thirds of it.
BOUNDS = {
    "volatility": 0.04, "spread_mean": 0.07, "spread_sd": 0.07, "volume_mean": 0.22, "volume_sd": 0.06,
    "spread_persistence": 0.07, "volume_persistence": 0.07, "day_volatility": 0.17, **dict.fromkeys(CORRELATIONS, 0.1),
}  # fmt: skip
RELATIVE = ("volatility", "spread_mean", "spread_sd", "volume_mean", "volume_sd")


def planted(rng):
    u = rng.uniform
    return Parameters(
        price=100.0,
        volatility=u(2e-4, 2e-3),
        spread_mean=u(2e-4, 1e-3),
        spread_floor=1e-4,
        spread_sd=u(0.2, 0.6),
        spread_persistence=u(0.2, 0.8),
        volume_mean=u(2e3, 5e4),
        volume_sd=u(0.4, 0.9),
        volume_persistence=u(0.2, 0.7),
        day_volatility=u(0.1, 0.4),
        volume_floor=1.0,
        curves={name: np.array([1.3, 0.9, 0.8]) for name in ("spread", "volume", "volatility")},
        correlation=dict(
            zip(CORRELATIONS, (u(-0.2, 0.2), u(-0.2, 0.2), u(-0.2, 0.2), u(0.1, 0.4), u(-0.1, 0.2)), strict=True)
        ),
    )


def error(name, true, found):
    if name in CORRELATIONS:
        return found.correlation[name] - true.correlation[name]
    off = getattr(found, name) - getattr(true, name)
    return off / getattr(true, name) if name in RELATIVE else off


@pytest.mark.slow
def test_planted_parameters_come_back_without_bias():
    rng = np.random.default_rng(1)
    errors = {name: [] for name in BOUNDS}
    bent = []
    for number in range(SETS):
        true = planted(rng)
        panel = simulated(market_alone(true.market(), STEPS, 100 + number), 0, DAYS)
        found = fit(panel, 3, 0.01, steps_a_round=60_000)
        for name in BOUNDS:
            errors[name].append(error(name, true, found))
        shapes = [(found.curves[key], true.curves[key]) for key in true.curves]
        bent.append(max(np.abs(a / a.mean() - b / b.mean()).max() for a, b in shapes))
    for name, bound in BOUNDS.items():
        sample = np.array(errors[name])
        assert np.abs(sample).max() < bound, name
        assert abs(sample.mean()) < 4 * sample.std(ddof=1) / np.sqrt(SETS), name
    assert max(bent) < 0.22


@pytest.fixture(scope="module")
def ibm():
    return calibrate(read_bars(data_file("us_bars_1min.parquet"), "IBM"), episodes=2_000)


def test_a_fit_meets_what_it_was_fitted_to_and_loads_into_a_study(ibm):
    rows = {row["statistic"]: row for row in ibm.table.to_pylist()}
    for name in ("spread, mean", "volume, mean", "move, sd", "volume, sd of the log", *CORRELATIONS.values()):
        row = rows[name]
        assert row["within"], name
        assert abs(row["difference"]) < 0.5 * row["standard_error"], name
    sections = tomllib.loads(ibm.to_toml())
    study = StudyModel.model_validate(sections | {"order": {"steps": 388}, "strategies": [{"model": "vwap"}]})
    price, jumps = study.market.price, study.market.jumps
    assert np.sqrt(price.volatility**2 + jumps.variance(price.RELATIVE)) == pytest.approx(4.05e-4, rel=0.02)
    assert len(study.market.volume.curve) == 13
    assert study.market.spread.floor == pytest.approx(0.01 / 182, rel=0.01)


def test_the_table_agrees_with_the_figures_published_beside_the_data(ibm):
    """README of the data: IBM spread 2.59 bps, 1-minute sd 4.10 bps, volume 9.3k, sd of log volume 0.79 over all minutes."""
    rows = {row["statistic"]: row["data"] for row in ibm.table.to_pylist()}
    assert rows["spread, mean"] == pytest.approx(2.59, abs=0.01)
    assert rows["move, sd"] == pytest.approx(4.10, rel=0.02)
    assert rows["volume, mean"] == pytest.approx(9.3e3, rel=0.01)


def test_the_closing_auction_is_left_out_of_the_fit_and_counted_in_the_day(ibm):
    assert any("15:59:00 holds a closing auction" in note for note in ibm.notes)
    session = session_of(read_bars(data_file("us_bars_1min.parquet"), "IBM"))
    assert session.second[-1] == 57_480  # 15:58
    assert session.daily_volume.mean() > 1.05 * np.nansum(session.panel.volume, axis=1).mean()


@pytest.mark.slow
def test_three_days_tell_the_next_two():
    """IBM: what came out. Costs follow spread, volume and volatility, and all three lie within the sampling error."""
    found = calibrate(read_bars(data_file("us_bars_1min.parquet"), "IBM"), until=20131008, test=True, episodes=2_000)
    rows = {row["statistic"]: row for row in found.table.to_pylist()}
    for name in ("spread, mean", "volume, mean", "move, sd", "volume, sd of the log", "spread, sd of the log"):
        assert rows[name]["within"], name
    assert rows["spread, mean"]["simulated"] == pytest.approx(2.28, abs=0.1)  # the later days are wider: 3.05
    assert rows["spread, mean"]["data"] == pytest.approx(3.05, abs=0.01)
    assert not rows["spread, median"]["within"]  # this does not fit, and is shown
    seen = calibrate(read_bars(data_file("us_bars_1min.parquet"), "IBM"), until=20131008, episodes=500)
    assert seen.market == found.market  # the later days were not looked at
    assert seen.costs == found.costs


def test_a_tick_wide_spread_is_constant_and_says_so():
    found = calibrate(read_bars(data_file("us_bars_1min.parquet"), "BAC"), episodes=500)
    assert found.market["spread"]["model"] == "constant"
    assert found.market["correlation"]["price_spread"] == 0.0
    assert any("hardly varies" in note for note in found.notes)
    rows = {row["statistic"]: row for row in found.table.to_pylist()}
    assert rows["spread, lag-1 autocorrelation"]["within"] is None
    assert rows["spread, sd of the log"]["simulated"] is None


def test_a_market_of_24_hours_has_no_auction_and_a_day_cut_short_is_left_out():
    session = session_of(read_bars(data_file("crypto_bars_1min.parquet"), "coinbase:BTCUSD"))
    assert session.panel.move.shape == (4, 1439)
    assert any("20180404 is left out" in note for note in session.notes)
    assert not any("auction" in note for note in session.notes)


def test_days_without_quotes_and_half_days_are_refused_by_name():
    with pytest.raises(InputError) as caught:
        calibrate(read_bars(data_file("us_bars_1min.parquet"), "GOOG"))
    assert "20151223 is left out: 390 of 390 bars have no positive bid and ask" in str(caught.value)
    assert "20151224 is left out: it has 54% of the steps" in str(caught.value)


def test_steps_without_volume_are_counted_and_shown_not_to_fit():
    session = session_of(read_bars(data_file("us_bars_1min.parquet"), "SHY"))
    assert daily(session.panel)["steps without volume"].values.mean() == pytest.approx(17.2, abs=0.1)


# ---- files of bars made here


def write_bars(path, days=4, minutes=40, **columns):
    rng = np.random.default_rng(2)
    n = days * minutes
    mid = 50.0 + 0.01 * rng.integers(-2, 3, n).cumsum()
    base = {
        "symbol": ["S"] * n,
        "date": np.repeat(np.arange(20131007, 20131007 + days), minutes),
        "sec": np.tile(34_200 + 60 * np.arange(minutes), days),
        "volume": rng.integers(100, 900, n).astype(float),
        "bid_px_1": mid - 0.01 * rng.integers(1, 3, n),
        "ask_px_1": mid + 0.01 * rng.integers(1, 3, n),
    }
    pq.write_table(pa.table(base | {name: make(base) for name, make in columns.items()}), path)
    return path


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"bid_px_1": lambda b: np.full(160, 49.99), "ask_px_1": lambda b: np.full(160, 50.01)}, "the price never moves"),
        ({"volume": lambda b: np.zeros(160)}, "no volume at all"),
        ({"sec": lambda b: b["sec"] % 60 + np.repeat(np.arange(4), 40) * 7_000 + 34_200 + np.tile(np.arange(40) * 61, 4)},
         "fewer than two times of day"),
    ],
)  # fmt: skip
def test_what_cannot_be_calibrated(tmp_path, columns, said):
    with pytest.raises(InputError, match=said) as caught:
        calibrate(read_bars(write_bars(tmp_path / "b.parquet", **columns), "S"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"until": 20131007}, "too few days to calibrate on: 20131007"),
        ({"until": 20131009, "test": True}, "too few days to test on: 20131010"),
        ({"test": True}, "needs --until"),
        ({"window": (0, 3_600)}, "the window holds 0 steps"),
    ],
)
def test_bad_options(tmp_path, options, said):
    with pytest.raises(InputError, match=said):
        calibrate(read_bars(write_bars(tmp_path / "b.parquet"), "S"), **options)


def test_a_window_is_a_part_of_the_day(tmp_path):
    session = session_of(read_bars(write_bars(tmp_path / "b.parquet"), "S"), (34_500, 35_100))
    assert session.second.tolist() == list(range(34_500, 35_100, 60))
    whole = session_of(read_bars(tmp_path / "b.parquet", "S"))
    np.testing.assert_array_equal(session.panel.volume, whole.panel.volume[:, 4:14])
    np.testing.assert_array_equal(session.panel.spread, whole.panel.spread[:, 4:14])


def test_missing_minutes_are_gaps_not_zeros(tmp_path):
    path = write_bars(tmp_path / "b.parquet")
    table = pq.read_table(path)
    pq.write_table(table.take([i for i in range(160) if i not in (10, 55)]), path)
    panel = session_of(read_bars(path, "S")).panel
    assert np.isnan(panel.volume).sum() == 2
    assert np.isnan(panel.move).sum() == 4  # a missing bar ends one move and begins another
    assert all(np.isfinite(x.values).all() for name, x in daily(panel).items())


def test_csv_names_are_guessed_and_said(tmp_path):
    path = write_bars(tmp_path / "b.parquet")
    frame = pq.read_table(path).to_pandas()
    clock = [f"{s // 3600:02}:{s // 60 % 60:02}" for s in frame["sec"]]
    dates = frame["date"].astype(str).str.replace(r"(....)(..)(..)", r"\1-\2-\3", regex=True)
    frame = frame.assign(Day=dates, Time=clock).drop(columns=["date", "sec"])
    names = {"volume": "Vol.", "bid_px_1": "Bid Price", "ask_px_1": "Best Ask", "symbol": "Ticker"}
    frame.rename(columns=names).to_csv(tmp_path / "b.csv", index=False, sep=";")
    a = read_bars(path, "S")
    b = read_bars(tmp_path / "b.csv", "S")
    for name in ("day", "second", "bid", "ask", "volume"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    assert "volume from 'Vol.'" in b.notes[0]
    assert "bid_px_1 from 'Bid Price'" in b.notes[0]


def test_csv_refuses_what_it_cannot_find(tmp_path):
    frame = pq.read_table(write_bars(tmp_path / "b.parquet")).to_pandas()
    frame.drop(columns="ask_px_1").to_csv(tmp_path / "b.csv", index=False)
    with pytest.raises(InputError, match="no column for ask_px_1 among symbol, date"):
        read_bars(tmp_path / "b.csv", "S")
    frame.assign(volume="many").to_csv(tmp_path / "b.csv", index=False)
    with pytest.raises(InputError, match="'volume' holds 'many', which is no number"):
        read_bars(tmp_path / "b.csv", "S")
    (tmp_path / "b.csv").write_text("")
    with pytest.raises(InputError, match="is no table"):
        read_bars(tmp_path / "b.csv", "S")
    frame.to_csv(tmp_path / "b.csv", index=False)
    with pytest.raises(InputError, match="no column 'X', given for volume"):
        read_bars(tmp_path / "b.csv", "S", columns={"volume": "X"})
    with pytest.raises(InputError, match="no column of bars"):
        read_bars(tmp_path / "b.csv", "S", columns={"price": "x"})
    with pytest.raises(InputError, match="no such time zone"):
        read_bars(tmp_path / "b.csv", "S", zone="Mars/Olympus")


def test_utc_times_need_a_zone_and_are_converted(tmp_path):
    bars = read_bars(write_bars(tmp_path / "b.parquet"), "S")
    frame = pq.read_table(tmp_path / "b.parquet").to_pandas()
    stamps = pd.to_datetime(frame["date"].astype(str)) + pd.to_timedelta(frame["sec"], unit="s")
    utc = stamps.dt.tz_localize("America/New_York").dt.tz_convert("UTC")
    plain = frame.drop(columns=["date", "sec"])
    for times in (utc.astype(str), utc.astype("int64") // 10**3 * 10**3):
        plain.assign(timestamp=times).to_csv(tmp_path / "b.csv", index=False)
        with pytest.raises(InputError, match="name the market's zone"):
            read_bars(tmp_path / "b.csv", "S")
        found = read_bars(tmp_path / "b.csv", "S", zone="America/New_York")
        np.testing.assert_array_equal(found.second, bars.second)
        np.testing.assert_array_equal(found.day, bars.day)
    with pytest.raises(InputError, match="is at 20131004 08:30:00 in America/Chicago"):
        read_bars(data_file("us_bars_1min.parquet"), "IBM", zone="America/Chicago")
    read_bars(data_file("us_bars_1min.parquet"), "IBM", zone="America/New_York")


def test_words_of_the_command_line():
    assert day_of("2013-10-08") == day_of("20131008") == 20131008
    assert seconds_of("10:30-11:30") == (37_800, 41_400)
    assert columns_of(("volume=Vol", "time=a=b")) == {"volume": "Vol", "time": "a=b"}
    for function, text in ((day_of, "8/10/13"), (seconds_of, "11:30-10:30"), (columns_of, ("volume",))):
        with pytest.raises(InputError, match="write for example"):
            function(text)


def test_curves_of_the_fit_mean_what_the_models_curves_mean(ibm):
    """A curve's knots have mean 1 over the steps after interpolation, so mean and volatility keep their meaning."""
    knots = tuple(ibm.market["volume"]["curve"])
    assert curve(knots, 388).mean() == pytest.approx(1.0, rel=1e-12)

"""Bootstrapped days: blocks of real steps at the same time of day, joined at the stated rate, rescaled to the arrival price."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fastexec.analysis.comparison import compare
from fastexec.data.bars import read_bars
from fastexec.data.paths import MarketPaths
from fastexec.data.replay import replay_windows
from fastexec.errors import InputError
from fastexec.models.study import StudyModel
from fastexec.runs.run import run
from fastexec.simulation import prepare, simulate
from fastexec.studies.study import Study

DAYS, STEPS, EPISODES = (20131007, 20131008, 20131009), 5, 30_000


@pytest.fixture(scope="module")
def bars(tmp_path_factory):
    """Three days of eleven bars: two windows of five steps each."""
    rng = np.random.default_rng(3)
    n = 3 * 11
    mid = 50.0 * np.exp(rng.normal(size=n).cumsum() * 0.002)
    half = mid * rng.uniform(1e-4, 4e-4, n)
    path = tmp_path_factory.mktemp("bars") / "three.parquet"
    columns = {
        "symbol": ["S"] * n,
        "date": np.repeat(DAYS, 11),
        "sec": np.tile(34_200 + 60 * np.arange(11), 3),
        "volume": rng.integers(500, 5_000, n).astype(float),
        "bid_px_1": mid - half,
        "ask_px_1": mid + half,
    }
    pq.write_table(pa.table(columns), path)
    return path


def study(bars, block, **changes):
    return StudyModel.model_validate(
        {
            "episodes": EPISODES,
            "order": {"shares": 1_000, "steps": STEPS},
            "market": {"model": "bootstrap", "bars": str(bars), "symbol": "S", "block": block, **changes},
            "strategies": [{"model": "twap"}, {"model": "vwap"}, {"model": "pov", "rate": 0.1}],
        }
    )


def paths(prepared, count=EPISODES):
    """move, spread, volume of each step, float64[e, t]; and shares of the vwap."""
    steps, k = prepared.steps(0, count), len(prepared.strategies)
    shaped = {name: steps[name].reshape(count, k, STEPS) for name in ("mid", "spread", "volume", "shares")}
    last = prepared.run(0, count).markets["last_price"]
    mid = np.column_stack((shaped["mid"][:, 0], last))
    return mid[:, 1:] / mid[:, :-1], shaped["spread"][:, 0], shaped["volume"][:, 0], shaped["shares"][:, 1]


def windows_of(bars):
    return replay_windows(read_bars(bars, "S"), STEPS, STEPS)


def source(bars):
    """The windows' (move, spread, volume), float64[w, t], and where each begins."""
    windows = windows_of(bars)
    mid = np.column_stack((windows.paths.mid, windows.paths.last_mid))
    return mid[:, 1:] / mid[:, :-1], windows.paths.spread, windows.paths.volume, windows.start_second


def followed(bars, volume):
    """Which window each step of each episode comes from, int64[e, t]; volumes tell the windows apart."""
    _, _, volumes, _ = source(bars)
    match = volume[:, None, :] == volumes[None]
    assert (match.sum(axis=1) == 1).all()
    return match.argmax(axis=1)


def test_whole_days_are_the_replayed_windows_each_as_likely(bars):
    move, spread, volume, _ = paths(prepare(study(bars, float(STEPS))))
    window = followed(bars, volume)
    assert (window == window[:, :1]).all()
    moves, spreads, _, _ = source(bars)
    np.testing.assert_allclose(move, moves[window[:, 0]], rtol=1e-14)
    np.testing.assert_array_equal(spread, spreads[window[:, 0]])
    shares = np.bincount(window[:, 0], minlength=6) / EPISODES
    assert np.all(np.abs(shares - 1 / 6) < 4 * np.sqrt(1 / 6 * 5 / 6 / EPISODES))


def test_mean_costs_of_whole_days_equal_those_of_the_replay(bars):
    """In law, so in the mean within 4 standard errors; schedules and prices as the bootstrap has them."""
    boot = study(bars, float(STEPS), initial_price=50.0)
    results = simulate(boot)
    moves, spreads, volumes, _ = source(bars)
    mid = 50.0 * np.cumprod(np.column_stack((np.ones(6), moves)), axis=1)
    with pytest.raises(InputError, match="given paths need a synthetic one"):
        simulate(boot, paths=MarketPaths(mid[:, :-1], spreads, volumes, last_mid=mid[:, -1]))
    synthetic = boot.changed({"market": {"initial_price": 50.0}})
    given = MarketPaths(mid[:, :-1], spreads, volumes, None, mid[:, -1], windows_of(bars).paths.last_spread)
    exact = simulate(synthetic, paths=given)
    for k in (0, 2):  # the schedule of vwap differs: given paths come without times of day
        sample = results.episodes["shortfall_bps"][k::3]
        truth = exact.episodes["shortfall_bps"][k::3]
        assert set(np.round(sample, 9)) == set(np.round(truth, 9))
        assert abs(sample.mean() - truth.mean()) < 4 * sample.std() / np.sqrt(EPISODES)


def test_blocks_end_at_the_stated_rate_and_stay_at_their_time_of_day(bars):
    block = 2.5
    move, spread, volume, _ = paths(prepare(study(bars, block)))
    window = followed(bars, volume)
    moves, spreads, _, start = source(bars)
    t = np.arange(STEPS)
    np.testing.assert_allclose(move, moves[window, t], rtol=1e-14)
    np.testing.assert_array_equal(spread, spreads[window, t])
    assert (start[window] == start[window[:, :1]]).all()
    joined = (window[:, 1:] != window[:, :-1]).mean()
    rate = 1 / block * 2 / 3  # one in three goes over to the same day
    assert abs(joined - rate) < 4 * np.sqrt(rate * (1 - rate) / (EPISODES * (STEPS - 1)))


def test_each_time_of_day_has_its_own_schedule(bars):
    prepared = prepare(study(bars, 2.0))
    _, _, volume, shares = paths(prepared, 500)
    _, _, volumes, start = source(bars)
    late = start[followed(bars, volume)[:, 0]] == start.max()
    curves = [volumes[start == time].mean(axis=0) for time in (start.min(), start.max())]
    for group, curve in zip((shares[~late], shares[late]), curves, strict=True):
        assert (group == group[0]).all()
        assert np.all(np.abs(group[0] - 1_000 * curve / curve.sum()) <= 1.0)


def test_arrival_price_is_the_windows_mean_or_what_is_said(bars):
    windows = replay_windows(read_bars(bars, "S"), STEPS, STEPS)
    own = simulate(study(bars, 2.0), episodes=10).markets["arrival_price"]
    np.testing.assert_allclose(own, windows.paths.arrival.mean(), rtol=1e-14)
    ranged = simulate(study(bars, 2.0, initial_price={"low": 20.0, "high": 30.0}), episodes=200)
    assert ranged.markets["arrival_price"].min() >= 20.0
    assert np.ptp(ranged.markets["arrival_price"]) > 5.0
    np.testing.assert_array_equal(ranged.markets["market.initial_price"], ranged.markets["arrival_price"])


def test_cuts_and_threads_change_nothing(bars):
    whole = simulate(study(bars, 2.0), episodes=1_000, threads=1)
    prepared = prepare(study(bars, 2.0).changed({"episodes": 1_000}))
    part = prepared.run(333, 400)
    rows = slice(333 * 3, 733 * 3)
    np.testing.assert_array_equal(part.episodes["shortfall_bps"], whole.episodes["shortfall_bps"][rows])


def test_the_comparison_shows_no_interval_and_says_on_which_days_it_rests(bars, tmp_path):
    model = study(bars, 2.0).changed({"episodes": 2_000, "name": "boot"})
    run(Study.model_validate(model.model_dump()), out=tmp_path / "r")
    found = compare(tmp_path / "r")
    assert found.table["saving_bps"].null_count == 0
    for name in ("standard_error_bps", "ci_low_bps", "ci_low_cv_bps"):
        assert found.table[name].null_count == len(found.table)
    assert any("conditional on these 3 days" in note for note in found.notes)
    conditioned = compare(tmp_path / "r", by="market_volume:2")
    assert conditioned.table["ci_low_bps"].null_count == len(conditioned.table)

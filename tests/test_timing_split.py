"""Timing split (DESIGN 5): what was expected of the moves that an order was held through, and a rest whose mean is zero."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest

import fastexec as fx
from conftest import small_study
from fastexec.data.paths import MarketPaths
from fastexec.simulation import prepare, simulate
from naive import timing as twin
from test_control_variate import ALL, EPISODES, declared, scores

RISING = {"price": {"drift": 0.001, "volatility": 0.005}}
BOUNCING = {"price": {"volatility": 0.002}, "noise": {"sd": 0.002, "tradable": True}}
#: Markets whose price is no martingale, and orders in them.
MARKETS = {
    "rising": (RISING, {}),
    "ranged": ({"price": {"drift": {"low": -0.002, "high": 0.003}}}, {"at_horizon": "mark"}),
    "moved": ({"price": {"model": "arithmetic", "drift": -0.1, "volatility": 0.3, "start": "moved"}}, {"side": "buy"}),
    "halting": (RISING | {"halts": {"rate": 0.2, "length": 3.0}}, {"at_horizon": "mark"}),
    "bouncing": (BOUNCING, {}),
    "all": (BOUNCING | {"price": {"drift": 0.001, "start": "moved"}, "halts": {"rate": 0.2, "length": 3.0},
            "jumps": {"rate": 0.1, "mean": -0.01, "volatility": 0.01}, "variance": {"volatility": 0.5}}, {"side": "buy"}),
    "following": (RISING | {"correlation": {"price_volume": 0.5}}, {}),
}  # fmt: skip


@pytest.mark.parametrize("name", list(MARKETS))
def test_the_unexpected_part_is_declared_and_has_mean_zero(name):
    market, order = MARKETS[name]
    study = small_study(episodes=EPISODES, strategies=ALL, market=market, order=order)
    assert declared(study) == [True] * 4
    assert np.all(np.abs(scores(study)) < 4)


def test_where_it_is_not_declared_its_mean_is_not_zero():
    """POV that fills at the step's start on a volume that knows the move, which rises besides."""
    market = MARKETS["following"][0] | {"volume": {"known": "during"}}
    study = small_study(episodes=EPISODES, strategies=ALL, market=market)
    assert declared(study) == [True, False, True, True]
    found = np.abs(scores(study))
    assert np.all(found[[0, 2, 3]] < 4)
    assert found[1] > 8


@pytest.mark.parametrize("name", ["rising", "moved"])
def test_both_parts_are_those_of_the_path(name):
    """Of every step recorded: what is left behind a schedule's fill, before POV's, times what the twin expects."""
    market, order = MARKETS[name]
    study = small_study(episodes=30, strategies=ALL[:2], market=market, order=order)
    prepared = prepare(study)
    results, steps = prepared.run(0, 30), prepared.steps(0, 30)
    shares, left, mid = (steps[key].reshape(30, 2, -1) for key in ("shares", "remaining", "mid"))
    price, side = market["price"], 1.0 if study.order.side == "buy" else -1.0
    geometric, moved = price.get("model") != "arithmetic", price.get("start") == "moved"
    for e in range(30):
        arrival, last = results.episodes["arrival_price"][2 * e], results.markets["last_price"][e]
        for k in range(2):
            ordered = shares[e, k, 0] + left[e, k, 0]
            held = [*([ordered] if moved else []), *(left[e, k] + (shares[e, k] if k == 1 else 0.0))]
            path = [*([arrival] if moved else []), *mid[e, k], last]
            told = [twin.expected_move(m, price["drift"], geometric) for m in path[:-1]]
            wanted = [side * x / (ordered * arrival) * 1e4 for x in twin.split(held, list(np.diff(path)), told)]
            ours = [results.episodes[f"timing_{part}_bps"][2 * e + k] for part in ("expected", "unexpected")]
            np.testing.assert_allclose(ours, wanted, rtol=1e-8, atol=1e-7)


def test_a_martingale_has_no_such_columns_and_given_paths_expect_nothing():
    assert not [name for name in simulate(small_study(episodes=2, strategies=ALL)).episodes if "expected" in name]
    shape = (5, 12)
    given = MarketPaths(np.full(shape, 100.0), np.full(shape, 0.0004), np.full(shape, 900.0))
    study = small_study(episodes=5, strategies=ALL, market=RISING)
    found = simulate(study, paths=given).episodes
    assert not found["timing_expected_bps"].any()
    np.testing.assert_array_equal(found["timing_unexpected_bps"], found["timing_bps"])
    assert prepare(study, paths=given).control_variate == [False] * 4


def test_a_comparison_under_drift_has_a_control_variate(tmp_path):
    """Regressed out is the unexpected part: the saving is as sharp as without drift, and holds what drift costs."""
    study = fx.Study.from_dict(
        {
            "episodes": 4_000,
            "order": {"shares": 1_000, "steps": 12},
            "market": RISING | {"volume": {"mean": 1000.0}},
            "strategies": [{"model": "twap"}, {"model": "immediate"}],
        }
    )
    fx.run(study, out=tmp_path / "r")
    row = pq.read_table(tmp_path / "r" / "comparison.parquet").to_pylist()[0]
    rows = pq.read_table(tmp_path / "r" / "episodes").to_pandas()
    cost, rest = (rows[name].to_numpy().reshape(-1, 2) for name in ("shortfall_bps", "timing_unexpected_bps"))
    saved, control = cost[:, 0] - cost[:, 1], rest[:, 0] - rest[:, 1]
    beta = np.cov(saved, control)[0, 1] / control.var(ddof=1)
    assert row["saving_cv_bps"] == pytest.approx(saved.mean() - beta * control.mean(), rel=1e-6)
    assert row["standard_error_cv_bps"] < 0.5 * row["standard_error_bps"]
    summary = pq.read_table(tmp_path / "r" / "summary.parquet").to_pylist()[0]
    assert summary["timing_unexpected_mean_bps"] == pytest.approx(rest[:, 0].mean(), abs=1e-9)
    assert fx.verify(tmp_path / "r", sample=1)


def test_a_sweep_over_drift_has_the_columns_where_there_is_one(tmp_path):
    study = fx.Study.from_dict(
        {
            "episodes": 300,
            "order": {"shares": 1_000, "steps": 5},
            "strategies": ALL[:2],
            "sweep": {"market.price.drift": [0.0, 0.001]},
        }
    )
    fx.run(study, out=tmp_path / "r")
    summary = pq.read_table(tmp_path / "r" / "summary.parquet").to_pylist()
    assert [row["timing_expected_mean_bps"] is None for row in summary] == [True, True, False, False]
    assert fx.verify(tmp_path / "r", sample=1)

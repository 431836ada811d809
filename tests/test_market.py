"""The synthetic market's laws: moments, stationarity, correlations, curves; each within 4 standard errors."""

from __future__ import annotations

import numpy as np
import pytest

from conftest import small_study
from fastexec.planning.expectation import expect
from fastexec.simulation import prepare

N = 20_000


def paths(episodes=N, **changes):
    """mid float64[e, t + 1] (S_N last), spread, volume float64[e, t]."""
    study = small_study(episodes=episodes, strategies=[{"model": "twap"}], **changes)
    prepared = prepare(study)
    steps = prepared.steps(0, episodes)
    shape = (episodes, study.order.steps)
    last = prepared.run(0, episodes).markets["last_price"]
    mid = np.column_stack((steps["mid"].reshape(shape), last))
    return mid, steps["spread"].reshape(shape), steps["volume"].reshape(shape), study


def near(sample, expected, standard_errors=4.0):
    """Mean of a sample [e, ...] against its expectation."""
    error = sample.std(axis=0) / np.sqrt(sample.shape[0])
    assert np.all(np.abs(sample.mean(axis=0) - expected) <= standard_errors * error + 1e-12)


def correlation_near(a, b, expected):
    assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1] - expected) < 4.5 / np.sqrt(a.size)


def test_geometric_price_is_a_martingale_with_its_volatility():
    mid, *_ = paths(market={"price": {"volatility": 0.01}})
    near(mid, 100.0)
    returns = np.diff(np.log(mid), axis=1)
    near(returns**2 - returns.mean() ** 2, 0.01**2)
    correlation_near(returns[:, :-1], returns[:, 1:], 0.0)


def test_drift_of_both_models():
    mid, *_ = paths(market={"price": {"volatility": 0.001, "drift": 0.002}})
    near(mid, 100.0 * np.exp(0.002 * np.arange(13)))
    mid, *_ = paths(market={"price": {"model": "arithmetic", "volatility": 0.1, "drift": 0.02}})
    near(mid, 100.0 + 0.02 * np.arange(13))


def test_start_moved_trades_after_a_first_move():
    mid, *_ = paths(market={"price": {"volatility": 0.01, "start": "moved"}})
    assert mid[:, 0].std() == pytest.approx(1.0, rel=0.05)
    near(mid, 100.0)
    arrived, *_ = paths(market={"price": {"volatility": 0.01}})
    assert (arrived[:, 0] == 100.0).all()


def test_diurnal_curve_scales_volatility_with_mean_square_one():
    mid, *_ = paths(market={"price": {"model": "arithmetic", "volatility": 0.1, "diurnal": [2.0, 1.0]}})
    sd = np.diff(mid, axis=1).std(axis=0)
    knots = np.interp((np.arange(12) + 0.5) / 12, [0.25, 0.75], [2.0, 1.0])
    np.testing.assert_allclose(sd, 0.1 * knots / np.sqrt((knots**2).mean()), rtol=4 / np.sqrt(2 * N))


def test_random_walk_spread_is_reflected_and_has_the_expected_mean():
    _, spread, _, study = paths(market={"spread": {"model": "random_walk", "initial": 0.0003, "volatility": 0.0002}})
    assert (spread >= 0).all()
    assert (spread[:, 0] == 0.0003).all()
    market = expect(study)[0]
    near(spread, market.half_spread * 2 / 100)


def test_mean_reverting_spread_is_stationary_from_the_start():
    settings = {"mean": 0.0004, "reversion": 0.3, "volatility": 0.2, "floor": 0.0}
    _, spread, _, _ = paths(market={"spread": settings})
    near(spread, 0.0004)
    x = np.log(spread)
    variance = 0.2**2 / (1 - 0.7**2)
    np.testing.assert_allclose(x.var(axis=0), variance, rtol=4 * np.sqrt(2 / N))
    correlation_near(x[:, 3], x[:, 4], 0.7)


def test_spread_floor_holds():
    _, spread, _, _ = paths(500, market={"spread": {"mean": 0.0004, "floor": 0.0003, "volatility": 0.5}})
    assert spread.min() == 0.0003


def test_lognormal_volume_mean_dispersion_persistence_day_and_curve():
    _, _, volume, _ = paths(
        market={
            "volume": {
                "mean": 1000.0, "volatility": 0.5, "persistence": 0.6, "day_volatility": 0.3, "floor": 0.0,
                "curve": [2.0, 1.0, 1.0],
            }
        }
    )  # fmt: skip
    knots = np.interp((np.arange(12) + 0.5) / 12, [1 / 6, 0.5, 5 / 6], [2.0, 1.0, 1.0])
    near(volume, 1000.0 * knots / knots.mean())
    logs = np.log(volume)
    np.testing.assert_allclose(logs.var(axis=0), 0.25 + 0.09, rtol=4 * np.sqrt(2 / N))
    correlation_near(logs[:, 2], logs[:, 3], (0.6 * 0.25 + 0.09) / 0.34)
    correlation_near(logs[:, 0], logs[:, 11], (0.6**11 * 0.25 + 0.09) / 0.34)


def test_cosine_volume_is_a_u_for_a_positive_amplitude_and_has_its_floor():
    _, _, volume, study = paths(
        market={"volume": {"model": "cosine", "mean": 1000.0, "amplitude": 0.5, "noise": 50.0, "floor": 100.0}}
    )
    expected = 1000.0 * (1 + 0.5 * np.cos(2 * np.pi * np.arange(12) / 11))
    near(volume, expected)
    assert expected[0] > expected[6]
    near(volume, expect(study)[0].volume)


def test_expected_inverse_volume_is_the_simulated_one():
    for volume in (
        {"mean": 1000.0, "volatility": 0.5, "persistence": 0.3, "day_volatility": 0.2, "floor": 0.0},
        {"model": "cosine", "mean": 1000.0, "amplitude": -0.5, "noise": 150.0, "floor": 100.0},
    ):
        _, _, v, study = paths(market={"volume": volume})
        near(v**-0.6, expect(study)[0].inverse_volume)


RHO = {
    "price_spread": 0.3,
    "price_volume": -0.25,
    "spread_volume": 0.2,
    "volume_absolute_return": 0.35,
    "spread_absolute_return": -0.15,
}


def test_five_correlations_of_the_same_step():
    mid, spread, volume, _ = paths(
        market={
            "price": {"model": "arithmetic", "volatility": 0.1},
            "spread": {"reversion": 1.0, "volatility": 0.2, "mean": 0.0004, "floor": 0.0},
            "volume": {"persistence": 0.0, "day_volatility": 0.0, "floor": 0.0, "mean": 1000.0},
            "correlation": RHO,
        }
    )
    move = np.diff(mid, axis=1)[:, :-1]  # out of step t
    z_s, z_v = np.log(spread[:, 1:]), np.log(volume[:, :-1])  # the spread of step t + 1, the volume of step t
    correlation_near(move, z_s, RHO["price_spread"])
    correlation_near(move, z_v, RHO["price_volume"])
    correlation_near(z_s, z_v, RHO["spread_volume"])
    correlation_near(np.abs(move), z_v, RHO["volume_absolute_return"])
    correlation_near(np.abs(move), z_s, RHO["spread_absolute_return"])
    # What is known when a step begins tells nothing of its move.
    correlation_near(move[:, 1:], np.log(spread[:, 1:-1]), 0.0)
    correlation_near(move[:, 1:], z_v[:, :-1], 0.0)


def test_episodes_do_not_share_a_path():
    mid, spread, volume, _ = paths(2000)
    for x in (mid[:, -1], spread[:, -1], volume[:, -1]):
        correlation_near(x[:-1], x[1:], 0.0)
        assert np.unique(x).size > 0.99 * x.size  # a few spreads lie on their floor

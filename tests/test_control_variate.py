"""Where timing, or its unexpected part, is declared to have mean zero it has; else it is not declared (DESIGN 5)."""

from __future__ import annotations

import numpy as np
import pytest

from conftest import small_study
from fastexec.planning.control import timing_has_mean_zero
from fastexec.simulation import prepare, simulate

EPISODES = 40_000
POV = {"model": "pov", "rate": 0.15}
ALL = [{"model": "twap"}, POV, {"model": "random"}, {"model": "static_optimum", "risk_aversion": 1e-4}]


def scores(study):
    """Mean of the control variate in standard errors, float64[k]."""
    episodes = simulate(study).episodes
    control = "timing_unexpected_bps" if "timing_unexpected_bps" in episodes else "timing_bps"
    timing = episodes[control].reshape(EPISODES, -1)
    return timing.mean(axis=0) / (timing.std(axis=0) / np.sqrt(EPISODES))


def declared(study):
    return prepare(study).control_variate


@pytest.mark.parametrize("horizon", ["complete", "mark"])
@pytest.mark.parametrize("price", ["geometric", "arithmetic"])
def test_a_martingale_market_is_declared_and_has_mean_zero(price, horizon):
    volatility = 0.01 if price == "geometric" else 1.0
    study = small_study(
        episodes=EPISODES,
        order={"at_horizon": horizon},
        strategies=ALL,
        market={"price": {"model": price, "volatility": volatility}},
    )
    assert declared(study) == [True] * 4
    assert np.all(np.abs(scores(study)) < 4)


CORRELATED = {"price": {"volatility": 0.01}, "correlation": {"price_volume": 0.5}}


def test_pov_that_fills_at_the_steps_end_may_correlate_with_its_move():
    study = small_study(episodes=EPISODES, strategies=ALL, market=CORRELATED)
    assert declared(study) == [True] * 4
    assert np.all(np.abs(scores(study)) < 4)


def test_pov_that_fills_at_the_start_on_a_volume_that_knows_the_move_is_not_declared():
    study = small_study(episodes=EPISODES, strategies=ALL, market={**CORRELATED, "volume": {"known": "during"}})
    assert declared(study) == [True, False, True, True]
    found = scores(study)
    assert np.all(np.abs(found[[0, 2, 3]]) < 4)
    assert abs(found[1]) > 8  # the reason


def test_an_agent_that_sees_the_volume_which_knows_the_move_is_not_declared():
    study = small_study(
        episodes=10,
        market={**CORRELATED, "volume": {"known": "during"}},
        costs={"transient": {"coefficient": 0.0}, "permanent": {"coefficient": 0.0}},
        strategies=[{"model": "twap"}, {"model": "qtable", "train": "a"}],
        train={"a": {"rounds": 1, "batch": 256}},
    )
    assert [timing_has_mean_zero(study, strategy) for strategy in study.strategies] == [True, False]
    after = study.changed({"market": study.market.model_dump() | {"volume": {"mean": 1000.0}}})
    assert [timing_has_mean_zero(after, strategy) for strategy in after.strategies] == [True, True]


@pytest.mark.parametrize("market", [{}, {"price": {"drift": 0.001}}])
def test_leave_declares_nobody(market):
    study = small_study(strategies=ALL, order={"at_horizon": "leave"}, market=market)
    assert declared(study) == [False] * 4
    assert "timing_expected_bps" not in prepare(study).run(0, 2).episodes


def test_steps_that_may_have_no_volume_follow_the_correlations_too():
    volume = {"model": "cosine", "mean": 300.0, "amplitude": 0.5, "noise": 200.0, "floor": 0.0}
    assert declared(small_study(strategies=ALL, market={"volume": volume})) == [True] * 4
    correlated = small_study(strategies=ALL, market={"volume": volume, "correlation": {"price_volume": 0.5}})
    assert declared(correlated) == [False, True, False, False]

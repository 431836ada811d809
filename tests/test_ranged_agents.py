"""Agents of studies whose parameters are drawn for each episode."""

from __future__ import annotations

import numpy as np
import pytest

from conftest import small_study
from fastexec.errors import InputError
from fastexec.kernels.philox import PILOT
from fastexec.learning.rollout import alone
from fastexec.learning.training import train
from fastexec.models.strategies import Twap
from fastexec.simulation import prepare, simulate

VOLATILITY = {"low": 0.0003, "high": 0.001, "scale": "log"}
MARKET = {
    "price": {"volatility": VOLATILITY},
    "spread": {"mean": 0.0006, "volatility": 0.6, "floor": 0.0},
    "volume": {"mean": 10_000.0, "volatility": 0.5, "persistence": 0.8, "day_volatility": 0.0},
}
COSTS = {"permanent": {"coefficient": 0.0}, "transient": {"coefficient": 0.0}, "fees": {"per_share": 0.0}}
LOTS = {
    "features": [{"name": "inventory", "bins": 11}],
    "actions": {"set": "lots", "levels": [0.0, 1.0, 2.0, 4.0]},
    "batch": 512,
    "rounds": 1,
}


def test_a_rollout_has_rows_for_every_drawn_parameter():
    study = small_study(order={"shares": {"low": 600, "high": 1800}}, market=MARKET)
    output = alone(study, Twap(model="twap", name="twap"), PILOT).steps(0, 300)
    (shares, volatility), prepared = output.parameters, prepare(study, phase=PILOT)
    assert prepared.drawn == ["order.shares", "market.price.volatility"]
    markets = prepared.run(0, 300).markets
    np.testing.assert_array_equal(shares, markets["order.shares"])
    np.testing.assert_array_equal(volatility, markets["market.price.volatility"])
    assert ((volatility >= 0.0003) & (volatility <= 0.001)).all()
    assert np.unique(volatility).size == 300


def test_an_agent_beats_twap_where_volatility_is_drawn():
    """About 0.72 bps with the README's features; without the price's moves, so that few episodes tell."""
    training = {
        "rounds": 2,
        "batch": 32_768,
        "features": [{"name": "inventory", "bins": 31}, {"name": "spread", "bins": 6}, {"name": "volume", "bins": 4}],
        "actions": {"set": "multiples", "levels": [0.0, 0.5, 1.0, 1.5, 2.0, 3.0]},
    }
    study = small_study(
        episodes=4_000, order={"shares": 20_000, "steps": 30}, market=MARKET,
        costs={**COSTS, "temporary": {"coefficient": 0.001}},
        strategies=[{"model": "twap"}, {"name": "agent", "model": "qtable", "train": "a"}], train={"a": training},
    )  # fmt: skip
    rows = simulate(study).episodes
    cost = (rows["shortfall_bps"] - rows["timing_bps"]).reshape(-1, 2)
    assert 0.6 < (cost[:, 0] - cost[:, 1]).mean() < 0.85


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("online", {"market": {**MARKET, "volume": {"mean": {"low": 5e3, "high": 2e4, "scale": "log"}}}}),
        ("double", {"order": {"shares": {"low": 600, "high": 1800}, "side": "buy", "steps": 7}}),
        ("batched", {"costs": {**COSTS, "temporary": {"coefficient": {"low": 5e-4, "high": 2e-3}}}}),
        ("batched", {"market": {**MARKET, "initial_price": {"low": 20, "high": 90},
                                "spread": {"mean": {"low": 1e-4, "high": 1e-3}}}}),
    ],
)  # fmt: skip
def test_agents_of_every_rule_train_and_play_with_what_is_drawn(rule, changes):
    training = {"rule": rule, "rounds": 1, "batch": 300, "features": [{"name": "inventory", "bins": 5}],
                "actions": {"set": "multiples", "levels": [0.0, 1.0, 2.0]}}  # fmt: skip
    study = small_study(
        **{"episodes": 200, "market": MARKET, "costs": COSTS, **changes}, train={"a": training},
        strategies=[{"model": "twap"}, {"name": "agent", "model": "qtable", "train": "a"}],
    )  # fmt: skip
    found = simulate(study)
    assert np.isfinite(found.episodes["shortfall_bps"]).all()
    drawn = [name for name in found.markets if "." in name]
    assert drawn
    assert all(np.unique(found.markets[name]).size > 50 for name in drawn)


def test_an_agent_that_counts_lots_plays_an_order_that_is_drawn():
    order = {"shares": {"low": 600, "high": 1800}, "lot": 50}
    study = small_study(
        episodes=50, order=order, market=MARKET, costs=COSTS, train={"a": LOTS},
        strategies=[{"name": "agent", "model": "qtable", "train": "a"}],
    )  # fmt: skip
    agent = train(study, "a")
    assert (simulate(study).episodes["filled_shares"] > 0.0).all()
    assert agent.training["order"]["shares"] == {"low": 600.0, "high": 1800.0, "scale": "linear"}


def test_the_refusal_of_another_order_names_both_ranges(tmp_path):
    from fastexec.learning.training import policies_of

    drawn = {"shares": {"low": 600, "high": 1800}, "lot": 50}
    asking = [{"name": "agent", "model": "qtable", "train": "a"}]
    one, other = (
        small_study(order=order, market=MARKET, costs=COSTS, train={"a": LOTS}, strategies=asking)
        for order in (drawn, {"shares": 1200, "lot": 50})
    )
    with pytest.raises(InputError, match="lots of 50 of 600 to 1800 shares, this order has lots of 50 of 1200;"):
        policies_of(other, {"a": train(one, "a")})

"""The unexpected part of timing has mean zero for every strategy that is declared, in any market; who looks ahead is not."""

from __future__ import annotations

import numpy as np
import pytest

from conftest import SMALL, merged, small_study
from fastexec.simulation import prepare, simulate
from fastexec.studies.study import Study
from naive import halts
from test_control_variate import EPISODES, declared, scores
from test_halts import HALTS, LENGTH, RATE
from test_market import paths
from test_market_signals import MARKETS, signal
from test_regimes import REGIMES

OWN = """
import fastexec as fx

@fx.strategy("greedy")
def greedy(orders, see, params, step, steps):
    for i in range(orders.shape[1]):
        left = see[fx.see.REMAINING, i]
        even = left / (steps - step)
        x = see[fx.see.SIGNAL, i]
        orders[fx.orders.SHARES, i] = left if step == steps - 1 else min(left, 2.0 * even) if x < 0.0 else 0.0
"""
FOLLOWING = [
    {"model": "follow_signal"},
    {"model": "follow_signal", "name": "averse", "risk_aversion": 1e-4},
]
BLIND = [
    {"model": "vwap"}, {"model": "almgren_chriss", "risk_aversion": 1e-4}, {"model": "obizhaeva_wang"},
    {"model": "schedule", "weights": [3.0, *[0.0] * 5, 1.0, *[0.0] * 4, 2.0]}, {"model": "greedy"},
    {"name": "agent", "model": "qtable", "train": "a"}, {"name": "twin", "model": "blind_twin", "of": "agent"},
]  # fmt: skip
#: Everything that changes a market within an episode, at once.
EVERYTHING = {
    "price": {"volatility": 0.01, "start": "moved"}, "regimes": {**REGIMES, "known": True}, "noise": {"sd": 0.001},
    "jumps": {"rate": 0.2, "mean": -0.01, "volatility": 0.02}, "variance": {"volatility": 0.3},
    "signals": [signal("move"), signal("volatility", "z", levels=3), signal("spread", "s")],
    "correlation": {"price_spread": 0.3, "price_volume": -0.3},
}  # fmt: skip
ALL_MARKETS = {
    **{name: MARKETS[name] for name in ("move", "chain", "all")},
    "everything": (EVERYTHING, {"side": "buy"}),
}


def everybody(place, market, order, strategies):
    (place / "own.py").write_text(OWN)
    train = {"batch": 2_048, "rounds": 1, "features": [{"name": "inventory", "bins": 13}, {"name": "x", "bins": 3}]}
    costs = {"permanent": {"coefficient": 0.0}, "transient": {"coefficient": 0.0}}
    keys = {"episodes": EPISODES, "market": market, "order": order, "costs": costs, "train": {"a": train},
            "plugins": ["own.py"]}  # fmt: skip
    return Study.from_dict({**merged(SMALL, keys), "strategies": strategies}, folder=place)


@pytest.mark.parametrize("name", list(ALL_MARKETS))
def test_whoever_decides_by_what_is_known_has_none(name, tmp_path):
    study = everybody(tmp_path, *ALL_MARKETS[name], [*FOLLOWING, *BLIND])
    assert declared(study) == [True] * (len(FOLLOWING) + len(BLIND))
    found = scores(study)
    assert np.all(np.abs(found) < 4.0), found


def test_they_do_gain_by_what_is_expected(tmp_path):
    """So that it is no market in which nothing could have gone wrong."""
    study = everybody(tmp_path, *ALL_MARKETS["move"], [*FOLLOWING, *BLIND])
    expected = simulate(study).episodes["timing_expected_bps"].reshape(EPISODES, -1)
    told = np.abs(expected.mean(axis=0) / (expected.std(axis=0) / np.sqrt(EPISODES)))
    seeing = [k for k, strategy in enumerate(study.strategies) if strategy.name in ("follow_signal", "greedy", "agent")]
    assert told[seeing].min() > 50.0


def test_who_looks_at_the_coming_move_is_not_declared_and_has_some():
    """Slices from elsewhere, half as large where the move to come is a gain of waiting."""
    study = small_study(episodes=EPISODES, strategies=[{"model": "twap"}], market=MARKETS["move"][0])
    made = prepare(study)
    mid = made.steps(0, EPISODES)["mid"].reshape(EPISODES, 12)
    ahead = np.column_stack((np.diff(mid, axis=1), np.zeros(EPISODES))) > 0.0  # of a sale: wait for the rise
    slices = np.where(ahead, 50.0, 100.0)
    slices[:, -1] = 1_200.0 - slices[:, :-1].sum(axis=1)
    looked = prepare(study, slices={"oracle": slices})
    assert looked.control_variate == [True, False]
    rest = looked.run(0, EPISODES).episodes["timing_unexpected_bps"].reshape(EPISODES, 2)
    scored = rest.mean(axis=0) / (rest.std(axis=0) / np.sqrt(EPISODES))
    assert abs(scored[0]) < 4.0
    assert scored[1] < -8.0


@pytest.mark.parametrize("price", ["geometric", "arithmetic"])
def test_a_foretold_price_reopens_behind_a_halt_where_it_would_be_without_it(price):
    market = {
        "price": {"model": price, "volatility": 0.005 if price == "geometric" else 0.5},
        "signals": [signal("move"), signal("volatility", "z")], "jumps": {"rate": 0.2, "volatility": 0.01},
    }  # fmt: skip
    (mid, _, volume, study), plain = paths(200, market={**market, "halts": HALTS}), paths(200, market=market)
    halted = np.array([halts.path(study.seed, e, 12, RATE, LENGTH) for e in range(200)])
    np.testing.assert_array_equal(mid, [halts.seen(mids, stops) for mids, stops in zip(plain[0], halted, strict=True)])
    after = halted[:, :-1] & ~halted[:, 1:]
    assert after.sum() > 50
    np.testing.assert_array_equal(mid[:, 1:][after], plain[0][:, 1:][after])
    assert not volume[halted[:, :-1]].any()

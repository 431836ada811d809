"""The paths of a study as arrays: what its strategies meet, and met again where they are given back."""

from __future__ import annotations

import numpy as np
import pytest

import fastexec as fx
import real_days
from conftest import SMALL, merged
from fastexec.simulation import prepare

MARKETS = {
    "small": {},
    "arithmetic, moved at once": {"market": {"price": {"model": "arithmetic", "volatility": 0.05, "start": "moved"}}},
    "a walk": {"market": {"spread": {"model": "random_walk", "initial": 4e-4, "volatility": 1e-5},
                          "volume": {"model": "cosine", "mean": 900, "amplitude": 0.5, "noise": 100}}},
    "chains": {"market": {"spread": {"model": "markov", "levels": [1e-4, 4e-4], "transition": [[0.8, 0.2], [0.3, 0.7]]},
                          "volume": {"model": "markov", "levels": [0.0, 800.0], "transition": [[0.5, 0.5], [0.3, 0.7]]}}},
    "constants": {"market": {"spread": {"model": "constant", "initial": 3e-4}, "volume": {"model": "constant"}}},
    "jumps": {"market": {"jumps": {"rate": 0.05, "volatility": 0.01}}},
    "variance": {"market": {"variance": {"persistence": 0.9, "volatility": 0.5}}},
    "regimes": {"market": {"regimes": {"names": ["calm", "wild"], "transition": [[0.9, 0.1], [0.2, 0.8]],
                                       "volatility": [1.0, 2.0], "spread": [1.0, 2.0], "volume": [1.0, 3.0]}}},
    "halts": {"market": {"halts": {"rate": 0.1, "length": 2.0}}},
    "curves, correlated": {
        "market": {"price": {"diurnal": [2, 1, 1.5]}, "volume": {"curve": [3, 1, 2]}, "spread": {"diurnal": [2, 1]},
                   "correlation": {"price_volume": 0.3, "spread_volume": -0.2, "price_spread": -0.3}},
    },
    "drawn": {"market": {"initial_price": {"low": 20, "high": 90}, "price": {"volatility": {"low": 1e-4, "high": 1e-3}}},
              "order": {"shares": {"low": 300, "high": 3000}}},
    "known at once": {"market": {"volume": {"known": "during"}}},
    "marked": {"order": {"at_horizon": "mark", "side": "buy"}, "strategies": [{"model": "pov", "rate": 0.02}]},
}  # fmt: skip


def study_of(**changes):
    return fx.Study.from_dict(merged(SMALL, {"episodes": 300, **changes}))


@pytest.mark.parametrize("market", MARKETS)
def test_a_study_given_its_own_paths_gives_the_same_bits(market):
    study = study_of(**MARKETS[market])
    paths = fx.market(study)
    own, again = fx.simulate(study), fx.simulate(study, paths=paths)
    assert own.episodes.keys() == again.episodes.keys()
    for name, column in own.episodes.items():
        np.testing.assert_array_equal(column, again.episodes[name], err_msg=name)
    for name, column in own.markets.items():
        if name == "realised_volatility":
            np.testing.assert_allclose(column, again.markets[name], rtol=1e-9)
        else:
            np.testing.assert_array_equal(column, again.markets[name], err_msg=name)


def test_they_are_what_a_step_by_step_look_shows():
    study = study_of()
    paths, prepared = fx.market(study, episodes=200), prepare(study)
    steps = {name: x.reshape(200, 6, 12)[:, 0] for name, x in prepared.steps(0, 200).items()}
    for name in ("mid", "spread", "volume"):
        np.testing.assert_array_equal(getattr(paths, name), steps[name])
    markets = prepared.run(0, 200).markets
    np.testing.assert_array_equal(paths.last_mid, markets["last_price"])
    np.testing.assert_array_equal(paths.arrival, markets["arrival_price"])


def test_neither_threads_nor_how_many_change_them():
    one, two = fx.market(study_of(), episodes=2000, threads=1), fx.market(study_of(), episodes=700, threads=2)
    for name in ("mid", "spread", "volume", "arrival", "last_mid", "last_spread"):
        np.testing.assert_array_equal(getattr(one, name)[:700], getattr(two, name))


def test_training_and_another_seed_are_other_markets():
    study = study_of()
    mids = [
        fx.market(study, episodes=50, **how).mid
        for how in ({}, {"phase": "training"}, {"seed": 6}, {"phase": "evaluation"})
    ]
    np.testing.assert_array_equal(mids[0], mids[3])
    assert all((a[:, 1:] != b[:, 1:]).all() for a, b in ((mids[0], mids[1]), (mids[0], mids[2]), (mids[1], mids[2])))


def test_nothing_is_trained_for_them():
    agent = {"model": "qtable", "name": "agent", "train": "t"}
    train = {"t": {"rule": "batched", "rounds": 10**6, "batch": 10**6, "features": [{"name": "inventory", "bins": 4}],
                   "actions": {"set": "multiples", "levels": [0, 1, 2]}}}  # fmt: skip
    study = study_of(strategies=[{"model": "twap"}, agent], train=train)
    np.testing.assert_array_equal(fx.market(study, episodes=20).mid, fx.market(study_of(), episodes=20).mid)


@pytest.mark.parametrize(("how", "said"), [
    ({"phase": "pilot"}, "phase: must be 'evaluation' or 'training', not 'pilot'"),
    ({"episodes": 0}, "episodes: must be at least 1, not 0"),
    ({"threads": 0}, "threads: must be a whole number from 1"),
])  # fmt: skip
def test_what_it_cannot_be_asked(how, said):
    with pytest.raises(fx.InputError) as caught:
        fx.market(study_of(), **how)
    assert said in str(caught.value)


@pytest.mark.parametrize("model", ["replay", "bootstrap"])
def test_of_real_days_they_are_the_days(tmp_path, model):
    bars = real_days.write(real_days.some_days(3, [40, 40, 40, 40], empty=0.1), tmp_path / "bars.parquet")
    market = {"model": model, "bars": str(bars), "symbol": "S"} | ({"block": 4} if model == "bootstrap" else {})
    study = fx.Study.from_dict({**SMALL, "market": market, "episodes": 8})
    paths, prepared = fx.market(study, threads=2), prepare(study)
    steps = {name: x.reshape(8, 6, 12)[:, 0] for name, x in prepared.steps(0, 8).items()}
    for name in ("mid", "spread", "volume"):
        np.testing.assert_array_equal(getattr(paths, name), steps[name])
    assert (paths.volume == 0.0).any()
    np.testing.assert_array_equal(paths.last_mid, prepared.run(0, 8).markets["last_price"])

"""[market.regimes] and volatility_exponent: a naive twin, their laws, what schedules expect, what is refused."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest

from conftest import small_study
from fastexec.data.paths import MarketPaths
from fastexec.errors import InputError
from fastexec.kernels.philox import PILOT
from fastexec.learning.agent import agent_table
from fastexec.learning.optimum import solve_optimum
from fastexec.learning.rollout import alone
from fastexec.learning.training import train
from fastexec.learning.unknown import why_unknown
from fastexec.models.strategies import Twap
from fastexec.planning.expectation import expect
from fastexec.planning.policies import Cut
from fastexec.planning.static_cost import schedule_cost
from fastexec.simulation import prepare, simulate
from fastexec.studies.study import Study
from naive import regimes as twin, variance
from test_control_variate import ALL, declared, scores
from test_market import near, paths

TRANSITION, STATIONARY = [[0.9, 0.1], [0.3, 0.7]], [0.75, 0.25]
REGIMES = {"names": ["calm", "wild"], "transition": TRANSITION, "initial": [0.6, 0.4], "volatility": [0.8, 2.0],
           "spread": [0.9, 1.5], "volume": [1.1, 0.6], "impact": [1.0, 1.4]}  # fmt: skip
SPREADS = {
    "constant": {"model": "constant", "initial": 0.0004},
    "random_walk": {"model": "random_walk", "initial": 0.0004, "volatility": 0.0001},
    "mean_reverting": {"mean": 0.0004, "floor": 0.0002},
    "markov": {"model": "markov", "levels": [0.0001, 0.0005], "transition": [[0.5, 0.5], [0.5, 0.5]]},
}
VOLUMES = {
    "constant": {"model": "constant", "mean": 900.0},
    "lognormal": {"mean": 900.0, "floor": 100.0},
    "markov": {"model": "markov", "levels": [500.0, 1500.0], "transition": [[0.5, 0.5], [0.5, 0.5]]},
}
FREE = {"temporary": {"coefficient": 0.01, "exponent": 0.6}, "permanent": {"coefficient": 0.0}, "fees": {"per_share": 0.0},
        "transient": {"coefficient": 0.0}}  # fmt: skip


def regimes_of(study, episodes, first=(0.6, 0.4)):
    """int[e, t + 1]"""
    return np.array([twin.path(study.seed, e, study.order.steps, TRANSITION, first) for e in range(episodes)])


@pytest.mark.parametrize("spread", list(SPREADS))
@pytest.mark.parametrize("volume", list(VOLUMES))
def test_moves_spreads_and_volumes_are_those_without_them_times_the_twins_multipliers(spread, volume):
    market = {"price": {"model": "arithmetic", "volatility": 0.1}, "spread": SPREADS[spread], "volume": VOLUMES[volume]}
    ours, plain = paths(60, market={**market, "regimes": REGIMES}), paths(60, market=market)
    there = regimes_of(ours[3], 60)
    times = {kind: np.array(REGIMES[kind])[there] for kind in ("volatility", "spread", "volume")}
    np.testing.assert_allclose(np.diff(ours[0]), np.diff(plain[0]) * times["volatility"][:, :-1], atol=1e-11)
    np.testing.assert_allclose(ours[1], plain[1] * times["spread"][:, :-1], rtol=1e-12)
    np.testing.assert_allclose(ours[2], plain[2] * times["volume"][:, :-1], rtol=1e-12)


def test_temporary_cost_pays_the_regimes_multiplier_and_the_volatilitys_power():
    """Of one slice in step 0, its own part of the price."""
    market = {"regimes": REGIMES, "variance": {"persistence": 0.5, "volatility": 0.4}, "volume": VOLUMES["constant"],
              "spread": {**SPREADS["constant"], "volatility_exponent": 1.5}}  # fmt: skip
    costs = {**FREE, "temporary": {**FREE["temporary"], "volatility_exponent": 0.7}}
    study = small_study(
        episodes=60, market=market, costs=costs, strategies=[{"model": "immediate"}], order={"steps": 3}
    )
    found, there = simulate(study).episodes, regimes_of(study, 60)[:, 0]
    x = np.array([variance.path(study.seed, e, 1, 0.5, 0.4)[0] for e in range(60)])
    factor = x * np.array(REGIMES["volatility"])[there]
    rate = 1200.0 / (900.0 * np.array(REGIMES["volume"])[there])
    wanted = 1e4 * 0.01 * rate**0.6 * np.array(REGIMES["impact"])[there] * factor**0.7
    np.testing.assert_allclose(found["temporary_bps"], wanted, rtol=1e-9)
    spread = 0.5e4 * 0.0004 * np.array(REGIMES["spread"])[there] * factor**1.5
    np.testing.assert_allclose(found["spread_bps"], spread, rtol=1e-9)


@pytest.mark.parametrize("mark", [{}, {"at_horizon": "mark"}])
def test_schedules_expect_what_they_cost(mark):
    """Spread and temporary cost of TWAP, by the laws of chain, volume and volatility together, within 4 standard errors."""
    market = {"regimes": REGIMES, "variance": {"persistence": 0.5, "volatility": 0.4}, "volume": VOLUMES["lognormal"],
              "spread": {**SPREADS["mean_reverting"], "volatility_exponent": 0.5},
              "price": {"volatility": 0.003}}  # fmt: skip
    costs = {**FREE, "temporary": {**FREE["temporary"], "volatility_exponent": {"low": 0.2, "high": 1.0}}}
    strategies = [{"model": "twap"}, {"model": "schedule", "name": "half", "weights": [2.0] * 3 + [0.0] * 8 + [1.0]}]
    study = small_study(episodes=40_000, market=market, costs=costs, strategies=strategies, order={"lot": 0, **mark})
    cost = schedule_cost(study, expect(study)[0], 0.0)
    tables = prepare(study).arrays[1].fractions[:, 0]
    found = simulate(study).episodes
    paid = (found["spread_bps"] + found["temporary_bps"]).reshape(-1, 2)
    near(paid, 1e4 * cost.of(tables))


def test_what_is_marked_meets_the_conditions_of_the_end():
    """Nothing is traded, in a chain that changes for sure: at the end it is wild again."""
    swing = {
        "names": ["calm", "wild"],
        "transition": [[0.0, 1.0], [1.0, 0.0]],
        "initial": [0.0, 1.0],
        "impact": [1.0, 3.0],
    }
    market = {
        "regimes": swing,
        "price": {"volatility": 0.0},
        "volume": VOLUMES["constant"],
        "spread": SPREADS["constant"],
    }
    strategies = [{"model": "pov", "rate": 1e-9}]
    order = {"steps": 4, "at_horizon": "mark"}
    study = small_study(episodes=3, market=market, costs=FREE, strategies=strategies, order=order)
    wanted = 2.0 + 1e4 * 0.01 * 3.0 * (1200.0 / 900.0) ** 0.6
    np.testing.assert_allclose(simulate(study).episodes["shortfall_bps"], wanted, rtol=1e-6)


@pytest.mark.slow
def test_the_chain_has_its_law_in_each_step():
    there = regimes_of(paths(2, market={"regimes": REGIMES})[3], 4_000)
    law = np.array([0.6, 0.4])
    for t in range(13):
        near(there[:, t].astype(float), law[1])
        law = law @ np.array(TRANSITION)
    stationary = {**REGIMES, "initial": []}
    study = small_study(strategies=[{"model": "twap"}], market={"regimes": stationary})
    times = np.array(REGIMES["volatility"])
    wanted = study.market.price.volatility * 100.0 * np.sqrt(np.dot(STATIONARY, times * times))
    np.testing.assert_allclose(expect(study)[0].volatility, wanted, rtol=1e-12)


def test_timing_keeps_its_mean_of_zero():
    study = small_study(episodes=40_000, strategies=ALL, market={"price": {"volatility": 0.01}, "regimes": REGIMES})
    assert declared(study) == [True] * 4
    assert np.all(np.abs(scores(study)) < 4)


def test_a_regime_that_is_known_is_observed_when_the_step_begins():
    study = small_study(strategies=[{"model": "twap"}], market={"regimes": {**REGIMES, "known": True}})
    (seen,) = alone(study, Twap(model="twap", name="twap"), PILOT).observe(
        [Cut("regime", 1, np.zeros(0), 5)], False, 0, 30
    )
    assert set(np.unique(seen)) == {0.0, 1.0}
    times = np.array(REGIMES["spread"])
    still = small_study(
        strategies=[{"model": "twap"}],
        market={"regimes": {**REGIMES, "known": True}, "spread": SPREADS["constant"]},
    )
    seen, spread = alone(still, Twap(model="twap", name="twap"), PILOT).observe(
        [Cut("regime", 1, np.zeros(0), 5), Cut("spread", 1, np.zeros(0), 5)], False, 0, 30
    )
    np.testing.assert_allclose(spread, 0.0004 * times[seen.astype(int)])


def test_an_agent_that_sees_the_regime_saves_where_one_regime_is_dear():
    dear = {**REGIMES, "known": True, "volatility": [], "spread": [], "volume": [], "impact": [1.0, 4.0]}
    study = Study.from_dict({
        "seed": 3, "episodes": 20_000, "order": {"shares": 1200, "steps": 8, "lot": 100},
        "market": {"regimes": dear, "price": {"volatility": 0.0001}, "volume": VOLUMES["constant"],
                   "spread": SPREADS["constant"]},
        "costs": {"temporary": {"coefficient": 0.01}},
        "strategies": [{"model": "static_optimum"}, {"name": "agent", "model": "qtable", "train": "a"}],
        "train": {"a": {"features": [{"name": "regime", "edges": [0.5]}, {"name": "inventory", "bins": 13}],
                        "rounds": 1, "batch": 8_192}},
    })  # fmt: skip
    cost = simulate(study).episodes["shortfall_bps"].reshape(-1, 2)
    saving = cost[:, 0] - cost[:, 1]
    assert saving.mean() > 10.0 * saving.std() / np.sqrt(saving.size)
    found = cost[:, 1] - simulate(study).episodes["timing_bps"].reshape(-1, 2)[:, 1]
    assert abs(found.mean() - solve_optimum(study).expected_bps) < 4.0 * found.std() / np.sqrt(found.size) + 0.05
    unseen = study.changed({"market.regimes.known": False, "strategies": [{"model": "twap"}], "train": {}})
    assert "market.regimes changes what trading costs" in why_unknown(unseen)


def test_given_paths_bring_their_own_conditions():
    rng = np.random.default_rng(2)
    mid, spread = 100.0 + rng.normal(size=(5, 12)), np.full((5, 12), 0.0004)
    given = MarketPaths(mid, spread, np.full((5, 12), 900.0))
    costs = {**FREE, "temporary": {**FREE["temporary"], "volatility_exponent": 0.7}}
    ours = small_study(episodes=5, market={"regimes": REGIMES}, costs=costs, strategies=[{"model": "twap"}])
    plain = small_study(episodes=5, costs=FREE, strategies=[{"model": "twap"}])
    a, b = (simulate(study, paths=given).episodes["shortfall_bps"] for study in (ours, plain))
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"transition": [[0.9, 0.2], [0.3, 0.7]]}, "row 1 adds up to 1.1"),
        ({"transition": [[1.0]]}, "must be a matrix of 2 rows"),
        ({"transition": [[1.0, 0.0], [0.0, 1.0]], "initial": []}, "no single stationary law"),
        ({"initial": [0.5]}, "initial has 1 probabilities"),
        ({"names": ["calm", "calm"]}, "two names are the same"),
        ({"names": []}, "market.regimes.names"),
        ({"volatility": [1.0, 2.0, 3.0]}, "volatility has 3 multipliers for 2 regimes"),
        ({"volume": [1.0, 0.0]}, "must be above 0"),
        ({"spread": [1.0, {"low": 1.0, "high": 2.0}]}, "must be a number"),
        ({"speed": [1.0, 2.0]}, "unknown key"),
    ],
)
def test_what_makes_no_chain_or_no_multiplier_is_one_line(changes, said):
    with pytest.raises(InputError) as found:
        Study.from_dict({"strategies": [{"model": "twap"}], "market": {"regimes": {**REGIMES, **changes}}})
    assert said in str(found.value)
    assert "\n" not in str(found.value)


TRAINED = {"strategies": [{"model": "qtable", "train": "a"}],
           "train": {"a": {"features": [{"name": "regime"}, {"name": "inventory"}]}}}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"market": {"regimes": REGIMES}, "costs": {"temporary": {"model": "linear"}}}, "market.regimes.impact: "),
        ({"market": {"regimes": REGIMES}, "costs": {"rule": "per_step"}}, "market.regimes.impact: costs.rule per_step"),
        ({"costs": {"rule": "per_step", "temporary": {"volatility_exponent": 1.0}}}, "costs.temporary.volatility_exponent: "),
        ({"costs": {"temporary": {"volatility_exponent": 5.0}}}, "must be at most 4"),
        ({"market": {"spread": {"volatility_exponent": -1.0}}}, "must be at least 0"),
        ({"costs": {"temporary": {"model": "linear", "volatility_exponent": 1.0}}}, "unknown key"),
        (TRAINED, "train.a.features.regime: nobody knows one"),
        ({**TRAINED, "market": {"regimes": REGIMES}}, "train.a.features.regime: nobody knows one"),
        ({"market": {"model": "replay", "bars": "b", "symbol": "S", "regimes": REGIMES}}, "real days have their own"),
        ({"market": {"model": "replay", "bars": "b", "symbol": "S"}, "costs": {"temporary": {"volatility_exponent": 1.0}}},
         "of real days no step's volatility is known"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_one_line(changes, said):
    with pytest.raises(InputError) as found:
        Study.from_dict({"strategies": [{"model": "twap"}], **changes})
    assert said in str(found.value)
    assert "\n" not in str(found.value)


def test_an_agent_of_a_file_that_sees_what_the_market_withholds_is_refused_by_name(tmp_path):
    """Trained where the regime is known, played where nobody knows one."""
    known = {**TRAINED, "order": {"shares": 100, "steps": 3}, "market": {"regimes": {**REGIMES, "known": True}}}
    known["train"] = {"a": {"features": [{"name": "regime", "edges": [0.5]}, {"name": "inventory", "bins": 3}],
                            "rounds": 1, "batch": 256}}  # fmt: skip
    pq.write_table(agent_table(train(Study.from_dict(known), "a")), tmp_path / "agent.parquet")
    there = {"order": known["order"], "strategies": [{"name": "b", "model": "qtable", "agent": "agent.parquet"}]}
    with pytest.raises(InputError, match=r"^strategies.b: its agent sees the feature regime: nobody knows one"):
        simulate(Study.from_dict(there, folder=tmp_path), episodes=10)

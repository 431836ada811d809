"""The exact optimum against enumeration, closed forms and simulation; when it is known and why not."""

from __future__ import annotations

import numpy as np
import pytest

from fastexec.errors import InputError
from fastexec.learning.optimum import solve_optimum
from fastexec.learning.training import train
from fastexec.learning.unknown import why_unknown
from fastexec.simulation import prepare, simulate
from markets import NO_MEMORY, ORACLES, SPREAD, VOLUME, almgren_chriss, markov


@pytest.mark.parametrize(("lots", "risk_aversion", "cost"), ORACLES)
def test_integer_lots_of_almgren_and_chriss_exactly(lots, risk_aversion, cost):
    """The optimum and the learner both reach the published integer programme (per-step cost with the next inventory)."""
    study = almgren_chriss(lots, risk_aversion)
    assert why_unknown(study) is None
    optimum = solve_optimum(study, risk_aversion=risk_aversion)
    assert optimum.expected_bps * 1e-4 * 5e7 == pytest.approx(cost, rel=1e-9)
    agent = train(study, "a")
    assert agent.q[0].min(axis=1)[-1] * 1e-4 * 5e7 == pytest.approx(cost, rel=1e-9)


def test_the_optimum_equals_brute_force():
    """Three steps, three lots, two spreads and two volumes: every policy by recursion over all that can happen."""
    spread = {
        "model": "markov",
        "levels": [0.001, 0.004],
        "transition": [[0.7, 0.3], [0.4, 0.6]],
        "initial": [0.5, 0.5],
    }
    volume = {
        "model": "markov",
        "levels": [100.0, 900.0],
        "transition": [[0.6, 0.4], [0.2, 0.8]],
        "initial": [0.3, 0.7],
    }
    study = markov(
        order={"shares": 300, "lot": 100, "steps": 3},
        market={"price": {"volatility": 0.001}, "spread": spread, "volume": volume},
        strategies=[{"model": "optimum"}],
        train={},
    )
    coefficient, exponent = study.costs.temporary.coefficient, study.costs.temporary.exponent

    def best(t, left, s, w):
        """w: the last volume's level, None before the first step."""
        if t == 3:
            return 0.0
        law = volume["initial"] if w is None else volume["transition"][w]
        choices = []
        for q in [left] if t == 2 else range(left + 1):
            cost = 0.0
            for v, chance in enumerate(law):
                rate = 100 * q / volume["levels"][v]
                paid = q / 3 * (spread["levels"][s] / 2 + coefficient * rate**exponent)
                after = sum(p * best(t + 1, left - q, s2, v) for s2, p in enumerate(spread["transition"][s]))
                cost += chance * (paid + after)
            choices.append(cost)
        return min(choices)

    expected = 1e4 * sum(0.5 * best(0, 3, s, None) for s in range(2))
    assert solve_optimum(study).expected_bps == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("known", ["after", "during"])
def test_the_optimums_simulated_cost_is_its_computed_one(known):
    study = markov(known)
    solved = solve_optimum(study)
    results = simulate(study, episodes=20_000).episodes
    cost = (results["shortfall_bps"] - results["timing_bps"])[2::3]
    assert abs(cost.mean() - solved.expected_bps) < 4 * cost.std() / np.sqrt(20_000)


def test_the_optimum_waits_for_a_tight_spread_and_knows_its_orderings():
    """ORACLES 6: larger orders and shorter horizons cost more; more inventory or less time makes it more aggressive."""

    def cost(**order):
        return solve_optimum(markov(order={"shares": 2000, "lot": 100, "steps": 20, **order})).expected_bps

    assert cost(shares=3000) > cost(shares=2000) > cost(shares=1000)
    assert cost(steps=10) > cost(steps=20) > cost(steps=30)
    table = solve_optimum(markov()).policy.table.reshape(20, 21, 3, 3)  # t, inventory, volume, spread
    assert (np.diff(table.astype(int), axis=1) >= 0).all()
    assert (np.diff(table[:-1].astype(int), axis=0) >= 0).mean() > 0.99
    assert (table[5:15, 10, 1, 0] > table[5:15, 10, 1, 2]).all()


ORDER = {"shares": 2000, "lot": 100, "steps": 20}
AT_QUOTE = {"at_horizon": "mark", "mark_price": "quote"}
HALTING = {"spread": SPREAD, "volume": {**VOLUME, "levels": [0.0, 1000.0, 4000.0]}}


#: A spread that mostly closes, beginning wide; half of all steps have no volume.
BY_HALVES = {
    "price": {"volatility": 0.2},
    "spread": {"model": "markov", "levels": [0.0001, 0.01], "transition": [[0.999, 0.001], [0.4, 0.6]],
               "initial": [0.0, 1.0]},
    "volume": {"model": "markov", "levels": [0.0, 10_000.0], "transition": [[0.5, 0.5], [0.5, 0.5]]},
}  # fmt: skip
#: No cost scales with the mid: linear impact, permanent impact and fees, no spread.
IN_CURRENCY = {
    "market": {"price": {"model": "arithmetic", "volatility": 0.05}, "spread": {"model": "constant", "initial": 0.0},
               "volume": HALTING["volume"]},
    "costs": {"temporary": {"model": "linear", "fixed": 0.02, "coefficient": 1e-5},
              "permanent": {"coefficient": 1e-5, "own": 0.3}, "transient": {"coefficient": 0.0},
              "fees": {"per_share": 0.01}},
}  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {"market": HALTING},
        {"order": {**ORDER, "mark_penalty": 0.4}},
        {"costs": {**NO_MEMORY, "fees": {"per_share": 0.01}}},
        {"order": {**ORDER, "at_horizon": "mark"}, "market": HALTING},
        {"order": {**ORDER, **AT_QUOTE}, "market": HALTING},
        {"order": {**ORDER, "at_horizon": "mark"}, "costs": {**NO_MEMORY, "fees": {"per_share": 0.01}}},
        {"order": {**ORDER, "at_horizon": "mark", "side": "buy"}, "market": BY_HALVES},
        {"order": {**ORDER, "at_horizon": "mark", "mark_penalty": 0.1, "mark_penalty_slope": 1e-5}, **IN_CURRENCY},
        {"market": {"price": {"model": "arithmetic", "volatility": 0.5}, "spread": SPREAD, "volume": VOLUME}},
    ],
)
def test_an_optimum_is_known_where_currency_and_the_mid_do_not_mix(changes):
    """And its cost is what it simulates."""
    study = markov(strategies=[{"model": "optimum"}], train={}, **changes)
    assert why_unknown(study) is None
    results = simulate(study, episodes=20_000).episodes
    cost = results["shortfall_bps"] - results["timing_bps"]
    assert abs(cost.mean() - solve_optimum(study).expected_bps) < 4 * cost.std() / np.sqrt(20_000) + 1e-9


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"market": {"spread": {"model": "mean_reverting"}, "volume": VOLUME}}, "market.spread is mean_reverting"),
        (
            {"market": {"correlation": {"spread_volume": 0.1}, "spread": SPREAD, "volume": VOLUME}},
            "market.correlation ties them",
        ),
        ({"costs": {**NO_MEMORY, "permanent": {"coefficient": 1e-6}}}, "scale with the mid"),
        ({"costs": {**NO_MEMORY, "transient": {"coefficient": 1e-6}}}, "memory"),
        ({"order": {"shares": 2000, "lot": 1, "steps": 20}}, "more than 400 lots"),
        ({"order": {"shares": 2000, "lot": 100, "steps": 20, "at_horizon": "leave"}}, "must be paid for"),
        ({"order": {**ORDER, "mark_penalty": 0.4}, "market": HALTING}, "the last step may leave"),
        ({"order": {**ORDER, "mark_penalty_slope": 1e-4}, "market": HALTING}, "the last step may leave"),
        ({"costs": {**NO_MEMORY, "fees": {"per_share": 0.01}}, "market": HALTING}, "the last step may leave"),
        (
            {"order": {**ORDER, **AT_QUOTE}, "costs": {**NO_MEMORY, "fees": {"per_share": 0.01}}},
            "may leave",
        ),
        ({"order": {**ORDER, "at_horizon": "mark", "mark_penalty": 0.1}}, "may leave"),
        ({"order": {**ORDER, "mark_penalty": 0.4}, "market": BY_HALVES}, "may leave"),
        (
            {"market": {"price": {"model": "arithmetic", "volatility": 9.0}, "spread": SPREAD, "volume": VOLUME}},
            "below 0",
        ),
    ],
)
def test_why_no_optimum_is_known(changes, reason):
    study = markov(strategies=[{"model": "optimum"}], train={}, **changes)
    assert reason in why_unknown(study)
    with pytest.raises(InputError, match="no optimum is known"):
        prepare(study)

"""The optimum where something is known of what comes (signals, regimes, drift), against recursions, and simulated."""

from __future__ import annotations

import math

import numpy as np
import pytest

import fastexec as fx
from fastexec.learning.optimum import solve_optimum
from fastexec.learning.unknown import why_unknown
from fastexec.simulation import simulate
from foresight import CHAINS, CURRENCY, DRIFTING, GEOMETRIC, REGIMES, STILL, THREE, N, in_currency, study_of
from naive import signals as twin
from naive.foreseen import ar1_least_cost, least_cost
from test_market_signals import exact, signal


def by_level(study):
    """The least cost of the whole order from each state of step 0, bps."""
    return solve_optimum(study).q[0, -1].min(axis=1)


# ---- against recursions


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_the_oracles_chain_exactly(side):
    """ORACLES 19: one lot a unit, a slice costs q (1 + q / 4), what is left .3 x: V(-1) 4.13920, V(+1) 9.56416, blind 7.5."""
    market = {**CURRENCY["market"], "price": {"model": "arithmetic", "volatility": 1.0}, "initial_price": 1000.0}
    study = study_of({**market, "signals": [signal("move", levels=2, persistence=0.6)]}, side,
                     {"shares": 6, "lot": 1, "steps": 6},
                     {"temporary": {"model": "linear", "fixed": 1.0, "coefficient": 0.25}})  # fmt: skip
    found = by_level(study) * 0.6  # of 6 lots at 1,000
    np.testing.assert_allclose(found[:: 1 if side == "buy" else -1], [4.13920, 9.56416], atol=5e-6)
    np.testing.assert_allclose(found[:: 1 if side == "buy" else -1], [exact(-1, 6, 6), exact(1, 6, 6)], rtol=1e-12)


@pytest.mark.parametrize("side", ["buy", "sell"])
@pytest.mark.parametrize("price", [{}, {"drift": 0.002, "start": "moved"}], ids=["martingale but for it", "drift"])
def test_a_geometric_price_by_recursion(side, price):
    """All costs grow with the mid, but a fee does not; what was foretold is taken off again."""
    fees = {"fees": {"per_share": 0.03}}
    study = study_of({**STILL, "price": {**GEOMETRIC, **price}, "signals": [THREE]}, side, costs=fees)
    places, chances = twin.rouwenhorst(3, 0.7)
    v, rho, drift, sign = 0.01, 0.3, price.get("drift", 0.0), 1.0 if side == "buy" else -1.0

    def growth(t, x):
        off = sum(v * rho * 0.7 ** (t - s) for s in range(t))
        return math.exp(drift + v * rho * (places[x] - off) - 0.5 * v * v * rho * rho)

    def paid(t, x, q):
        return q / 4.0 * (10.0 + 100.0 * (q / 7.0) ** 0.6)

    levels = least_cost(5, 4, chances, paid, lambda t, x, rest: sign * 2.5e3 * (growth(t, x) - 1.0) * rest, growth)
    first = math.exp(drift) if price else 1.0  # of the move before step 0
    expected = first * np.dot([0.25, 0.5, 0.25], levels) + sign * 1e4 * (first - 1.0) + 6.0
    assert why_unknown(study) is None
    assert solve_optimum(study).expected_bps == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("known", ["after", "during"])
def test_known_regimes_by_recursion(known):
    """Regime, volume and spread together; their multipliers, and both exponents of the volatility."""
    regimes = {**REGIMES, "volatility": [0.7, 1.6]}
    spread = {**CHAINS["spread"], "volatility_exponent": 0.5}
    market = {"spread": spread, "volume": {**CHAINS["volume"], "known": known}, "regimes": regimes}
    costs = {"temporary": {"coefficient": 0.01, "volatility_exponent": 1.2}}
    study = study_of(market, costs=costs)
    met = range(3) if known == "after" else range(2)  # 2: no volume known yet
    states = [(e, w, s) for e in range(2) for w in met for s in range(2)]
    spreads, volumes = CHAINS["spread"], CHAINS["volume"]

    def law(w):
        return volumes["initial"] if w == 2 else volumes["transition"][w]

    def one(e, w):
        """The temporary cost of a whole order in a volume of level w."""
        own = regimes["impact"][e] * regimes["volatility"][e] ** 1.2
        return 100.0 * own * (400.0 / (volumes["levels"][w] * regimes["volume"][e])) ** 0.6

    def paid(t, x, q):
        e, w, s = states[x]
        half = 0.5e4 * spreads["levels"][s] * regimes["spread"][e] * regimes["volatility"][e] ** 0.5
        raised = one(e, w) if known == "during" else sum(p * one(e, j) for j, p in enumerate(law(w)))
        return q / 4.0 * half + (q / 4.0) ** 1.6 * raised

    def chance(x, y):
        (e, w, s), (e2, w2, s2) = states[x], states[y]
        return regimes["transition"][e][e2] * (law(w)[w2] if w2 < 2 else 0.0) * spreads["transition"][s][s2]

    chances = [[chance(x, y) for y in range(len(states))] for x in range(len(states))]
    levels = least_cost(5, 4, chances, paid, lambda t, x, rest: 0.0)
    first = {2: 1.0} if known == "after" else {0: 0.3, 1: 0.7}
    expected = sum(
        (0.75, 0.25)[e] * p * 0.5 * levels[states.index((e, w, s))]
        for e in range(2) for w, p in first.items() for s in range(2)
    )  # fmt: skip
    assert solve_optimum(study).expected_bps == pytest.approx(expected, abs=1e-9)


def test_several_chains_and_a_volatility_that_is_told_by_recursion():
    """Arithmetic: what two signals foretell adds up, times what a third says of the volatility."""
    market = {"signals": [THREE, signal("volatility", "fear", levels=2, persistence=0.5),
                          signal("move", "flow", levels=2, persistence=0.4, correlation=-0.2)]}  # fmt: skip
    study = in_currency(market)
    x, over_x = twin.rouwenhorst(3, 0.7)
    _, over_fear = twin.rouwenhorst(2, 0.5)
    flow, over_flow = twin.rouwenhorst(2, 0.4)
    told = study.market.signals[1].volatility_at(np.array([-1.0, 1.0]))
    assert np.mean(told**2) == pytest.approx(1.0)
    states = [(i, j, k) for k in range(2) for j in range(2) for i in range(3)]
    chances = [[over_x[i][a] * over_fear[j][b] * over_flow[k][c] for a, b, c in states] for i, j, k in states]

    def held(t, state, rest):
        i, j, k = states[state]
        return -100.0 * rest * 0.4 * told[j] * (0.3 * x[i] - 0.2 * flow[k]) / 2e4 * 1e4

    levels = least_cost(5, 4, chances, lambda t, s, q: 100.0 * q * (0.02 + 0.04 * q) / 2e4 * 1e4, held)
    np.testing.assert_allclose(by_level(study), levels, atol=1e-9)
    assert solve_optimum(study).halved_bps is None


def test_the_risk_of_what_is_held_follows_the_regime_by_recursion():
    """Of a move's variance only what is not foretold."""
    regimes = {**REGIMES, "impact": [], "volatility": [0.5, 3.0]}
    market = {"regimes": regimes, "signals": [signal("move", levels=2, persistence=0.6)]}
    study, aversion = in_currency(market, side="buy"), 0.02
    states = [(e, i) for i in range(2) for e in range(2)]
    moves, stays = REGIMES["transition"], [[0.8, 0.2], [0.2, 0.8]]
    chances = [[moves[e][f] * stays[i][j] for f, j in states] for e, i in states]

    def held(t, state, rest):
        e, i = states[state]
        sd, shares = 0.4 * (0.5, 3.0)[e], 100.0 * rest
        return (shares * sd * 0.3 * (-1.0, 1.0)[i] + aversion * shares * shares * sd * sd * (1.0 - 0.09)) / 2e4 * 1e4

    levels = least_cost(5, 4, chances, lambda t, s, q: 100.0 * q * (0.02 + 0.04 * q) / 2e4 * 1e4, held)
    first = [0.5 * (0.75, 0.25)[e] for e, _ in states]
    assert solve_optimum(study, risk_aversion=aversion).expected_bps == pytest.approx(np.dot(first, levels), abs=1e-9)
    assert solve_optimum(study).expected_bps < np.dot(first, levels)


def test_an_ar1_is_numerical_and_near_an_interpolating_one():
    """Against Gauss-Hermite sums between many more values."""
    study = in_currency({"signals": [signal("move", persistence=0.8)]}, order={"steps": 8, "shares": 600})
    found = solve_optimum(study)
    expected = ar1_least_cost(
        8, 6, 0.8, lambda q: q * (0.02 + 0.04 * q) / 6.0 / 50.0 * 1e4, -0.4 * 0.3 / 6.0 / 50.0 * 1e4
    )
    assert found.expected_bps == pytest.approx(expected, abs=2e-3)
    assert abs(found.halved_bps) < 0.02
    assert found.halved_bps != 0.0


# ---- simulated

LISTED = signal("move", levels=[0.0, 1.0, 2.0], transition=[[0.8, 0.2, 0.0], [0.1, 0.8, 0.1], [0.0, 0.2, 0.8]])
SIMULATED = {
    "drift, a fee": lambda: study_of({**STILL, "price": DRIFTING, "signals": [THREE]},
                                     "sell", costs={"fees": {"per_share": 0.01}}),
    "a strong one": lambda: study_of({**STILL, "signals": [signal("move", levels=9, persistence=0.95, correlation=0.6)]},
                                     order={"steps": 20, "shares": 1000}),
    "two and idle volumes": lambda: study_of(
        {**CHAINS, "volume": {**CHAINS["volume"], "levels": [0.0, 900.0]},
         "signals": [THREE, signal("move", "flow", levels=2, correlation=0.2)]},
        "sell", {"at_horizon": "mark"}),
    "idle volumes, completed": lambda: study_of(
        {**CHAINS, "volume": {**CHAINS["volume"], "levels": [0.0, 900.0]}, "signals": [THREE], "regimes": REGIMES}),
    "regimes and a signal": lambda: study_of({**CHAINS, "regimes": REGIMES, "signals": [THREE]}, order={"steps": 12}),
    "regimes, known during": lambda: study_of(
        {**CHAINS, "volume": {**CHAINS["volume"], "known": "during"}, "regimes": {**REGIMES, "volatility": [0.7, 1.6]},
         "spread": {**CHAINS["spread"], "volatility_exponent": 0.5}}, order={"at_horizon": "mark"}),
    "a rest at the last quote": lambda: study_of(
        {**CHAINS, "regimes": REGIMES, "signals": [THREE]}, "sell", {"at_horizon": "mark", "mark_price": "quote"}),
    "few actions, noise, jumps": lambda: study_of(
        {**STILL, "signals": [THREE], "noise": {"sd": 0.001}, "jumps": {"rate": 0.2, "mean": 0.01}}, order={"steps": 8},
        strategies=[{"model": "optimum", "actions": {"set": "fractions", "levels": [0.0, 0.25, 0.5]}}]),
    "levels of variance": lambda: study_of(
        {**STILL, "spread": {**STILL["spread"], "volatility_exponent": 1.0},
         "signals": [signal("volatility", "fear", levels=5, persistence=0.8, correlation=0.5)]},
        costs={"temporary": {"coefficient": 0.01, "volatility_exponent": 1.0}}, order={"steps": 12}),
    "currency": lambda: in_currency({"signals": [THREE, signal("volatility", "fear", levels=4)]}),
    "currency and a drift": lambda: in_currency(
        {"price": {"model": "arithmetic", "volatility": 0.4, "drift": 0.02, "start": "moved"}, "signals": [THREE]}, "buy"),
    "listed levels": lambda: study_of({**STILL, "signals": [LISTED]}, order={"steps": 12}),
    "an AR(1)": lambda: study_of({**STILL, "signals": [signal("move", persistence=0.9)]}, order={"steps": 20, "shares": 1000}),
    "an AR(1) of the volatility": lambda: study_of(
        {**STILL, "signals": [signal("volatility", persistence=0.9, correlation=0.5)]},
        costs={"temporary": {"coefficient": 0.01, "volatility_exponent": 1.0}}, order={"steps": 12}),
}  # fmt: skip


@pytest.mark.parametrize("name", SIMULATED)
def test_it_costs_what_it_is_expected_to(name):
    """But for what nobody expects of the moves."""
    study = SIMULATED[name]()
    assert why_unknown(study) is None
    found = simulate(study).episodes
    surprise = found["timing_unexpected_bps"] if study.splits_timing else found["timing_bps"]
    cost = found["shortfall_bps"] - surprise
    expected = solve_optimum(study, study.optima[0].actions).expected_bps
    assert abs(cost.mean() - expected) < 4.0 * cost.std() / np.sqrt(N)


def test_a_table_has_a_bin_for_each_level():
    study = SIMULATED["regimes and a signal"]()
    cuts = {cut.name: cut for cut in solve_optimum(study).policy.cuts}
    assert list(cuts) == ["spread", "volume", "regime", "x", "inventory"]
    assert [cut.bins for cut in cuts.values()] == [4, 4, 2, 3, 5]
    np.testing.assert_allclose(cuts["x"].edges, [-math.sqrt(0.5), math.sqrt(0.5)])
    assert [cut.bins for cut in solve_optimum(study_of({**STILL, "signals": [THREE]})).policy.cuts] == [1, 1, 3, 5]


def test_under_a_signal_the_best_static_schedule_is_worth_what_it_says_and_nobody_beats_the_optimum():
    """What is foretold has mean zero for who does not look."""
    study = study_of({**STILL, "signals": [signal("move", levels=9, persistence=0.9, correlation=0.1)]},
                     order={"steps": 20, "shares": 1000},
                     strategies=[{"model": "static_optimum"}, {"model": "twap"}, {"model": "optimum"},
                                 {"name": "agent", "model": "qtable", "train": "a"},
                                 {"model": "blind_twin", "of": "agent"}],
                     train={"a": {"rounds": 1, "batch": 16_384, "actions": {"set": "lots", "levels": list(range(11))},
                                  "features": [{"name": "inventory", "bins": 11},
                                               {"name": "x", "bins": 9, "between": [-3.182, 3.182]}]}})  # fmt: skip
    results = simulate(study)
    expected = results.episodes["timing_expected_bps"].reshape(-1, 5)
    for blind in (0, 1, 4):
        assert abs(expected[:, blind].mean()) < 4.0 * expected[:, blind].std() / np.sqrt(N)
    rows = {row["strategy"]: row for row in fx.compare(results, baseline="static_optimum").table.to_pylist()}
    assert rows["optimum"]["captured"] == 1.0
    assert 0.9 < rows["agent"]["captured"] < 1.001
    assert rows["agent"]["saving_cv_bps"] > 1.0
    assert rows["blind_twin"]["saving_cv_bps"] < 4.0 * rows["blind_twin"]["standard_error_cv_bps"]
    told = solve_optimum(study).expected_bps
    found = results.episodes["shortfall_bps"] - results.episodes["timing_unexpected_bps"]
    error = found.reshape(-1, 5)[:, 2].std() / np.sqrt(N)
    assert abs(rows["optimum"]["optimum_bps"] - told) < 4.0 * error

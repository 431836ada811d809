"""The exact cost of a network in Markov markets: against simulation and against a programme of its own."""

from __future__ import annotations

import numpy as np
import pytest

from fastexec.learning.network_value import expected_cost, why_unvalued
from fastexec.learning.optimum import solve_optimum
from fastexec.simulation import simulate
from markets import SPREAD, VOLUME, markov
from naive.networks import chances, forward, share
from networks import SEEN, network, playing

LOTS, STEPS = 20, 8
ACTIONS = {"set": "lots", "levels": [0.0, 1.0, 2.0, 3.0, 5.0, 20.0]}


def small(known="after", **changes):
    return markov(
        known, order={"shares": 2000, "lot": 100, "steps": STEPS}, train={}, strategies=[{"model": "twap"}], **changes
    )


def by_hand(study, policy, known="after"):
    """bps: backwards over lots, spread and volume level, one state at a time, in plain Python (power cost, no other)."""
    spreads, volumes = np.array(SPREAD["levels"]), np.array(VOLUME["levels"])
    to_spread, to_volume = np.array(SPREAD["transition"]), np.array(VOLUME["transition"])
    first_spread, first_volume = stationary(to_spread), stationary(to_volume)
    cost = study.costs.temporary
    layers, scales = policy.layers, policy.observation

    def taken(t, i, s, seen):
        values = {"inventory": i / LOTS, "time": t / STEPS, "spread": spreads[s], "volume": seen}
        x = np.array([(values[one.name] - one.mean) / one.sd for one in scales])
        y = forward(layers, policy.activation, x[:, None])[-1][:, 0].tolist()
        if policy.actions is None:
            return [(int(np.floor(share(y[0], policy.mode) * i + 1e-9)), 1.0)]
        lots = [min(i, int(level)) for level in policy.actions.levels]
        if policy.mode == "sampled":
            return list(zip(lots, chances(y), strict=True))
        return [(lots[int(np.argmax(y))], 1.0)]

    def step(t, i, s, v, lots):
        """Cost of a slice of ``lots`` in a step of this spread and this volume."""
        q = i if t == STEPS - 1 else lots
        part = q / LOTS
        return 1e4 * (
            0.5 * spreads[s] * part + cost.coefficient * part * (q * 100 / volumes[v]) ** cost.exponent
        ), i - q

    ahead = np.zeros((LOTS + 1, 3, 3))  # of inventory, spread, volume of the last step (or of the step)
    for t in reversed(range(STEPS)):
        here = np.zeros_like(ahead)
        for i, s, last in np.ndindex(*ahead.shape):
            if known == "after":
                law = first_volume if t == 0 else to_volume[last]
                for lots, chance in taken(t, i, s, 0.0 if t == 0 else volumes[last]):
                    for v in range(3):
                        paid, left = step(t, i, s, v, lots)
                        here[i, s, last] += chance * law[v] * (paid + to_spread[s] @ ahead[left, :, v])
            else:
                for lots, chance in taken(t, i, s, volumes[last]):
                    paid, left = step(t, i, s, last, lots)
                    here[i, s, last] += chance * (paid + to_spread[s] @ ahead[left] @ to_volume[last])
        ahead = here
    whole = ahead[LOTS]
    return float(first_spread @ (whole[:, 0] if known == "after" else whole @ first_volume))


def stationary(transition):
    values, vectors = np.linalg.eig(transition.T)
    law = np.real(vectors[:, np.argmax(np.real(values))])
    return law / law.sum()


CASES = {
    "greedy": {"actions": ACTIONS},
    "sampled": {"actions": ACTIONS, "mode": "sampled"},
    "clip": {"actions": "share"},
    "tanh": {"actions": "share", "mode": "tanh", "activation": "relu"},
}


@pytest.mark.parametrize("known", ["after", "during"])
@pytest.mark.parametrize("case", list(CASES))
def test_as_a_programme_by_hand_says(case, known):
    study = small(known)
    policy = network(study, hidden=(12,), seed=5, **CASES[case]).learned.policy
    assert why_unvalued(study, policy) is None
    np.testing.assert_allclose(expected_cost(study, policy), by_hand(study, policy, known), rtol=2e-7)


@pytest.mark.parametrize("known", ["after", "during"])
@pytest.mark.parametrize("case", list(CASES))
def test_what_it_costs_in_simulation(tmp_path, case, known):
    """Within four standard errors, without the moves, whose mean is zero."""
    study = small(known, episodes=20_000)
    made = network(study, hidden=(12,), seed=5, **CASES[case])
    made.save(tmp_path / "net.parquet")
    rows = simulate(playing(study, tmp_path / "net.parquet")).episodes
    cost = (rows["shortfall_bps"] - rows["timing_bps"]).reshape(-1, 2)[:, 1]
    exact = expected_cost(study, made.learned.policy)
    assert abs(cost.mean() - exact) < 4 * cost.std() / np.sqrt(cost.size)
    assert exact > solve_optimum(study).expected_bps


def test_a_signal_of_levels_and_a_regime_are_in_the_state(tmp_path):
    regimes = {"names": ["calm", "wild"], "transition": [[0.9, 0.1], [0.3, 0.7]], "spread": [0.8, 1.6], "known": True}
    signals = [{"name": "flow", "predicts": "move", "correlation": 0.5, "levels": 3, "persistence": 0.8}]
    market = {"market.regimes": regimes, "market.signals": signals, "market.price.volatility": 0.002}
    study = small(episodes=20_000).changed(market)
    made = network(study, hidden=(12,), seen=[*SEEN, "flow", "regime"], actions=ACTIONS, seed=6)
    made.save(tmp_path / "net.parquet")
    assert why_unvalued(study, made.learned.policy) is None
    rows = simulate(playing(study, tmp_path / "net.parquet")).episodes
    mine = {name: rows[name].reshape(-1, 2)[:, 1] for name in ("shortfall_bps", "timing_unexpected_bps")}
    cost = mine["shortfall_bps"] - mine["timing_unexpected_bps"]
    assert abs(cost.mean() - expected_cost(study, made.learned.policy)) < 4 * cost.std() / np.sqrt(cost.size)


def test_what_is_not_in_the_state_is_said():
    study = small()
    policy = network(study, seen=[*SEEN, "momentum"], actions=ACTIONS).learned.policy
    assert why_unvalued(study, policy) == "the network sees momentum, which is not in the state of the programme"
    moving = study.changed({"market.spread": {"model": "mean_reverting", "mean": 0.0004}})
    assert "market.spread is mean_reverting" in why_unvalued(moving, policy)

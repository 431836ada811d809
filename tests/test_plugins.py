"""A user's compiled strategy is called by address, recompiles nothing, and bad slices are noticed."""

from __future__ import annotations

import numpy as np
import pytest

from fastexec.kernels import _bind, fields
from fastexec.kernels._bind import Decide, bound_stage
from fastexec.kernels.buffers import output_for
from fastexec.kernels.episode import simulate_range

STEPS, EPISODES = 10, 200


def halve(shares, remaining, mid, spread, last_volume, params, step, steps):
    """Trade a stated fraction of what remains, everything in the last step."""
    for i in range(shares.shape[0]):
        shares[i] = remaining[i] if step == steps - 1 else params[0] * remaining[i]


def too_much(shares, remaining, mid, spread, last_volume, params, step, steps):
    """One share more than there is, from step 3 on."""
    for i in range(shares.shape[0]):
        shares[i] = remaining[i] + 1.0 if step >= 3 else 0.0


def run(functions, kinds, levels, order=1000.0):
    switches = np.zeros(fields.SWITCHES, np.int64)
    switches[fields.STEPS] = STEPS
    ranges = np.zeros((len(fields.PARAMETERS), 3))
    for name, value in {"shares": order, "initial_price": 50.0, "volatility": 0.001, "volume_mean": 500.0,
                        "permanent_own": 0.5, "resilience": 0.5}.items():  # fmt: skip
        ranges[fields.PARAMETERS.index(name), :2] = value
    plan = fields.Plan(
        switches,
        np.array([0.0, 1.0, 0.0, 0.0, 0.0]),
        ranges,
        np.zeros((0, fields.DRAWN_FIELDS), np.int64),
        np.ones((4, STEPS)),
        np.zeros(fields.CHAINS_SIZE),
    )
    table = np.zeros((len(kinds), 1, STEPS + 1))
    table[:, 0] = np.arange(STEPS + 1) / STEPS
    wide = np.zeros((len(kinds), fields.KIND_FIELDS), np.int64)
    wide[:, : kinds.shape[1]] = kinds
    features = np.zeros((len(kinds), fields.MOST_FEATURES, 4), np.int64)
    edges = np.zeros((len(kinds), fields.MOST_FEATURES, fields.EDGES))
    one = np.zeros(1, np.int64)
    rules = np.zeros((0, STEPS, fields.RULE_FIELDS))
    strategies = fields.Strategies(wide, levels, table, one, features, edges, np.zeros(1, np.uint16), np.ones(1), rules)
    rows = np.zeros(1, np.int64)
    paths = fields.Paths(
        np.zeros((1, 2)),
        np.zeros((1, 2)),
        np.zeros((1, 1)),
        np.zeros(1),
        rows,
        rows,
        np.zeros((1, 1)),
        np.zeros((0, 1, 1)),
    )
    output = output_for(plan, strategies, EPISODES, every_step=True)
    made = {f: Decide(f) for f in set(functions)}
    own = tuple(made[f] for f in functions)
    simulate_range(np.uint64(3), 0, EPISODES, plan, strategies, paths, output, own)
    return output


def plugin(slot, param=0.0):
    kind, level = np.zeros((1, 6), np.int64), np.zeros((1, fields.MOST_LEVELS))
    kind[0, fields.KIND], kind[0, fields.SLOT], level[0, 0] = fields.PLUGIN, slot, param
    return kind, level


def test_a_plugin_decides_and_its_parameters_arrive():
    output = run([halve], *plugin(0, 0.25))
    shares = output.steps[fields.STEP_COLUMNS.index("shares")].reshape(EPISODES, STEPS)
    left = 1000.0 * 0.75 ** np.arange(STEPS - 1)
    np.testing.assert_allclose(shares[:, :-1], np.broadcast_to(0.25 * left, (EPISODES, STEPS - 1)), rtol=1e-14)
    np.testing.assert_allclose(shares.sum(axis=1), 1000.0)
    assert output.fault[0] == -1


def test_another_plugin_recompiles_nothing_and_sits_in_its_slot(monkeypatch):
    run([halve], *plugin(0, 0.25))
    monkeypatch.setattr(_bind.Bound, "_compiled", lambda stage: pytest.fail(f"{stage.name} is compiled again"))
    output = run([too_much, halve], *plugin(1, 0.5))
    assert output.fault[0] == -1
    assert bound_stage("strategy.own").address > 0


def test_a_study_may_have_many():
    output = run([too_much] * 40 + [halve], *plugin(40, 0.5))
    assert output.fault[0] == -1


def test_a_slice_beyond_what_remains_is_reported_with_episode_strategy_and_step():
    output = run([too_much], *plugin(0))
    assert output.fault[:4].tolist() == [0, 0, 3, 2]
    assert output.fault[4:].view(np.float64) == [1001.0]


def test_a_plugin_beside_a_schedule_moves_no_bit_of_it():
    kinds, levels = plugin(0, 0.25)
    alone = run([halve], np.zeros((1, 6), np.int64), np.zeros((1, fields.MOST_LEVELS)))
    beside = run(
        [halve], np.concatenate((np.zeros_like(kinds), kinds)), np.concatenate((np.zeros_like(levels), levels))
    )
    np.testing.assert_array_equal(alone.episodes, beside.episodes[:, ::2])

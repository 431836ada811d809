"""What trading costs is one thing, told in three ways: what is booked so far, the price of a step's slice, and the factors that
dynamic programmes price a slice by; each against the naive twin, with every part of the cost.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from fastexec.kernels import fields
from fastexec.kernels.explore import Experience, explore_range
from fastexec.kernels.gather import Gathered, gather_range
from fastexec.kernels.learning import CONSTANT
from fastexec.kernels.online import Tables, learn_episodes
from fastexec.kernels.philox import PILOT, TRAINING
from fastexec.kernels.programme import Problem, solve
from fastexec.kernels.watch import Watched
from fastexec.learning.online import rule_of, watch
from fastexec.learning.rollout import alone
from fastexec.learning.terms import numbers_of
from fastexec.models.strategies import Qtable
from fastexec.planning.expectation import temporary_exponent
from fastexec.planning.policies import Cut, TablePolicy, cut_of, powers_of, slices_of
from naive.observe import so_far, step_price
from test_observe import EPISODES, STEPS, TEMPORARY, TRANSIENT, TWAP, every_cost, paths_of, study

ACTIONS = {"set": "multiples", "levels": [0.0, 0.7, 1.6]}
FEATURES = [{"name": "inventory", "bins": 11}, {"name": "spread", "edges": [0.0004]}]
LOTS = {"set": "lots", "levels": [float(j) for j in range(11)]}


def learner(costs, rule="batched", actions=ACTIONS, **changes):
    training = {"rule": rule, "features": FEATURES, "actions": actions, "batch": EPISODES, "rounds": 1}
    strategies = [{"model": "qtable", "name": "q", "train": "a"}]
    return study(costs=costs, strategies=strategies, train={"a": training}, **changes)


def player(model):
    """A policy that acts by inventory and spread, alone in the study's training phase."""
    cuts = tuple(cut_of(feature) for feature in model.train["a"].features)
    table = np.arange(STEPS * 22).reshape(STEPS, 22) % 3
    policy = TablePolicy(cuts, model.train["a"].actions, table.astype(np.uint16), np.zeros(STEPS + 1))
    return alone(model, Qtable(model="qtable", name="q", agent="-"), TRAINING, {"q": policy})


def explored(agent):
    """Costs of the steps, bps, float64[t, e]."""
    shape = (STEPS, EPISODES)
    record = Experience(np.empty(shape, np.int32), np.empty(shape, np.uint8), np.empty(shape),
                        np.empty(shape, np.float32), np.zeros(1))  # fmt: skip
    explore_range(agent.seed, (0, EPISODES, 0), agent.plan, agent.strategies, fields.no_paths(), record)
    return record.costs


def column(output, name):
    return output.episodes[fields.EPISODE_COLUMNS.index(name)]


@pytest.mark.parametrize(
    ("temporary", "transient", "horizon"), list(product(TEMPORARY, TRANSIENT, ["complete", "mark", "leave"]))
)
def test_the_costs_of_the_steps_add_up_to_the_shortfall_without_the_moves(temporary, transient, horizon):
    order = {"shares": 1_000, "steps": STEPS, "at_horizon": horizon, "mark_penalty": 0.02, "mark_penalty_slope": 1e-5}
    agent = player(learner(every_cost(temporary, transient), order=order))
    output = agent.steps(0, EPISODES)
    total = column(output, "shortfall_bps") - column(output, "timing_bps")
    assert total.min() > 1.0
    np.testing.assert_allclose(explored(agent).sum(axis=0), total, rtol=0.0, atol=1e-9)


@pytest.mark.parametrize(("temporary", "transient"), list(product(TEMPORARY, TRANSIENT)))
def test_the_cost_of_each_step_is_what_the_twin_says(temporary, transient):
    """And by so much has the cost so far risen with it."""
    model = learner(every_cost(temporary, transient), order={"shares": 1_000, "steps": STEPS, "at_horizon": "leave"})
    data, agent = model.model_dump(), player(model)
    paths, slices = paths_of(agent.steps(0, EPISODES).steps)
    wanted = np.zeros((STEPS, EPISODES))
    for e, path in enumerate(paths):
        spent = [so_far(path, data["costs"], slices[e, :t].tolist(), False)[0] for t in range(STEPS + 1)]
        wanted[:, e] = np.diff(spent) * 1e4 / (1_000 * path.arrival)
    np.testing.assert_allclose(explored(agent), wanted, rtol=0.0, atol=1e-9)


@pytest.mark.parametrize(("temporary", "transient"), list(product(TEMPORARY, TRANSIENT)))
def test_the_recorded_price_is_what_the_cost_so_far_rises_by(temporary, transient):
    model = study(costs=every_cost(temporary, transient))
    runs = alone(model, TWAP, PILOT)
    (spent,) = runs.observe([Cut("shortfall", 1, np.zeros(0), 0)], False, 0, EPISODES)
    steps = runs.steps(0, EPISODES).steps
    rows = {name: steps[j].reshape(EPISODES, STEPS) for j, name in enumerate(fields.STEP_COLUMNS)}
    paid = rows["mid"] - np.where(rows["shares"] > 0.0, rows["price"], rows["mid"]) + 0.003  # sells, and pays its fee
    of_step = 1e4 * rows["shares"] * paid / (1_000 * rows["mid"][:, :1])
    np.testing.assert_allclose(np.diff(spent, axis=1), of_step[:, :-1], rtol=0.0, atol=1e-9)


# ---- the same as linear factors: on its path, whatever the inventory, an action costs what the twin says


def sampled(costs, rule):
    """A study of whole lots, its paths as the learner watches them, and the same paths as the engine records them."""
    model = learner(costs, rule, LOTS, order={"shares": 1_000, "steps": STEPS, "lot": 100, "at_horizon": "leave"})
    cuts = tuple(sorted((cut_of(x) for x in model.train["a"].features), key=lambda cut: cut.name == "inventory"))
    seen = watch(model, model.train["a"], cuts, "a", 0)
    paths, _ = paths_of(alone(model, TWAP, TRAINING).steps(0, EPISODES).steps)
    return model, cuts, seen, paths


def twins_cost(model, path, t, left, shares):
    """bps of a slice with so many shares left."""
    costs = model.model_dump()["costs"]
    if path.volume[t] == 0.0 or shares == 0.0:
        return 0.0
    return shares * step_price(path, costs, t, shares, 1_000.0 - left, 0.0) * 1e4 / (1_000 * path.arrival)


@pytest.mark.parametrize("temporary", list(TEMPORARY))
def test_a_step_of_online_learning_costs_what_the_twin_says(temporary):
    """One episode of actions by chance, each target taken as it is and nothing expected of what follows: Q is the cost."""
    model, cuts, seen, paths = sampled(every_cost(temporary, "off"), "online")
    rule = rule_of(model, model.train["a"], cuts, 1.0)._replace(learning=np.array([1.0, 0.0, 1.0]), rate=CONSTANT)
    met = 0
    for e in range(EPISODES):
        q, visits = np.zeros((1, STEPS, 22, 11)), np.zeros((STEPS, 22, 11), np.int64)
        tables = Tables(q, np.zeros_like(q), visits)
        learn_episodes(Watched(*(array[e : e + 1] for array in seen)), rule, tables, 2)
        for t, s, action in np.argwhere(visits).tolist():
            left, shares = 100.0 * (s // 2), 100.0 * min(action, s // 2)
            met += shares > 0.0
            assert s % 2 == seen.states[e, t]
            assert q[0, t, s, action] == pytest.approx(twins_cost(model, paths[e], t, left, shares), abs=1e-9)
    assert met > EPISODES


@pytest.mark.parametrize("temporary", list(TEMPORARY))
def test_what_is_gathered_costs_what_the_twin_says_in_the_mean(temporary):
    """All paths of a step in one state: the sums of their factors price a slice at the sum of the twin's costs."""
    model, cuts, seen, paths = sampled(every_cost(temporary, "off"), "backward")
    agent = alone(model, Qtable(model="qtable", name="q", agent="-"), TRAINING, {"q": TablePolicy(
        cuts[:-1], model.train["a"].actions, np.zeros((STEPS, 2), np.uint16), np.zeros(STEPS + 1))})  # fmt: skip
    cube, scale = (STEPS, 2, 2), 2.0**36
    sums = Gathered(*(np.zeros(cube, np.int64) for _ in range(4)), *(np.zeros((STEPS, 2, 2), np.int64) for _ in range(2)),
                    np.zeros((STEPS, 2, 3), np.int64), np.array([scale, 1e4, 1e6, 1.0, 1.0, 1.0]),
                    np.zeros(1, np.int64))  # fmt: skip
    gather_range(agent.seed, 0, EPISODES, agent.plan, agent.strategies, fields.no_paths(), sums)
    assert sums.fault[0] == 0
    sure = sums.go.sum(axis=2).astype(float)
    factors = [x / scale for x in (sums.half.sum(axis=2), sums.temporary.sum(axis=2), sums.ends)]
    slices = slices_of(model, model.train["a"].actions, 11, 1_000.0)
    problem = Problem(
        np.zeros(cube), np.zeros(cube), sure, *factors, np.zeros((STEPS, 2, 2)), np.zeros((STEPS, 2)),
        np.ascontiguousarray(slices), powers_of(slices, temporary_exponent(model)), numbers_of(model), fields.LEAVE,
    )  # fmt: skip
    q = np.empty((STEPS, 11, 2, 11))
    solve(problem, q, np.empty((STEPS + 1, 11, 2)))  # no state follows: what is to come costs nothing
    for t, x, i, action in product(range(STEPS), range(2), (4, 10), (1, 3)):
        here = [path for e, path in enumerate(paths) if seen.states[e, t] == x]
        assert len(here) == sums.go[t, x].sum() + sums.stay[t, x].sum()
        wanted = sum(twins_cost(model, path, t, 100.0 * i, 100.0 * action) for path in here)
        assert q[t, i, x, action] == pytest.approx(wanted, abs=1e-9 * max(len(here), 1))

"""Batched Q-learning: equal to a plain twin with the same fixed point, the same on any number of threads, and it learns."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest

from conftest import data_file, small_study
from fastexec.errors import InputError
from fastexec.kernels import fields
from fastexec.kernels.explore import Experience, explore_range
from fastexec.kernels.learning import (
    BY_VISITS,
    CONSTANT,
    COUNT,
    MEAN,
    SECOND,
    TOTAL,
    VISITS,
    Rate,
    Scales,
    Step,
    add_targets,
    merge_targets,
    tabulate_shares,
)
from fastexec.kernels.philox import EVALUATION, TRAINING
from fastexec.learning.agent import agent_table
from fastexec.learning.batched import Learner
from fastexec.learning.optimum import solve_optimum
from fastexec.learning.rollout import play
from fastexec.learning.training import train
from fastexec.planning.expectation import expect
from fastexec.planning.plan import plan_strategies, plan_study
from fastexec.planning.policies import Cut
from fastexec.runs.run import run
from fastexec.studies.study import Study
from markets import FEATURES, LOTS, markov

BATCH = 4_096
CUTS = (Cut("spread", 2, np.array([0.001]), 0), Cut("inventory", 3, np.zeros(0), 0))


def batched(**training):
    return markov(train={"a": {"rule": "batched", "features": FEATURES, "actions": LOTS, **training}})


def experience(study, policy, epsilon, count=600):
    alone = study.model_copy(update={"strategies": tuple(s for s in study.strategies if s.name == "learned")})
    plan, _ = plan_study(study, TRAINING)
    strategies = plan_strategies(alone, expect(study), policies={"learned": policy})
    shape = (study.order.steps, count)
    record = Experience(
        np.empty(shape, np.int32),
        np.empty(shape, np.uint8),
        np.empty(shape),
        np.empty(shape, np.float32),
        np.array([epsilon]),
    )
    explore_range(np.uint64(study.seed), (0, count, 0), plan, strategies, fields.no_paths(), record)
    return record


def test_the_costs_of_the_steps_add_up_to_the_shortfall_without_the_moves():
    study = markov()
    solved = solve_optimum(study)
    policy = solved.policy._replace(actions=study.train["a"].actions)
    record = experience(study, policy, 0.0)
    mean = play(study, policy, TRAINING, 600).cost
    assert record.costs.sum(axis=0).mean() == pytest.approx(mean, rel=1e-9)


def test_exploration_tries_every_action_as_often():
    study = markov()
    policy = solve_optimum(study).policy._replace(actions=study.train["a"].actions)
    counts = np.bincount(experience(study, policy, 1.0).actions.ravel(), minlength=21)
    assert np.abs(counts - 600 * 20 / 21).max() < 5 * np.sqrt(600 * 20 / 21)


def test_the_update_equals_a_plain_twin():
    rng = np.random.default_rng(6)
    states, actions, count, alpha, discount = 5, 3, 400, 0.05, 0.9
    scales = Scales(discount, 2.0**20, 2.0**16, 1e6, 1)
    s, a = rng.integers(0, states, count).astype(np.int32), rng.integers(0, actions, count).astype(np.uint8)
    costs, following = rng.normal(5.0, 2.0, count), rng.integers(0, states, count).astype(np.int32)
    ahead, learned = rng.uniform(0.0, 3.0, states), np.zeros((states, actions, 3))
    learned[..., MEAN], learned[..., VISITS] = rng.uniform(0.0, 9.0, (states, actions)), 9.0
    learned[..., SECOND] = learned[..., MEAN] ** 2
    wanted = learned.copy()
    for i in range(states):
        for j in range(actions):
            hit = (s == i) & (a == j)
            if hit.any():
                y = np.array([c + discount * ahead[f] for c, f in zip(costs[hit], following[hit], strict=True)])
                share = 1.0 - (1.0 - alpha) ** y.size
                wanted[i, j, MEAN] += share * (y.mean() - wanted[i, j, MEAN])
                wanted[i, j, SECOND] += share * ((y * y).mean() - wanted[i, j, SECOND])
                wanted[i, j, VISITS] += y.size
    cells, shares = np.zeros((2, states, actions, 3), np.int64), np.zeros(20)  # some counts tabulated, some not
    tabulate_shares(alpha, shares)
    fault, policy, least = np.zeros(1, np.int64), np.zeros(states, np.uint16), np.empty(states)
    even = np.zeros(count, np.float32)
    for part, (low, high) in enumerate(((0, 150), (150, count))):
        add_targets(Step(s, a, costs, following, even, even), ahead, low, high, scales, cells[part], fault)
    merge_targets(learned, cells, Rate(CONSTANT, alpha, shares), scales, policy, least)
    np.testing.assert_allclose(learned, wanted, rtol=1e-4)
    np.testing.assert_array_equal(least, learned[np.arange(states), policy, MEAN])
    assert not cells.any()
    assert fault[0] == 0


def test_a_target_beyond_the_bound_is_counted_and_not_added():
    one, zero, even = np.zeros(1, np.int32), np.zeros(1, np.uint8), np.zeros(1, np.float32)
    cells, fault = np.zeros((1, 1, 3), np.int64), np.zeros(1, np.int64)
    step, scales = Step(one, zero, np.array([2e6]), one, even, even), Scales(1.0, 1.0, 1.0, 1e6, 1)
    add_targets(step, np.zeros(1), 0, 1, scales, cells, fault)
    assert (fault[0], cells[0, 0, COUNT], cells[0, 0, TOTAL]) == (1, 0, 0)


def test_the_scales_leave_room_for_every_target_at_the_largest():
    """Whatever costs come, neither the sum nor the sum of squares of a round leaves 63 bits."""
    learner = Learner(batched(batch=BATCH, rounds=1), batched(batch=BATCH).train["a"], CUTS, "a", 1)
    for largest in (1e-9, 1.0, 345.6, 9e5):
        learner.record.costs[:] = -largest
        scales = learner._scales(3, np.full(learner.policy.shape[1], np.nan))
        for scale, most in ((scales.total, scales.bound), (scales.square, scales.bound**2)):
            assert scales.bound >= largest
            assert 2.0**58 < BATCH * most * scale < 2.0**62


def test_threads_change_no_bit_and_visits_add_up():
    one, two = (train(batched(batch=BATCH, rounds=3), "a", threads=threads) for threads in (1, 2))
    np.testing.assert_array_equal(one.q, two.q)
    assert one.visits.sum() == 3 * BATCH * 20


@pytest.mark.slow
def test_it_learns_towards_the_optimum():
    """Most of the way in a second; rule backward goes the whole (tests/test_learning.py)."""
    agent = train(batched(batch=8_192, rounds=250, epsilon=0.1, epsilon_last=0.05, learning_rate=0.1), "a", threads=2)
    study = markov()
    best = play(study, solve_optimum(study).policy, EVALUATION, 20_000).cost
    learned = play(study, agent.policy, EVALUATION, 20_000).cost
    start = agent.curve[0]["validation_bps"]
    assert best < learned < start - 0.4 * (start - best)


def test_what_it_does_not_know():
    marked = batched(risk_aversion=1e-6)
    order = marked.order.model_dump() | {"at_horizon": "mark"}
    with pytest.raises(InputError, match='needs order.at_horizon = "complete"'):
        train(marked.changed({"order": order}), "a")


def test_it_learns_on_features_that_the_agent_moves_itself():
    features = [{"name": "inventory", "bins": 13}, {"name": "impact", "bins": 3}, {"name": "shortfall", "bins": 3}]
    study = small_study(
        costs={"transient": {"coefficient": 5e-5, "resilience": 0.3}},
        strategies=[{"model": "twap"}, {"name": "learned", "model": "qtable", "train": "a"}],
        train={"a": {"rule": "batched", "features": features, "batch": BATCH, "rounds": 60, "epsilon": 0.2}},
    )
    agent = train(study, "a")
    assert [cut.bins for cut in agent.cuts] == [3, 3, 13]
    visited = agent.visits.reshape(12, 13, 3, 3).sum(axis=(0, 1))
    assert (visited.sum(axis=0) > 0).sum() >= 2  # both own features move
    assert (visited.sum(axis=1) > 0).sum() >= 2
    assert agent.fresh[0] < agent.curve[0]["validation_bps"] + 0.05  # and it is not worse than the start


def test_an_agent_trained_on_a_calibrated_market_plays_real_days(tmp_path):
    """The whole way: train on figures of five days, replay the days; the interval is over days."""
    training = {
        "features": [{"name": "inventory", "bins": 21}, {"name": "spread", "bins": 4}],
        "rounds": 1,
        "batch": 20_000,
    }
    trained = Study.preset("large_cap_ibm").changed({"train": {"a": training}})
    pq.write_table(agent_table(train(trained, "a")), tmp_path / "agent.parquet")
    days = Study.from_dict(
        {
            "order": {"shares": 28_000, "steps": 60},
            "market": {"model": "replay", "bars": str(data_file("us_bars_1min.parquet")), "symbol": "IBM"},
            "costs": {"temporary": {"coefficient": 0.0011}},
            "strategies": [
                {"model": "twap"},
                {"name": "learned", "model": "qtable", "agent": str(tmp_path / "agent.parquet")},
            ],
        }
    )
    result = run(days, out=tmp_path / "r")
    (row,) = result.comparison.to_pylist()
    assert row["episodes"] == 30
    assert row["ci_low_bps"] < row["saving_bps"] < row["ci_high_bps"]
    assert row["saving_cv_bps"] is None


def test_patience_ends_a_training_that_no_longer_gains():
    """And not before: until then the last four rounds always brought a better one."""
    few = {"set": "multiples", "levels": [0.0, 0.5, 1.0, 1.5, 2.0]}
    agent = train(batched(batch=8_192, rounds=80, patience=4, actions=few), "a")
    costs = [row["validation_bps"] for row in agent.curve[1:]]
    gains = [min(costs[n - 4 : n]) < min(costs[: n - 4]) for n in range(5, len(costs) + 1)]
    assert 9 < len(costs) < 80
    assert gains == [True] * (len(gains) - 1) + [False]


def test_a_rate_by_visits_weighs_every_target_alike():
    learned, policy, least = np.zeros((1, 1, 3)), np.zeros(1, np.uint16), np.empty(1)
    scales, rate = Scales(1.0, 1024.0, 64.0, 1e6, 1), Rate(BY_VISITS, 0.1, np.zeros(1))
    every = [1.0, 3.0, 5.0, 2.0, 2.0, 8.0]
    for targets in (every[:2], every[2:3], every[3:]):
        sums = int(sum(targets) * 1024), int(sum(y * y for y in targets) * 64), len(targets)
        merge_targets(learned, np.array([[[sums]]]), rate, scales, policy, least)
    assert learned[0, 0, MEAN] == pytest.approx(np.mean(every), rel=1e-14)
    assert learned[0, 0, SECOND] == pytest.approx(np.mean(np.square(every)), rel=1e-14)
    assert learned[0, 0, VISITS] == 6


def test_a_training_goes_on_from_an_agent(tmp_path):
    tried = {"batch": BATCH, "rounds": 40, "epsilon": 0.1, "epsilon_last": 0.1}
    first = train(batched(**tried), "a")
    pq.write_table(agent_table(first), tmp_path / "first.parquet")
    more = train(batched(**tried, start=str(tmp_path / "first.parquet")), "a")
    assert more.curve[0]["validation_bps"] < first.curve[5]["validation_bps"]
    assert min(row["validation_bps"] for row in more.curve) < min(row["validation_bps"] for row in first.curve)
    with pytest.raises(InputError, match="has other actions"):
        train(batched(start=str(tmp_path / "first.parquet"), actions={"set": "fractions"}), "a")
    with pytest.raises(InputError, match="computes from its sample alone"):
        train(batched(rule="backward", start=str(tmp_path / "first.parquet")), "a")

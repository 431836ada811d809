"""Q-learning and double Q-learning online: the textbook's rule, on one thread, in the order of the episodes.

The market is taken to be unmoved by the agent in training, as in ``backward``; inventory is whole grid points.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fastexec.kernels import fields
from fastexec.kernels.online import Rule, learn_episodes
from fastexec.kernels.philox import TRAINING
from fastexec.kernels.watch import Watched, watch_range
from fastexec.learning.backward import require_memoryless
from fastexec.learning.optimum import numbers_of, risk_of
from fastexec.models.agents import Training
from fastexec.models.scalar import expected
from fastexec.models.strategies import Qtable
from fastexec.models.study import StudyModel
from fastexec.planning.expectation import expect, temporary_exponent
from fastexec.planning.plan import horizon_rule, owner, plan_strategies, plan_study
from fastexec.planning.policies import Cut, TablePolicy, market_states, powers_of, slices_of


def learn_online(
    study: StudyModel, training: Training, cuts: tuple[Cut, ...], name: str, threads: int, start: np.ndarray | None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """After each round q float64[t, state, a] (of two tables the mean) and visits int64[t, state]; ``threads``: one works."""
    require_memoryless(study, name)
    states, steps = market_states(cuts), study.order.steps
    shape = (steps, states * cuts[-1].bins)
    cells = (*shape, len(training.actions.levels))
    q, visits = np.zeros((2, *cells)), np.zeros(cells, np.int64)
    double = training.rule == "double"
    if start is not None:
        q[:] = start
    for number in range(training.rounds):
        last = max(training.rounds - 1, 1)
        epsilon = training.epsilon + (training.epsilon_last - training.epsilon) * number / last
        seen = watch(study, training, cuts, name, number)
        learn_episodes(seen, rule_of(study, training, cuts, epsilon), q, visits, states)
        yield (0.5 * (q[0] + q[1]) if double else q[0].copy()), visits.sum(axis=2)


def watch(study: StudyModel, training: Training, cuts: tuple[Cut, ...], name: str, number: int) -> Watched:
    """The paths of a round."""
    count, steps, states = training.batch, study.order.steps, market_states(cuts)
    plan, _ = plan_study(study, TRAINING)
    table = np.zeros((steps, states), np.uint16)
    looking = TablePolicy(cuts[:-1], training.actions, table, np.zeros(steps + 1))
    alone = study.model_copy(update={"strategies": (Qtable(model="qtable", name="agent", agent="-"),)})
    strategies = plan_strategies(alone, expect(study), policies={"agent": looking})
    strategies.kinds[0, fields.OWNER] = owner(name)
    shape = (count, steps)
    seen = Watched(
        np.empty(shape, np.int32), np.empty((*shape, 4)), np.empty(shape, np.uint8), np.empty((*shape, 2), np.uint32)
    )
    watch_range(np.uint64(study.seed), number * count, count, plan, strategies, fields.no_paths(), seen)
    return seen


def rule_of(study: StudyModel, training: Training, cuts: tuple[Cut, ...], epsilon: float) -> Rule:
    """What the kernel needs of study and training."""
    inventories = cuts[-1].bins
    slices = slices_of(study, training.actions, inventories, expected(study.order.shares))
    left = np.arange(inventories)[:, None] / (inventories - 1) - slices
    after = np.floor(left * (inventories - 1) + 0.5).astype(np.int64)
    alpha = training.learning_rate if training.rate == "constant" else 0.0
    learning = np.array([alpha, training.discount, epsilon])
    return Rule(
        np.ascontiguousarray(slices), powers_of(slices, temporary_exponent(study)), after,
        risk_of(study, training.risk_aversion), numbers_of(study), learning, horizon_rule(study),
        int(training.rule == "double"),
    )  # fmt: skip

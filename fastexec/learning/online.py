"""Q-learning and double Q-learning online: the textbook's rule, on one thread, in the order of the episodes.

The market is taken to be unmoved by the agent in training, as in ``backward``; inventory is whole grid points.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fastexec.exact import power_of
from fastexec.kernels import fields
from fastexec.kernels.online import Rule, Tables, learn_episodes
from fastexec.kernels.philox import TRAINING
from fastexec.kernels.programme import DISCOUNT, Problem, solve
from fastexec.kernels.watch import Watched, watch_range
from fastexec.learning.backward import require_memoryless
from fastexec.learning.batched import RATES, epsilon_of
from fastexec.learning.tables import Learned, least
from fastexec.learning.terms import end_temporary, numbers_of, risk_in, risk_of
from fastexec.models.agents import Training
from fastexec.models.names import owner
from fastexec.models.scalar import expected
from fastexec.models.strategies import Qtable
from fastexec.models.study import StudyModel
from fastexec.planning.expectation import expect, temporary_exponent
from fastexec.planning.plan import horizon_rule, plan_strategies, plan_study
from fastexec.planning.policies import Cut, TablePolicy, market_states, powers_of, slices_of

_HAIR = 1e-9  # of a grid point, by which an action may miss it: rounding


def learn_online(
    study: StudyModel,
    training: Training,
    cuts: tuple[Cut, ...],
    name: str,
    threads: int,
    start: Learned | None,
    policy: np.ndarray,
) -> Iterator[Learned]:
    """The table after each round, of two tables the mean; ``threads``: one works. It begins from what each action costs in
    the market as it is expected to be, the best static schedule from there on.
    """
    require_memoryless(study, name)
    first = expected_table(study, training, cuts)
    second = first * first
    if start is not None:
        known = ~np.isnan(start.q)
        first[known], second[known] = start.q[known], start.second[known]
    tables = Tables(np.stack((first, first)), np.stack((second, second)), np.zeros(first.shape, np.int64))
    for number in range(training.rounds):
        seen = watch(study, training, cuts, name, number)
        rule = rule_of(study, training, cuts, epsilon_of(training, number))
        learn_episodes(seen, rule, tables, market_states(cuts))
        q, squares = (0.5 * (x[0] + x[1]) if rule.double else x[0].copy() for x in (tables.q, tables.second))
        tries = tables.visits.copy()
        yield Learned(q, squares, tries, tries.sum(axis=2), least(q, policy))


def expected_table(study: StudyModel, training: Training, cuts: tuple[Cut, ...]) -> np.ndarray:
    """Cost to go of each action where spread, volume and mid are what they are expected to be, float64[t, state, a]."""
    (market, *_), terms, order = expect(study), study.costs.temporary.terms(), study.order
    slices = slices_of(study, training.actions, cuts[-1].bins, market.shares)
    size = float(power_of(np.array([market.shares]), terms.exponent)[0])
    numbers, half = numbers_of(study), 1e4 * market.relative.half_spread
    numbers[DISCOUNT] = training.discount
    factor = 1e4 * terms.power * size * market.relative.growth * market.inverse_volume * market.traded
    traded = market.traded.copy()
    end = np.stack((half, end_temporary(study) * market.relative.growth), axis=1)[:, None]
    problem = Problem(
        traded[:, None, None], 1.0 - traded[:, None, None], traded[:, None], (half * traded)[:, None], factor[:, None],
        end, expected_moves(study), risk_in(study, training.risk_aversion, 1), np.ascontiguousarray(slices),
        powers_of(slices, terms.exponent), numbers, horizon_rule(study),
    )  # fmt: skip
    q = np.empty((order.steps, slices.shape[0], 1, slices.shape[1]))
    solve(problem, q, np.empty((order.steps + 1, slices.shape[0], 1)))
    return np.repeat(q, market_states(cuts), axis=2).reshape(order.steps, -1, slices.shape[1])


def expected_moves(study: StudyModel) -> np.ndarray:
    """``Problem.moves`` of the market as it is expected to be, float64[t, 1, 2]; the last move as the one before it."""
    (market, *_) = expect(study)
    moves = np.zeros((study.order.steps, 1, 2))
    if study.splits_timing:
        side = 1.0 if study.order.side == "buy" else -1.0
        change = np.diff(market.relative.change, append=0.0)
        change[-1] = change[-2] if change.size > 1 else 0.0
        moves[:, 0, 0] = 1e4 * side * change * market.traded
        moves[:, 0, 1] = 1e4 * side * change * (1.0 - market.traded)
    return moves


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
        np.empty(shape, np.int32), np.empty((*shape, 5)), np.empty(shape, np.uint8), np.empty((*shape, 2), np.uint32)
    )
    watch_range(np.uint64(study.seed), number * count, count, plan, strategies, fields.no_paths(), seen)
    return seen


def rule_of(study: StudyModel, training: Training, cuts: tuple[Cut, ...], epsilon: float) -> Rule:
    """What the kernel needs of study and training."""
    inventories = cuts[-1].bins
    slices = slices_of(study, training.actions, inventories, expected(study.order.shares))
    after = np.arange(inventories)[:, None] - slices * (inventories - 1)
    nearest = np.floor(after + 0.5)
    after = np.minimum(np.maximum(np.where(np.abs(after - nearest) < _HAIR, nearest, after), 0.0), inventories - 1.0)
    learning = np.array([training.learning_rate, training.discount, epsilon])
    return Rule(
        np.ascontiguousarray(slices), powers_of(slices, temporary_exponent(study)), after,
        risk_of(study, training.risk_aversion), numbers_of(study), learning, RATES[training.rate], horizon_rule(study),
        int(training.rule == "double"),
    )  # fmt: skip

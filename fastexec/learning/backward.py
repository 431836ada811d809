"""Backward learning: every inventory and action on every sampled path, the last step first (Nevmyvaka et al. 2006).

The market is taken to be unmoved by the agent in training; the evaluation keeps the impact. ``kernels.gather`` says why
the sample enters through sums and counts alone: the estimate is that of trying all combinations on all paths.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from fastexec.errors import InputError
from fastexec.exact import power_of
from fastexec.kernels import fields
from fastexec.kernels.gather import Gathered, gather_range
from fastexec.kernels.philox import TRAINING
from fastexec.kernels.programme import DISCOUNT, Problem, solve
from fastexec.kernels.second_moments import Sampled, find_second_moments
from fastexec.learning.agent import FEWEST_VISITS
from fastexec.learning.tables import Drafted, Learned
from fastexec.learning.terms import numbers_of, risk_in
from fastexec.models.agents import Training
from fastexec.models.scalar import bounds, expected
from fastexec.models.strategies import Qtable
from fastexec.models.study import StudyModel
from fastexec.planning.expectation import expect, temporary_exponent
from fastexec.planning.plan import horizon_rule, plan_strategies, plan_study
from fastexec.planning.policies import Cut, TablePolicy, market_states, powers_of, slices_of

_MOST_SPREAD, _FARTHEST = 1e4, 16.0  # bps; a mid of more than 16 times its start is refused
_MOST_STATES = 1_024
_AGENT = Qtable(model="qtable", name="agent", agent="-")


def learn_backward(
    study: StudyModel,
    training: Training,
    cuts: tuple[Cut, ...],
    name: str,
    threads: int,
    start: Learned | None,
    policy: np.ndarray,
) -> Iterator[Drafted]:
    """The table after each round, of all rounds so far; every visit of a market state tries every inventory and action.

    Raises InputError where the rule does not know what the study has: transient impact, an exponent that is drawn.
    """
    require_memoryless(study, name)
    if start is not None:
        raise InputError(f"train.{name}.start: rule backward computes from its sample alone; leave start out")
    states, steps = market_states(cuts), study.order.steps
    if states > _MOST_STATES:
        raise InputError(
            f"train.{name}.features: {states} market states, more than {_MOST_STATES} of rule backward; cut fewer bins"
        )
    sums = [_empty(study, training, states) for _ in range(threads)]
    plan, _ = plan_study(study, TRAINING)
    market = tuple(cut for cut in cuts if cut.name != "inventory")
    looking = TablePolicy(market, training.actions, np.zeros((steps, states), np.uint16), np.zeros(steps + 1))
    alone = study.model_copy(update={"strategies": (_AGENT,)})
    strategies = plan_strategies(alone, expect(study), policies={"agent": looking})
    with ThreadPoolExecutor(threads) as pool:
        for number in range(training.rounds):
            edges = (
                np.linspace(number * training.batch, (number + 1) * training.batch, threads + 1).astype(int).tolist()
            )
            jobs = [
                pool.submit(
                    gather_range, np.uint64(study.seed), low, high - low, plan, strategies, fields.no_paths(), part
                )
                for low, high, part in zip(edges, edges[1:], sums, strict=False)
            ]
            for job in jobs:
                job.result()
            _require_room(sums, name)
            yield _solved(study, training, cuts, sums, threads)


def require_memoryless(study: StudyModel, name: str) -> None:
    """InputError where a cost depends on more than the step: the rules that see the market alone cannot learn it."""
    if study.costs.transient.declares().remembers:
        raise InputError(
            f"train.{name}: only rule batched knows transient impact; use it, or set costs.transient.coefficient = 0"
        )
    if len(set(study.costs.temporary.terms().exponents)) > 1:
        raise InputError(f"train.{name}: this rule needs one costs.temporary.exponent, not a range")


def _empty(study: StudyModel, training: Training, states: int) -> Gathered:
    """Nothing gathered yet; the fixed point leaves room for every visit at the largest value."""
    steps, visits = study.order.steps, training.rounds * training.batch
    spread, temporary = _MOST_SPREAD, most_temporary(study)
    scale = fixed_point(max(spread, temporary) * visits)
    products = [fixed_point(most * visits) for most in (spread * spread, spread * temporary, temporary * temporary)]
    return Gathered(
        np.zeros((steps, states, states), np.int64),
        np.zeros((steps, states, states), np.int64),
        np.zeros((steps, states, states), np.int64),
        np.zeros((steps, states, states), np.int64),
        np.zeros((steps, states, 2), np.int64),
        np.zeros((steps, states, 2), np.int64),
        np.zeros((steps, states, 3), np.int64),
        np.array([scale, spread, temporary, *products]),
        np.zeros(1, np.int64),
    )


def fixed_point(largest: float) -> float:
    """The power of two by which sums of at most ``largest`` stay below 2^62 as integers."""
    return float(np.ldexp(1.0, 61 - int(np.frexp(largest)[1])))


def most_temporary(study: StudyModel) -> float:
    """Bound of the temporary factor, bps: the order in the thinnest step that the sums have room for."""
    terms = study.costs.temporary.terms()
    (market, *_) = expect(study)
    thinnest = 1e-4 * float(market.volume.min())
    rate = float(power_of(np.array([bounds(study.order.shares)[1] / thinnest]), terms.exponent)[0])
    return float(max(_FARTHEST * 1e4 * terms.most_power * rate, 1.0))


def _require_room(sums: list[Gathered], name: str) -> None:
    """InputError where a sampled step cost more than the sums have room for."""
    faults = sum(int(part.fault[0]) for part in sums)
    if faults:
        raise InputError(
            f"train.{name}: {faults} sampled steps cost more than the fixed point has room for (a volume under 1e-4 of its "
            "mean, or a spread beyond 100 %); raise market.volume.floor"
        )


def _solved(
    study: StudyModel, training: Training, cuts: tuple[Cut, ...], sums: list[Gathered], threads: int
) -> Drafted:
    go, stay, spread, temporary, ends, moves, squares = (np.sum([part[j] for part in sums], axis=0) for j in range(7))
    scale, visits = sums[0].scale, go.sum(axis=2) + stay.sum(axis=2)
    half, factor = (_pooled(x, visits) / scale[0] for x in (spread, temporary))
    sampled = Sampled(half, factor, _pooled(squares, visits) / scale[3:])
    factors = _pooled(ends, visits) / scale[0], _pooled(moves, visits) / scale[0]
    problem = _problem(study, training, cuts, (_pooled(go, visits), _pooled(stay, visits)), sampled, factors)
    steps, inventories, states = study.order.steps, cuts[-1].bins, visits.shape[1]
    q = np.empty((steps, inventories, states, problem.slices.shape[1]))
    v = np.empty((steps + 1, inventories, states))
    solve(problem, q, v)
    shape = (steps, inventories * states)
    met = np.ascontiguousarray(np.broadcast_to(visits[:, None, :], (steps, inventories, states))).reshape(shape)
    table = q.reshape(*shape, -1)
    best = np.argmin(table, axis=2).astype(np.uint16)

    def finish() -> Learned:
        tries = np.repeat(met[:, :, None], table.shape[2], axis=2)
        return Learned(
            table, _second_moments(problem, sampled, v, q.shape, threads).reshape(table.shape), tries, met, best
        )

    return Drafted(table, met, best, finish)


def _second_moments(
    problem: Problem, sampled: Sampled, v: np.ndarray, shape: tuple[int, ...], threads: int
) -> np.ndarray:
    """Mean squared targets, float64[t, i, x, a], each thread's steps by themselves."""
    second, edges = np.empty(shape), np.linspace(0, shape[0], threads + 1).astype(int).tolist()
    with ThreadPoolExecutor(threads) as pool:
        parts = zip(edges, edges[1:], strict=False)
        for job in [pool.submit(find_second_moments, problem, sampled, v, second, *part) for part in parts]:
            job.result()
    return second


def _pooled(sums: np.ndarray, visits: np.ndarray) -> np.ndarray:
    """Means a visit of whole numbers, float64[t, x, ...]; a state of too few visits takes those of its step over all states:
    it acts without looking.
    """
    total = sums.sum(axis=1) / visits.sum(axis=1)[:, None]
    known = visits >= FEWEST_VISITS
    own = sums / np.where(known, visits, 1)[:, :, None]
    return np.ascontiguousarray(np.where(known[:, :, None], own, total[:, None, :]))


def _problem(
    study: StudyModel,
    training: Training,
    cuts: tuple[Cut, ...],
    chances: tuple[np.ndarray, np.ndarray],
    sampled: Sampled,
    factors: tuple[np.ndarray, np.ndarray],
) -> Problem:
    slices = slices_of(study, training.actions, cuts[-1].bins, expected(study.order.shares))
    numbers, (go, stay) = numbers_of(study), chances
    numbers[DISCOUNT] = training.discount
    sure, spread, temporary = (
        np.ascontiguousarray(np.add.accumulate(x, axis=2)[:, :, -1]) for x in (go, sampled.half, sampled.temporary)
    )
    return Problem(
        go, stay, sure, spread, temporary, *factors, risk_in(study, training.risk_aversion, sure.shape[1]),
        np.ascontiguousarray(slices), powers_of(slices, temporary_exponent(study)), numbers,
        horizon_rule(study),
    )  # fmt: skip

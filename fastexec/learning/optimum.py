"""The optimum of a Markov market: a backward programme with the agent's information, lots and clock.

State: time, inventory in whole lots, spread level, the volume level as far as it is known (of the last step, or of the step
itself under known = "during"), and what else everybody knows when a step begins: the regime, the levels of signals. Exact
where spread and volume are independent of the price, which stays above 0, and either all costs scale with the mid or none does:
then its level multiplies the cost to go, or does not enter it. What is known to come of a price's moves is earned by what is
held through them: a geometric price also grows by it, with all costs that are still to come. A penalty on what is marked at
the end is currency, and so is a fee that it saves; a fee on the whole order is one number, and what is marked as a trade pays
it too. An AR(1) signal has a grid in place of its values: the optimum is then a numerical one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastexec.exact import curve, plain_sum, power_of
from fastexec.kernels.programme import LINEAR, Problem, solve
from fastexec.learning.axes import Axis, Joint, axes_of, joined
from fastexec.learning.sight import cuts_of_states, laws_of_market, spread_times, states_of_codes
from fastexec.learning.terms import numbers_of, raised_at_end, risk_in
from fastexec.models.actions import Actions
from fastexec.models.scalar import expected
from fastexec.models.study import StudyModel
from fastexec.planning.expectation import temporary_exponent
from fastexec.planning.plan import horizon_rule, known_after
from fastexec.planning.policies import TablePolicy, powers_of, slices_of


class Solved(NamedTuple):
    """The policy, what it is expected to cost (bps), and the values: ``q`` float64[t, i, x, a]. ``halved_bps``: of a numerical
    one, by how much a grid of half as many intervals would make it cost more; None where it is exact.
    """

    policy: TablePolicy
    expected_bps: float
    q: np.ndarray
    halved_bps: float | None = None


def solve_optimum(study: StudyModel, actions: Actions | None = None, risk_aversion: float = 0.0) -> Solved:
    """The optimum over any number of lots, or over an action set; ``why_unknown`` must be None.

    risk_aversion: 1/currency, adds risk_aversion * variance of the move out of a step * remaining^2 (exact where no cost
    scales with the mid).
    """
    axes = axes_of(study, risk_aversion > 0.0)
    found = _solve(study, axes, actions, risk_aversion)
    if not any(axis.numerical for axis in axes):
        return found
    halved = _solve(study, axes_of(study, risk_aversion > 0.0, coarser=2), actions, risk_aversion)
    return found._replace(halved_bps=halved.expected_bps - found.expected_bps)


def how_near(study: StudyModel, solved: Solved) -> str:
    """Of a numerical optimum: its grid, what halving it changes, and how its table is cut."""
    axes = [axis for axis in axes_of(study) if axis.numerical]
    grids = ", ".join(f"{axis.law.levels.size} values of {axis.name}" for axis in axes)
    return f"on {grids} (half as many change it by {solved.halved_bps:+.1g} bps), played in {axes[0].shown.size} bins"


def _solve(study: StudyModel, axes: list[Axis], actions: Actions | None, risk_aversion: float) -> Solved:
    shares, steps, joint = expected(study.order.shares), study.order.steps, joined(axes)
    lots = round(shares / study.order.lot)
    problem, paid_in_all = problem_of(study, axes, joint, slices_of(study, actions, lots + 1, shares), risk_aversion)
    states = problem.sure.shape[1]
    q, v = np.empty((steps, lots + 1, states, problem.slices.shape[1])), np.empty((steps + 1, lots + 1, states))
    solve(problem, q, v)
    best = np.argmin(q, axis=3)[:, :, states_of_codes(study, axes, joint)]
    table = best.reshape(steps, -1).astype(np.uint16)
    policy = TablePolicy(cuts_of_states(study, axes, joint, lots), actions, table, np.linspace(0.0, 1.0, steps + 1))
    return Solved(policy, expected_of(study, joint, v[0, lots]) + paid_in_all, q)


def expected_of(study: StudyModel, joint: Joint, values: np.ndarray) -> float:
    """What the whole order is expected to cost, bps, of its values in each state of step 0."""
    return _from_arrival(study, plain_sum(_first(study, joint) * values))


def problem_of(
    study: StudyModel, axes: list[Axis], joint: Joint, slices: np.ndarray, risk_aversion: float = 0.0
) -> tuple[Problem, float]:
    """The programme, and what the whole order pays whatever is done, which it leaves out."""
    (spread, volume), market = laws_of_market(study), study.synthetic
    assert market is not None
    go, stay, factor, sure = _laws(study, joint)
    half = np.kron(spread_times(study, joint), 0.5e4 * np.tile(spread.levels, volume.levels.size))
    every = np.broadcast_to(half, sure.shape)
    coefficient, numbers = 1e4 * study.costs.temporary.terms().power, numbers_of(study)
    end, moves, paid_in_all = _end(study, joint), np.zeros((*sure.shape, 2)), 0.0
    if not market.declares().martingale:
        told, growth = (
            np.repeat(x, spread.levels.size * volume.levels.size, axis=1) for x in _foreseen(study, axes, joint)
        )
        moves[:, :, 0], moves[:, :, 1] = told * sure, told * (1.0 - sure)
        go, stay, end = go * growth[:, :, None], stay * growth[:, :, None], end * growth[:, :, None]
        if market.price.RELATIVE:  # a fee does not grow with the mid
            paid_in_all, numbers[LINEAR] = float(numbers[LINEAR]), 0.0
    problem = Problem(
        go, stay, sure, np.ascontiguousarray(every * sure), coefficient * factor, end, moves,
        _risk(study, axes, joint, risk_aversion), np.ascontiguousarray(slices),
        powers_of(slices, temporary_exponent(study)), numbers, horizon_rule(study),
    )  # fmt: skip
    return problem, paid_in_all


def _foreseen(study: StudyModel, axes: list[Axis], joint: Joint) -> tuple[np.ndarray, np.ndarray]:
    """What holding the order through each step's move is expected to cost, bps, and the growth of what is to come, both
    float64[t, e].

    What signals have foretold of a geometric price is taken off again (``kernels.signals.lean_on_moves``): of one without a
    changing volatility the same on every path.
    """
    market, steps, side = study.synthetic, study.order.steps, _side(study)
    assert market is not None
    price, known = market.price, sum(axis.known for axis in axes)
    volatility = expected(price.volatility) * curve(price.diurnal, steps, root_mean_square=True)
    costs, growth = np.empty((steps, joint.told.size)), np.empty((steps, joint.told.size))
    lean = np.zeros(len(axes))
    for t in range(steps):
        told = joint.told - plain_sum(lean)
        found = price.foreseen(expected(market.initial_price), volatility[t] * joint.times.volatility, told, known)
        costs[t], growth[t] = 1e4 * side * found.move, found.growth
        if price.RELATIVE:
            lean = np.array([a.memory * (own + volatility[t] * a.known) for a, own in zip(axes, lean, strict=True)])
    return costs, growth


def _from_arrival(study: StudyModel, value: float) -> float:
    """The cost of an order whose price may move once before step 0."""
    market, nothing = study.synthetic, np.zeros(1)
    assert market is not None
    if market.declares().martingale or market.price.start == "arrival":
        return value
    found = market.price.foreseen(expected(market.initial_price), nothing, nothing, 0.0)
    return float(found.growth[0]) * value + 1e4 * _side(study) * float(found.move[0])


def _side(study: StudyModel) -> float:
    return 1.0 if study.order.side == "buy" else -1.0


def _impact_times(study: StudyModel, joint: Joint) -> np.ndarray:
    """What the joint levels make of temporary cost, but by the volume, float64[e]."""
    ((exponent, *_), _) = study.costs.temporary.terms().volatility_nodes
    return np.asarray(joint.times.impact * power_of(joint.times.volatility, exponent))


def _end(study: StudyModel, joint: Joint) -> np.ndarray:
    """Of what is left at a step's end, float64[t, x, 2]: half the spread that is quoted there, in bps of the mid (or the step's
    own, which stands in at the last quote), and the temporary factor as a trade.
    """
    (spread, volume), times = laws_of_market(study), spread_times(study, joint)
    half, raised = 0.5e4 * spread.levels, raised_at_end(study) * _impact_times(study, joint)
    if study.order.rest == "trade":
        half, times, raised = (
            _ahead(spread.transition, half),
            _ahead(joint.transition, times),
            _ahead(joint.transition, raised),
        )
    end = np.empty((study.order.steps, times.size * half.size * volume.levels.size, 2))
    end[:, :, 0] = np.kron(times, np.tile(half, volume.levels.size))
    end[:, :, 1] = np.repeat(raised, half.size * volume.levels.size)
    return end


def _risk(study: StudyModel, axes: list[Axis], joint: Joint, risk_aversion: float) -> np.ndarray:
    """bps for each squared share left in each state, float64[t, x]."""
    (spread, volume), market = laws_of_market(study), study.synthetic
    assert market is not None
    count = spread.levels.size * volume.levels.size
    if not axes:
        return risk_in(study, risk_aversion, count)
    variance = market.variance_given(study.setting, joint.times.volatility, sum(axis.known for axis in axes))
    scale = risk_aversion * expected(study.order.shares) / expected(market.initial_price) * 1e4
    return np.repeat(scale * variance, count, axis=1)


def _first(study: StudyModel, joint: Joint) -> np.ndarray:
    """The law of the state in step 0, x = spread + S (volume + V joint); before the first step the volume counts as its
    lowest.
    """
    spread, volume = laws_of_market(study)
    known = np.zeros(volume.levels.size)
    known[0] = 1.0
    return np.kron(joint.first, np.kron(known if known_after(study) else volume.first, spread.first))


def _laws(study: StudyModel, joint: Joint) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """go, stay float64[t, x, x']; E[what multiplies (shares / volume)^exponent; volume] and P(volume), float64[t, x]."""
    (spread, volume), steps, volumes = laws_of_market(study), study.order.steps, laws_of_market(study)[1].levels
    moves, traded, exponent = spread.transition, volumes > 0.0, temporary_exponent(study)
    rate = power_of(expected(study.order.shares) / np.where(traded, volumes, 1.0), exponent) * traded
    chances = np.repeat(volume.transition[None], steps, axis=0)  # [t, known level, level of the step or the next]
    if known_after(study):
        chances[0] = volume.first
        go, stay = (_chain(joint, chances * there, moves) for there in (traded, ~traded))
        factor, sure = _weighted(chances, rate), _weighted(chances, 1.0 * traded)
    else:
        go, stay = (_chain(joint, chances * there[:, None], moves) for there in (traded, ~traded))
        factor, sure = np.repeat(rate[None], steps, axis=0), np.repeat(1.0 * traded[None], steps, axis=0)
    times = _impact_times(study, joint) * power_of(1.0 / joint.times.volume, exponent)
    factor, sure = (np.repeat(x, spread.levels.size, axis=1) for x in (factor, sure))
    return go, stay, np.kron(times[None], factor), np.kron(np.ones((1, times.size)), sure)


def _chain(joint: Joint, chances: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """Of all levels together, float64[t, x, x']."""
    return np.stack([np.kron(joint.transition, np.kron(own, moves)) for own in chances])


def _ahead(chances: np.ndarray, values: np.ndarray) -> np.ndarray:
    """What is expected a step ahead, from each level."""
    return np.asarray(np.add.accumulate(chances * values, axis=1)[:, -1])


def _weighted(chances: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Sums over the last axis, left to right."""
    return np.asarray(np.add.accumulate(chances * values, axis=2)[:, :, -1])

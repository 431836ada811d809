"""The backward programme: least expected cost of what is left, step by step from the end, over a grid of inventories."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import entry, inlined, stage
from fastexec.kernels.door import F8, all_within, held, sizes, within
from fastexec.kernels.elementary import power


class Problem(NamedTuple):
    """Costs in bps of the order's value, slices and inventories as shares of the order.

    go, stay: float64[t, x, x'], probabilities of the next market state with volume and without (together 1), times the
    growth of the mid that is expected in x, where costs scale with it; sure: float64[t, x], of volume. spread, temporary:
    float64[t, x], means given x: half spread and temporary factor (0 without volume); end: float64[t, x, 2], the same of
    what is left at the step's end (see ``rest.find_trade_factors``). moves: float64[t, x, 2], what holding the order
    through the step's move is expected to cost, where there is volume and where there is none, each times its probability.
    risk: float64[t, x], for each squared share left. slices: float64[i, a], what action a trades with inventory i. powers:
    float64[i, a + 1], the same to the power 1 + exponent, last of all that is left. numbers:
    (permanent, own, linear, squared, penalty, penalty slope, discount, exponent). horizon: of ``fields``, what happens to
    the rest.
    """

    go: np.ndarray
    stay: np.ndarray
    sure: np.ndarray
    spread: np.ndarray
    temporary: np.ndarray
    end: np.ndarray
    moves: np.ndarray
    risk: np.ndarray
    slices: np.ndarray
    powers: np.ndarray
    numbers: np.ndarray
    horizon: int


(PERMANENT, OWN, LINEAR, SQUARED, PENALTY, PENALTY_SLOPE, DISCOUNT, EXPONENT) = range(8)
NUMBERS = EXPONENT + 1
_HAIR = 1e-9  # of the order, by which a slice may miss what is left: rounding


def _example():
    cube, square = np.zeros((1, 1, 1)), np.zeros((1, 1))
    numbers = np.zeros(NUMBERS)
    problem = Problem(cube, cube, square, square, square, cube, cube, square, square, square, numbers, 0)
    return problem, np.zeros((1, 1, 1, 1)), np.zeros((1, 1, 1))


def check_slices(slices, powers, inventories, actions):
    """ValueError unless an action trades no less than nothing and, but for rounding, no more than is left."""
    within("inventories", inventories, 2)
    held("slices", slices, F8, inventories, actions)
    held("powers", powers, F8, inventories, actions + 1)
    left = np.arange(inventories) / (inventories - 1)
    all_within("slices", slices, 0.0, 1.0)
    all_within("what slices leave", left[:, None] - slices, -_HAIR, 1.0)


def check_problem(problem, steps, inventories, states, actions):
    """ValueError unless its arrays are of these sizes, and its slices as ``check_slices`` wants them."""
    held("problem.go", problem.go, F8, steps, states, states)
    held("problem.stay", problem.stay, F8, steps, states, states)
    for name in ("sure", "spread", "temporary", "risk"):
        held(f"problem.{name}", getattr(problem, name), F8, steps, states)
    held("problem.end", problem.end, F8, steps, states, 2)
    held("problem.moves", problem.moves, F8, steps, states, 2)
    held("problem.numbers", problem.numbers, F8, NUMBERS)
    check_slices(problem.slices, problem.powers, inventories, actions)


def _door(problem, q, v):
    steps, inventories, states, actions = sizes("q", q, 4)
    held("q", q, F8, steps, inventories, states, actions)
    held("v", v, F8, steps + 1, inventories, states)
    check_problem(problem, steps, inventories, states, actions)


@entry(_example, _door)
def solve(problem, q, v):
    """Fill ``q`` float64[t, i, x, a] and ``v`` float64[t + 1, i, x]: cost to go of actions and of the best of them.

    Inventory i of I is i / (I - 1) of the order; between grid points v is interpolated linearly, so on whole lots it is
    exact.
    """
    steps, inventories, states, actions = q.shape
    ahead = np.empty((inventories, states))
    still, turned = np.empty((inventories, states)), np.empty((states, states))
    v[steps] = 0.0
    for t in range(steps - 1, -1, -1):
        look_ahead(problem.go[t], v[t + 1], ahead, turned)
        look_ahead(problem.stay[t], v[t + 1], still, turned)
        for i in range(inventories):
            for x in range(states):
                best = np.inf
                for a in range(actions):
                    cost = value_of(problem, t, i, x, a, ahead, still)
                    q[t, i, x, a] = cost
                    best = min(best, cost)
                v[t, i, x] = best


def _chances_door(problem, chances, v):
    steps, inventories, states, actions = sizes("chances", chances, 4)
    held("chances", chances, F8, steps, inventories, states, actions)
    held("v", v, F8, steps + 1, inventories, states)
    check_problem(problem, steps, inventories, states, actions)


@entry(_example, _chances_door)
def follow_chances(problem, chances, v):
    """Fill ``v`` as ``solve`` does, of a policy that takes each action with a chance of its own, float64[t, i, x, a]: a mean
    over actions stands in place of the least cost.
    """
    steps, inventories, states, actions = chances.shape
    ahead = np.empty((inventories, states))
    still, turned = np.empty((inventories, states)), np.empty((states, states))
    v[steps] = 0.0
    for t in range(steps - 1, -1, -1):
        look_ahead(problem.go[t], v[t + 1], ahead, turned)
        look_ahead(problem.stay[t], v[t + 1], still, turned)
        for i in range(inventories):
            for x in range(states):
                v[t, i, x] = 0.0
                for a in range(actions):
                    if chances[t, i, x, a] > 0.0:
                        v[t, i, x] += chances[t, i, x, a] * value_of(problem, t, i, x, a, ahead, still)


@stage
def value_of(problem, t, i, x, a, ahead, still):
    """Cost of action a in step t, and of what follows: what is expected ``ahead`` of it with volume, or ``still`` without."""
    left, u, taken = i / (ahead.shape[0] - 1.0), problem.slices[i, a], problem.powers[i, a]
    if t == problem.go.shape[0] - 1 and problem.horizon == f.COMPLETE:
        u, taken = left, problem.powers[i, problem.slices.shape[1]]
    cost = price(problem, t, x, left, u, taken)
    return cost + problem.numbers[DISCOUNT] * (interpolate(ahead, left - u, x) + still[i, x])


@stage
def look_ahead(chances, values, out, turned):
    """out[i, x] = sum over x' of chances[x, x'] values[i, x'], each added in the order of x', many x side by side; ``turned``
    float64[x', x] is room for that: 2.5 times as fast as one sum after the other.
    """
    states = chances.shape[0]
    for x in range(states):
        for y in range(states):
            turned[y, x] = chances[x, y]
    for i in range(values.shape[0]):
        for x in range(states):
            out[i, x] = 0.0
        for y in range(states):
            value = values[i, y]
            for x in range(states):
                out[i, x] += turned[y, x] * value


@stage
def interpolate(values, left, x):
    """The value at an inventory between grid points."""
    place = left * (values.shape[0] - 1)
    j = min(np.int64(place), values.shape[0] - 2)
    weight = place - j
    return (1.0 - weight) * values[j, x] + weight * values[j + 1, x]


@stage
def price(problem, t, x, left, u, taken):
    """Cost of trading u in step t, where there is volume; of what is left after it, risk, and at the end the horizon rule."""
    numbers, sure = problem.numbers, problem.sure[t, x]
    cost = problem.spread[t, x] * u + problem.temporary[t, x] * taken
    cost += sure * known_cost(numbers, left, u)
    after = left - u
    cost += problem.risk[t, x] * (sure * after * after + (1.0 - sure) * left * left)
    cost += problem.moves[t, x, 0] * after + problem.moves[t, x, 1] * left
    if t == problem.go.shape[0] - 1 and problem.horizon != f.LEAVE:
        if marks(problem.horizon):
            cost += sure * mark(numbers, problem.end[t, x], after, problem.horizon)
        cost += (1.0 - sure) * mark(numbers, problem.end[t, x], left, problem.horizon)
    return cost


@stage
def known_cost(numbers, left, u):
    """Of a slice u what the market has no part in: linear temporary cost and fees, permanent impact."""
    permanent = numbers[PERMANENT] * u * (1.0 - left + numbers[OWN] * u)
    return numbers[LINEAR] * u + numbers[SQUARED] * u * u + permanent


@stage
def mark(numbers, end, rest, horizon):
    """What is left at the end, valued as ``rest`` values it for lanes; ``end``: its factors."""
    penalty = numbers[PENALTY] + numbers[PENALTY_SLOPE] * rest
    if horizon == f.MARK_AS_TRADE:
        raised = rest * power(rest, numbers[EXPONENT])
        return rest * (end[0] + penalty) + end[1] * raised + known_cost(numbers, rest, rest)
    return rest * (end[0] + numbers[PERMANENT] * (1.0 - rest) + penalty)


@inlined
def marks(horizon):
    """Whether the horizon rule values what a step with volume leaves."""
    return horizon == f.MARK or horizon == f.MARK_AS_TRADE

"""Q-learning as the textbook has it (Watkins 1989): one episode after the other, an update after every step; and double
Q-learning (van Hasselt 2010), where each of two tables is moved towards what the other says of its own best action.

The inventory lies on a grid. Where an action leads between two of its points, what follows is the mean of both, and the
episode goes on from the nearer one; on whole grid points it is the textbook, bit for bit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import entry, stage
from fastexec.kernels.door import F8, I4, I8, U1, U4, all_within, held, sizes, within
from fastexec.kernels.learning import CONSTANT, FALLING, SLOWNESS
from fastexec.kernels.programme import NUMBERS, check_slices, known_cost, mark, marks
from fastexec.kernels.watch import Watched


class Tables(NamedTuple):
    """``q`` and ``second`` float64[table, t, i * states + x, a]: the targets' means, and those of their squares, weighted
    alike; ``visits`` int64[t, i * states + x, a].
    """

    q: np.ndarray
    second: np.ndarray
    visits: np.ndarray


class Rule(NamedTuple):
    """slices, powers: as in ``programme.Problem``; after: float64[i, a], the grid point that action a leaves; risk:
    float64[t]; numbers: of the costs, ``learning``: (learning rate, discount, epsilon); rate: CONSTANT, FALLING or BY_VISITS;
    horizon; double: whether two tables are kept.
    """

    slices: np.ndarray
    powers: np.ndarray
    after: np.ndarray
    risk: np.ndarray
    numbers: np.ndarray
    learning: np.ndarray
    rate: int
    horizon: int
    double: int


def _example():
    seen = Watched(
        np.zeros((1, 1), np.int32), np.zeros((1, 1, 5)), np.zeros((1, 1), np.uint8), np.zeros((1, 1, 2), np.uint32)
    )
    square = np.zeros((1, 1))
    rule = Rule(square, square, square, np.zeros(1), np.zeros(NUMBERS), np.zeros(3), 0, 0, 0)
    q = np.zeros((2, 1, 1, 1))
    return seen, rule, Tables(q, q, np.zeros((1, 1, 1), np.int64)), 1


def _door(seen, rule, tables, states):
    q = tables.q
    episodes, steps = sizes("seen.states", seen.states, 2)
    inventories, _ = sizes("rule.slices", rule.slices, 2)
    number, _, _, actions = sizes("q", q, 4)
    within("states", states, 1)
    within("q: steps", steps, 1)
    within("q: tables", number, 1 + (rule.double != 0))
    held("seen.states", seen.states, I4, episodes, steps)
    all_within("seen.states", seen.states, 0, states - 1)
    held("seen.factors", seen.factors, F8, episodes, steps, 5)
    held("seen.traded", seen.traded, U1, episodes, steps)
    held("seen.words", seen.words, U4, episodes, steps, 2)
    check_slices(rule.slices, rule.powers, inventories, actions)
    held("rule.after", rule.after, F8, inventories, actions)
    all_within("rule.after", rule.after, 0.0, inventories - 1.0)
    held("rule.risk", rule.risk, F8, steps)
    held("rule.numbers", rule.numbers, F8, NUMBERS)
    held("rule.learning", rule.learning, F8, 3)
    held("q", q, F8, number, steps, inventories * states, actions)
    held("second", tables.second, F8, number, steps, inventories * states, actions)
    held("visits", tables.visits, I8, steps, inventories * states, actions)


@entry(_example, _door)
def learn_episodes(seen, rule, tables, states):
    """Learn from every episode in order; ``states``: of the market."""
    q, visits = tables.q, tables.visits
    steps, inventories = seen.states.shape[1], rule.slices.shape[0]
    for e in range(seen.states.shape[0]):
        i, before, action, cost, table, place = inventories - 1, -1, 0, 0.0, np.int64(0), 0.0
        for t in range(steps):
            x = np.int64(seen.states[e, t])
            s = i * states + x
            if before >= 0:
                y = cost + rule.learning[1] * ahead_between(q, table, t, place, x, states, rule.double)
                move(tables, table, t - 1, before, action, rule, y)
            table = np.int64(seen.words[e, t, 1] & np.uint32(1)) if rule.double else np.int64(0)
            action = choose_action(q, t, s, seen.words[e, t], rule)
            cost, place = take(seen, rule, e, t, i, action)
            i = np.int64(place + 0.5)
            visits[t, s, action] += 1
            before = s
        move(tables, table, steps - 1, before, action, rule, cost)


@stage
def move(tables, table, t, s, action, rule, y):
    """An action's Q, and its mean square, towards the target."""
    n, share = np.float64(tables.visits[t, s, action]), rule.learning[0]
    if rule.rate == FALLING:
        share = 1.0 / (1.0 / share + (n - 1.0) / SLOWNESS)
    elif rule.rate != CONSTANT:
        share = 1.0 / n
    q, second = tables.q[table, t, s], tables.second[table, t, s]
    q[action] += share * (y - q[action])
    second[action] += share * (y * y - second[action])


@stage
def ahead_between(q, table, t, place, x, states, double):
    """What follows from a place on the grid of inventories, between two points the mean of both."""
    low = np.int64(place)
    value = ahead(q, table, t, low * states + x, double)
    if place > low:
        value += (place - low) * (ahead(q, table, t, (low + 1) * states + x, double) - value)
    return value


@stage
def ahead(q, table, t, s, double):
    """Least cost to go of the next state; double: what the other table says of this one's best action."""
    best = 0
    for a in range(1, q.shape[3]):
        if q[table, t, s, a] < q[table, t, s, best]:
            best = a
    return q[1 - table, t, s, best] if double else q[table, t, s, best]


@stage
def choose_action(q, t, s, words, rule):
    """The action of least Q (of least sum of both tables), the first of several; with probability epsilon any."""
    actions = q.shape[3]
    if np.float64(words[0]) < rule.learning[2] * 4294967296.0:
        return np.int64((np.uint64(words[1]) * np.uint64(actions)) >> np.uint64(32))
    best, least = 0, np.inf
    for a in range(actions):
        value = q[0, t, s, a] + (q[1, t, s, a] if rule.double else 0.0)
        if value < least:
            best, least = a, value
    return best


@stage
def take(seen, rule, e, t, i, action):
    """Cost of the step in bps, and the place on the grid of inventories after it."""
    last, numbers = t == seen.states.shape[1] - 1, rule.numbers
    left = i / (rule.slices.shape[0] - 1.0)
    u, taken, after = 0.0, 0.0, 1.0 * i
    if seen.traded[e, t]:
        if last and rule.horizon == f.COMPLETE:
            u, taken, after = left, rule.powers[i, rule.slices.shape[1]], 0.0
        else:
            u, taken, after = rule.slices[i, action], rule.powers[i, action], rule.after[i, action]
    cost = seen.factors[e, t, 0] * u + seen.factors[e, t, 1] * taken
    cost += known_cost(numbers, left, u)
    rest = left - u
    cost += rule.risk[t] * rest * rest + seen.factors[e, t, 4] * rest
    if last and (marks(rule.horizon) or (rule.horizon != f.LEAVE and not seen.traded[e, t])):
        cost += mark(numbers, seen.factors[e, t, 2:], rest, rule.horizon)
    return cost, after

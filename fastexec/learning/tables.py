"""What a rule of learning hands over after each round, and the schedule that every rule starts from."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from fastexec.models.actions import Actions
from fastexec.models.agents import Training
from fastexec.models.scalar import expected
from fastexec.models.study import StudyModel
from fastexec.planning.expectation import expect
from fastexec.planning.policies import Cut, market_states, slices_of, slices_with
from fastexec.planning.schedules import static_optimum
from fastexec.planning.static_cost import ScheduleCost, schedule_cost

_MOST_ROUNDS, _MOST_WORK = 20, 2_000_000


class Learned(NamedTuple):
    """``q`` float64[t, state, a]: expected cost to go (bps; NaN where never tried) and ``second``: mean squared target, bps
    squared, weighted as q weighs the targets; ``tries`` int64[t, state, a]: how many targets; ``visits`` int64[t, state].
    ``best`` uint16[t, state]: the action that the policy takes.
    """

    q: np.ndarray
    second: np.ndarray
    tries: np.ndarray
    visits: np.ndarray
    best: np.ndarray


class Drafted(NamedTuple):
    """Of a round's table what it is played and judged by; ``finish`` makes the whole table, asked of the one that is kept."""

    q: np.ndarray
    visits: np.ndarray
    best: np.ndarray
    finish: Callable[[], Learned]


def least(q: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    """The action of least q, the first of several, uint16[t, state]; ``otherwise`` where none was tried."""
    known = np.where(np.isnan(q), np.inf, q)
    found = np.argmin(known, axis=2)
    return np.where(np.isfinite(known.min(axis=2)), found, otherwise).astype(np.uint16)


def start_policy(study: StudyModel, training: Training, cuts: tuple[Cut, ...]) -> np.ndarray:
    """The best static schedule that the actions can play, as the action of each step and state, uint16[t, state]: on the
    schedule's own inventories its actions, elsewhere those that come nearest to what it has left after the step.
    """
    wanted = static_optimum(training.risk_aversion, study, expect(study)[0])
    played = _playable(study, training, wanted)
    inventories, shares = cuts[-1].bins, expected(study.order.shares)
    left, slices = _grid(inventories), slices_of(study, training.actions, inventories, shares)
    table = np.empty((study.order.steps, inventories), np.uint16)
    held = 1.0
    for t, action in enumerate(played):
        due = np.maximum(left - (1.0 - wanted[t + 1]), 0.0)
        table[t] = np.argmin(np.abs(slices - due[:, None]), axis=1)
        table[t, int(np.floor(held * (inventories - 1) + 0.5))] = action
        held -= float(_slices_at(study, training.actions, np.array([held]))[0, action])
    return np.repeat(table, market_states(cuts), axis=1)


def _grid(inventories: int) -> np.ndarray:
    return np.arange(inventories) / max(inventories - 1, 1)


def _slices_at(study: StudyModel, actions: Actions, left: np.ndarray) -> np.ndarray:
    """What each action trades of the order with such a share of it left, float64[m, a]."""
    shares = expected(study.order.shares)
    return slices_with(study.order, actions, left * shares, shares)


def _playable(study: StudyModel, training: Training, wanted: np.ndarray) -> np.ndarray:
    """The actions, int[t], that follow a trajectory as near as they can, single ones changed as long as that is cheaper."""
    cost = schedule_cost(study, expect(study)[0], training.risk_aversion)
    found, left = np.zeros(wanted.size - 1, np.int64), np.ones(1)
    for t in range(found.size):
        slices = _slices_at(study, training.actions, left)[0]
        found[t] = np.argmin(np.abs(slices - max(float(left[0]) - (1.0 - wanted[t + 1]), 0.0)))
        left = left - slices[found[t]]
    now, actions = (
        _cost_of(study, training.actions, cost, found[None])[0],
        len(training.actions.levels_for(study.order)),
    )
    for _ in range(_MOST_ROUNDS if found.size * found.size * actions <= _MOST_WORK else 0):
        trials = np.repeat(found[None], found.size * actions, axis=0)
        trials[np.arange(len(trials)), np.repeat(np.arange(found.size), actions)] = np.tile(
            np.arange(actions), found.size
        )
        costs = _cost_of(study, training.actions, cost, trials)
        cheapest = int(np.argmin(costs))
        if not costs[cheapest] < now - 1e-12 * abs(now):
            break
        found, now = trials[cheapest], costs[cheapest]
    return found


def _cost_of(study: StudyModel, actions: Actions, cost: ScheduleCost, trials: np.ndarray) -> np.ndarray:
    """What schedules of actions, int[m, t], cost; what they leave at the horizon joins their last slice."""
    left, done = np.ones(len(trials)), [np.zeros(len(trials))]
    for t in range(trials.shape[1]):
        slices = _slices_at(study, actions, left)[np.arange(len(trials)), trials[:, t]]
        left = left - slices
        done.append(1.0 - left)
    done[-1] = np.ones(len(trials))
    return cost.of(np.stack(done, axis=1))

"""A round of experience: episodes played by a frozen policy that now and then tries another action, step by step recorded."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, bound_to, stage
from fastexec.kernels.account import derive_costs
from fastexec.kernels.bins import encode
from fastexec.kernels.door import F4, F8, I4, U1, held, sizes, within
from fastexec.kernels.execute import cost_of
from fastexec.kernels.ledger import booking, end_order
from fastexec.kernels.parts import outcome
from fastexec.kernels.rest import valuing
from fastexec.kernels.strategy import draw_choices, find_actions, take_actions
from fastexec.kernels.study_door import check_study, codes_of
from fastexec.kernels.walk import Episodes, Stages, Walk


class Experience(NamedTuple):
    """``states`` int32[t, e], ``actions`` uint8[t, e], ``costs`` float64[t, e]: of each step, bps of the order's value
    without the moves, but for what is expected of them; the last one with what the horizon rule charges. ``beside``
    float32[t, e]: by how many bins the inventory differs from the middle of its bin. ``epsilon`` float64[1]: how often any
    action is tried.
    """

    states: np.ndarray
    actions: np.ndarray
    costs: np.ndarray
    beside: np.ndarray
    epsilon: np.ndarray


def example_record() -> Experience:
    """For types."""
    one = (1, 1)
    return Experience(
        np.zeros(one, np.int32), np.zeros(one, np.uint8), np.zeros(one), np.zeros(one, np.float32), np.zeros(1)
    )


def explore_range(
    seed: np.uint64,
    episodes: tuple[int, int, int],
    plan: f.Plan,
    strategies: f.Strategies,
    paths: f.Paths,
    record: Experience,
) -> None:
    """Of ``episodes`` (first, count, base) ``first <= e < first + count`` into columns e - base; the agent is strategy 0."""
    explore_blocks.over(Episodes(seed, *episodes), (plan, strategies, paths), record)


def _door(episodes, plan, strategies, paths, lanes, functions, record):
    _, first, count, base = episodes
    steps = check_study((first, count), plan, strategies, paths, lanes, functions)
    codes_of(strategies)
    columns = sizes("record.states", record.states, 2)[1]
    within("episodes: base", base, 0, first)
    within("record: columns", columns, first + count - base)
    held("record.states", record.states, I4, steps, columns)
    held("record.actions", record.actions, U1, steps, columns)
    held("record.costs", record.costs, F8, steps, columns)
    held("record.beside", record.beside, F4, steps, columns)
    held("record.epsilon", record.epsilon, F8, 1)


@bound_to(record=example_record)
@stage
def choose(clock, span, plan, strategies, lanes, record):
    """The policy's action, or with probability epsilon any; its slice into the ledger."""
    p, m, b, words, t = lanes.parameters, lanes.market, lanes.ledgers[0], lanes.words, clock.t
    low, high, offset = span
    encode(strategies, np.int64(0), clock, p, m, b)
    note_inventory(t, span, strategies, p, b, record)
    draw_choices(clock, np.int64(0), plan, strategies, words)
    find_actions(strategies, np.int64(0), t, b)
    levels, tried = np.uint64(strategies.kinds[0, f.LEVELS]), record.epsilon[0] * 4294967296.0
    for i in range(LANES):
        other = np.float64((np.uint64(words[f.SECOND + i]) * levels) >> np.uint64(32))
        b[f.VALUE + i] = other if np.float64(words[f.FIRST + i]) < tried else b[f.VALUE + i]
    # Views on both sides: what is read at a lane counted from ``low`` is gathered (see ``ledger.book``).
    noted, states = record.states[t, offset + low : offset + high], b[f.STATE + low : f.STATE + high]
    for i in range(high - low):
        noted[i] = np.int32(states[i])
    taken, actions = record.actions[t, offset + low : offset + high], b[f.VALUE + low : f.VALUE + high]
    for i in range(high - low):
        taken[i] = np.uint8(np.int32(actions[i]))
    take_actions(strategies, np.int64(0), plan.numbers[f.LOT], clock.steps, p, m, b)


@stage
def note_inventory(t, span, strategies, p, b, record):
    """How far the inventory, the last of the features, lies from the middle of its bin."""
    low, high, offset = span
    top = np.float64(strategies.features[0, strategies.kinds[0, f.FEATURES] - 1, f.BINS] - 1)
    for i in range(LANES):
        place = b[f.REMAINING + i] / p[f.SHARES + i] * top
        b[f.VALUE + i] = place - np.floor(place + 0.5)
    noted, values = record.beside[t, offset + low : offset + high], b[f.VALUE + low : f.VALUE + high]
    for i in range(high - low):
        noted[i] = np.float32(values[i])


@bound_to(record=example_record)
@stage
def charge(t, span, p, m, b, record):
    """The cost of the step's outcome, not yet booked, in bps."""
    low, high, offset = span
    for i in range(LANES):
        share = cost_of(i, m[f.MID + i], m[f.SPREAD + i], p, b)
        b[f.VALUE + i] = b[f.SLICE + i] * share * 1e4 / (p[f.SHARES + i] * m[f.ARRIVAL + i])
    charged, values = record.costs[t, offset + low : offset + high], b[f.VALUE + low : f.VALUE + high]
    for i in range(high - low):
        charged[i] = values[i]


@bound_to(record=example_record)
@stage
def charge_move(t, span, numbers, p, m, b, record):
    """What holding the rest through the step's move is expected to cost, onto the step's cost."""
    for i in range(span.low, span.high):
        held = numbers[f.SIDE] * (b[f.REMAINING + i] - b[f.SLICE + i])
        record.costs[t, span.offset + i] += held * m[f.EXPECTED_MOVE + i] * (1e4 / (p[f.SHARES + i] * m[f.ARRIVAL + i]))


@bound_to(record=example_record)
@stage
def charge_rest(span, plan, lanes, record):
    """What the horizon rule charges for what is left, onto the last step's cost."""
    costs = record.costs
    p, m, row, last = lanes.parameters, lanes.market, lanes.rows[0], costs.shape[0] - 1
    derive_costs(plan, p, m, lanes.ledgers[0], row)
    for i in range(span.low, span.high):
        to_bps = 1e4 / (p[f.SHARES + i] * m[f.ARRIVAL + i])
        costs[last, span.offset + i] += row[f.PART_RESIDUAL + i] * to_bps


def _stages(world):
    """Explore; ``own`` is the ``Experience``."""
    switches = world.plan.switches
    charges = (charge, charge_move) if switches[f.SPLIT] else (charge,)
    played = (choose, end_order, *outcome(switches), *charges, *booking(switches))
    return Stages([played], (valuing(switches), charge_rest))


explore_blocks = Walk("explore_blocks", _door, _stages)

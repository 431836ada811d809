"""Episodes by which a network learns: a policy decides by chance, beside a schedule on the same paths.

Strategy 0 is the policy's, strategy 1 the schedule. A step is paid by what the schedule's trade cost minus what the own one
did, and holding the rest through a move costs what is expected of the move: without what nobody could expect, which is noise to
who learns (with it 54 to 67 % of the attainable saving were learned, without 98).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, bound_to, stage
from fastexec.kernels.account import derive_costs
from fastexec.kernels.door import F4, held, within
from fastexec.kernels.execute import find_cost
from fastexec.kernels.gradients import LEAF, USED
from fastexec.kernels.layers import forward, padded
from fastexec.kernels.ledger import booking, end_order
from fastexec.kernels.network import ACTIVATION, LAYERS, OBSERVED, WEIGHTS_AT
from fastexec.kernels.observation import observe_scaled
from fastexec.kernels.parts import outcome
from fastexec.kernels.policy_gradient import Networks, buffer_sizes, check_networks, size_of
from fastexec.kernels.rest import valuing
from fastexec.kernels.softmax import CHANCES, choose, find_chances
from fastexec.kernels.strategy import DECISIONS, draw_choices, take_actions
from fastexec.kernels.study_door import check_study
from fastexec.kernels.transitions import Transitions, check_transitions, transitions_for
from fastexec.kernels.walk import Episodes, Stages, Walk

#: Rows of ``lanes``: what a softmax leaves, then the number of what was done, and how probable it was.
CHOSEN, CHANCE = CHANCES * LANES, (CHANCES + 1) * LANES
LANE_ROWS = CHANCES + 2


class Practice(NamedTuple):
    """``Transitions`` to fill, and behind them ``weights`` float32 and ``value`` int64[n, (inputs, outputs)] of the network
    that says what is expected to follow; ``units`` and ``lanes`` float32: to work in.
    """

    inputs: np.ndarray
    actions: np.ndarray
    chances: np.ndarray
    rewards: np.ndarray
    effects: np.ndarray
    values: np.ndarray
    advantages: np.ndarray
    weights: np.ndarray
    value: np.ndarray
    units: np.ndarray
    lanes: np.ndarray


def practice_for(record: Transitions, networks: Networks) -> Practice:
    """With lane buffers of its own for one thread."""
    middle = size_of(networks.policy)
    own = np.zeros(buffer_sizes(networks)[0], np.float32), np.zeros(LANE_ROWS * LANES, np.float32)
    return Practice(*record, networks.weights[middle:], networks.value, *own)


def example_practice() -> Practice:
    """For types."""
    layers, one = np.array([[1, 1]], np.int64), np.zeros(40, np.float32)
    return practice_for(transitions_for(LEAF, 1, 4), Networks(one, layers, layers, 0))


def practise_range(
    seed: np.uint64,
    episodes: tuple[int, int, int],
    plan: f.Plan,
    strategies: f.Strategies,
    paths: f.Paths,
    practice: Practice,
) -> None:
    """Of ``episodes`` (first, count, base), whole leaves each, ``first <= e < first + count``; base is the first lane's."""
    practise_blocks.over(Episodes(seed, *episodes), (plan, strategies, paths), practice)


def _door(episodes, plan, strategies, paths, lanes, functions, practice):
    _, first, count, base = episodes
    steps = check_study((first, count), plan, strategies, paths, lanes, functions)
    record = Transitions(*practice[: len(Transitions._fields)])
    rows, planned, inputs = check_transitions("practice", record)
    within("practice: steps", planned, steps, steps)
    for name, number in zip(("first", "count", "base"), episodes[1:], strict=True):
        within(f"episodes: {name}, beyond whole leaves", number % LEAF, 0, 0)
    within("episodes: base", base, 0, first)
    within("practice: rows", rows, (first + count - base) // USED)
    kinds = strategies.kinds
    within("strategies: number", kinds.shape[0], 2, 2)
    within("strategies.kinds[KIND] of strategy 0", int(kinds[0, f.KIND]), f.NETWORK, f.NETWORK)
    within("strategies.kinds[KIND] of strategy 1", int(kinds[1, f.KIND]), f.SCHEDULE, f.SCHEDULE)
    network = strategies.networks[kinds[0, f.SLOT]]
    policy = strategies.layers[kinds[0, f.SLOT], : network[LAYERS]]
    both = strategies.weights[network[WEIGHTS_AT] :][: size_of(policy)]
    networks = Networks(np.concatenate([both, practice.weights]), policy, practice.value, 0)
    check_networks("practice", networks, inputs)
    held("practice.weights", practice.weights, F4, size_of(practice.value))
    held("practice.units", practice.units, F4, buffer_sizes(networks)[0])
    held("practice.lanes", practice.lanes, F4, LANE_ROWS * LANES)


@bound_to(practice=example_practice)
@stage
def practise(clock, span, plan, strategies, lanes, practice):
    """The policy's decision of a step, drawn by its chances, and noted with all that it was made by."""
    p, m, b, kind = lanes.parameters, lanes.market, lanes.ledgers[0], strategies.kinds[0]
    slot, units = kind[f.SLOT], practice.units
    net = strategies.networks[slot]
    features, scales = strategies.observed[slot, : net[OBSERVED]], strategies.scales[slot, : net[OBSERVED]]
    observe_scaled(clock, features, scales, kind[f.SEES_VOLUME], p, m, b, units)
    layers = strategies.layers[slot, : net[LAYERS]]
    last, actions = (
        forward(strategies.weights[net[WEIGHTS_AT] :], layers, net[ACTIVATION], units),
        layers[net[LAYERS] - 1, 1],
    )
    find_chances(actions, units[last * LANES : (last + padded(actions)) * LANES], practice.lanes)
    draw_choices(clock, np.int64(0), plan, strategies, lanes.words)
    chosen, chance = practice.lanes[CHOSEN : CHOSEN + LANES], practice.lanes[CHANCE : CHANCE + LANES]
    choose(actions, practice.lanes, lanes.words, chosen, chance)
    for i in range(LANES):
        b[f.VALUE + i] = np.float64(chosen[i])
    take_actions(strategies, np.int64(0), plan.numbers[f.LOT], clock.steps, p, m, b)
    note_inputs(clock.t, span, padded(layers[0, 0]), units, practice.inputs)
    last = forward(practice.weights, practice.value, net[ACTIVATION], units)
    note_decision(clock, span, plan.switches, m, b, units[last * LANES : (last + 1) * LANES], practice)


@stage
def note_inputs(t, span, inputs, units, noted):
    """What was observed, leaf by leaf."""
    for at in range(span.low, span.high, USED):
        row = noted[(span.offset + at) // USED, t]
        for j in range(inputs):
            there, here = row[j * LANES : j * LANES + USED], units[j * LANES + at : j * LANES + at + USED]
            for i in range(USED):
                there[i] = here[i]


@stage
def note_decision(clock, span, switches, m, b, expected, practice):
    """What was done, how probable it was, what was expected to follow, and whether it made a difference."""
    t, joined = clock.t, clock.t == clock.steps - 1 and switches[f.HORIZON] == f.COMPLETE
    for at in range(span.low, span.high, USED):
        r = (span.offset + at) // USED
        actions, chances, values = practice.actions[r, t], practice.chances[r, t], practice.values[r, t]
        chosen, chance = (
            practice.lanes[CHOSEN + at : CHOSEN + at + USED],
            practice.lanes[CHANCE + at : CHANCE + at + USED],
        )
        for i in range(USED):
            actions[i] = chosen[i]
            chances[i] = chance[i]
            values[i] = expected[at + i]
        effects, left, volume = practice.effects[r, t], b[f.REMAINING + at :], m[f.VOLUME + at :]
        for i in range(USED):
            free = left[i] > 0.0 and volume[i] > 0.0 and not joined
            effects[i] = np.float32(1.0) if free else np.float32(0.0)


@bound_to(practice=example_practice)
@stage
def pay(t, span, k, b, practice):
    """The reward of a step: minus the cost of the policy's slice, onto it that of the schedule's (``find_cost``)."""
    if k == 0:
        clear(t, span, practice.rewards)
    add_to_reward(t, span, k, b, practice.rewards)


@bound_to(practice=example_practice)
@stage
def pay_move(t, span, k, numbers, p, m, b, practice):
    """Onto it what holding the rest through the step's move is expected to cost."""
    for i in range(LANES):
        left = numbers[f.SIDE] * (b[f.REMAINING + i] - b[f.SLICE + i])
        b[f.VALUE + i] = left * m[f.EXPECTED_MOVE + i] * (1e4 / (p[f.SHARES + i] * m[f.ARRIVAL + i]))
    add_to_reward(t, span, k, b, practice.rewards)


@bound_to(practice=example_practice)
@stage
def pay_rest(span, plan, lanes, practice):
    """Onto the last step's reward what the horizon rule charges for what either leaves."""
    p, m, last = lanes.parameters, lanes.market, practice.rewards.shape[1] - 1
    for k in range(2):
        b, row = lanes.ledgers[k], lanes.rows[k]
        derive_costs(plan, p, m, b, row)
        for i in range(LANES):
            b[f.VALUE + i] = row[f.PART_RESIDUAL + i] * (1e4 / (p[f.SHARES + i] * m[f.ARRIVAL + i]))
        add_to_reward(last, span, k, b, practice.rewards)


@stage
def clear(t, span, rewards):
    """No reward yet."""
    for at in range(span.low, span.high, USED):
        row = rewards[(span.offset + at) // USED, t]
        for i in range(USED):
            row[i] = np.float32(0.0)


@stage
def add_to_reward(t, span, k, b, rewards):
    """What lies in field VALUE: a cost of the policy's, or one of the schedule's, which it saved."""
    sign = np.float32(1.0) if k == 1 else np.float32(-1.0)
    for at in range(span.low, span.high, USED):
        row, cost = rewards[(span.offset + at) // USED, t], b[f.VALUE + at : f.VALUE + at + USED]
        for i in range(USED):
            row[i] += sign * np.float32(cost[i])


def _stages(world):
    """Practise; ``own`` is the ``Practice``."""
    switches = world.plan.switches
    split = (pay_move,) if switches[f.SPLIT] else ()
    ending = (end_order, *outcome(switches), find_cost, pay, *split, *booking(switches))
    return Stages([(practise, *ending), (DECISIONS[f.SCHEDULE], *ending)], (valuing(switches), pay_rest))


practise_blocks = Walk("practise_blocks", _door, _stages)

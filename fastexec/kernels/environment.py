"""Stages of a block of environments: slices that are decided on outside, what a step pays, and what is shown of it.

An environment is a lane, and ``members`` says whose; lanes of nobody decide on nothing, and nobody is told of them.

An environment is paid minus what a step costs, in bps of the order's value: the outcome of its slice, and R dS, what it holds
while the mid moves. Over an episode that is minus the shortfall (summation by parts: ``timing``).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, bound_to, inlined, stage
from fastexec.kernels.clock import Clock
from fastexec.kernels.layers import whole_tiles
from fastexec.kernels.observation import MEAN, SD, observe_scaled, scale
from fastexec.kernels.observe import INVENTORY, OWN_IMPACT, SHORTFALL_SO_FAR, TIME, observe_feature
from fastexec.kernels.strategy import as_said, take_actions, take_amounts


class Played(NamedTuple):
    """``members`` int64[lane]: the environment of each, -1 of nobody; ``features`` int64[f, 4] and ``scales`` float64[f, 2] as
    of ``observe_scaled``, ``scaled`` float32: a block's own. Of all environments: ``actions`` float64[n], ``risk`` float64[t]:
    bps for each squared share left; ``rewards`` float64[n], ``observations`` float32[n, f], ``completed`` uint8[n]: whether
    nothing is left; ``closed`` float64[column, n]: the closed books.
    """

    members: np.ndarray
    features: np.ndarray
    scales: np.ndarray
    scaled: np.ndarray
    actions: np.ndarray
    risk: np.ndarray
    rewards: np.ndarray
    observations: np.ndarray
    completed: np.ndarray
    closed: np.ndarray


def example_played() -> Played:
    """For types."""
    one, scaled = np.zeros((1, 1)), np.zeros(whole_tiles(1) * LANES, np.float32)
    return Played(
        np.full(LANES, -1), np.zeros((1, 4), np.int64), np.ones((1, 2)), scaled, np.zeros(1), np.zeros(1), np.zeros(1),
        np.zeros((1, 1), np.float32), np.zeros(1, np.uint8), one,
    )  # fmt: skip


@inlined
def lie_side_by_side(played):
    """Whether the environments of all lanes follow each other: the usual case, in which nothing need be gathered."""
    first, apart = played.members[0], 0
    for i in range(LANES):
        apart |= (played.members[i] - i) ^ first
    return first >= 0 and apart == 0


@stage
def take_in(b, played):
    """What the environment of each lane decided on, into field VALUE; 0 of nobody."""
    members, first = played.members, played.members[0]
    if lie_side_by_side(played):
        actions = played.actions[first : first + LANES]
        for i in range(LANES):
            b[f.VALUE + i] = actions[i]
    else:
        for i in range(LANES):
            b[f.VALUE + i] = played.actions[members[i]] if members[i] >= 0 else 0.0


@bound_to(played=example_played)
@stage
def act(clock, strategies, numbers, p, m, b, played):
    """Decided on is the number of an action."""
    take_in(b, played)
    take_actions(strategies, np.int64(0), numbers[f.LOT], clock.steps, p, m, b)


@bound_to(played=example_played)
@stage
def act_by_share(clock, numbers, p, m, b, played):
    """Decided on is a share of what is left."""
    take_in(b, played)
    take_amounts(np.int64(f.FRACTIONS), numbers[f.LOT], clock.steps, p, m, b)


@bound_to(played=example_played)
@stage
def act_by_shares(numbers, p, m, b, played):
    """Decided on are shares; of whole lots as many as fit into them."""
    lot = numbers[f.LOT]
    take_in(b, played)
    for i in range(LANES):
        q = as_said(b[f.VALUE + i], i, lot, p, b)
        b[f.SLICE + i] = q if m[f.VOLUME + i] > 0.0 else 0.0


@bound_to(played=example_played)
@stage
def pay_moves(clock, plan, p, m, b, played):
    """Onto the step's cost: what is held through its move, the first with what the whole order was held through before; what
    the horizon lets go of gives back the moves it was held through.
    """
    side, first = plan.numbers[f.SIDE], 1.0 if clock.t == 0 else 0.0
    forgiven = clock.t == clock.steps - 1 and plan.switches[f.HORIZON] == f.LEAVE
    for i in range(LANES):
        arrival, mid = m[f.ARRIVAL + i], m[f.MID + i]
        held = b[f.REMAINING + i] - b[f.SLICE + i]
        move = (arrival if forgiven else m[f.NEXT + i]) - mid
        cost = side * (held * move + first * (p[f.SHARES + i] * (mid - arrival)))
        b[f.VALUE + i] += cost * (1e4 / (p[f.SHARES + i] * arrival))


@bound_to(played=example_played)
@stage
def pay_expected(t, numbers, p, m, b, played):
    """The same by what was expected of the moves."""
    side, first = numbers[f.SIDE], 1.0 if t == 0 else 0.0
    for i in range(LANES):
        held = b[f.REMAINING + i] - b[f.SLICE + i]
        cost = side * (held * m[f.EXPECTED_MOVE + i] + first * b[f.SUM_EXPECTED + i])
        b[f.VALUE + i] += cost * (1e4 / (p[f.SHARES + i] * m[f.ARRIVAL + i]))


@bound_to(played=example_played)
@stage
def pay_risk(t, p, b, played):
    """And what the variance of the step's move is charged."""
    risk = played.risk[t]
    for i in range(LANES):
        left = (b[f.REMAINING + i] - b[f.SLICE + i]) / p[f.SHARES + i]
        b[f.VALUE + i] += risk * (left * left)


@bound_to(played=example_played)
@stage
def note_rewards(b, played):
    """Minus the step's cost, and whether the order is complete."""
    first = played.members[0]
    if lie_side_by_side(played):
        rewards, completed = played.rewards[first : first + LANES], played.completed[first : first + LANES]
        for i in range(LANES):
            rewards[i] = 0.0 - b[f.VALUE + i]
        for i in range(LANES):
            completed[i] = np.uint8(b[f.REMAINING + i] == b[f.SLICE + i])
        return
    for i in range(LANES):
        e = played.members[i]
        if e >= 0:
            played.rewards[e] = 0.0 - b[f.VALUE + i]
            played.completed[e] = np.uint8(b[f.REMAINING + i] == b[f.SLICE + i])


@bound_to(played=example_played)
@stage
def show(clock, kind, p, m, b, played):
    """What is known when the step begins."""
    observe_scaled(clock, played.features, played.scales, kind[f.SEES_VOLUME], p, m, b, played.scaled)
    write_observations(played)


@bound_to(played=example_played)
@stage
def show_end(clock, kind, p, m, b, played):
    """What is known when the last step is over: what its trades moved, and the time; the market stands as it was last seen."""
    end = Clock(clock.seed, clock.block, clock.steps, clock.steps)
    for j in range(played.features.shape[0]):
        name = played.features[j, f.FEATURE]
        if name == INVENTORY or name == SHORTFALL_SO_FAR or name == OWN_IMPACT or name == TIME:
            observe_feature(end, played.features[j], kind[f.SEES_VOLUME], p, m, b)
            scale(played.scales[j, MEAN], played.scales[j, SD], b, played.scaled[j * LANES : (j + 1) * LANES])
    write_observations(played)


@stage
def write_observations(played):
    """A row for each environment."""
    features, first = played.observations.shape[1], played.members[0]
    if lie_side_by_side(played):
        rows = played.observations[first : first + LANES]
        for j in range(features):
            values = played.scaled[j * LANES : (j + 1) * LANES]
            for i in range(LANES):
                rows[i, j] = values[i]
        return
    for i in range(LANES):
        e = played.members[i]
        if e >= 0:
            for j in range(features):
                played.observations[e, j] = played.scaled[j * LANES + i]


@bound_to(played=example_played)
@stage
def pay_rest(p, m, rows, played):
    """What the horizon rule charges for what is left, onto the last step's reward; then the order is complete."""
    row = rows[0]
    for i in range(LANES):
        e = played.members[i]
        if e >= 0:
            played.rewards[e] -= row[f.PART_RESIDUAL + i] * (1e4 / (p[f.SHARES + i] * m[f.ARRIVAL + i]))


@bound_to(played=example_played)
@stage
def note_closed(rows, played):
    """The closed books of each environment."""
    row, first, together = rows[0], played.members[0], lie_side_by_side(played)
    for c in range(played.closed.shape[0]):
        values = row[f.ROW_FILLED + c * LANES : f.ROW_FILLED + (c + 1) * LANES]
        if together:
            closed = played.closed[c, first : first + LANES]
            for i in range(LANES):
                closed[i] = values[i]
        else:
            for i in range(LANES):
                if played.members[i] >= 0:
                    played.closed[c, played.members[i]] = values[i]

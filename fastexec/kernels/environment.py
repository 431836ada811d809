"""Blocks of environments: a walk that stops between two steps, whose slices are decided on outside, step by step.

A block holds the episodes of one number of a block, all in the same step; an environment is one of its lanes, and ``members``
says whose. Lanes of nobody decide on nothing, and nobody is told of them. A call plays a step of each of its blocks, at the
block's own t, and what is known when the next one begins is observed before the call ends.

An environment is paid minus what a step costs, in bps of the order's value: the outcome of its slice, and R dS, what it holds
while the mid moves. Over an episode that is minus the shortfall (summation by parts: ``timing``).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastexec.kernels import fields as f, walk, world as w
from fastexec.kernels._bind import require_addresses
from fastexec.kernels._jit import LANES, bound_to, entry, inlined, stage
from fastexec.kernels.account import account
from fastexec.kernels.clock import Clock
from fastexec.kernels.door import F4, F8, I8, U1, each_within, held, sizes, within
from fastexec.kernels.execute import are_alike, find_cost, lower_volumes
from fastexec.kernels.ledger import booking, end_order
from fastexec.kernels.observation import MEAN, SD, observe_scaled, scale
from fastexec.kernels.observe import INVENTORY, LAST_SIGNAL, OWN_IMPACT, SHORTFALL_SO_FAR, TIME, observe_feature
from fastexec.kernels.parts import closing, outcome
from fastexec.kernels.rest import valuing
from fastexec.kernels.strategy import as_said, take_actions, take_amounts
from fastexec.kernels.study_door import check_study

#: Of a block to be played: its place among the tables, its number, its step.
(SLOT, BLOCK, AT) = range(3)
JOB_FIELDS = AT + 1
_MOST_BLOCKS = 1 << 46


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


def units_for(features: int) -> int:
    """Rows of lanes that the scaled features fill: their number rounded up to a multiple of 4."""
    return (features + 3) // 4 * 4


def example_played() -> Played:
    """For types."""
    one, scaled = np.zeros((1, 1)), np.zeros(units_for(1) * LANES, np.float32)
    return Played(
        np.full(LANES, -1), np.zeros((1, 4), np.int64), np.ones((1, 2)), scaled, np.zeros(1), np.zeros(1), np.zeros(1),
        np.zeros((1, 1), np.float32), np.zeros(1, np.uint8), one,
    )  # fmt: skip


@inlined
def action_of(i, played):
    """What the environment of lane i decided on; 0 of nobody."""
    e = played.members[i]
    return played.actions[e] if e >= 0 else 0.0


@bound_to(played=example_played)
@stage
def act(clock, strategies, numbers, p, m, b, played):
    """Decided on is the number of an action."""
    for i in range(LANES):
        b[f.VALUE + i] = action_of(i, played)
    take_actions(strategies, np.int64(0), numbers[f.LOT], clock.steps, p, m, b)


@bound_to(played=example_played)
@stage
def act_by_share(clock, numbers, p, m, b, played):
    """Decided on is a share of what is left."""
    for i in range(LANES):
        b[f.VALUE + i] = action_of(i, played)
    take_amounts(np.int64(f.FRACTIONS), numbers[f.LOT], clock.steps, p, m, b)


@bound_to(played=example_played)
@stage
def act_by_shares(numbers, p, m, b, played):
    """Decided on are shares; of whole lots as many as fit into them."""
    lot = numbers[f.LOT]
    for i in range(LANES):
        q = as_said(action_of(i, played), i, lot, p, b)
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
    features = played.observations.shape[1]
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
    row = rows[0]
    for c in range(played.closed.shape[0]):
        for i in range(LANES):
            e = played.members[i]
            if e >= 0:
                played.closed[c, e] = row[f.ROW_FILLED + c * LANES + i]


def stages_of(world: w.World, decide: Any, unexpected: bool, risky: bool) -> walk.Stages:
    """What a walk of environments calls. ``decide`` makes slices of actions; ``unexpected``: paid by the moves as they come,
    else by what was expected of them, which on some markets is nothing; ``risky``: charged for the risk of what is held.
    """
    plan, switches = world.plan, world.plan.switches
    # Priced as decisions made elsewhere are (``episode``), to the bit.
    alike = are_alike(plan, f.SCHEDULE if world.strategies.fractions.shape[1] == 1 else f.OWN_SCHEDULE)
    expected = (pay_expected,) if switches[f.SPLIT] else ()
    paid = (find_cost, *((pay_moves,) if unexpected else expected), *((pay_risk,) if risky else ()), note_rewards)
    played = (decide, end_order, *outcome(switches, alike), *paid, *booking(switches))
    close = (valuing(switches), account, *closing(switches), pay_rest, show_end, note_closed)
    return walk.Stages([played], close, (*((lower_volumes,) if alike else ()), show))


def check_world(world: w.World, environments: int) -> None:
    """ValueError unless all that the blocks of so many environments work on fits; the world of one block."""
    check_study((0, 0), world.plan, world.strategies, world.paths, world.lanes, world.functions, f.CLOSED_FIELDS, 1)
    own, steps = world.own, int(world.plan.switches[f.STEPS])
    features, _ = sizes("played.features", own.features, 2)
    within("strategies: number", world.strategies.kinds.shape[0], 1, 1)
    within("played.features: number", features, 1)
    held("played.features", own.features, I8, features, 4)
    each_within("played.features", own.features[:, [f.FEATURE, f.LOOK_BACK]], _HIGHEST_OF_FEATURE)
    held("played.members", own.members, I8, LANES)
    within("played.members: least", int(own.members.min()), -1)
    within("played.members: most", int(own.members.max()), -1, environments - 1)
    held("played.scales", own.scales, F8, features, 2)
    held("played.scaled", own.scaled, F4, units_for(features) * LANES)
    held("played.risk", own.risk, F8, steps)
    held("played.observations", own.observations, F4, environments, features)
    held("played.completed", own.completed, U1, environments)
    for name in ("actions", "rewards"):
        held(f"played.{name}", getattr(own, name), F8, environments)
    held("played.closed", own.closed, F8, f.episode_rows(world.plan.switches), environments)


_HIGHEST_OF_FEATURE = np.array([LAST_SIGNAL, f.HISTORY - 1], np.uint64)


def _example():
    return np.zeros((1, w.HEAD), np.int64), np.zeros((walk.PLAY + 2, 1), np.int64), np.zeros((1, JOB_FIELDS), np.int64)


def _door(tables, addresses, jobs):
    """Members and actions are not looked at, they are many: who fills them knows their bounds."""
    slots, words = sizes("tables", tables, 2)
    held("tables", tables, I8, slots, words)
    within("tables: words", words, w.HEAD)
    places = tables.ctypes.data + tables.strides[0] * np.arange(slots)
    if (tables[:, w.SELF] != places).any():
        raise ValueError("tables: one is not at its own place in memory")
    rows, most = sizes("addresses", addresses, 2)
    within("addresses: rows", rows, walk.PLAY + 2, walk.PLAY + 2)
    held("addresses", addresses, I8, rows, most)
    require_addresses(addresses[addresses != 0].tolist())
    count, fields = sizes("jobs", jobs, 2)
    held("jobs", jobs, I8, count, JOB_FIELDS)
    steps = int(tables[:, w.STEPS].min()) if slots else 0
    each_within("jobs", jobs, np.array([max(slots, 1) - 1, _MOST_BLOCKS, max(steps, 1) - 1], np.uint64))
    within("tables: number", slots, 1 if count else 0)


@entry(_example, _door, references=False)
def open_blocks(tables, addresses, jobs):
    """Draw and open each block, and show its first step."""
    for j in range(jobs.shape[0]):
        world, block = tables[jobs[j, SLOT]], jobs[j, BLOCK]
        walk.call_row(addresses, walk.START, world, 0, 0, 0)
        walk.call_row(addresses, walk.BEFORE, world, block, -1, 0)
        walk.call_row(addresses, walk.OPEN, world, block, 0, 0)
        walk.call_row(addresses, walk.STEP, world, block, 0, 0)
        jobs[j, AT] = 0


@entry(_example, _door, references=False)
def step_blocks(tables, addresses, jobs):
    """Play a step of each block, and show the next one or the end; a block that has ended is at step ``steps``."""
    for j in range(jobs.shape[0]):
        world, block, t = tables[jobs[j, SLOT]], jobs[j, BLOCK], jobs[j, AT]
        last = t == world[w.STEPS] - 1
        walk.call_row(addresses, walk.PLAY + (1 if last else 0), world, block, t, 0)
        walk.call_row(addresses, walk.LEAVE, world, block, t, 0)
        if last:
            walk.call_row(addresses, walk.CLOSE, world, block, t, 0)
        else:
            walk.call_row(addresses, walk.STEP, world, block, t + 1, 0)
        jobs[j, AT] = t + 1

"""Blocks of environments played step by step: a walk that stops between two steps.

A block holds the episodes of one number of a block, all in the same step. A call plays a step of each of its blocks, at the
block's own t, and what is known when the next one begins is observed before the call ends.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastexec.kernels import environment as e, fields as f, walk, world as w
from fastexec.kernels._bind import require_addresses
from fastexec.kernels._jit import LANES, entry
from fastexec.kernels.account import account
from fastexec.kernels.door import F4, F8, I8, U1, each_within, held, sizes, within
from fastexec.kernels.execute import are_alike, find_cost, lower_volumes
from fastexec.kernels.layers import whole_tiles
from fastexec.kernels.ledger import booking, end_order
from fastexec.kernels.observe import LAST_SIGNAL
from fastexec.kernels.parts import closing, outcome
from fastexec.kernels.rest import valuing
from fastexec.kernels.study_door import check_study

#: Of a block to be played: its place among the tables, its number, its step.
(SLOT, BLOCK, AT) = range(3)
JOB_FIELDS = AT + 1
_MOST_BLOCKS = 1 << 46


def stages_of(world: w.World, decide: Any, unexpected: bool, risky: bool) -> walk.Stages:
    """What a walk of environments calls. ``decide`` makes slices of actions; ``unexpected``: paid by the moves as they come,
    else by what was expected of them, which on some markets is nothing; ``risky``: charged for the risk of what is held.
    """
    plan, switches = world.plan, world.plan.switches
    # Priced as decisions made elsewhere are (``episode``), to the bit.
    alike = are_alike(plan, f.SCHEDULE if world.strategies.fractions.shape[1] == 1 else f.OWN_SCHEDULE)
    expected, risk = (e.pay_expected,) if switches[f.SPLIT] else (), (e.pay_risk,) if risky else ()
    paid = (find_cost, *((e.pay_moves,) if unexpected else expected), *risk, e.note_rewards)
    played = (decide, end_order, *outcome(switches, alike), *paid, *booking(switches))
    close = (valuing(switches), account, *closing(switches), e.pay_rest, e.show_end, e.note_closed)
    return walk.Stages([played], close, (*((lower_volumes,) if alike else ()), e.show))


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
    held("played.scaled", own.scaled, F4, whole_tiles(features) * LANES)
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
    """Members and actions are not looked at, they are many: who fills them knows their bounds. Tables and addresses are those
    of the call before, nearly always, which were let in.
    """
    global _let_in
    if tables is not _let_in[0] or addresses is not _let_in[1]:
        _let_in = tables, addresses, _highest_of(tables, addresses)
    count, fields = sizes("jobs", jobs, 2)
    held("jobs", jobs, I8, count, JOB_FIELDS)
    each_within("jobs", jobs, _let_in[2])


_let_in: tuple[Any, Any, Any] = (None, None, None)


def _highest_of(tables, addresses):
    """The highest that the fields of a job may be."""
    slots, words = sizes("tables", tables, 2)
    within("tables: number", slots, 1)
    held("tables", tables, I8, slots, words)
    within("tables: words", words, w.HEAD)
    places = tables.ctypes.data + tables.strides[0] * np.arange(slots)
    if (tables[:, w.SELF] != places).any():
        raise ValueError("tables: one is not at its own place in memory")
    rows, most = sizes("addresses", addresses, 2)
    within("addresses: rows", rows, walk.PLAY + 2, walk.PLAY + 2)
    held("addresses", addresses, I8, rows, most)
    require_addresses(addresses[addresses != 0].tolist())
    return np.array([slots - 1, _MOST_BLOCKS, tables[:, w.STEPS].min() - 1], np.uint64)


@entry(_example, _door, references=False)
def start_blocks(tables, addresses, jobs):
    """Once in the memory of each block, before the first that is opened in it."""
    for j in range(jobs.shape[0]):
        walk.call_row(addresses, walk.START, tables[jobs[j, SLOT]], 0, 0, 0)


@entry(_example, _door, references=False)
def open_blocks(tables, addresses, jobs):
    """Draw and open each block, and show its first step."""
    for j in range(jobs.shape[0]):
        world, block = tables[jobs[j, SLOT]], jobs[j, BLOCK]
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

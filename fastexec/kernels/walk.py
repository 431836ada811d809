"""The walk of a block of lanes through its steps, for every driver alike: open the block, open and leave each step, close it.

    for block in blocks_of(first, count):
        open_block(Clock(seed, block, 0, steps), plan, paths, lanes)
        for t in range(steps):
            clock = Clock(seed, block, t, steps)
            open_step(clock, plan, paths, lanes)
            ...  # what a driver is for: decide, fill, record, learn
            leave_step(clock, plan, lanes)

All that a block knows lies in its lanes, and all else is said by the clock: a block may stop between two steps, and go on in
another call.
"""

from __future__ import annotations

from typing import NamedTuple

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, inlined, stage
from fastexec.kernels.account import account, describe_market, write_rows
from fastexec.kernels.given import begin_given, begin_joined, follow_paths, roll_given
from fastexec.kernels.ledger import open_ledger
from fastexec.kernels.market import advance, begin, draw, observe, roll
from fastexec.kernels.parameters import draw_parameters


class Clock(NamedTuple):
    """Where the walk is: the root ``seed`` uint64, the ``block``, its step ``t`` of ``steps``."""

    seed: int
    block: int
    t: int
    steps: int


class Span(NamedTuple):
    """The lanes of a block that are episodes of the call, ``low <= i < high``; lane i writes row ``offset + i``."""

    low: int
    high: int
    offset: int


@inlined
def blocks_of(first, count):
    """The blocks that hold the episodes ``first <= e < first + count``."""
    return range(first // LANES, (first + count + LANES - 1) // LANES)


@inlined
def span_of(block, first, count, base):
    """Of a block; episode ``base`` is written in row 0."""
    return Span(max(first - block * LANES, 0), min(first + count - block * LANES, LANES), block * LANES - base)


@stage
def open_block(clock, plan, paths, lanes):
    """A block before its first step: parameters, market, empty ledgers."""
    p, m, words, raw = lanes.parameters, lanes.market, lanes.words, lanes.raw
    draw_parameters(clock, plan, words, p)
    if plan.switches[f.SOURCE] == f.GIVEN:
        begin_given(clock.block * LANES, paths, m)
    elif plan.switches[f.SOURCE] == f.JOINED:
        begin_joined(clock, plan, paths, words, p, m)
    else:
        begin(clock, plan, words, raw, p, m)
    for k in range(lanes.ledgers.shape[0]):
        open_ledger(p, lanes.ledgers[k])


@inlined
def open_step(clock, plan, paths, lanes):
    """The step's market: its volume, the mid at its end, and both in the market's sums."""
    p, m, words, normals = lanes.parameters, lanes.market, lanes.words, lanes.normals
    if plan.switches[f.SOURCE] != f.SYNTHETIC:
        follow_paths(clock, plan, paths, words, m)
    else:
        draw(clock, plan.switches, words, lanes.raw, normals, p)
        advance(clock.t, plan.switches, plan.curves, plan.chains, normals, p, m)
    observe(clock.t, m)


@inlined
def leave_step(clock, plan, lanes):
    """To the next step; at the end only the mid moves on, the last quoted spread stays."""
    if plan.switches[f.SOURCE] != f.SYNTHETIC or clock.t == clock.steps - 1:
        roll_given(lanes.market)
    else:
        roll(clock.t, plan.switches, plan.curves, plan.chains, lanes.normals, lanes.parameters, lanes.market)


@stage
def close_block(span, plan, lanes, output):
    """Close the books and write the rows of a block's episodes."""
    p, m = lanes.parameters, lanes.market
    describe_market(span, plan, p, m, output)
    for k in range(lanes.ledgers.shape[0]):
        account(k, plan, p, m, lanes.ledgers[k], lanes.rows)
    write_rows(span, lanes.ledgers, lanes.rows, output)

"""What a sample of market paths tells a backward programme: how states follow each other, and what trading costs in them.

Trying every inventory and every action on every sampled path (Nevmyvaka, Feng and Kearns 2006) adds, for a step and a
market state, the same numbers over and over: a slice costs a factor times its size and another times a power of its size,
and what follows depends on the path through its next state alone. So the sums of the two factors and the counts of what
follows what are all that the sample has to say, and they are gathered once.

Sums are integers (fixed point): threads may add them in any order.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, entry, stage
from fastexec.kernels.bins import encode
from fastexec.kernels.door import F8, I8, held, sizes, within
from fastexec.kernels.episode import example_study
from fastexec.kernels.execute import find_factors
from fastexec.kernels.parameters import fix_parameters
from fastexec.kernels.room import lanes_for
from fastexec.kernels.study_door import check_study, codes_of
from fastexec.kernels.walk import Clock, blocks_of, leave_step, open_block, open_step, span_of


class Gathered(NamedTuple):
    """``go`` and ``stay`` int64[t, x, x']: how often x' followed x in step t, with volume and without; ``costs``
    int64[t, x, 3]: sums of the half spread, of the temporary factor and of the half spread at the step's end, bps of the
    order's value, times ``scale[0]``; ``fault`` int64[1]: values beyond the bounds ``scale[1]``, ``scale[2]``.
    """

    go: np.ndarray
    stay: np.ndarray
    costs: np.ndarray
    scale: np.ndarray
    fault: np.ndarray


def gather_range(
    seed: np.uint64, first: int, count: int, plan: f.Plan, strategies: f.Strategies, paths: f.Paths, sums: Gathered
) -> None:
    """Add episodes ``first <= e < first + count`` to ``sums``; the market features are those of strategy 0."""
    gather_blocks((seed, first, count), plan, strategies, paths, sums, lanes_for())


def _example() -> tuple[Any, ...]:
    cube = np.zeros((1, 1, 1), np.int64)
    sums = Gathered(cube, cube, cube, np.ones(3), np.zeros(1, np.int64))
    return (np.uint64(0), 0, 1), *example_study(), sums, lanes_for()


def _door(episodes, plan, strategies, paths, sums, lanes):
    _, first, count = episodes
    steps = check_study((first, count), plan, strategies, paths, lanes)
    states = sizes("sums.go", sums.go, 3)[1]
    within("sums.go: states", states, codes_of(strategies))
    held("sums.go", sums.go, I8, steps, states, states)
    held("sums.stay", sums.stay, I8, steps, states, states)
    held("sums.costs", sums.costs, I8, steps, states, 3)
    held("sums.scale", sums.scale, F8, 3)
    held("sums.fault", sums.fault, I8, 1)


@entry(_example, _door, references=False)
def gather_blocks(episodes, plan, strategies, paths, sums, lanes):
    """Block after block."""
    seed, first, count = episodes
    p, m, b, steps = lanes.parameters, lanes.market, lanes.ledgers[0], plan.switches[f.STEPS]
    fix_parameters(plan, p)
    for block in blocks_of(first, count):
        span = span_of(block, first, count, first)
        open_block(Clock(seed, block, 0, steps), plan, paths, lanes)
        for t in range(steps):
            clock = Clock(seed, block, t, steps)
            open_step(clock, plan, paths, lanes)
            encode(strategies, np.int64(0), t, p, m, b)
            if t > 0:
                count_transitions(t - 1, span, b, sums)
            find_factors(plan.switches, p, m, b)
            add_costs(t, span, m, b, sums)
            remember_states(m, b)
            leave_step(clock, plan, lanes)
        for i in range(LANES):
            b[f.STATE + i] = 0.0  # behind the last step there is one state
        count_transitions(steps - 1, span, b, sums)


@stage
def remember_states(m, b):
    """For the next step's count: the state of this one, and whether there was volume."""
    for i in range(LANES):
        b[f.PAST_STATE + i] = b[f.STATE + i]
        b[f.PAST_TRADED + i] = 1.0 if m[f.VOLUME + i] > 0.0 else 0.0


@stage
def count_transitions(t, span, b, sums):
    """The state of each lane after the one before."""
    for i in range(span.low, span.high):
        before, now = np.int64(b[f.PAST_STATE + i]), np.int64(b[f.STATE + i])
        if b[f.PAST_TRADED + i] > 0.0:
            sums.go[t, before, now] += 1
        else:
            sums.stay[t, before, now] += 1


@stage
def add_costs(t, span, m, b, sums):
    """The step's factors: of the slice (half spread), of its power (temporary), and the half spread at the step's end."""
    scale, most_spread, most_temporary = sums.scale[0], sums.scale[1], sums.scale[2]
    for i in range(span.low, span.high):
        x = np.int64(b[f.STATE + i])
        half, temporary, end = b[f.FACTOR_SPREAD + i], b[f.FACTOR_TEMPORARY + i], b[f.FACTOR_END + i]
        if not (half <= most_spread and end <= most_spread and temporary <= most_temporary):
            sums.fault[0] += 1
        elif m[f.VOLUME + i] > 0.0:
            sums.costs[t, x, 0] += np.int64(half * scale)
            sums.costs[t, x, 1] += np.int64(temporary * scale)
        sums.costs[t, x, 2] += np.int64(end * scale) if end <= most_spread else 0

"""What a sample of market paths tells a backward programme: how states follow each other, and what trading costs in them.

Trying every inventory and every action on every sampled path (Nevmyvaka, Feng and Kearns 2006) adds, for a step and a
market state, the same numbers over and over: a slice costs a factor times its size and another times a power of its size,
and what follows depends on the path through its next state alone. So the sums of the two factors and the counts of what
follows what are all that the sample has to say, and they are gathered once.

Sums are integers (fixed point): threads may add them in any order.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, bound, bound_to, stage
from fastexec.kernels.bins import encode
from fastexec.kernels.door import F8, I8, held, sizes, within
from fastexec.kernels.execute import find_factors
from fastexec.kernels.rest import factoring
from fastexec.kernels.study_door import check_study, codes_of
from fastexec.kernels.walk import Episodes, Stages, Walk


class Gathered(NamedTuple):
    """``go`` and ``stay`` int64[t, x, x']: how often x' followed x in step t, with volume and without; ``costs``
    int64[t, x, 4]: sums of the half spread and of the temporary factor, and of the same two of what is left at the step's
    end, bps of the order's value, times ``scale[0]``; ``fault`` int64[1]: values beyond the bounds ``scale[1]``, ``scale[2]``.
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
    gather_blocks.over(Episodes(seed, first, count, first), (plan, strategies, paths), sums)


def example_sums() -> Gathered:
    """For types."""
    cube = np.zeros((1, 1, 1), np.int64)
    return Gathered(cube, cube, cube, np.ones(3), np.zeros(1, np.int64))


def _door(episodes, plan, strategies, paths, lanes, functions, sums):
    _, first, count, base = episodes
    within("episodes: base", base, first, first)
    steps = check_study((first, count), plan, strategies, paths, lanes, functions)
    states = sizes("sums.go", sums.go, 3)[1]
    within("sums.go: states", states, codes_of(strategies))
    held("sums.go", sums.go, I8, steps, states, states)
    held("sums.stay", sums.stay, I8, steps, states, states)
    held("sums.costs", sums.costs, I8, steps, states, 4)
    held("sums.scale", sums.scale, F8, 3)
    held("sums.fault", sums.fault, I8, 1)


@bound
@stage
def observe_state(t, strategies, p, m, b):
    """The state of the market at the start of step t."""
    encode(strategies, np.int64(0), t, p, m, b)


@bound_to(sums=example_sums)
@stage
def count_step(t, span, b, sums):
    """What followed the step before."""
    if t > 0:
        count_transitions(t - 1, span, b, sums)


@bound_to(sums=example_sums)
@stage
def count_last(t, span, b, sums):
    """Behind the last step there is one state."""
    for i in range(LANES):
        b[f.STATE + i] = 0.0
    count_transitions(t, span, b, sums)


@bound
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


@bound_to(sums=example_sums)
@stage
def add_costs(t, span, m, b, sums):
    """The step's factors: of the slice (half spread), of its power (temporary), and those of what is left at the step's end."""
    scale, most_spread, most_temporary = sums.scale[0], sums.scale[1], sums.scale[2]
    for i in range(span.low, span.high):
        x = np.int64(b[f.STATE + i])
        half, temporary = b[f.FACTOR_SPREAD + i], b[f.FACTOR_TEMPORARY + i]
        end, raised = b[f.FACTOR_END + i], b[f.FACTOR_END_TEMPORARY + i]
        if not (max(half, end) <= most_spread and max(temporary, raised) <= most_temporary):
            sums.fault[0] += 1
        elif m[f.VOLUME + i] > 0.0:
            sums.costs[t, x, 0] += np.int64(half * scale)
            sums.costs[t, x, 1] += np.int64(temporary * scale)
        sums.costs[t, x, 2] += np.int64(end * scale) if end <= most_spread else 0
        sums.costs[t, x, 3] += np.int64(raised * scale) if raised <= most_temporary else 0


def _stages(world):
    """Gather; ``own`` are the ``Gathered`` sums."""
    factors = find_factors, factoring(world.plan.switches)
    return Stages([(observe_state, count_step, *factors, add_costs, remember_states)], (count_last,))


gather_blocks = Walk("gather_blocks", _door, _stages)

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
from fastexec.kernels.execute import finding
from fastexec.kernels.rest import factoring
from fastexec.kernels.study_door import check_study, codes_of
from fastexec.kernels.walk import Episodes, Stages, Walk


class Gathered(NamedTuple):
    """``go`` and ``stay`` int64[t, x, x']: how often x' followed x in step t, with volume and without; ``half`` and
    ``temporary``, likewise: sums of the half spread and of the temporary factor, where there was volume; ``ends`` int64[t, x,
    2]: sums of the same two of what is left at the step's end; all of bps of the order's value, times ``scale[0]``. ``moves``
    int64[t, x, 2]: of what holding the order through the move is expected to cost, with volume and without. ``squares``
    int64[t, x, 3]: of the half spread squared, of its product with the temporary factor and of that squared, times
    ``scale[3]`` to ``scale[5]``. ``fault`` int64[1]: values beyond the bounds ``scale[1]`` (spreads) and ``scale[2]``.
    """

    go: np.ndarray
    stay: np.ndarray
    half: np.ndarray
    temporary: np.ndarray
    ends: np.ndarray
    moves: np.ndarray
    squares: np.ndarray
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
    return Gathered(cube, cube, cube, cube, cube, cube, cube, np.ones(6), np.zeros(1, np.int64))


def _door(episodes, plan, strategies, paths, lanes, functions, sums):
    _, first, count, base = episodes
    within("episodes: base", base, first, first)
    steps = check_study((first, count), plan, strategies, paths, lanes, functions)
    states = sizes("sums.go", sums.go, 3)[1]
    within("sums.go: states", states, codes_of(strategies))
    held("sums.go", sums.go, I8, steps, states, states)
    held("sums.stay", sums.stay, I8, steps, states, states)
    held("sums.half", sums.half, I8, steps, states, states)
    held("sums.temporary", sums.temporary, I8, steps, states, states)
    held("sums.ends", sums.ends, I8, steps, states, 2)
    held("sums.moves", sums.moves, I8, steps, states, 2)
    held("sums.squares", sums.squares, I8, steps, states, 3)
    held("sums.scale", sums.scale, F8, 6)
    held("sums.fault", sums.fault, I8, 1)


@bound
@stage
def observe_state(clock, strategies, p, m, b):
    """The state of the market at the start of the step."""
    encode(strategies, np.int64(0), clock, p, m, b)


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
    """The state of each lane after the one before, and what a slice paid in between: the step's factors still stand."""
    for i in range(span.low, span.high):
        before, now = np.int64(b[f.PAST_STATE + i]), np.int64(b[f.STATE + i])
        traded = b[f.PAST_TRADED + i] > 0.0
        if traded:
            sums.go[t, before, now] += 1
        else:
            sums.stay[t, before, now] += 1
        add_costs(i, b, traded, t, before, now, sums)


@stage
def add_costs(i, b, traded, t, before, now, sums):
    """One lane's factors: of the slice (half spread), of its power (temporary), and those of what is left at the step's end."""
    scale = sums.scale
    half, temporary = b[f.FACTOR_SPREAD + i], b[f.FACTOR_TEMPORARY + i]
    end, raised = b[f.FACTOR_END + i], b[f.FACTOR_END_TEMPORARY + i]
    if not (half <= scale[1] and end <= scale[1] and temporary <= scale[2] and raised <= scale[2]):
        sums.fault[0] += 1
        return
    squares, ends = sums.squares[t, before], sums.ends[t, before]
    if traded:
        sums.half[t, before, now] += in_units(half, scale[0])
        sums.temporary[t, before, now] += in_units(temporary, scale[0])
        squares[0] += in_units(half * half, scale[3])
        squares[1] += in_units(half * temporary, scale[4])
        squares[2] += in_units(temporary * temporary, scale[5])
    ends[0] += in_units(end, scale[0])
    ends[1] += in_units(raised, scale[0])


@bound_to(sums=example_sums)
@stage
def add_moves(t, span, b, sums):
    """What was expected of the step's move, in the state that it began with."""
    scale = sums.scale
    for i in range(span.low, span.high):
        move = b[f.FACTOR_MOVE + i]
        if abs(move) <= scale[1]:
            with_volume = b[f.PAST_TRADED + i] > 0.0
            sums.moves[t, np.int64(b[f.PAST_STATE + i]), 0 if with_volume else 1] += np.int64(
                np.floor(move * scale[0] + 0.5)
            )
        else:
            sums.fault[0] += 1


@stage
def in_units(x, scale):
    """Fixed point, to the nearest."""
    return np.int64(x * scale + 0.5)


def _stages(world):
    """Gather; ``own`` are the ``Gathered`` sums."""
    switches = world.plan.switches
    factors, split = (*finding(switches), factoring(switches)), (add_moves,) if switches[f.SPLIT] else ()
    return Stages([(observe_state, count_step, *factors, remember_states, *split)], (count_last,))


gather_blocks = Walk("gather_blocks", _door, _stages)

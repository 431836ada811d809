"""Market paths as a learner sees them: states and cost factors step by step, and the words that its choices are drawn from."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import entry, stage
from fastexec.kernels.door import F8, I4, U1, U4, held
from fastexec.kernels.elementary import power
from fastexec.kernels.episode import example_study
from fastexec.kernels.parameters import fix_parameters
from fastexec.kernels.room import lanes_for
from fastexec.kernels.state import encode
from fastexec.kernels.strategy import draw_choices
from fastexec.kernels.study_door import check_study, codes_of
from fastexec.kernels.walk import Clock, blocks_of, leave_step, open_block, open_step, span_of


class Watched(NamedTuple):
    """``states`` int32[e, t]: market states; ``factors`` float64[e, t, 3]: half spread, temporary factor and half spread at
    the step's end, bps of the order's value; ``traded`` uint8[e, t]; ``words`` uint32[e, t, 2].
    """

    states: np.ndarray
    factors: np.ndarray
    traded: np.ndarray
    words: np.ndarray


def watch_range(
    seed: np.uint64, first: int, count: int, plan: f.Plan, strategies: f.Strategies, paths: f.Paths, seen: Watched
) -> None:
    """Episodes ``first <= e < first + count`` into rows e - first of ``seen``; the market features are strategy 0's."""
    watch_blocks((seed, first, count), plan, strategies, paths, seen, lanes_for())


def _example() -> tuple[Any, ...]:
    seen = Watched(
        np.zeros((1, 1), np.int32), np.zeros((1, 1, 3)), np.zeros((1, 1), np.uint8), np.zeros((1, 1, 2), np.uint32)
    )
    return (np.uint64(0), 0, 1), *example_study(), seen, lanes_for()


def _door(episodes, plan, strategies, paths, seen, lanes):
    _, first, count = episodes
    steps = check_study((first, count), plan, strategies, paths, lanes)
    codes_of(strategies)
    held("seen.states", seen.states, I4, count, steps)
    held("seen.factors", seen.factors, F8, count, steps, 3)
    held("seen.traded", seen.traded, U1, count, steps)
    held("seen.words", seen.words, U4, count, steps, 2)


@entry(_example, _door, references=False)
def watch_blocks(episodes, plan, strategies, paths, seen, lanes):
    """Block after block."""
    seed, first, count = episodes
    steps = plan.switches[f.STEPS]
    fix_parameters(plan, lanes.parameters)
    for block in blocks_of(first, count):
        span = span_of(block, first, count, first)
        open_block(Clock(seed, block, 0, steps), plan, paths, lanes)
        for t in range(steps):
            clock = Clock(seed, block, t, steps)
            open_step(clock, plan, paths, lanes)
            encode(strategies, np.int64(0), t, lanes.parameters, lanes.market, lanes.ledgers[0])
            draw_choices(clock, np.int64(0), plan, strategies, lanes.words)
            note(t, span, plan.switches[f.TEMPORARY_KIND] == f.TEMPORARY_LINEAR, lanes, seen)
            leave_step(clock, plan, lanes)


@stage
def note(t, span, linear, lanes, seen):
    """Step t of a block's episodes."""
    p, m, b, words = lanes.parameters, lanes.market, lanes.ledgers[0], lanes.words
    for i in range(span.low, span.high):
        e, volume, to_bps = span.offset + i, m[f.VOLUME + i], 1e4 / m[f.ARRIVAL + i]
        rate = p[f.SHARES + i] / (volume if volume > 0.0 else 1.0)
        of_rate = 0.0 if linear else power(rate, p[f.TEMPORARY_EXPONENT + i])
        seen.states[e, t] = np.int32(b[f.STATE + i])
        seen.factors[e, t, 0] = 0.5 * m[f.MID + i] * m[f.SPREAD + i] * to_bps
        seen.factors[e, t, 1] = m[f.MID + i] * p[f.TEMPORARY_COEFFICIENT + i] * of_rate * to_bps
        seen.factors[e, t, 2] = 0.5 * m[f.NEXT + i] * m[f.SPREAD + i] * to_bps
        seen.traded[e, t] = np.uint8(volume > 0.0)
        seen.words[e, t, 0] = words[f.FIRST + i]
        seen.words[e, t, 1] = words[f.SECOND + i]

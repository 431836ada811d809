"""Market paths as a learner sees them: states and cost factors step by step, and the words that its choices are drawn from."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import bound, bound_to, stage
from fastexec.kernels.clock import Episodes
from fastexec.kernels.door import F8, I4, U1, U4, held, within
from fastexec.kernels.elementary import power
from fastexec.kernels.gather import observe_state
from fastexec.kernels.room import lanes_for
from fastexec.kernels.strategy import draw_choices
from fastexec.kernels.study_door import check_study, codes_of
from fastexec.kernels.walk import NO_FUNCTIONS, Stages, Walk


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
    watch_blocks(Episodes(seed, first, count, first), plan, strategies, paths, lanes_for(), NO_FUNCTIONS, seen)


def example_seen() -> Watched:
    """For types."""
    return Watched(
        np.zeros((1, 1), np.int32), np.zeros((1, 1, 3)), np.zeros((1, 1), np.uint8), np.zeros((1, 1, 2), np.uint32)
    )


def _door(episodes, plan, strategies, paths, lanes, functions, seen):
    _, first, count, base = episodes
    within("episodes: base", base, first, first)
    steps = check_study((first, count), plan, strategies, paths, lanes, functions)
    codes_of(strategies)
    held("seen.states", seen.states, I4, count, steps)
    held("seen.factors", seen.factors, F8, count, steps, 3)
    held("seen.traded", seen.traded, U1, count, steps)
    held("seen.words", seen.words, U4, count, steps, 2)


@bound
@stage
def draw_own_choices(clock, plan, strategies, words):
    """The words that a learner chooses by."""
    draw_choices(clock, np.int64(0), plan, strategies, words)


@bound_to(seen=example_seen)
@stage
def note(t, span, plan, lanes, seen):
    """Step t of a block's episodes."""
    linear = plan.switches[f.TEMPORARY_KIND] == f.TEMPORARY_LINEAR
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


def _stages(world):
    """Watch; ``own`` is what is ``Watched``."""
    return Stages([(observe_state, draw_own_choices, note)], ())


watch_blocks = Walk("watch_blocks", _door, _stages)

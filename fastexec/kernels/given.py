"""Markets that are given: paths as they are, or joined from blocks of real days at the same time of day.

A lane holds the row of the paths that it follows. Joined, it starts on any row, and before each later step goes over, with
probability 1 / block, to a row of the same time of day (Politis and Romano 1994): moves are kept, levels are not, so the
price goes on from where it is.
"""

from __future__ import annotations

import numpy as np

from fastexec.kernels._jit import LANES, stage
from fastexec.kernels.fields import (
    ARRIVAL,
    ARRIVAL_SPREAD,
    GIVEN,
    INITIAL_PRICE,
    JOINED,
    LAST_VOLUME,
    MARKET_FIELDS,
    MID,
    NEXT,
    PHASE,
    RESTART,
    SOURCE,
    SPREAD,
    SUM_SQUARED_MOVES,
    VOLUME,
    WINDOW,
)
from fastexec.kernels.philox import BLOCKS, draw_words

_W = LANES
_32 = np.uint64(32)


@stage
def begin_given(first, paths, m):
    """A block of given paths at step 0; lanes outside the paths repeat the nearest episode and are never written out."""
    for j in range(MARKET_FIELDS * _W):
        m[j] = 0.0
    for i in range(_W):
        e = min(max(first + i, 0), paths.mid.shape[0] - 1)
        m[WINDOW * _W + i] = e
        m[ARRIVAL * _W + i] = paths.arrival[e]
        m[MID * _W + i] = paths.mid[e, 0]
        m[ARRIVAL_SPREAD * _W + i] = paths.spread[e, 0]


@stage
def begin_joined(seed, block, plan, paths, words, p, m):
    """A block at step 0 on rows drawn from all."""
    for j in range(MARKET_FIELDS * _W):
        m[j] = 0.0
    draw_words(seed, block, np.int64(0), np.uint32(plan.switches[PHASE] << 30 | BLOCKS << 24), words)
    rows = np.uint64(paths.mid.shape[0])
    for i in range(_W):
        e = np.int64((np.uint64(words[_W + i]) * rows) >> _32)
        m[WINDOW * _W + i] = e
        m[ARRIVAL * _W + i] = p[INITIAL_PRICE * _W + i]
        m[MID * _W + i] = p[INITIAL_PRICE * _W + i]
        m[ARRIVAL_SPREAD * _W + i] = paths.spread[e, 0]


@stage
def follow_paths(seed, block, t, plan, paths, words, m):
    """Step t of given or joined paths."""
    if plan.switches[SOURCE] == JOINED and t > 0:
        rejoin(seed, block, t, plan, paths, words, m)
    advance_given(t, plan, paths, m)


@stage
def rejoin(seed, block, t, plan, paths, words, m):
    """Before step t: over to another row of the same time of day, where the block ends."""
    draw_words(seed, block, t, np.uint32(plan.switches[PHASE] << 30 | BLOCKS << 24), words)
    ends = plan.numbers[RESTART] * 4294967296.0
    for i in range(_W):
        e = np.int64(m[WINDOW * _W + i])
        other = paths.block_first[e] + np.int64((np.uint64(words[_W + i]) * np.uint64(paths.block_count[e])) >> _32)
        m[WINDOW * _W + i] = other if np.float64(words[i]) < ends else e


@stage
def advance_given(t, plan, paths, m):
    """Step t: its spread and volume, and S_{t+1}; joined, by the row's relative move."""
    as_they_are = plan.switches[SOURCE] == GIVEN
    for i in range(_W):
        e = np.int64(m[WINDOW * _W + i])
        m[SPREAD * _W + i] = paths.spread[e, t]
        m[VOLUME * _W + i] = paths.volume[e, t]
        mid = m[MID * _W + i]
        after = paths.mid[e, t + 1] if as_they_are else mid * (paths.mid[e, t + 1] / paths.mid[e, t])
        m[NEXT * _W + i] = after
        move = after / mid - 1.0
        m[SUM_SQUARED_MOVES * _W + i] += move * move


@stage
def roll_given(m):
    """To the next step of given paths."""
    for i in range(_W):
        m[MID * _W + i] = m[NEXT * _W + i]
        m[LAST_VOLUME * _W + i] = m[VOLUME * _W + i]

"""Markets that are given: paths as they are, or joined from blocks of real days at the same time of day.

A lane holds the row of the paths that it follows. Joined, it starts on any row, and before each later step goes over, with
probability 1 / block, to a row of the same time of day (Politis and Romano 1994): moves are kept, levels are not, so the
price goes on from where it is.
"""

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, stage
from fastexec.kernels.philox import BLOCKS, draw_words

_32 = np.uint64(32)


@stage
def begin_given(first, paths, m):
    """A block of given paths at step 0; lanes outside the paths repeat the nearest episode and are never written out."""
    for j in range(f.MIDS):
        m[j] = 0.0
    for i in range(LANES):
        e = min(max(first + i, 0), paths.mid.shape[0] - 1)
        m[f.WINDOW + i] = e
        m[f.ARRIVAL + i] = paths.arrival[e]
        m[f.MID + i] = paths.mid[e, 0]
        m[f.ARRIVAL_SPREAD + i] = paths.spread[e, 0]


@stage
def begin_joined(clock, plan, paths, words, p, m):
    """A block at step 0 on rows drawn from all."""
    for j in range(f.MIDS):
        m[j] = 0.0
    draw_words(clock.seed, clock.block, np.int64(0), np.uint32(plan.switches[f.PHASE] << 30 | BLOCKS << 24), words)
    rows = np.uint64(paths.mid.shape[0])
    for i in range(LANES):
        e = np.int64((np.uint64(words[f.SECOND + i]) * rows) >> _32)
        m[f.WINDOW + i] = e
        m[f.ARRIVAL + i] = p[f.INITIAL_PRICE + i]
        m[f.MID + i] = p[f.INITIAL_PRICE + i]
        m[f.ARRIVAL_SPREAD + i] = paths.spread[e, 0]


@stage
def follow_paths(clock, plan, paths, words, m):
    """A step of given or joined paths."""
    if plan.switches[f.SOURCE] == f.JOINED and clock.t > 0:
        rejoin(clock, plan, paths, words, m)
    advance_given(clock.t, plan, paths, m)


@stage
def rejoin(clock, plan, paths, words, m):
    """Before a step: over to another row of the same time of day, where the block ends."""
    draw_words(clock.seed, clock.block, clock.t, np.uint32(plan.switches[f.PHASE] << 30 | BLOCKS << 24), words)
    ends = plan.numbers[f.RESTART] * 4294967296.0
    for i in range(LANES):
        e = np.int64(m[f.WINDOW + i])
        other = paths.block_first[e] + np.int64(
            (np.uint64(words[f.SECOND + i]) * np.uint64(paths.block_count[e])) >> _32
        )
        m[f.WINDOW + i] = other if np.float64(words[f.FIRST + i]) < ends else e


@stage
def advance_given(t, plan, paths, m):
    """Step t: its spread and volume, and S_{t+1}; joined, by the row's relative move."""
    as_they_are = plan.switches[f.SOURCE] == f.GIVEN
    for i in range(LANES):
        e = np.int64(m[f.WINDOW + i])
        m[f.SPREAD + i] = paths.spread[e, t]
        m[f.VOLUME + i] = paths.volume[e, t]
        mid = m[f.MID + i]
        after = paths.mid[e, t + 1] if as_they_are else mid * (paths.mid[e, t + 1] / paths.mid[e, t])
        m[f.NEXT + i] = after
        move = after / mid - 1.0
        m[f.SUM_SQUARED_MOVES + i] += move * move


@stage
def roll_given(m):
    """To the next step of given paths."""
    for i in range(LANES):
        m[f.MID + i] = m[f.NEXT + i]
        m[f.LAST_VOLUME + i] = m[f.VOLUME + i]

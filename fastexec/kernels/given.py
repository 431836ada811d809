"""Markets that are given: paths as they are, or joined from blocks of real days at the same time of day.

A lane holds the row of the paths that it follows. Joined, it starts on any row, and before each later step goes over, with
probability 1 / block, to a row of the same time of day (Politis and Romano 1994): moves are kept, levels are not, so the
price goes on from where it is.

Where a quote stands and nothing traded, strategies may cross it: what they meet is ``Paths.rate_volume``, and the market's own
sums know what traded.
"""

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, bound, inlined, stage
from fastexec.kernels.market import add_to_sums, roll
from fastexec.kernels.philox import BLOCKS, draw_words

_32 = np.uint64(32)


@bound
@stage
def begin_given(clock, paths, m):
    """A block of given paths at step 0; lanes outside the paths repeat the nearest episode and are never written out."""
    first = clock.block * LANES
    for j in range(f.MIDS):
        m[j] = 0.0
    for i in range(LANES):
        e = min(max(first + i, 0), paths.mid.shape[0] - 1)
        m[f.WINDOW + i] = e
        m[f.ARRIVAL + i] = paths.arrival[e]
        m[f.MID + i] = paths.mid[e, 0]
        m[f.ARRIVAL_SPREAD + i] = paths.spread[e, 0]


@bound
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


@bound
@stage
def rejoin(clock, plan, paths, words, m):
    """Before a step: over to another row of the same time of day, where the block ends."""
    if clock.t == 0:
        return
    draw_words(clock.seed, clock.block, clock.t, np.uint32(plan.switches[f.PHASE] << 30 | BLOCKS << 24), words)
    ends = plan.numbers[f.RESTART] * 4294967296.0
    for i in range(LANES):
        e = np.int64(m[f.WINDOW + i])
        other = paths.block_first[e] + np.int64(
            (np.uint64(words[f.SECOND + i]) * np.uint64(paths.block_count[e])) >> _32
        )
        m[f.WINDOW + i] = other if np.float64(words[f.FIRST + i]) < ends else e


@bound
@stage
def follow_given(t, paths, m):
    """Step t: its spread and volume, S_{t+1}, and the spread that is quoted then."""
    for i in range(LANES):
        e = np.int64(m[f.WINDOW + i])
        quote(e, i, t, paths, m)
        arrive(i, paths.mid[e, t + 1], m)


@bound
@stage
def follow_joined(t, paths, m):
    """Step t: the row's spread and volume, and S_{t+1} by its relative move, with the spread that the row has then."""
    for i in range(LANES):
        e = np.int64(m[f.WINDOW + i])
        quote(e, i, t, paths, m)
        arrive(i, m[f.MID + i] * (paths.mid[e, t + 1] / paths.mid[e, t]), m)


@inlined
def quote(e, i, t, paths, m):
    """Spread and volume of step t of row e, and the spread at its end, for lane i."""
    m[f.SPREAD + i] = paths.spread[e, t]
    m[f.NEXT_SPREAD + i] = paths.spread[e, t + 1]
    m[f.VOLUME + i] = paths.volume[e, t]


@inlined
def arrive(i, after, m):
    """S_{t+1} of lane i, and the squared relative move."""
    move = after / m[f.MID + i] - 1.0
    m[f.NEXT + i] = after
    m[f.SUM_SQUARED_MOVES + i] += move * move


@bound
@stage
def offer(t, paths, m):
    """Behind the market's sums: what strategies meet in step t stands in VOLUME, and what traded in TRADED."""
    for i in range(LANES):
        m[f.TRADED + i] = m[f.VOLUME + i]
        m[f.VOLUME + i] = paths.rate_volume[np.int64(m[f.WINDOW + i]), t]


@bound
@stage
def know_signals(t, paths, m):
    """A step begins: the signals of its row are known, whose move follows."""
    for j in range(paths.signals.shape[0]):
        x = m[f.SIGNAL_0 + j * LANES : f.SIGNAL_0 + (j + 1) * LANES]  # a view: see ``ledger.book``
        for i in range(LANES):
            x[i] = paths.signals[j, np.int64(m[f.WINDOW + i]), t]


@bound
@stage
def remember_traded(m):
    """Behind ``roll``: the last volume that is known is what traded."""
    for i in range(LANES):
        m[f.LAST_VOLUME + i] = m[f.TRADED + i]


def stages_of(switches):
    """What a walk calls before a block, to open it, to open a step and to leave it."""
    joined = switches[f.SOURCE] == f.JOINED
    begin, follow = (begin_joined, (rejoin, follow_joined)) if joined else (begin_given, (follow_given,))
    known = (know_signals,) if switches[f.SIGNALS] else ()
    return (), (begin,), (*follow, *known, add_to_sums, offer), (roll, remember_traded)

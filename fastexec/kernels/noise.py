"""An observed mid that bounces around the efficient one, each step by itself (microstructure noise).

Strategies see the observed one. Fills are at the efficient one, or, where the noise is tradable, at the observed one too.
"""

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, bound, inlined, stage
from fastexec.kernels.philox import OF_NOISE, draw_words, gaussian_pair


@bound
@stage
def draw_for_noise(clock, switches, words, raw):
    """A normal for the bounce of step t + 1."""
    draw_words(clock.seed, clock.block, clock.t + 1, np.uint32(switches[f.PHASE] << 30 | OF_NOISE << 24), words)
    gaussian_pair(words, raw)


@bound
@stage
def bounce(raw, p, m):
    """The observed mid over the efficient one, in step t + 1."""
    for i in range(LANES):
        m[f.NEXT_BOUNCE + i] = 1.0 + p[f.NOISE_SD + i] * np.float64(raw[f.FIRST + i])


@bound
@stage
def bounce_first(m):
    """Where the noise is tradable, the mid that step 0 begins with bounces."""
    for i in range(LANES):
        m[f.MID + i] *= m[f.NEXT_BOUNCE + i]


@bound
@stage
def bounce_next(m):
    """And each that follows."""
    for i in range(LANES):
        m[f.NEXT + i] *= m[f.NEXT_BOUNCE + i]


@bound
@stage
def observe_bounced(m):
    """What is seen when a step begins: the efficient mid and its bounce."""
    for i in range(LANES):
        see(i, m[f.MID + i] * m[f.NEXT_BOUNCE + i], m)


@bound
@stage
def observe_mid(m):
    """Where it bounces itself."""
    for i in range(LANES):
        see(i, m[f.MID + i], m)


@bound
@stage
def remember_observed(t, m):
    """To the history of what is seen, in place of the efficient mid."""
    remembered = f.MIDS + t % f.HISTORY * LANES
    for i in range(LANES):
        m[remembered + i] = m[f.OBSERVED + i]


@inlined
def see(i, observed, m):
    """The observed mid of lane i; its move since the step before, if there is one, that squared, and times the last."""
    before = m[f.OBSERVED + i]
    move = observed / before - 1.0 if before > 0.0 else 0.0
    m[f.SEEN_SQUARES + i] += move * move
    m[f.SEEN_PRODUCTS + i] += move * m[f.SEEN_MOVE + i]
    m[f.SEEN_MOVE + i] = move
    m[f.OBSERVED + i] = observed


def noise_of(switches):
    """What a walk calls before the first step, where a step begins, and behind its sums; where noise is tradable, behind its
    move (``halts.underneath_of``).
    """
    draw = draw_for_noise, bounce
    if switches[f.NOISE] == f.NOISE_OFF:
        return (), (), ()
    if switches[f.NOISE] == f.NOISE_TRADABLE:
        return draw, (observe_mid,), ()
    return draw, (observe_bounced, *draw), (remember_observed,)

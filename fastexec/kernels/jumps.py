"""Jumps of the mid behind the price's own move: a Poisson number of them, their mean taken off (Merton 1976).

All jumps of a move together are one normal, given their number; so drift 0 stays a martingale, however often and far it jumps.
"""

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, bound, chained, inlined, stage
from fastexec.kernels.elementary import cos_turn, exp, log
from fastexec.kernels.philox import OF_JUMPS, draw_words

#: Jumps counted in a move: with a rate of 1, the highest allowed, more have probability 6e-17, less than a drawn number tells.
MOST_JUMPS = 18
_2_TO_MINUS_32 = 2.3283064365386963e-10


@bound
@stage
def draw_for_jumps(clock, switches, words):
    """Four words for the move out of step t, or for a first move before step 0 (t = -1)."""
    draw_words(clock.seed, clock.block, clock.t + 1, np.uint32(switches[f.PHASE] << 30 | OF_JUMPS << 24), words)


@bound
@chained
def jump_by_factors(words, p, m):
    """NEXT times log-normal jumps: mean JUMP_MEAN relative, sd of the log JUMP_VOLATILITY."""
    count_jumps(words, p, m)
    for i in range(LANES):
        own, jumps = p[f.JUMP_VOLATILITY + i], m[f.JUMPED + i]
        jumped = jumps * (log(1.0 + p[f.JUMP_MEAN + i]) - 0.5 * own * own) + np.sqrt(jumps) * own * normal(i, words)
        lead_to(i, m[f.NEXT + i] * exp(jumped - p[f.JUMP_RATE + i] * p[f.JUMP_MEAN + i]), m)


@bound
@chained
def jump_by_amounts(words, p, m):
    """NEXT plus normal jumps, in currency."""
    count_jumps(words, p, m)
    for i in range(LANES):
        mean, jumps = p[f.JUMP_MEAN + i], m[f.JUMPED + i]
        jumped = jumps * mean + np.sqrt(jumps) * p[f.JUMP_VOLATILITY + i] * normal(i, words)
        lead_to(i, m[f.NEXT + i] + (jumped - p[f.JUMP_RATE + i] * mean), m)


@stage
def count_jumps(words, p, m):
    """How many there are in each lane's move, into field JUMPED."""
    for i in range(LANES):
        m[f.JUMPED + i] = jumps_in_a_move(p[f.JUMP_RATE + i], words[f.THIRD + i], words[f.FOURTH + i])


@inlined
def jumps_in_a_move(rate, high, low):
    """A Poisson number by inversion: how often P(N <= n) lies below a uniform number of 52 bits."""
    u = np.float64(high >> np.uint32(6)) * 67108864.0 + np.float64(low >> np.uint32(6)) + 0.5
    u *= 2.220446049250313e-16
    probability = exp(-rate)
    below, number = probability, 0.0
    for n in range(1, MOST_JUMPS + 1):
        number += 1.0 if u > below else 0.0
        probability *= rate / n
        below += probability
    return number


@inlined
def normal(i, words):
    """Of a lane, by Box and Muller (1958)."""
    radius = np.sqrt(-2.0 * log((np.float64(words[f.FIRST + i]) + 0.5) * _2_TO_MINUS_32))
    return radius * cos_turn((np.float64(words[f.SECOND + i]) + 0.5) * _2_TO_MINUS_32)


@inlined
def lead_to(i, after, m):
    """The move of lane i ends at ``after`` instead of at NEXT: so does its square among the sums."""
    was, now = m[f.NEXT + i] / m[f.MID + i] - 1.0, after / m[f.MID + i] - 1.0
    m[f.SUM_SQUARED_MOVES + i] = max(m[f.SUM_SQUARED_MOVES + i] + (now * now - was * was), 0.0)
    m[f.NEXT + i] = after


def jumps_of(switches):
    """What a walk calls behind the price of these switches."""
    return (jump_by_amounts,) if switches[f.PRICE_MODEL] == f.ARITHMETIC else (jump_by_factors,)

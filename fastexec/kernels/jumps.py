"""Jumps of the mid behind the price's own move: a Poisson number of them, their mean taken off (Merton 1976).

All jumps of a move together are one normal, given their number; so drift 0 stays a martingale, however often and far it jumps.
It is the fourth normal of the step, which nothing else takes; a uniform number for how many is drawn for two moves at once.
"""

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, bound, chained, inlined, stage
from fastexec.kernels.elementary import exp, log
from fastexec.kernels.philox import OF_JUMPS, draw_words, gaussians

#: Jumps counted in a move: with a rate of 1, the highest allowed, more have probability 6e-17, less than a drawn number tells.
MOST_JUMPS = 18
#: Counted first: at a rate of .02 a block has more in one of 6,000 moves, and all 18 turns in each move cost 5 ns.
FEW_JUMPS = 2
_ROOT_OF_FEW = 1.4142135623730951


@bound
@stage
def begin_jumps(clock, switches, words, raw, p, m):
    """Of a block: the probability of no jump, the mean of a jump's logarithm, and the draws of a first move before step 0."""
    for i in range(LANES):
        own = p[f.JUMP_VOLATILITY + i]
        p[f.NO_JUMP + i] = exp(-p[f.JUMP_RATE + i])
        p[f.JUMP_LOG_MEAN + i] = log(1.0 + p[f.JUMP_MEAN + i]) - 0.5 * own * own
    draw_chances(clock, 0, switches, words, m)
    gaussians(words, raw)


@bound
@stage
def draw_for_jumps(clock, switches, words, m):
    """For the move out of step t."""
    if clock.t % 2 == 0:
        draw_chances(clock, clock.t // 2 + 1, switches, words, m)
    else:
        for i in range(LANES):
            m[f.CHANCE_OF_JUMPS + i] = m[f.NEXT_CHANCE + i]


@stage
def draw_chances(clock, number, switches, words, m):
    """Two uniform numbers of 52 bits for each lane."""
    draw_words(clock.seed, clock.block, number, np.uint32(switches[f.PHASE] << 30 | OF_JUMPS << 24), words)
    for i in range(LANES):
        m[f.CHANCE_OF_JUMPS + i] = uniform(words[f.FIRST + i], words[f.SECOND + i])
        m[f.NEXT_CHANCE + i] = uniform(words[f.THIRD + i], words[f.FOURTH + i])


@inlined
def uniform(high, low):
    """Between 0 and 1, of the first 26 bits of each."""
    whole = np.float64(high >> np.uint32(6)) * 67108864.0 + np.float64(low >> np.uint32(6))
    return (whole + 0.5) * 2.220446049250313e-16


@bound
@chained
def jump_by_factors(raw, p, m):
    """NEXT times log-normal jumps: mean JUMP_MEAN relative, sd of the log JUMP_VOLATILITY."""
    count_jumps(p, m)
    for i in range(LANES):
        jumps, size = m[f.JUMPED + i], p[f.JUMP_VOLATILITY + i] * np.float64(raw[f.FOURTH + i])
        factor = exp(
            jumps * p[f.JUMP_LOG_MEAN + i] + m[f.ROOT_OF_JUMPS + i] * size - p[f.JUMP_RATE + i] * p[f.JUMP_MEAN + i]
        )
        lead_to(i, m[f.NEXT + i] * factor, m)


@bound
@chained
def jump_by_amounts(raw, p, m):
    """NEXT plus normal jumps, in currency."""
    count_jumps(p, m)
    for i in range(LANES):
        jumps, size = m[f.JUMPED + i], p[f.JUMP_VOLATILITY + i] * np.float64(raw[f.FOURTH + i])
        amount = (jumps - p[f.JUMP_RATE + i]) * p[f.JUMP_MEAN + i] + m[f.ROOT_OF_JUMPS + i] * size
        lead_to(i, m[f.NEXT + i] + amount, m)


@stage
def count_jumps(p, m):
    """How many there are in each lane's move, into field JUMPED, and the root of that: counted to the end where a lane has more
    than a few.
    """
    beyond = 0
    for i in range(LANES):
        number, more = jumps_in_a_move(FEW_JUMPS, i, p, m)
        m[f.JUMPED + i] = number
        m[f.ROOT_OF_JUMPS + i] = _ROOT_OF_FEW if number > 1.0 else number
        beyond += more
    if beyond > 0:
        for i in range(LANES):
            m[f.JUMPED + i] = jumps_in_a_move(MOST_JUMPS, i, p, m)[0]
        for i in range(LANES):
            m[f.ROOT_OF_JUMPS + i] = np.sqrt(m[f.JUMPED + i])


@inlined
def jumps_in_a_move(most, i, p, m):
    """A Poisson number by inversion, and whether it is above ``most``: how often P(N <= n) lies below a uniform number."""
    u, probability = m[f.CHANCE_OF_JUMPS + i], p[f.NO_JUMP + i]
    below, number = probability, 0.0
    for n in range(1, most + 1):
        number += 1.0 if u > below else 0.0
        probability *= p[f.JUMP_RATE + i] * (1.0 / n)
        below += probability
    return number, 1 if u > below else 0


@inlined
def lead_to(i, after, m):
    """The move of lane i ends at ``after`` instead of at NEXT: so does its square among the sums."""
    share = 1.0 / m[f.MID + i]  # divisions are dear
    was, now = m[f.NEXT + i] * share - 1.0, after * share - 1.0
    m[f.SUM_SQUARED_MOVES + i] = max(m[f.SUM_SQUARED_MOVES + i] + (now * now - was * was), 0.0)
    m[f.NEXT + i] = after


def jumps_of(switches):
    """What a walk calls before the first step, before the price of these switches moves, and behind it."""
    if not switches[f.JUMPS]:
        return (), (), ()
    jump = jump_by_amounts if switches[f.PRICE_MODEL] == f.ARITHMETIC else jump_by_factors
    return (begin_jumps,), (draw_for_jumps,), (jump,)

"""Models of the mid's moves, each a stage that makes NEXT, S_{t+1}, from MID, and adds the squared relative move."""

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, bound, chained, inlined, stage
from fastexec.kernels.elementary import cos_turn, exp, log

MERTON = 2
(JUMP_RATE, JUMP_MEAN, JUMP_VOLATILITY) = f.further_slots("price", 3)
#: Jumps counted in a move: with a rate of 1, the highest allowed, more have probability 6e-17, less than a drawn number tells.
MOST_JUMPS = 18


@bound
@chained
def geometric(t, curves, normals, p, m):
    """NEXT from MID, and the squared relative move; corrected by -volatility^2 / 2, so drift 0 is a martingale."""
    curve = curves[f.PRICE_CURVE, t]
    for i in range(LANES):
        v = p[f.VOLATILITY + i] * curve * m[f.VOLATILITY_FACTOR + i]
        growth = exp(p[f.DRIFT + i] - 0.5 * v * v + v * normals[f.Z_PRICE + i])
        m[f.NEXT + i] = m[f.MID + i] * growth
        m[f.SUM_SQUARED_MOVES + i] += (growth - 1.0) * (growth - 1.0)


@bound
@chained
def arithmetic(t, curves, normals, p, m):
    """NEXT from MID, and the squared relative move."""
    curve = curves[f.PRICE_CURVE, t]
    for i in range(LANES):
        v = p[f.VOLATILITY + i] * curve * m[f.VOLATILITY_FACTOR + i]
        step = p[f.DRIFT + i] + v * normals[f.Z_PRICE + i]
        m[f.NEXT + i] = m[f.MID + i] + step
        move = step / m[f.MID + i]
        m[f.SUM_SQUARED_MOVES + i] += move * move


@bound
@chained
def merton(t, curves, normals, words, p, m):
    """NEXT from MID, and the squared relative move: ``geometric``, and a Poisson number of log-normal jumps (Merton 1976).

    All jumps of a move together are one normal, given their number. Their mean is taken off, so drift 0 is a martingale.
    """
    curve = curves[f.PRICE_CURVE, t]
    for i in range(LANES):
        m[f.NEXT + i] = jumps_in_a_move(p[JUMP_RATE + i], words[f.THIRD + i], words[f.FOURTH + i])
    for i in range(LANES):
        v = p[f.VOLATILITY + i] * curve * m[f.VOLATILITY_FACTOR + i]
        own, jumps = p[JUMP_VOLATILITY + i], m[f.NEXT + i]
        radius = np.sqrt(-2.0 * log((np.float64(words[f.FIRST + i]) + 0.5) * 2.3283064365386963e-10))
        z = radius * cos_turn((np.float64(words[f.SECOND + i]) + 0.5) * 2.3283064365386963e-10)
        jumped = jumps * (log(1.0 + p[JUMP_MEAN + i]) - 0.5 * own * own) + np.sqrt(jumps) * own * z
        log_move = p[f.DRIFT + i] - 0.5 * v * v + v * normals[f.Z_PRICE + i]
        growth = exp(log_move + (jumped - p[JUMP_RATE + i] * p[JUMP_MEAN + i]))
        m[f.NEXT + i] = m[f.MID + i] * growth
        m[f.SUM_SQUARED_MOVES + i] += (growth - 1.0) * (growth - 1.0)


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


@bound
@stage
def begin_moved(m):
    """Where the price has moved once, the order begins."""
    for i in range(LANES):
        m[f.MID + i] = m[f.NEXT + i]
        m[f.SUM_SQUARED_MOVES + i] = 0.0


#: By the number of the model.
PRICES = {
    f.GEOMETRIC: geometric,
    f.ARITHMETIC: arithmetic,
    MERTON: merton,
}

"""Advance a block of lanes: price, spread and volume, one market for every strategy (DESIGN: common random numbers).

In step t, ``advance`` makes the volume v_t and the mid S_{t+1} at the step's end; after the strategies have traded,
``roll`` moves the block to step t + 1 and lets the spread follow. So the move out of step t is the one that correlates
with v_t and with the next spread, and what is known when a step begins tells nothing about its own move.
"""

from __future__ import annotations

import numpy as np

from fastexec.kernels._jit import LANES, chained, stage
from fastexec.kernels.elementary import exp
from fastexec.kernels.fields import (
    ARITHMETIC,
    ARRIVAL,
    ARRIVAL_SPREAD,
    CORRELATED,
    COSINE_CURVE,
    CUMULATIVE_VOLUME,
    DAY_STATE,
    DAY_VOLATILITY,
    DRIFT,
    FIRST_ROW,
    GEOMETRIC,
    HISTORY,
    INITIAL_PRICE,
    L20,
    L21,
    L22,
    L30,
    L31,
    L32,
    L33,
    LAST_VOLUME,
    LEVEL_ROW,
    MARKET_FIELDS,
    MID,
    MOST_LEVELS,
    NEXT,
    PHASE,
    PRICE_CURVE,
    PRICE_MODEL,
    SPREAD,
    SPREAD_CHAIN,
    SPREAD_CURVE,
    SPREAD_FLOOR,
    SPREAD_LEVEL,
    SPREAD_LEVELS,
    SPREAD_MARKOV,
    SPREAD_MEAN_REVERTING,
    SPREAD_MODEL,
    SPREAD_RANDOM_WALK,
    SPREAD_REVERSION,
    SPREAD_SCALE,
    SPREAD_SD,
    SPREAD_STATE,
    SPREAD_VOLATILITY,
    START_MOVED,
    SUM_PRICE,
    SUM_SPREAD,
    SUM_SQUARED_MOVES,
    SUM_VOLUME_PRICE,
    VOLATILITY,
    VOLUME,
    VOLUME_AMPLITUDE,
    VOLUME_CHAIN,
    VOLUME_CONSTANT,
    VOLUME_COSINE,
    VOLUME_CURVE,
    VOLUME_FLOOR,
    VOLUME_FRESH,
    VOLUME_LEVELS,
    VOLUME_MARKOV,
    VOLUME_MEAN,
    VOLUME_MODEL,
    VOLUME_NOISE,
    VOLUME_PERSISTENCE,
    VOLUME_SCALE,
    VOLUME_STATE,
)
from fastexec.kernels.philox import MOVES, START, draw_words, gaussian_pair, gaussians

_W = LANES
_MEAN_ABSOLUTE = 0.7978845608028654  # sqrt(2 / pi)
_SD_ABSOLUTE = 0.6028102749890869  # sqrt(1 - 2 / pi)


@stage
def begin(seed, block, plan, words, raw, p, m):
    """A block at step 0: clear sums, draw the stationary spread and volume states and the first move, if there is one."""
    for j in range(MARKET_FIELDS * _W):
        m[j] = 0.0
    draw_words(seed, block, np.int64(0), np.uint32(plan.switches[PHASE] << 30 | START << 24), words)
    gaussians(words, raw)
    for i in range(_W):
        m[ARRIVAL * _W + i] = p[INITIAL_PRICE * _W + i]
        m[MID * _W + i] = p[INITIAL_PRICE * _W + i]
        m[SPREAD_STATE * _W + i] = p[SPREAD_SD * _W + i] * np.float64(raw[_W + i])
        m[VOLUME_STATE * _W + i] = np.float64(raw[2 * _W + i])
        m[DAY_STATE * _W + i] = np.float64(raw[3 * _W + i])
    if plan.switches[START_MOVED]:
        move_price(plan.switches[PRICE_MODEL], plan.curves[PRICE_CURVE, 0], raw, p, m)
        for i in range(_W):
            m[MID * _W + i] = m[NEXT * _W + i]
            m[SUM_SQUARED_MOVES * _W + i] = 0.0
    if plan.switches[VOLUME_MODEL] == VOLUME_MARKOV:
        for i in range(_W):
            m[VOLUME_STATE * _W + i] = FIRST_ROW
    if plan.switches[SPREAD_MODEL] == SPREAD_MEAN_REVERTING:
        level_spread(plan.curves[SPREAD_CURVE, 0], p, m)
    elif plan.switches[SPREAD_MODEL] == SPREAD_MARKOV:
        for i in range(_W):
            m[SPREAD_STATE * _W + i] = FIRST_ROW
        step_chain(plan.chains, SPREAD_CHAIN, plan.switches[SPREAD_LEVELS], (SPREAD_STATE, SPREAD), raw, m)
    else:
        for i in range(_W):
            m[SPREAD * _W + i] = p[SPREAD_LEVEL * _W + i]
    for i in range(_W):
        m[ARRIVAL_SPREAD * _W + i] = m[SPREAD * _W + i]


@stage
def draw(seed, block, t, switches, words, raw, normals, p):
    """Step t's normals (z_p, z_s, z_v), correlated as the study says."""
    draw_words(seed, block, t, np.uint32(switches[PHASE] << 30 | MOVES << 24), words)
    if switches[VOLUME_MODEL] == VOLUME_CONSTANT:
        gaussian_pair(words, raw)
    else:
        gaussians(words, raw)
    if switches[CORRELATED]:
        correlate(raw, normals, p)
    else:
        for j in range(3 * _W):
            normals[j] = np.float64(raw[j])


@stage
def advance(t, switches, curves, chains, normals, p, m):
    """v_t and S_{t+1} from step t's normals."""
    move_price(switches[PRICE_MODEL], curves[PRICE_CURVE, t], normals, p, m)
    if switches[VOLUME_MODEL] == VOLUME_MARKOV:
        step_chain(chains, VOLUME_CHAIN, switches[VOLUME_LEVELS], (VOLUME_STATE, VOLUME), normals[_W:], m)
        return
    draw_volume(switches[VOLUME_MODEL], curves[VOLUME_CURVE, t], curves[COSINE_CURVE, t], normals, p, m)


@chained
def correlate(raw, normals, p):
    """From independent normals (z_p, e1, e2) to (z_p, z_s, z_v) with the study's correlations."""
    for i in range(_W):
        z, e1, e2 = np.float64(raw[i]), np.float64(raw[_W + i]), np.float64(raw[2 * _W + i])
        a = (abs(z) - _MEAN_ABSOLUTE) / _SD_ABSOLUTE
        normals[i] = z
        normals[_W + i] = p[L20 * _W + i] * z + p[L21 * _W + i] * a + p[L22 * _W + i] * e1
        normals[2 * _W + i] = p[L30 * _W + i] * z + p[L31 * _W + i] * a + p[L32 * _W + i] * e1 + p[L33 * _W + i] * e2


@chained
def move_price(model, curve, normals, p, m):
    """NEXT from MID, and the squared relative move. Geometric: corrected by -volatility^2 / 2, so drift 0 is a martingale."""
    if model == GEOMETRIC:
        for i in range(_W):
            v = p[VOLATILITY * _W + i] * curve
            growth = exp(p[DRIFT * _W + i] - 0.5 * v * v + v * normals[i])
            m[NEXT * _W + i] = m[MID * _W + i] * growth
            m[SUM_SQUARED_MOVES * _W + i] += (growth - 1.0) * (growth - 1.0)
    elif model == ARITHMETIC:
        for i in range(_W):
            step = p[DRIFT * _W + i] + p[VOLATILITY * _W + i] * curve * normals[i]
            m[NEXT * _W + i] = m[MID * _W + i] + step
            move = step / m[MID * _W + i]
            m[SUM_SQUARED_MOVES * _W + i] += move * move


@chained
def draw_volume(model, curve, cosine, normals, p, m):
    """v_t by the model, and the cumulative volume with it."""
    if model == VOLUME_CONSTANT:
        for i in range(_W):
            m[VOLUME * _W + i] = p[VOLUME_MEAN * _W + i]
    elif model == VOLUME_COSINE:
        for i in range(_W):
            level = p[VOLUME_MEAN * _W + i] * (1.0 + p[VOLUME_AMPLITUDE * _W + i] * cosine)
            drawn = level + p[VOLUME_NOISE * _W + i] * normals[2 * _W + i]
            m[VOLUME * _W + i] = max(drawn, p[VOLUME_FLOOR * _W + i])
    else:
        for i in range(_W):
            fresh = p[VOLUME_FRESH * _W + i] * normals[2 * _W + i]
            x = p[VOLUME_PERSISTENCE * _W + i] * m[VOLUME_STATE * _W + i] + fresh
            m[VOLUME_STATE * _W + i] = x
            spread_of_logs = p[VOLUME_NOISE * _W + i] * x + p[DAY_VOLATILITY * _W + i] * m[DAY_STATE * _W + i]
            drawn = p[VOLUME_SCALE * _W + i] * curve * exp(spread_of_logs)
            m[VOLUME * _W + i] = max(drawn, p[VOLUME_FLOOR * _W + i])


@stage
def observe(t, m):
    """Add the step to the market's own sums, and its mid to the history; volume trades at the mean of the mids around it."""
    remembered = (MARKET_FIELDS + t % HISTORY) * _W
    for i in range(_W):
        m[remembered + i] = m[MID * _W + i]
    for i in range(_W):
        price = 0.5 * (m[MID * _W + i] + m[NEXT * _W + i])
        volume = m[VOLUME * _W + i]
        m[CUMULATIVE_VOLUME * _W + i] += volume
        m[SUM_VOLUME_PRICE * _W + i] += volume * price
        m[SUM_PRICE * _W + i] += price
        m[SUM_SPREAD * _W + i] += m[SPREAD * _W + i]


@stage
def roll(t, switches, curves, chains, normals, p, m):
    """To step t + 1: the mid moves on and the spread follows the step's normals."""
    for i in range(_W):
        m[MID * _W + i] = m[NEXT * _W + i]
        m[LAST_VOLUME * _W + i] = m[VOLUME * _W + i]
    if switches[SPREAD_MODEL] == SPREAD_RANDOM_WALK:
        for i in range(_W):
            walked = m[SPREAD * _W + i] + p[SPREAD_VOLATILITY * _W + i] * normals[_W + i]
            m[SPREAD * _W + i] = abs(walked)
    elif switches[SPREAD_MODEL] == SPREAD_MEAN_REVERTING:
        for i in range(_W):
            kept = (1.0 - p[SPREAD_REVERSION * _W + i]) * m[SPREAD_STATE * _W + i]
            m[SPREAD_STATE * _W + i] = kept + p[SPREAD_VOLATILITY * _W + i] * normals[_W + i]
        level_spread(curves[SPREAD_CURVE, t + 1], p, m)
    elif switches[SPREAD_MODEL] == SPREAD_MARKOV:
        step_chain(chains, SPREAD_CHAIN, switches[SPREAD_LEVELS], (SPREAD_STATE, SPREAD), normals, m)


@stage
def step_chain(chains, chain, levels, places, normals, m):
    """The next level of a Markov chain: as many thresholds of its state's row as the second of ``normals`` lies above.

    A normal instead of a uniform number, so that the study's correlations reach the chains too (a Gaussian copula).
    """
    state, value = places
    for i in range(_W):
        row = chain + np.int64(m[state * _W + i]) * MOST_LEVELS
        z, above = np.float64(normals[_W + i]), np.int64(0)
        for j in range(levels - 1):
            above += np.int64(z > chains[row + j])
        m[state * _W + i] = np.float64(above)
        m[value * _W + i] = chains[chain + LEVEL_ROW * MOST_LEVELS + above]


@chained
def level_spread(curve, p, m):
    """The mean-reverting spread from its state: mean * curve * exp(x - sd^2 / 2), not below the floor."""
    for i in range(_W):
        drawn = p[SPREAD_SCALE * _W + i] * curve * exp(m[SPREAD_STATE * _W + i])
        m[SPREAD * _W + i] = max(drawn, p[SPREAD_FLOOR * _W + i])

"""Advance a block of lanes: price, spread and volume, one market for every strategy (DESIGN: common random numbers).

In step t, ``advance`` makes the volume v_t and the mid S_{t+1} at the step's end; after the strategies have traded,
``roll`` moves the block to step t + 1 and lets the spread follow. So the move out of step t is the one that correlates
with v_t and with the next spread, and what is known when a step begins tells nothing about its own move.
"""

from __future__ import annotations

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, chained, stage
from fastexec.kernels.elementary import exp
from fastexec.kernels.philox import MOVES, START, draw_words, gaussian_pair, gaussians

_MEAN_ABSOLUTE = 0.7978845608028654  # sqrt(2 / pi)
_SD_ABSOLUTE = 0.6028102749890869  # sqrt(1 - 2 / pi)


@stage
def begin(clock, plan, words, raw, p, m):
    """A block at step 0: clear sums, draw the stationary spread and volume states and the first move, if there is one."""
    for j in range(f.MIDS):
        m[j] = 0.0
    draw_words(clock.seed, clock.block, np.int64(0), np.uint32(plan.switches[f.PHASE] << 30 | START << 24), words)
    gaussians(words, raw)
    for i in range(LANES):
        m[f.ARRIVAL + i] = p[f.INITIAL_PRICE + i]
        m[f.MID + i] = p[f.INITIAL_PRICE + i]
        m[f.SPREAD_STATE + i] = p[f.SPREAD_SD + i] * np.float64(raw[f.SECOND + i])
        m[f.VOLUME_STATE + i] = np.float64(raw[f.THIRD + i])
        m[f.DAY_STATE + i] = np.float64(raw[f.FOURTH + i])
    if plan.switches[f.START_MOVED]:
        move_price(plan.switches[f.PRICE_MODEL], plan.curves[f.PRICE_CURVE, 0], raw, p, m)
        for i in range(LANES):
            m[f.MID + i] = m[f.NEXT + i]
            m[f.SUM_SQUARED_MOVES + i] = 0.0
    if plan.switches[f.VOLUME_MODEL] == f.VOLUME_MARKOV:
        for i in range(LANES):
            m[f.VOLUME_STATE + i] = f.FIRST_ROW
    if plan.switches[f.SPREAD_MODEL] == f.SPREAD_MEAN_REVERTING:
        level_spread(plan.curves[f.SPREAD_CURVE, 0], p, m)
    elif plan.switches[f.SPREAD_MODEL] == f.SPREAD_MARKOV:
        for i in range(LANES):
            m[f.SPREAD_STATE + i] = f.FIRST_ROW
        step_chain(
            plan.chains, f.SPREAD_CHAIN, plan.switches[f.SPREAD_LEVELS], (f.SPREAD_STATE, f.SPREAD), raw[f.SECOND :], m
        )
    else:
        for i in range(LANES):
            m[f.SPREAD + i] = p[f.SPREAD_LEVEL + i]
    for i in range(LANES):
        m[f.ARRIVAL_SPREAD + i] = m[f.SPREAD + i]


@stage
def draw(clock, switches, words, raw, normals, p):
    """The step's normals (z_p, z_s, z_v), correlated as the study says."""
    draw_words(clock.seed, clock.block, clock.t, np.uint32(switches[f.PHASE] << 30 | MOVES << 24), words)
    if switches[f.VOLUME_MODEL] == f.VOLUME_CONSTANT:
        gaussian_pair(words, raw)
    else:
        gaussians(words, raw)
    if switches[f.CORRELATED]:
        correlate(raw, normals, p)
    else:
        for j in range(f.NORMAL_FIELDS * LANES):
            normals[j] = np.float64(raw[j])


@stage
def advance(t, switches, curves, chains, normals, p, m):
    """v_t and S_{t+1} from step t's normals."""
    move_price(switches[f.PRICE_MODEL], curves[f.PRICE_CURVE, t], normals, p, m)
    if switches[f.VOLUME_MODEL] == f.VOLUME_MARKOV:
        step_chain(
            chains, f.VOLUME_CHAIN, switches[f.VOLUME_LEVELS], (f.VOLUME_STATE, f.VOLUME), normals[f.Z_VOLUME :], m
        )
        return
    draw_volume(switches[f.VOLUME_MODEL], curves[f.VOLUME_CURVE, t], curves[f.COSINE_CURVE, t], normals, p, m)


@chained
def correlate(raw, normals, p):
    """From independent normals (z_p, e1, e2) to (z_p, z_s, z_v) with the study's correlations."""
    for i in range(LANES):
        z, e1, e2 = np.float64(raw[f.FIRST + i]), np.float64(raw[f.SECOND + i]), np.float64(raw[f.THIRD + i])
        a = (abs(z) - _MEAN_ABSOLUTE) / _SD_ABSOLUTE
        normals[f.Z_PRICE + i] = z
        normals[f.Z_SPREAD + i] = p[f.L20 + i] * z + p[f.L21 + i] * a + p[f.L22 + i] * e1
        normals[f.Z_VOLUME + i] = p[f.L30 + i] * z + p[f.L31 + i] * a + p[f.L32 + i] * e1 + p[f.L33 + i] * e2


@chained
def move_price(model, curve, normals, p, m):
    """NEXT from MID, and the squared relative move. Geometric: corrected by -volatility^2 / 2, so drift 0 is a martingale."""
    if model == f.GEOMETRIC:
        for i in range(LANES):
            v = p[f.VOLATILITY + i] * curve
            growth = exp(p[f.DRIFT + i] - 0.5 * v * v + v * normals[f.Z_PRICE + i])
            m[f.NEXT + i] = m[f.MID + i] * growth
            m[f.SUM_SQUARED_MOVES + i] += (growth - 1.0) * (growth - 1.0)
    elif model == f.ARITHMETIC:
        for i in range(LANES):
            step = p[f.DRIFT + i] + p[f.VOLATILITY + i] * curve * normals[f.Z_PRICE + i]
            m[f.NEXT + i] = m[f.MID + i] + step
            move = step / m[f.MID + i]
            m[f.SUM_SQUARED_MOVES + i] += move * move


@chained
def draw_volume(model, curve, cosine, normals, p, m):
    """v_t by the model, and the cumulative volume with it."""
    if model == f.VOLUME_CONSTANT:
        for i in range(LANES):
            m[f.VOLUME + i] = p[f.VOLUME_MEAN + i]
    elif model == f.VOLUME_COSINE:
        for i in range(LANES):
            level = p[f.VOLUME_MEAN + i] * (1.0 + p[f.VOLUME_AMPLITUDE + i] * cosine)
            drawn = level + p[f.VOLUME_NOISE + i] * normals[f.Z_VOLUME + i]
            m[f.VOLUME + i] = max(drawn, p[f.VOLUME_FLOOR + i])
    else:
        for i in range(LANES):
            fresh = p[f.VOLUME_FRESH + i] * normals[f.Z_VOLUME + i]
            x = p[f.VOLUME_PERSISTENCE + i] * m[f.VOLUME_STATE + i] + fresh
            m[f.VOLUME_STATE + i] = x
            spread_of_logs = p[f.VOLUME_NOISE + i] * x + p[f.DAY_VOLATILITY + i] * m[f.DAY_STATE + i]
            drawn = p[f.VOLUME_SCALE + i] * curve * exp(spread_of_logs)
            m[f.VOLUME + i] = max(drawn, p[f.VOLUME_FLOOR + i])


@stage
def observe(t, m):
    """Add the step to the market's own sums, and its mid to the history; volume trades at the mean of the mids around it."""
    remembered = f.MIDS + t % f.HISTORY * LANES
    for i in range(LANES):
        m[remembered + i] = m[f.MID + i]
    for i in range(LANES):
        price = 0.5 * (m[f.MID + i] + m[f.NEXT + i])
        volume = m[f.VOLUME + i]
        m[f.CUMULATIVE_VOLUME + i] += volume
        m[f.SUM_VOLUME_PRICE + i] += volume * price
        m[f.SUM_PRICE + i] += price
        m[f.SUM_SPREAD + i] += m[f.SPREAD + i]


@stage
def roll(t, switches, curves, chains, normals, p, m):
    """To step t + 1: the mid moves on and the spread follows the step's normals."""
    for i in range(LANES):
        m[f.MID + i] = m[f.NEXT + i]
        m[f.LAST_VOLUME + i] = m[f.VOLUME + i]
    if switches[f.SPREAD_MODEL] == f.SPREAD_RANDOM_WALK:
        for i in range(LANES):
            walked = m[f.SPREAD + i] + p[f.SPREAD_VOLATILITY + i] * normals[f.Z_SPREAD + i]
            m[f.SPREAD + i] = abs(walked)
    elif switches[f.SPREAD_MODEL] == f.SPREAD_MEAN_REVERTING:
        for i in range(LANES):
            kept = (1.0 - p[f.SPREAD_REVERSION + i]) * m[f.SPREAD_STATE + i]
            m[f.SPREAD_STATE + i] = kept + p[f.SPREAD_VOLATILITY + i] * normals[f.Z_SPREAD + i]
        level_spread(curves[f.SPREAD_CURVE, t + 1], p, m)
    elif switches[f.SPREAD_MODEL] == f.SPREAD_MARKOV:
        step_chain(
            chains, f.SPREAD_CHAIN, switches[f.SPREAD_LEVELS], (f.SPREAD_STATE, f.SPREAD), normals[f.Z_SPREAD :], m
        )


@stage
def step_chain(chains, chain, levels, places, normals, m):
    """The next level of a Markov chain: as many thresholds of its state's row as its normal lies above.

    A normal instead of a uniform number, so that the study's correlations reach the chains too (a Gaussian copula).
    """
    state, value = places
    for i in range(LANES):
        row = chain + np.int64(m[state + i]) * f.MOST_LEVELS
        z, above = np.float64(normals[i]), np.int64(0)
        for j in range(levels - 1):
            above += np.int64(z > chains[row + j])
        m[state + i] = np.float64(above)
        m[value + i] = chains[chain + f.LEVEL_ROW * f.MOST_LEVELS + above]


@chained
def level_spread(curve, p, m):
    """The mean-reverting spread from its state: mean * curve * exp(x - sd^2 / 2), not below the floor."""
    for i in range(LANES):
        drawn = p[f.SPREAD_SCALE + i] * curve * exp(m[f.SPREAD_STATE + i])
        m[f.SPREAD + i] = max(drawn, p[f.SPREAD_FLOOR + i])

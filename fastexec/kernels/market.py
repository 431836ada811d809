"""Advance a block of lanes: price, spread and volume, one market for every strategy (DESIGN: common random numbers).

Step t makes the volume v_t and the mid S_{t+1} at the step's end; after the strategies have traded, the walk leaves for
step t + 1 and lets the spread follow. So the move out of step t is the one that correlates with v_t and with the next
spread, and what is known when a step begins tells nothing about its own move.

A model is a stage, or a few, bound: a walk calls those of its study (``stages_of``) and compiles no others.
"""

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, bound, chained, stage
from fastexec.kernels.elementary import exp
from fastexec.kernels.philox import MOVES, START, draw_words, gaussian_pair, gaussians

_MEAN_ABSOLUTE = 0.7978845608028654  # sqrt(2 / pi)
_SD_ABSOLUTE = 0.6028102749890869  # sqrt(1 - 2 / pi)


@bound
@stage
def begin(raw, normals, p, m):
    """A block at step 0: sums are 0, the price is the initial one, the states of spread and volume are those drawn."""
    for j in range(f.MIDS):
        m[j] = 0.0
    for i in range(LANES):
        m[f.ARRIVAL + i] = p[f.INITIAL_PRICE + i]
        m[f.MID + i] = p[f.INITIAL_PRICE + i]
        m[f.SPREAD_STATE + i] = p[f.SPREAD_SD + i] * np.float64(raw[f.SECOND + i])
        m[f.VOLUME_STATE + i] = np.float64(raw[f.THIRD + i])
        m[f.DAY_STATE + i] = np.float64(raw[f.FOURTH + i])
        normals[f.Z_PRICE + i] = np.float64(raw[f.FIRST + i])


@bound
@stage
def begin_moved(m):
    """Where the price has moved once, the order begins."""
    for i in range(LANES):
        m[f.MID + i] = m[f.NEXT + i]
        m[f.SUM_SQUARED_MOVES + i] = 0.0


@bound
@stage
def quote_arrival(m):
    """The spread at arrival."""
    for i in range(LANES):
        m[f.ARRIVAL_SPREAD + i] = m[f.SPREAD + i]


@bound
@stage
def draw(clock, switches, words, raw):
    """The step's independent normals, or those that a block begins with (t = -1); in a step with a constant volume a pair
    is enough.
    """
    purpose = START if clock.t < 0 else MOVES
    stream = np.uint32(switches[f.PHASE] << 30 | purpose << 24)
    draw_words(clock.seed, clock.block, max(clock.t, 0), stream, words)
    if switches[f.VOLUME_MODEL] == f.VOLUME_CONSTANT and clock.t >= 0:
        gaussian_pair(words, raw)
    else:
        gaussians(words, raw)


@bound
@stage
def keep_independent(raw, normals):
    """(z_p, z_s, z_v) as they were drawn."""
    for j in range(f.NORMAL_FIELDS * LANES):
        normals[j] = np.float64(raw[j])


@bound
@chained
def correlate(raw, normals, p):
    """From independent normals (z_p, e1, e2) to (z_p, z_s, z_v) with the study's correlations."""
    for i in range(LANES):
        z, e1, e2 = np.float64(raw[f.FIRST + i]), np.float64(raw[f.SECOND + i]), np.float64(raw[f.THIRD + i])
        a = (abs(z) - _MEAN_ABSOLUTE) / _SD_ABSOLUTE
        normals[f.Z_PRICE + i] = z
        normals[f.Z_SPREAD + i] = p[f.L20 + i] * z + p[f.L21 + i] * a + p[f.L22 + i] * e1
        normals[f.Z_VOLUME + i] = p[f.L30 + i] * z + p[f.L31 + i] * a + p[f.L32 + i] * e1 + p[f.L33 + i] * e2


@bound
@chained
def geometric(t, curves, normals, p, m):
    """NEXT from MID, and the squared relative move; corrected by -volatility^2 / 2, so drift 0 is a martingale."""
    curve = curves[f.PRICE_CURVE, t]
    for i in range(LANES):
        v = p[f.VOLATILITY + i] * curve
        growth = exp(p[f.DRIFT + i] - 0.5 * v * v + v * normals[f.Z_PRICE + i])
        m[f.NEXT + i] = m[f.MID + i] * growth
        m[f.SUM_SQUARED_MOVES + i] += (growth - 1.0) * (growth - 1.0)


@bound
@chained
def arithmetic(t, curves, normals, p, m):
    """NEXT from MID, and the squared relative move."""
    curve = curves[f.PRICE_CURVE, t]
    for i in range(LANES):
        step = p[f.DRIFT + i] + p[f.VOLATILITY + i] * curve * normals[f.Z_PRICE + i]
        m[f.NEXT + i] = m[f.MID + i] + step
        move = step / m[f.MID + i]
        m[f.SUM_SQUARED_MOVES + i] += move * move


@bound
@stage
def constant_volume(p, m):
    """v_t, the same in every step."""
    for i in range(LANES):
        m[f.VOLUME + i] = p[f.VOLUME_MEAN + i]


@bound
@chained
def cosine_volume(t, curves, normals, p, m):
    """v_t: one turn of a cosine over the order, and noise."""
    cosine = curves[f.COSINE_CURVE, t]
    for i in range(LANES):
        level = p[f.VOLUME_MEAN + i] * (1.0 + p[f.VOLUME_AMPLITUDE + i] * cosine)
        drawn = level + p[f.VOLUME_NOISE + i] * normals[f.Z_VOLUME + i]
        m[f.VOLUME + i] = max(drawn, p[f.VOLUME_FLOOR + i])


@bound
@chained
def lognormal_volume(t, curves, normals, p, m):
    """v_t: a curve times the exponential of an AR(1) and of the day's own level."""
    curve = curves[f.VOLUME_CURVE, t]
    for i in range(LANES):
        fresh = p[f.VOLUME_FRESH + i] * normals[f.Z_VOLUME + i]
        x = p[f.VOLUME_PERSISTENCE + i] * m[f.VOLUME_STATE + i] + fresh
        m[f.VOLUME_STATE + i] = x
        spread_of_logs = p[f.VOLUME_NOISE + i] * x + p[f.DAY_VOLATILITY + i] * m[f.DAY_STATE + i]
        drawn = p[f.VOLUME_SCALE + i] * curve * exp(spread_of_logs)
        m[f.VOLUME + i] = max(drawn, p[f.VOLUME_FLOOR + i])


@bound
@stage
def begin_volume_chain(m):
    """Before its first level."""
    for i in range(LANES):
        m[f.VOLUME_STATE + i] = f.FIRST_ROW


@bound
@stage
def volume_chain(switches, chains, normals, m):
    """v_t: the next level of a Markov chain."""
    levels = switches[f.VOLUME_LEVELS]
    step_chain(chains, f.VOLUME_CHAIN, levels, (f.VOLUME_STATE, f.VOLUME), normals[f.Z_VOLUME :], m)


@bound
@stage
def add_to_sums(t, m):
    """The step to the market's own sums, and its mid to the history; volume trades at the mean of the mids around it."""
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


@bound
@stage
def roll(m):
    """To step t + 1: the mid moves on."""
    for i in range(LANES):
        m[f.MID + i] = m[f.NEXT + i]
        m[f.LAST_VOLUME + i] = m[f.VOLUME + i]


@bound
@stage
def constant_spread(p, m):
    """The first spread, and every later one where it is constant."""
    for i in range(LANES):
        m[f.SPREAD + i] = p[f.SPREAD_LEVEL + i]


@bound
@stage
def random_walk_spread(clock, normals, p, m):
    """The next spread: a reflected random walk. After the last step the quote stays, for what is marked there."""
    if clock.t == clock.steps - 1:
        return
    for i in range(LANES):
        walked = m[f.SPREAD + i] + p[f.SPREAD_VOLATILITY + i] * normals[f.Z_SPREAD + i]
        m[f.SPREAD + i] = abs(walked)


@bound
@stage
def begin_mean_reverting_spread(curves, p, m):
    """The first spread, of its stationary law."""
    level_spread(curves[f.SPREAD_CURVE, 0], p, m)


@bound
@stage
def mean_reverting_spread(clock, curves, normals, p, m):
    """The next spread; its logarithm reverts to its mean. After the last step the quote stays."""
    if clock.t == clock.steps - 1:
        return
    for i in range(LANES):
        kept = (1.0 - p[f.SPREAD_REVERSION + i]) * m[f.SPREAD_STATE + i]
        m[f.SPREAD_STATE + i] = kept + p[f.SPREAD_VOLATILITY + i] * normals[f.Z_SPREAD + i]
    level_spread(curves[f.SPREAD_CURVE, clock.t + 1], p, m)


@chained
def level_spread(curve, p, m):
    """The mean-reverting spread from its state: mean * curve * exp(x - sd^2 / 2), not below the floor."""
    for i in range(LANES):
        drawn = p[f.SPREAD_SCALE + i] * curve * exp(m[f.SPREAD_STATE + i])
        m[f.SPREAD + i] = max(drawn, p[f.SPREAD_FLOOR + i])


@bound
@stage
def begin_spread_chain(switches, chains, raw, m):
    """The first spread, of its stationary law."""
    for i in range(LANES):
        m[f.SPREAD_STATE + i] = f.FIRST_ROW
    levels = switches[f.SPREAD_LEVELS]
    step_chain(chains, f.SPREAD_CHAIN, levels, (f.SPREAD_STATE, f.SPREAD), raw[f.SECOND :], m)


@bound
@stage
def spread_chain(clock, switches, chains, normals, m):
    """The next spread: the next level of a Markov chain. After the last step the quote stays."""
    if clock.t == clock.steps - 1:
        return
    levels = switches[f.SPREAD_LEVELS]
    step_chain(chains, f.SPREAD_CHAIN, levels, (f.SPREAD_STATE, f.SPREAD), normals[f.Z_SPREAD :], m)


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


#: By the numbers of the models: what each calls before the first step, and in each (of a spread: behind it).
PRICES = {f.GEOMETRIC: geometric, f.ARITHMETIC: arithmetic}
VOLUMES = {
    f.VOLUME_CONSTANT: ((), constant_volume),
    f.VOLUME_COSINE: ((), cosine_volume),
    f.VOLUME_LOGNORMAL: ((), lognormal_volume),
    f.VOLUME_MARKOV: ((begin_volume_chain,), volume_chain),
}
SPREADS = {
    f.SPREAD_CONSTANT: (constant_spread, ()),
    f.SPREAD_RANDOM_WALK: (constant_spread, (random_walk_spread,)),
    f.SPREAD_MEAN_REVERTING: (begin_mean_reverting_spread, (mean_reverting_spread,)),
    f.SPREAD_MARKOV: (begin_spread_chain, (spread_chain,)),
}


def stages_of(switches):
    """What a walk calls before a block, to open it, to open a step and to leave it, in a market of these switches."""
    price = PRICES[int(switches[f.PRICE_MODEL])]
    first_volume, volume = VOLUMES[int(switches[f.VOLUME_MODEL])]
    first_spread, spread = SPREADS[int(switches[f.SPREAD_MODEL])]
    moved = (price, begin_moved) if switches[f.START_MOVED] else ()
    mixed = correlate if switches[f.CORRELATED] else keep_independent
    return (
        (draw,),
        (begin, *moved, *first_volume, first_spread, quote_arrival),
        (draw, mixed, price, volume, add_to_sums),
        (roll, *spread),
    )

"""Advance a block of lanes: price, spread and volume, one market for every strategy (DESIGN: common random numbers).

Step t makes the volume v_t and, at the step's end, the mid S_{t+1} and the spread that is quoted there; after the strategies
have traded, the walk leaves for step t + 1, whose spread it is. So the move out of step t is the one that correlates with
v_t and with the next spread, and what is known when a step begins tells nothing about its own move.

A model is a stage, or a few, bound: a walk calls those of its study (``stages_of``) and compiles no others.
"""

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, bound, chained, stage
from fastexec.kernels.halts import underneath_of
from fastexec.kernels.jumps import jumps_of
from fastexec.kernels.noise import noise_of
from fastexec.kernels.normal import MEAN_ABSOLUTE, SD_ABSOLUTE
from fastexec.kernels.philox import MOVES, START, draw_words, gaussian_pair, gaussians
from fastexec.kernels.price import PRICES, begin_moved
from fastexec.kernels.regimes import are_scaled, hold_factors, regimes_of, scale_spread, scale_volume
from fastexec.kernels.signals import SignalStages
from fastexec.kernels.spread import SPREADS, quote_arrival, repeat_spread, roll_spread
from fastexec.kernels.timing import expecting
from fastexec.kernels.variance import VARIANCE
from fastexec.kernels.volume import VOLUMES


@bound
@stage
def begin(raw, normals, p, m):
    """A block at step 0: sums are 0, the price is the initial one, the states of spread and volume are those drawn."""
    for j in range(f.MIDS):
        m[j] = 0.0
    for i in range(LANES):
        m[f.ARRIVAL + i] = p[f.INITIAL_PRICE + i]
        m[f.MID + i] = p[f.INITIAL_PRICE + i]
        m[f.VOLATILITY_FACTOR + i] = 1.0
        m[f.SPREAD_STATE + i] = p[f.SPREAD_SD + i] * np.float64(raw[f.SECOND + i])
        m[f.VOLUME_STATE + i] = np.float64(raw[f.THIRD + i])
        m[f.DAY_STATE + i] = np.float64(raw[f.FOURTH + i])
        normals[f.Z_PRICE + i] = np.float64(raw[f.FIRST + i])


@bound
@stage
def draw(clock, switches, words, raw):
    """The step's independent normals, or those that a block begins with (t = -1); in a step with a constant volume and no
    jumps a pair is enough.
    """
    purpose = START if clock.t < 0 else MOVES
    stream = np.uint32(switches[f.PHASE] << 30 | purpose << 24)
    draw_words(clock.seed, clock.block, max(clock.t, 0), stream, words)
    if switches[f.VOLUME_MODEL] == f.VOLUME_CONSTANT and not switches[f.JUMPS] and clock.t >= 0:
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
        a = (abs(z) - MEAN_ABSOLUTE) / SD_ABSOLUTE
        normals[f.Z_PRICE + i] = z
        normals[f.Z_SPREAD + i] = p[f.L20 + i] * z + p[f.L21 + i] * a + p[f.L22 + i] * e1
        normals[f.Z_VOLUME + i] = p[f.L30 + i] * z + p[f.L31 + i] * a + p[f.L32 + i] * e1 + p[f.L33 + i] * e2


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


def stages_of(switches):
    """What a walk calls before a block, to open it, to open a step and to leave it, in a market of these switches.

    Factors (``VARIANCE``, ``regimes``) are those of step t + 1 once the step's move and volume are made, because the spread
    that is quoted at its end goes by them.
    """
    price = PRICES[int(switches[f.PRICE_MODEL])]
    first_volume, volume = VOLUMES[int(switches[f.VOLUME_MODEL])]
    first_spread, spread, quoted = SPREADS[int(switches[f.SPREAD_MODEL])]
    begun, words, jump = jumps_of(switches)
    mixed = correlate if switches[f.CORRELATED] else keep_independent
    signals = SignalStages(switches, first_spread, VARIANCE if switches[f.VARIANCE] else ((), ()))
    first_factors, factors = regimes_of(switches, signals.factors)
    many = are_scaled(switches)
    held, scaled_volume, scaled = ((hold_factors,), (scale_volume,), (scale_spread,)) if many else ((), (), ())
    if many and not quoted:
        spread, quoted = (repeat_spread,), (roll_spread,)
    halting, started, under, up = underneath_of(switches)
    expected, expected_first = expecting(switches, bool(under))
    moved = (*expected_first, price, *jump, begin_moved) if switches[f.START_MOVED] else ()
    bouncing, observed, remembered = noise_of(switches)
    known = (*held, *signals.hold, *observed, draw, mixed, *signals.predict)
    moving = (*under, *expected, price, *signals.lean, *words, *jump, volume, *scaled_volume, *signals.draw)
    return (
        (draw, begin, *first_volume, first_spread, *signals.begin, *first_factors, *halting, *bouncing, *begun),
        (*moved, *started, quote_arrival),
        (*known, *moving, *factors, *spread, *scaled, *up, add_to_sums, *remembered),
        (roll, *quoted),
    )

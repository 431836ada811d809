"""Parameters of a block's episodes: fixed, or drawn for each from its range; and what is derived from them once."""

from __future__ import annotations

import numpy as np

from fastexec.kernels._jit import LANES, inlined, stage
from fastexec.kernels.elementary import exp, log
from fastexec.kernels.fields import (
    DAY_VOLATILITY,
    DECAY,
    L20,
    L21,
    L22,
    L30,
    L31,
    L32,
    L33,
    LOT,
    LOTS,
    PHASE,
    PRICE_SPREAD,
    PRICE_VOLUME,
    RANGE_HIGH,
    RANGE_IS_LOG,
    RANGE_LOW,
    RESILIENCE,
    SHARES,
    SPREAD_ABSOLUTE_RETURN,
    SPREAD_LEVEL,
    SPREAD_MEAN_REVERTING,
    SPREAD_MODEL,
    SPREAD_REVERSION,
    SPREAD_SCALE,
    SPREAD_SD,
    SPREAD_VOLATILITY,
    SPREAD_VOLUME,
    VOLUME_ABSOLUTE_RETURN,
    VOLUME_FRESH,
    VOLUME_LOGNORMAL,
    VOLUME_MEAN,
    VOLUME_MODEL,
    VOLUME_NOISE,
    VOLUME_PERSISTENCE,
    VOLUME_SCALE,
)
from fastexec.kernels.philox import PARAMETERS, draw_words

_W = LANES


@stage
def fix_parameters(plan, p):
    """Every parameter at the low end of its range: done once, before the first block."""
    for j in range(plan.ranges.shape[0]):
        for i in range(_W):
            p[j * _W + i] = plan.ranges[j, RANGE_LOW]
    round_order(plan.numbers[LOT], p)
    derive(plan.switches, p)


@stage
def draw_parameters(seed, block, plan, words, p):
    """A value of its own for each lane and each parameter with a range, from the first word of the parameter's counter."""
    for r in range(plan.drawn.shape[0]):
        j = plan.drawn[r]
        draw_words(seed, block, j, np.uint32(plan.switches[PHASE] << 30 | PARAMETERS << 24), words)
        low, high, is_log = plan.ranges[j, RANGE_LOW], plan.ranges[j, RANGE_HIGH], plan.ranges[j, RANGE_IS_LOG] > 0.0
        span = log(high / low) if is_log else high - low
        for i in range(_W):
            u = (np.float64(words[i]) + 0.5) * 2.3283064365386963e-10
            p[j * _W + i] = low * exp(u * span) if is_log else low + span * u
    if plan.drawn.shape[0] > 0:
        round_order(plan.numbers[LOT], p)
        derive(plan.switches, p)


@stage
def round_order(lot, p):
    """Whole lots, at least one; ``LOTS`` is the order in lots (in shares where fractions trade)."""
    for i in range(_W):
        if lot > 0.0:
            lots = max(np.floor(p[SHARES * _W + i] / lot + 0.5), 1.0)
            p[SHARES * _W + i] = lots * lot
            p[LOTS * _W + i] = lots
        else:
            p[LOTS * _W + i] = p[SHARES * _W + i]


@stage
def derive(switches, p):
    """Correlation factors, decay, and the constants of the spread and volume models."""
    for i in range(_W):
        factor_correlations(p, i)
        p[DECAY * _W + i] = exp(-p[RESILIENCE * _W + i])
        if switches[SPREAD_MODEL] == SPREAD_MEAN_REVERTING:
            keep = 1.0 - p[SPREAD_REVERSION * _W + i]
            variance = p[SPREAD_VOLATILITY * _W + i] * p[SPREAD_VOLATILITY * _W + i] / (1.0 - keep * keep)
            p[SPREAD_SD * _W + i] = np.sqrt(variance)
            p[SPREAD_SCALE * _W + i] = p[SPREAD_LEVEL * _W + i] * exp(-0.5 * variance)
        if switches[VOLUME_MODEL] == VOLUME_LOGNORMAL:
            own, day = p[VOLUME_NOISE * _W + i], p[DAY_VOLATILITY * _W + i]
            keep = p[VOLUME_PERSISTENCE * _W + i]
            p[VOLUME_SCALE * _W + i] = p[VOLUME_MEAN * _W + i] * exp(-0.5 * (own * own + day * day))
            p[VOLUME_FRESH * _W + i] = np.sqrt(1.0 - keep * keep)


@inlined
def factor_correlations(p, i):
    """Lower Cholesky factor of the correlations of (z_p, |z_p| standardised, z_s, z_v); the first two are uncorrelated."""
    ps, sa = p[PRICE_SPREAD * _W + i], p[SPREAD_ABSOLUTE_RETURN * _W + i]
    pv, va = p[PRICE_VOLUME * _W + i], p[VOLUME_ABSOLUTE_RETURN * _W + i]
    p[L20 * _W + i] = ps
    p[L21 * _W + i] = sa
    p[L30 * _W + i] = pv
    p[L31 * _W + i] = va
    own = np.sqrt(max(1.0 - ps * ps - sa * sa, 0.0))
    shared = p[SPREAD_VOLUME * _W + i] - pv * ps - va * sa
    l32 = shared / own if own > 0.0 else 0.0
    p[L22 * _W + i] = own
    p[L32 * _W + i] = l32
    p[L33 * _W + i] = np.sqrt(max(1.0 - pv * pv - va * va - l32 * l32, 0.0))

"""Parameters of a block's episodes: fixed, or drawn for each from its range; and what is derived from them once."""

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, bound, inlined, stage
from fastexec.kernels.elementary import exp, log
from fastexec.kernels.philox import PARAMETERS, draw_words


@bound
@stage
def fix_parameters(plan, p):
    """Every parameter at the low end of its range: done once, before the first block."""
    for j in range(plan.ranges.shape[0]):
        for i in range(LANES):
            p[j * LANES + i] = plan.ranges[j, f.RANGE_LOW]
    round_order(plan.numbers[f.LOT], p)
    derive(plan.switches, p)


@bound
@stage
def draw_parameters(clock, plan, words, p):
    """A value of its own for each lane and each parameter with a range, from the first word of the parameter's counter."""
    for r in range(plan.drawn.shape[0]):
        j, number = plan.drawn[r, f.DRAWN_SLOT], plan.drawn[r, f.DRAWN_NUMBER]
        draw_words(clock.seed, clock.block, number, np.uint32(plan.switches[f.PHASE] << 30 | PARAMETERS << 24), words)
        low, high, is_log = (
            plan.ranges[j, f.RANGE_LOW],
            plan.ranges[j, f.RANGE_HIGH],
            plan.ranges[j, f.RANGE_IS_LOG] > 0.0,
        )
        span = log(high / low) if is_log else high - low
        for i in range(LANES):
            u = (np.float64(words[f.FIRST + i]) + 0.5) * 2.3283064365386963e-10
            p[j * LANES + i] = low * exp(u * span) if is_log else low + span * u
    round_order(plan.numbers[f.LOT], p)
    derive(plan.switches, p)


@stage
def round_order(lot, p):
    """Whole lots, at least one; ``LOTS`` is the order in lots (in shares where fractions trade)."""
    for i in range(LANES):
        if lot > 0.0:
            lots = max(np.floor(p[f.SHARES + i] / lot + 0.5), 1.0)
            p[f.SHARES + i] = lots * lot
            p[f.LOTS + i] = lots
        else:
            p[f.LOTS + i] = p[f.SHARES + i]


@stage
def derive(switches, p):
    """Correlation factors, decay, what is linear in temporary cost, and the constants of the spread and volume models."""
    linear = switches[f.TEMPORARY_KIND] == f.TEMPORARY_LINEAR
    for i in range(LANES):
        factor_correlations(p, i)
        p[f.DECAY + i] = exp(-p[f.RESILIENCE + i])
        p[f.TEMPORARY_SLOPE + i] = p[f.TEMPORARY_COEFFICIENT + i] if linear else 0.0
        if switches[f.SPREAD_MODEL] == f.SPREAD_MEAN_REVERTING:
            keep = 1.0 - p[f.SPREAD_REVERSION + i]
            variance = p[f.SPREAD_VOLATILITY + i] * p[f.SPREAD_VOLATILITY + i] / (1.0 - keep * keep)
            p[f.SPREAD_SD + i] = np.sqrt(variance)
            p[f.SPREAD_SCALE + i] = p[f.SPREAD_LEVEL + i] * exp(-0.5 * variance)
        if switches[f.VOLUME_MODEL] == f.VOLUME_LOGNORMAL:
            own, day = p[f.VOLUME_NOISE + i], p[f.DAY_VOLATILITY + i]
            keep = p[f.VOLUME_PERSISTENCE + i]
            p[f.VOLUME_SCALE + i] = p[f.VOLUME_MEAN + i] * exp(-0.5 * (own * own + day * day))
            p[f.VOLUME_FRESH + i] = np.sqrt(1.0 - keep * keep)


@inlined
def factor_correlations(p, i):
    """Lower Cholesky factor of the correlations of (z_p, |z_p| standardised, z_s, z_v); the first two are uncorrelated."""
    ps, sa = p[f.PRICE_SPREAD + i], p[f.SPREAD_ABSOLUTE_RETURN + i]
    pv, va = p[f.PRICE_VOLUME + i], p[f.VOLUME_ABSOLUTE_RETURN + i]
    p[f.L20 + i] = ps
    p[f.L21 + i] = sa
    p[f.L30 + i] = pv
    p[f.L31 + i] = va
    own = np.sqrt(max(1.0 - ps * ps - sa * sa, 0.0))
    shared = p[f.SPREAD_VOLUME + i] - pv * ps - va * sa
    l32 = shared / own if own > 0.0 else 0.0
    p[f.L22 + i] = own
    p[f.L32 + i] = l32
    p[f.L33 + i] = np.sqrt(max(1.0 - pv * pv - va * va - l32 * l32, 0.0))

"""Every step of an episode, for those who want to look at one: the same trades as ``fill``, told share by share."""

from __future__ import annotations

import numpy as np

from fastexec.kernels._jit import LANES, stage
from fastexec.kernels.elementary import power
from fastexec.kernels.fields import (
    IMPACT,
    MID,
    PERMANENT_COEFFICIENT,
    PERMANENT_OWN,
    REMAINING,
    SHARES,
    SIDE,
    SLICE,
    SPREAD,
    STEPS,
    TEMPORARY_COEFFICIENT,
    TEMPORARY_EXPONENT,
    TEMPORARY_FIXED,
    TEMPORARY_KIND,
    TEMPORARY_LINEAR,
    TRANSIENT_COEFFICIENT,
    TRANSIENT_EXPONENT,
    TRANSIENT_KIND,
    TRANSIENT_OFF,
    VOLUME,
)

_W = LANES


@stage
def record(span, at, plan, p, m, b, steps):
    """Write a step between decision and fill; ``at`` is (t, k, number of strategies, field of the mid it fills at)."""
    first, low, high = span
    t, k, count, field = at
    for e in range(low, high):
        i = e % _W
        r = ((e - first) * count + k) * plan.switches[STEPS] + t
        q = b[SLICE * _W + i]
        before = p[PERMANENT_COEFFICIENT * _W + i] * (p[SHARES * _W + i] - b[REMAINING * _W + i])
        impact = before + b[IMPACT * _W + i]
        price = np.nan
        if q > 0.0:
            mid = m[field * _W + i]
            cost = 0.5 * mid * m[SPREAD * _W + i] + impact + own_cost(i, q, mid, plan, p, m)
            price = mid + plan.numbers[SIDE] * cost
        steps[0, r] = m[MID * _W + i]
        steps[1, r] = m[SPREAD * _W + i]
        steps[2, r] = m[VOLUME * _W + i]
        steps[3, r] = q
        steps[4, r] = price
        steps[5, r] = b[REMAINING * _W + i] - q
        steps[6, r] = impact


@stage
def own_cost(i, q, mid, plan, p, m):
    """What a slice q > 0 adds to its own price: temporary, its share of its permanent, half of its transient impact."""
    coefficient = p[TEMPORARY_COEFFICIENT * _W + i]
    if plan.switches[TEMPORARY_KIND] == TEMPORARY_LINEAR:
        cost = p[TEMPORARY_FIXED * _W + i] + coefficient * q
    else:
        cost = mid * coefficient * power(q / m[VOLUME * _W + i], p[TEMPORARY_EXPONENT * _W + i])
    cost += p[PERMANENT_COEFFICIENT * _W + i] * p[PERMANENT_OWN * _W + i] * q
    if plan.switches[TRANSIENT_KIND] != TRANSIENT_OFF:
        cost += 0.5 * p[TRANSIENT_COEFFICIENT * _W + i] * power(q, p[TRANSIENT_EXPONENT * _W + i])
    return cost

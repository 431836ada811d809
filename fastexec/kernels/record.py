"""Every step of an episode, for those who want to look at one: the same trades as ``fill``, told share by share."""

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import bound_to, stage
from fastexec.kernels.elementary import power
from fastexec.kernels.room import example_output


@bound_to(output=example_output)
@stage
def record(clock, span, k, kind, plan, lanes, output):
    """Write a step of strategy k between decision and fill."""
    steps, price = output.steps, f.NEXT if kind[f.FILLS_AT_NEXT] else f.MID
    p, m, b, count = lanes.parameters, lanes.market, lanes.ledgers[k], lanes.ledgers.shape[0]
    for i in range(span.low, span.high):
        r = ((span.offset + i) * count + k) * clock.steps + clock.t
        q = b[f.SLICE + i]
        before = p[f.PERMANENT_COEFFICIENT + i] * (p[f.SHARES + i] - b[f.REMAINING + i])
        impact = before + b[f.IMPACT + i]
        paid = np.nan
        if q > 0.0:
            mid = m[price + i]
            cost = 0.5 * mid * m[f.SPREAD + i] + impact + own_cost(i, q, mid, plan, p, m)
            paid = mid + plan.numbers[f.SIDE] * cost
        steps[f.STEP_MID, r] = m[f.MID + i]
        steps[f.STEP_SPREAD, r] = m[f.SPREAD + i]
        steps[f.STEP_VOLUME, r] = m[f.VOLUME + i]
        steps[f.STEP_SHARES, r] = q
        steps[f.STEP_PRICE, r] = paid
        steps[f.STEP_REMAINING, r] = b[f.REMAINING + i] - q
        steps[f.STEP_IMPACT, r] = impact


@stage
def own_cost(i, q, mid, plan, p, m):
    """What a slice q > 0 adds to its own price: temporary, its share of its permanent, half of its transient impact."""
    coefficient = p[f.TEMPORARY_COEFFICIENT + i]
    if plan.switches[f.TEMPORARY_KIND] == f.TEMPORARY_LINEAR:
        cost = p[f.TEMPORARY_FIXED + i] + coefficient * q
    else:
        cost = mid * coefficient * power(q / m[f.VOLUME + i], p[f.TEMPORARY_EXPONENT + i])
    cost += p[f.PERMANENT_COEFFICIENT + i] * p[f.PERMANENT_OWN + i] * q
    if plan.switches[f.TRANSIENT_KIND] != f.TRANSIENT_OFF:
        cost += 0.5 * p[f.TRANSIENT_COEFFICIENT + i] * power(q, p[f.TRANSIENT_EXPONENT + i])
    return cost

"""Every step of an episode, for those who want to look at one: the outcome of each slice, told share by share."""

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import bound_to, stage
from fastexec.kernels.buffers import example_output
from fastexec.kernels.execute import price_of
from fastexec.kernels.ledger import fills_at


@bound_to(output=example_output)
@stage
def record(clock, span, k, kind, plan, lanes, output):
    """Write a step of strategy k between its outcome and the ledger."""
    steps, (price, quote) = output.steps, fills_at(kind)
    volume = f.VOLUME if plan.switches[f.SOURCE] == f.SYNTHETIC else f.TRADED
    p, m, b, count = lanes.parameters, lanes.market, lanes.ledgers[k], lanes.ledgers.shape[0]
    for i in range(span.low, span.high):
        r = ((span.offset + i) * count + k) * clock.steps + clock.t
        q = b[f.SLICE + i]
        paid = np.nan
        if q > 0.0:
            mid = m[price + i]
            paid = mid + plan.numbers[f.SIDE] * price_of(i, mid, m[quote + i], p, b)
        steps[f.STEP_MID, r] = m[f.MID + i]
        steps[f.STEP_SPREAD, r] = m[f.SPREAD + i]
        steps[f.STEP_VOLUME, r] = m[volume + i]
        steps[f.STEP_SHARES, r] = q
        steps[f.STEP_PRICE, r] = paid
        steps[f.STEP_REMAINING, r] = b[f.REMAINING + i] - q
        before = p[f.PERMANENT_COEFFICIENT + i] * (p[f.SHARES + i] - b[f.REMAINING + i])
        steps[f.STEP_IMPACT, r] = before + b[f.IMPACT + i]

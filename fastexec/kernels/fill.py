"""Execute a block of lanes and keep its ledger: every slice crosses the spread and pays its impact (DESIGN 5).

P_t = S_t + s (h_t + temporary_t + permanent_t + transient_t). Sums are kept, not cash: what is linear in known numbers
(fees, permanent cost, linear temporary cost) is derived at the end from the shares traded and the sum of squares.
"""

from __future__ import annotations

import numpy as np

from fastexec.kernels._jit import LANES, chained, inlined, stage
from fastexec.kernels.elementary import exp, log, power
from fastexec.kernels.fields import (
    ARRIVAL,
    COMPLETE,
    COST_RULE,
    CUMULATIVE_VOLUME,
    DECAY,
    IMPACT,
    LARGEST_RATE,
    LAST_STEP,
    LEDGER_FIELDS,
    MID,
    ORDERS,
    OWN_REMAINING,
    PER_STEP,
    PROGRAM_COST,
    RATE,
    REMAINING,
    SHARES,
    SLICE,
    SPREAD,
    SQUARES,
    SUM_HALF_SPREAD,
    SUM_SQUARES,
    SUM_TEMPORARY,
    SUM_TIMING,
    SUM_TRANSIENT,
    TEMPORARY_COEFFICIENT,
    TEMPORARY_EXPONENT,
    TEMPORARY_KIND,
    TEMPORARY_POWER,
    TEMPORARY_PROPORTIONAL,
    TEMPORARY_SQRT,
    TRANSIENT_COEFFICIENT,
    TRANSIENT_EXPONENT,
    TRANSIENT_KIND,
    TRANSIENT_LINEAR,
    TRANSIENT_OFF,
    VALUE,
    VOLUME,
    VOLUME_AT_LAST,
)

_W = LANES


@stage
def open_ledger(p, b):
    """Nothing traded yet."""
    for j in range(LEDGER_FIELDS * _W):
        b[j] = 0.0
    for i in range(_W):
        b[REMAINING * _W + i] = p[SHARES * _W + i]
        b[LAST_STEP * _W + i] = -1.0


@stage
def close_horizon(rule, m, b):
    """In the last step: note what the strategy's own decision leaves; under ``complete`` the rest joins its slice."""
    for i in range(_W):
        left = b[REMAINING * _W + i]
        b[OWN_REMAINING * _W + i] = left - b[SLICE * _W + i]
        if rule == COMPLETE:
            b[SLICE * _W + i] = left if m[VOLUME * _W + i] > 0.0 else 0.0


@stage
def fill(t, price, switches, p, m, b):
    """Fill the slices at the mid in field ``price`` (MID, or NEXT for what follows the step's volume)."""
    temporary, transient = switches[TEMPORARY_KIND], switches[TRANSIENT_KIND]
    # A view: an index from a field chosen at run time may be negative for all that the compiler knows, and is gathered.
    mids = m[price * _W : (price + 1) * _W]
    if switches[COST_RULE] == PER_STEP:
        charge_step(p, m, b)
    if temporary == TEMPORARY_PROPORTIONAL:
        for i in range(_W):
            rate = rate_of(i, m, b)
            settle(i, t, mids[i], rate, rate, p, m, b)
    elif temporary == TEMPORARY_SQRT:
        for i in range(_W):
            rate = rate_of(i, m, b)
            settle(i, t, mids[i], rate, np.sqrt(rate), p, m, b)
    elif temporary == TEMPORARY_POWER:
        raise_rates(p, m, b)
        for i in range(_W):
            settle(i, t, mids[i], b[RATE * _W + i], b[VALUE * _W + i], p, m, b)
    else:
        for i in range(_W):
            settle(i, t, mids[i], rate_of(i, m, b), 0.0, p, m, b)
    if switches[SQUARES]:
        for i in range(_W):
            b[SUM_SQUARES * _W + i] += b[SLICE * _W + i] * b[SLICE * _W + i]
    if transient != TRANSIENT_OFF:
        push(transient, p, b)


@chained
def raise_rates(p, m, b):
    """Slice over volume into field RATE, its power into VALUE.

    In three loops: a power is one long chain of dependent operations, and the processor looks ahead over so many only. In
    short loops it works on several lanes' chains at once.
    """
    for i in range(_W):
        rate = rate_of(i, m, b)
        b[RATE * _W + i] = rate
        b[VALUE * _W + i] = p[TEMPORARY_EXPONENT * _W + i] * log(rate if rate > 0.0 else 1.0)
    for i in range(_W):
        value = exp(b[VALUE * _W + i])
        b[VALUE * _W + i] = value if b[RATE * _W + i] > 0.0 else 0.0


@stage
def charge_step(p, m, b):
    """The mini-project's cost of a step: a price a share that it did not multiply by the shares, as long as any are left."""
    for i in range(_W):
        rate = rate_of(i, m, b)
        share = p[TEMPORARY_COEFFICIENT * _W + i] * power(rate, p[TEMPORARY_EXPONENT * _W + i])
        cost = m[MID * _W + i] * (0.5 * m[SPREAD * _W + i] + share)
        b[PROGRAM_COST * _W + i] += cost if b[REMAINING * _W + i] > 0.0 else 0.0


@inlined
def rate_of(i, m, b):
    """Slice over the step's volume; 0 where there is none."""
    volume = m[VOLUME * _W + i]
    return b[SLICE * _W + i] / (volume if volume > 0.0 else 1.0)


@inlined
def settle(i, t, mid, rate, function_of_rate, p, m, b):
    """Book a fill: timing, half spread, temporary cost mid * coefficient * f(rate) a share, counts.

    Everything is read before anything is written: the compiler cannot know that the ledger is not the market, and
    would read (and divide) again after each store.
    """
    q = b[SLICE * _W + i]
    value = q * mid
    temporary = value * p[TEMPORARY_COEFFICIENT * _W + i] * function_of_rate
    half_spread = 0.5 * value * m[SPREAD * _W + i]
    timing = q * (mid - m[ARRIVAL * _W + i])
    seen = m[CUMULATIVE_VOLUME * _W + i]
    traded = q > 0.0
    b[REMAINING * _W + i] -= q
    b[SUM_TIMING * _W + i] += timing
    b[SUM_HALF_SPREAD * _W + i] += half_spread
    b[SUM_TEMPORARY * _W + i] += temporary
    b[LARGEST_RATE * _W + i] = max(b[LARGEST_RATE * _W + i], rate)
    b[ORDERS * _W + i] += 1.0 if traded else 0.0
    b[LAST_STEP * _W + i] = np.float64(t) if traded else b[LAST_STEP * _W + i]
    b[VOLUME_AT_LAST * _W + i] = seen if traded else b[VOLUME_AT_LAST * _W + i]


@chained
def push(transient, p, b):
    """A trade pays what is left of earlier impact and half of its own; then everything decays by one step."""
    for i in range(_W):
        q = b[SLICE * _W + i]
        f = q if transient == TRANSIENT_LINEAR else power(q, p[TRANSIENT_EXPONENT * _W + i])
        own = p[TRANSIENT_COEFFICIENT * _W + i] * f
        earlier = b[IMPACT * _W + i]
        b[SUM_TRANSIENT * _W + i] += q * (earlier + 0.5 * own)
        b[IMPACT * _W + i] = (earlier + own) * p[DECAY * _W + i]

"""Execute a block of lanes and keep its ledger: every slice crosses the spread and pays its impact (DESIGN 5).

P_t = S_t + s (h_t + temporary_t + permanent_t + transient_t). Sums are kept, not cash: what is linear in known numbers
(fees, permanent cost, linear temporary cost) is derived at the end from the shares traded and the sum of squares.
"""

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, bound, chained, inlined, stage
from fastexec.kernels.elementary import exp, log, power


@bound
@stage
def open_ledgers(lanes):
    """Those of all strategies."""
    for k in range(lanes.ledgers.shape[0]):
        open_ledger(lanes.parameters, lanes.ledgers[k])


@stage
def open_ledger(p, b):
    """Nothing traded yet."""
    for j in range(f.LEDGER_FIELDS * LANES):
        b[j] = 0.0
    for i in range(LANES):
        b[f.REMAINING + i] = p[f.SHARES + i]
        b[f.LAST_STEP + i] = -1.0


@bound
@stage
def end_order(clock, switches, m, b):
    """In the last step, ``close_horizon``."""
    if clock.t == clock.steps - 1:
        close_horizon(switches[f.HORIZON], m, b)


@stage
def close_horizon(rule, m, b):
    """In the last step: note what the strategy's own decision leaves; under ``complete`` the rest joins its slice."""
    for i in range(LANES):
        left = b[f.REMAINING + i]
        b[f.OWN_REMAINING + i] = left - b[f.SLICE + i]
        if rule == f.COMPLETE:
            b[f.SLICE + i] = left if m[f.VOLUME + i] > 0.0 else 0.0


@bound
@stage
def trade(t, kind, switches, p, m, b):
    """Fill the slices of a strategy at the mid that it fills at."""
    fill(t, f.NEXT if kind[f.FILLS_AT_NEXT] else f.MID, switches, p, m, b)


@stage
def fill(t, price, switches, p, m, b):
    """Fill the slices at the mid in field ``price`` (MID, or NEXT for what follows the step's volume)."""
    temporary, transient = switches[f.TEMPORARY_KIND], switches[f.TRANSIENT_KIND]
    # A view: an index from a field chosen at run time may be negative for all that the compiler knows, and is gathered.
    mids = m[price : price + LANES]
    if switches[f.COST_RULE] == f.PER_STEP:
        charge_step(p, m, b)
    if temporary == f.TEMPORARY_PROPORTIONAL:
        for i in range(LANES):
            rate = rate_of(i, m, b)
            settle(i, t, mids[i], rate, rate, p, m, b)
    elif temporary == f.TEMPORARY_SQRT:
        for i in range(LANES):
            rate = rate_of(i, m, b)
            settle(i, t, mids[i], rate, np.sqrt(rate), p, m, b)
    elif temporary == f.TEMPORARY_POWER:
        raise_rates(p, m, b)
        for i in range(LANES):
            settle(i, t, mids[i], b[f.RATE + i], b[f.VALUE + i], p, m, b)
    else:
        for i in range(LANES):
            settle(i, t, mids[i], rate_of(i, m, b), 0.0, p, m, b)
    if switches[f.SQUARES]:
        for i in range(LANES):
            b[f.SUM_SQUARES + i] += b[f.SLICE + i] * b[f.SLICE + i]
    if transient != f.TRANSIENT_OFF:
        push(transient, p, b)


@chained
def raise_rates(p, m, b):
    """Slice over volume into field RATE, its power into VALUE.

    In three loops: a power is one long chain of dependent operations, and the processor looks ahead over so many only. In
    short loops it works on several lanes' chains at once.
    """
    for i in range(LANES):
        rate = rate_of(i, m, b)
        b[f.RATE + i] = rate
        b[f.VALUE + i] = p[f.TEMPORARY_EXPONENT + i] * log(rate if rate > 0.0 else 1.0)
    for i in range(LANES):
        value = exp(b[f.VALUE + i])
        b[f.VALUE + i] = value if b[f.RATE + i] > 0.0 else 0.0


@stage
def charge_step(p, m, b):
    """The mini-project's cost of a step: a price a share that it did not multiply by the shares, as long as any are left."""
    for i in range(LANES):
        rate = rate_of(i, m, b)
        share = p[f.TEMPORARY_COEFFICIENT + i] * power(rate, p[f.TEMPORARY_EXPONENT + i])
        cost = m[f.MID + i] * (0.5 * m[f.SPREAD + i] + share)
        b[f.PROGRAM_COST + i] += cost if b[f.REMAINING + i] > 0.0 else 0.0


@inlined
def rate_of(i, m, b):
    """Slice over the step's volume; 0 where there is none."""
    volume = m[f.VOLUME + i]
    return b[f.SLICE + i] / (volume if volume > 0.0 else 1.0)


@inlined
def settle(i, t, mid, rate, function_of_rate, p, m, b):
    """Book a fill: timing, half spread, temporary cost mid * coefficient * f(rate) a share, counts.

    Everything is read before anything is written: the compiler cannot know that the ledger is not the market, and
    would read (and divide) again after each store.
    """
    q = b[f.SLICE + i]
    value = q * mid
    temporary = value * p[f.TEMPORARY_COEFFICIENT + i] * function_of_rate
    half_spread = 0.5 * value * m[f.SPREAD + i]
    timing = q * (mid - m[f.ARRIVAL + i])
    seen = m[f.CUMULATIVE_VOLUME + i]
    traded = q > 0.0
    b[f.REMAINING + i] -= q
    b[f.SUM_TIMING + i] += timing
    b[f.SUM_HALF_SPREAD + i] += half_spread
    b[f.SUM_TEMPORARY + i] += temporary
    b[f.LARGEST_RATE + i] = max(b[f.LARGEST_RATE + i], rate)
    b[f.ORDERS + i] += 1.0 if traded else 0.0
    b[f.LAST_STEP + i] = np.float64(t) if traded else b[f.LAST_STEP + i]
    b[f.VOLUME_AT_LAST + i] = seen if traded else b[f.VOLUME_AT_LAST + i]


@chained
def push(transient, p, b):
    """A trade pays what is left of earlier impact and half of its own; then everything decays by one step."""
    for i in range(LANES):
        q = b[f.SLICE + i]
        pushed = q if transient == f.TRANSIENT_LINEAR else power(q, p[f.TRANSIENT_EXPONENT + i])
        own = p[f.TRANSIENT_COEFFICIENT + i] * pushed
        earlier = b[f.IMPACT + i]
        b[f.SUM_TRANSIENT + i] += q * (earlier + 0.5 * own)
        b[f.IMPACT + i] = (earlier + own) * p[f.DECAY + i]

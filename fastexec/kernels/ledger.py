"""The ledger of a strategy: outcomes added up, and what all that is traded has cost so far.

Sums are kept, not cash: what is linear in known numbers (fees, permanent cost, linear temporary cost) is derived from the
shares traded and the sum of their squares, whenever it is asked for.
"""

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, bound, inlined, stage
from fastexec.kernels.elementary import power
from fastexec.kernels.execute import half_spread_of, rate_of, temporary_of, transient_of
from fastexec.kernels.timing import book_expected


@bound
@stage
def open_ledgers(p, ledgers):
    """Those of all strategies."""
    for k in range(ledgers.shape[0]):
        open_ledger(p, ledgers[k])


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
def end_order(switches, m, b):
    """In the last step only: note what the strategy's own decision leaves; under ``complete`` the rest joins its slice."""
    rule = switches[f.HORIZON]
    for i in range(LANES):
        left = b[f.REMAINING + i]
        b[f.OWN_REMAINING + i] = left - b[f.SLICE + i]
        if rule == f.COMPLETE:
            b[f.SLICE + i] = left if m[f.VOLUME + i] > 0.0 else 0.0


@bound
@stage
def book(t, kind, p, m, b):
    """Book the outcomes of a step's slices at the mid and the quote that the strategy fills at.

    Everything is read before anything is written: the compiler cannot know that the ledger is not the market, and
    would read again after each store.
    """
    # A view: an index from a field chosen at run time may be negative for all that the compiler knows, and is gathered.
    price, quote = fills_at(kind)
    mids, spreads = m[price : price + LANES], m[quote : quote + LANES]
    for i in range(LANES):
        q, rate, mid = b[f.SLICE + i], b[f.RATE + i], mids[i]
        value = q * mid
        temporary = temporary_of(value, b[f.RAISED_RATE + i], i, p)
        half_spread = half_spread_of(value, spreads[i])
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


@bound
@stage
def add_squares(b):
    """Of the slices, for what is linear in them: permanent and linear temporary cost."""
    for i in range(LANES):
        b[f.SUM_SQUARES + i] += b[f.SLICE + i] * b[f.SLICE + i]


@bound
@stage
def decay_impact(p, b):
    """Book the transient cost; then the impact of all trades decays by one step."""
    for i in range(LANES):
        b[f.SUM_TRANSIENT + i] += b[f.SLICE + i] * transient_of(i, b)
        b[f.IMPACT + i] = (b[f.IMPACT + i] + b[f.PUSHED + i]) * p[f.DECAY + i]


@inlined
def fills_at(kind):
    """The fields of the mid that a strategy fills at and of the spread that is quoted there: at the step's end for one that
    follows the step's volume.
    """
    later = kind[f.FILLS_AT_NEXT]
    return (f.NEXT, f.NEXT_SPREAD) if later else (f.MID, f.SPREAD)


@bound
@stage
def charge_step(p, m, b):
    """The mini-project's cost of a step: a price a share that it did not multiply by the shares, as long as any are left."""
    for i in range(LANES):
        rate = rate_of(i, m, b)
        share = p[f.TEMPORARY_COEFFICIENT + i] * power(rate, p[f.TEMPORARY_EXPONENT + i])
        cost = m[f.MID + i] * (0.5 * m[f.SPREAD + i] + share)
        b[f.PROGRAM_COST + i] += cost if b[f.REMAINING + i] > 0.0 else 0.0


@inlined
def costs_so_far(i, p, b):
    """What all that is traded so far has cost but for its timing: spread, temporary, permanent, transient, fees in currency."""
    filled, squares = p[f.SHARES + i] - b[f.REMAINING + i], b[f.SUM_SQUARES + i]
    temporary = b[f.SUM_TEMPORARY + i] + (p[f.TEMPORARY_FIXED + i] * filled + p[f.TEMPORARY_SLOPE + i] * squares)
    # sum of q (shares before) = (X^2 - sum q^2) / 2, so the permanent part needs no sum of its own.
    pushed = 0.5 * filled * filled + (p[f.PERMANENT_OWN + i] - 0.5) * squares
    permanent = p[f.PERMANENT_COEFFICIENT + i] * pushed
    return b[f.SUM_HALF_SPREAD + i], temporary, permanent, b[f.SUM_TRANSIENT + i], p[f.FEE + i] * filled


@inlined
def cost_so_far(i, p, b):
    """All of ``costs_so_far`` and what further parts charged: a step adds its slice times ``execute.cost_of`` to it."""
    spread, temporary, permanent, transient, fees = costs_so_far(i, p, b)
    return spread + temporary + permanent + transient + fees + b[f.SUM_CHARGED + i]


def booking(switches):
    """What a walk calls to book the outcomes."""
    program = (charge_step,) if switches[f.COST_RULE] == f.PER_STEP else ()
    squares = (add_squares,) if switches[f.SQUARES] else ()
    decay = (decay_impact,) if switches[f.TRANSIENT_KIND] != f.TRANSIENT_OFF else ()
    split = (book_expected,) if switches[f.SPLIT] else ()
    return (*program, book, *split, *squares, *decay)

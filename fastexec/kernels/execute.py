"""The outcome of a block's decisions: what each slice meets when it crosses the spread, and the price that follows (DESIGN 5).

P_t = S_t + s (h_t + temporary_t + permanent_t + transient_t). Here a slice is priced, once for all: the ledger books what
``half_spread_of`` and ``temporary_of`` say of its value, the record of every step and the learners take the price of a share,
and the factors of the dynamic programmes are made of the same two.
"""

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, bound, chained, inlined, stage
from fastexec.kernels.elementary import exp, log, power


@bound
@stage
def find_rates(m, b):
    """Slice over volume into field RATE: all that is needed where temporary cost is linear in the shares."""
    for i in range(LANES):
        b[f.RATE + i] = rate_of(i, m, b)


@bound
@stage
def find_proportional_rates(m, b):
    """Slice over volume into field RATE, and into RAISED_RATE as it is."""
    for i in range(LANES):
        rate = rate_of(i, m, b)
        b[f.RATE + i] = rate
        b[f.RAISED_RATE + i] = rate


@bound
@stage
def find_root_rates(m, b):
    """Slice over volume into field RATE, its square root into RAISED_RATE."""
    for i in range(LANES):
        rate = rate_of(i, m, b)
        b[f.RATE + i] = rate
        b[f.RAISED_RATE + i] = np.sqrt(rate)


@bound
@chained
def raise_rates(p, m, b):
    """Slice over volume into field RATE, its power into RAISED_RATE.

    In three loops: a power is one long chain of dependent operations, and the processor looks ahead over so many only. In
    short loops it works on several lanes' chains at once.
    """
    for i in range(LANES):
        rate = rate_of(i, m, b)
        b[f.RATE + i] = rate
        b[f.RAISED_RATE + i] = p[f.TEMPORARY_EXPONENT + i] * log(rate if rate > 0.0 else 1.0)
    for i in range(LANES):
        raised = exp(b[f.RAISED_RATE + i])
        b[f.RAISED_RATE + i] = raised if b[f.RATE + i] > 0.0 else 0.0


@bound
@chained
def lower_volumes(p, m):
    """The step's volume to the exponent's negative, for ``raise_slices`` of every strategy; 1 where there is none."""
    for i in range(LANES):
        volume = m[f.VOLUME + i]
        m[f.LOWERED_VOLUME + i] = -p[f.TEMPORARY_EXPONENT + i] * log(volume if volume > 0.0 else 1.0)
    for i in range(LANES):
        m[f.LOWERED_VOLUME + i] = exp(m[f.LOWERED_VOLUME + i])


@bound
@chained
def raise_slices(p, m, b):
    """``raise_rates`` where order and exponent are the same in every lane: (q / v)^e = q^e v^-e, with one power of q wherever
    all lanes trade the same slice. Lanes differ once a slice has met no volume in one of them, at the same bits a lane.
    """
    others, slice_of_first = 0, b[f.SLICE]
    for i in range(LANES):
        b[f.RATE + i] = rate_of(i, m, b)
        others |= b[f.SLICE + i] != slice_of_first
    if others:
        for i in range(LANES):
            b[f.RAISED_RATE + i] = power(b[f.SLICE + i], p[f.TEMPORARY_EXPONENT + i]) * m[f.LOWERED_VOLUME + i]
    else:
        raised = power(slice_of_first, p[f.TEMPORARY_EXPONENT])
        for i in range(LANES):
            b[f.RAISED_RATE + i] = raised * m[f.LOWERED_VOLUME + i]


@bound
@stage
def scale_rates(m, b):
    """RAISED_RATE by what conditions make of temporary cost in this step."""
    for i in range(LANES):
        b[f.RAISED_RATE + i] *= m[f.IMPACT_FACTOR + i]


@bound
@stage
def push(p, b):
    """What a slice adds to the transient impact, into field PUSHED, where that is linear."""
    for i in range(LANES):
        b[f.PUSHED + i] = p[f.TRANSIENT_COEFFICIENT + i] * b[f.SLICE + i]


@bound
@chained
def push_power(p, b):
    """The same with an exponent."""
    for i in range(LANES):
        b[f.PUSHED + i] = p[f.TRANSIENT_COEFFICIENT + i] * power(b[f.SLICE + i], p[f.TRANSIENT_EXPONENT + i])


@inlined
def rate_of(i, m, b):
    """Slice over the step's volume; 0 where there is none."""
    volume = m[f.VOLUME + i]
    return b[f.SLICE + i] / (volume if volume > 0.0 else 1.0)


@inlined
def half_spread_of(value, spread):
    """Half the quoted spread of a fill worth ``value`` at the mid, in its currency."""
    return 0.5 * value * spread


@inlined
def temporary_of(value, raised_rate, i, p):
    """Temporary cost of a fill worth ``value`` at the mid, in its currency; not the one that is linear in the shares."""
    return value * p[f.TEMPORARY_COEFFICIENT + i] * raised_rate


@inlined
def transient_of(i, b):
    """A fill pays what is left of earlier impact and half of its own, currency a share."""
    return b[f.IMPACT + i] + 0.5 * b[f.PUSHED + i]


@inlined
def prices_of(i, mid, quoted, p, b):
    """What a share of an outcome pays over the mid it fills at, where ``quoted`` is the spread: spread, temporary, permanent,
    transient, in currency.
    """
    q = b[f.SLICE + i]
    before = p[f.SHARES + i] - b[f.REMAINING + i]
    linear = p[f.TEMPORARY_FIXED + i] + p[f.TEMPORARY_SLOPE + i] * q
    temporary = temporary_of(mid, b[f.RAISED_RATE + i], i, p) + linear
    permanent = p[f.PERMANENT_COEFFICIENT + i] * (before + p[f.PERMANENT_OWN + i] * q)
    return half_spread_of(mid, quoted), temporary, permanent, transient_of(i, b)


@inlined
def price_of(i, mid, quoted, p, b):
    """All of ``prices_of`` and what further parts charge: the price P_t less the mid, whatever the side."""
    spread, temporary, permanent, transient = prices_of(i, mid, quoted, p, b)
    return spread + temporary + permanent + transient + b[f.CHARGED + i]


@inlined
def cost_of(i, mid, quoted, p, b):
    """What a share costs, its fee included: a learner is paid by it."""
    spread, temporary, permanent, transient = prices_of(i, mid, quoted, p, b)
    return temporary + transient + spread + p[f.FEE + i] + permanent + b[f.CHARGED + i]


@bound
@stage
def find_cost(p, m, b):
    """What a slice costs whom it teaches, before it is booked: bps of the order's value, into field VALUE."""
    for i in range(LANES):
        share = cost_of(i, m[f.MID + i], m[f.SPREAD + i], p, b)
        b[f.VALUE + i] = b[f.SLICE + i] * share * 1e4 / (p[f.SHARES + i] * m[f.ARRIVAL + i])


@bound
@chained
def find_factors(switches, p, m, b):
    """The price of each lane's step as linear factors, for dynamic programmes, in bps of the order's value.

    A slice u (a share of the order) pays FACTOR_SPREAD u + FACTOR_TEMPORARY u^(1 + exponent); what the market has no part in
    (linear costs, permanent impact, fees) is not in them.
    """
    if switches[f.TEMPORARY_KIND] == f.TEMPORARY_LINEAR:
        for i in range(LANES):
            b[f.FACTOR_TEMPORARY + i] = 0.0
    else:
        for i in range(LANES):
            volume = m[f.VOLUME + i]
            rate = p[f.SHARES + i] / (volume if volume > 0.0 else 1.0)
            b[f.FACTOR_TEMPORARY + i] = power(rate, p[f.TEMPORARY_EXPONENT + i])
    for i in range(LANES):
        mid, to_bps = m[f.MID + i], 1e4 / m[f.ARRIVAL + i]
        spread = half_spread_of(mid, m[f.SPREAD + i]) * to_bps
        temporary = temporary_of(mid, b[f.FACTOR_TEMPORARY + i], i, p) * to_bps
        b[f.FACTOR_SPREAD + i] = spread
        b[f.FACTOR_TEMPORARY + i] = temporary


@bound
@stage
def scale_factors(m, b):
    """FACTOR_TEMPORARY likewise."""
    for i in range(LANES):
        b[f.FACTOR_TEMPORARY + i] *= m[f.IMPACT_FACTOR + i]


@bound
@stage
def find_move(numbers, m, b):
    """What holding the order through the step's move is expected to cost, into field FACTOR_MOVE, likewise."""
    for i in range(LANES):
        b[f.FACTOR_MOVE + i] = numbers[f.SIDE] * m[f.EXPECTED_MOVE + i] * (1e4 / m[f.ARRIVAL + i])


#: By the number of the model: what makes the outcome of each slice.
TEMPORARY = {
    f.TEMPORARY_LINEAR: find_rates,
    f.TEMPORARY_PROPORTIONAL: find_proportional_rates,
    f.TEMPORARY_SQRT: find_root_rates,
    f.TEMPORARY_POWER: raise_rates,
}
TRANSIENT = {f.TRANSIENT_OFF: (), f.TRANSIENT_LINEAR: (push,), f.TRANSIENT_POWER: (push_power,)}


def execution(switches, alike=False):
    """What a walk calls for the outcome of a strategy's slices; ``alike``: they are ``raise_slices``'s."""
    temporary = raise_slices if alike else TEMPORARY[int(switches[f.TEMPORARY_KIND])]
    scaled = (scale_rates,) if switches[f.IMPACT_SCALED] else ()
    return (temporary, *scaled, *TRANSIENT[int(switches[f.TRANSIENT_KIND])])


def finding(switches):
    """What a walk calls for the price of a step as linear factors."""
    scaled, split = (scale_factors,) if switches[f.IMPACT_SCALED] else (), (find_move,) if switches[f.SPLIT] else ()
    return (find_factors, *scaled, *split)


def are_alike(plan, kind):
    """Whether a strategy of this kind is a schedule of one order and of one exponent, in every lane and every block."""
    drawn = plan.drawn[:, f.DRAWN_SLOT].tolist()
    one = not {f.SHARES // LANES, f.TEMPORARY_EXPONENT // LANES}.intersection(drawn)
    return one and kind == f.SCHEDULE and int(plan.switches[f.TEMPORARY_KIND]) == f.TEMPORARY_POWER

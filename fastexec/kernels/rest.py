"""What is left at the end of an order, valued: once for lanes, once as linear factors for the dynamic programmes.

As if it were traded (MARK_AS_TRADE): in one step more, at S_N and the spread that is quoted there, in a volume as large as the
last step's is expected to be; so it pays what any slice pays, its fee too. Or at the last quote: half the spread and the impact
of what was traded. The penalties come on top of both. ``programme.mark`` is the same for a share of the order.
"""

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, bound, inlined, stage
from fastexec.kernels.elementary import power
from fastexec.kernels.execute import half_spread_of, prices_of, temporary_of


@stage
def price_rest(plan, strategies, p, m, b):
    """What a share that is left costs beyond its price move, currency, into field VALUE."""
    as_trade = plan.switches[f.HORIZON] == f.MARK_AS_TRADE
    if as_trade:
        trade_rest(plan.switches, strategies, p, m, b)
    for i in range(LANES):
        left, mid = b[f.REMAINING + i], m[f.MID + i]  # after the last roll MID is S_N
        if as_trade:
            spread, temporary, permanent, transient = prices_of(i, mid, m[f.NEXT_SPREAD + i], p, b)
            cost = spread + (temporary + permanent + transient + p[f.FEE + i])
        else:
            impact = p[f.PERMANENT_COEFFICIENT + i] * (p[f.SHARES + i] - left) + b[f.IMPACT + i]
            cost = half_spread_of(mid, m[f.SPREAD + i]) + impact
        b[f.VALUE + i] = cost + (plan.numbers[f.MARK_PENALTY] + plan.numbers[f.MARK_SLOPE] * left)


@stage
def trade_rest(switches, strategies, p, m, b):
    """What is left as the slice of one step more, and what it meets there."""
    by_volume = switches[f.TEMPORARY_KIND] != f.TEMPORARY_LINEAR
    pushes = switches[f.TRANSIENT_KIND] != f.TRANSIENT_OFF
    for i in range(LANES):
        left = b[f.REMAINING + i]
        rate, pushed = left / expected_volume(i, strategies, m), power(left, p[f.TRANSIENT_EXPONENT + i])
        b[f.SLICE + i] = left
        b[f.RAISED_RATE + i] = power(rate, p[f.TEMPORARY_EXPONENT + i]) if by_volume else 0.0
        b[f.PUSHED + i] = p[f.TRANSIENT_COEFFICIENT + i] * pushed if pushes else 0.0


@inlined
def expected_volume(i, strategies, m):
    """Of the last step, by those who made the schedules: the same for all episodes, or for each group of given paths."""
    expected = strategies.last_volume
    g = strategies.groups[np.int64(m[f.WINDOW + i])] if expected.shape[0] > 1 else 0
    return expected[g]


@bound
@stage
def find_rest_factors(clock, switches, strategies, p, m, b):
    """A share left at the end of step t as linear factors, in bps of the order's value: a rest r (a share of the order) costs
    FACTOR_END r + FACTOR_END_TEMPORARY r^(1 + exponent), and what the market has no part in.
    """
    as_trade = switches[f.HORIZON] == f.MARK_AS_TRADE
    quote = f.NEXT_SPREAD if as_trade else f.SPREAD
    spreads = m[quote : quote + LANES]
    for i in range(LANES):
        to_bps = 1e4 / m[f.ARRIVAL + i]
        b[f.FACTOR_END + i] = half_spread_of(m[f.NEXT + i], spreads[i]) * to_bps
        b[f.FACTOR_END_TEMPORARY + i] = 0.0
    if as_trade and switches[f.TEMPORARY_KIND] != f.TEMPORARY_LINEAR and clock.t == clock.steps - 1:
        for i in range(LANES):
            rate, to_bps = p[f.SHARES + i] / expected_volume(i, strategies, m), 1e4 / m[f.ARRIVAL + i]
            raised = power(rate, p[f.TEMPORARY_EXPONENT + i])
            b[f.FACTOR_END_TEMPORARY + i] = temporary_of(m[f.NEXT + i], raised, i, p) * to_bps

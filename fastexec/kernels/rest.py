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


@bound
@stage
def value_as_trades(plan, strategies, p, m, ledgers):
    """Of every strategy what a share that is left costs beyond its price move, currency, into field VALUE."""
    for k in range(ledgers.shape[0]):
        value_as_trade(plan, strategies, p, m, ledgers[k])


@bound
@stage
def value_at_quotes(numbers, p, m, ledgers):
    """The same at the last quote."""
    for k in range(ledgers.shape[0]):
        value_at_quote(numbers, p, m, ledgers[k])


@stage
def value_as_trade(plan, strategies, p, m, b):
    """Of one strategy."""
    trade_rest(plan.switches, strategies, p, m, b)
    for i in range(LANES):
        # After the last roll MID is S_N.
        spread, temporary, permanent, transient = prices_of(i, m[f.MID + i], m[f.NEXT_SPREAD + i], p, b)
        cost = spread + temporary + permanent + transient + p[f.FEE + i]
        b[f.VALUE + i] = cost + penalty_of(i, plan.numbers, b)


@stage
def value_at_quote(numbers, p, m, b):
    """Of one strategy."""
    for i in range(LANES):
        impact = p[f.PERMANENT_COEFFICIENT + i] * (p[f.SHARES + i] - b[f.REMAINING + i]) + b[f.IMPACT + i]
        cost = half_spread_of(m[f.MID + i], m[f.SPREAD + i]) + impact
        b[f.VALUE + i] = cost + penalty_of(i, numbers, b)


@inlined
def penalty_of(i, numbers, b):
    """On what is left, currency a share."""
    return numbers[f.MARK_PENALTY] + numbers[f.MARK_SLOPE] * b[f.REMAINING + i]


@stage
def trade_rest(switches, strategies, p, m, b):
    """What is left as the slice of one step more, and what it meets there."""
    by_volume = switches[f.TEMPORARY_KIND] != f.TEMPORARY_LINEAR
    pushes, scaled = switches[f.TRANSIENT_KIND] != f.TRANSIENT_OFF, switches[f.IMPACT_SCALED] > 0
    for i in range(LANES):
        left = b[f.REMAINING + i]
        rate, pushed = left / expected_volume(i, strategies, m), power(left, p[f.TRANSIENT_EXPONENT + i])
        b[f.SLICE + i] = left
        raised = power(rate, p[f.TEMPORARY_EXPONENT + i]) if by_volume else 0.0
        b[f.RAISED_RATE + i] = raised * (m[f.NEXT_IMPACT + i] if scaled else 1.0)
        b[f.PUSHED + i] = p[f.TRANSIENT_COEFFICIENT + i] * pushed if pushes else 0.0


@inlined
def expected_volume(i, strategies, m):
    """Of the last step, by those who made the schedules: the same for all episodes, or for each group of given paths."""
    expected = strategies.last_volume
    g = strategies.groups[np.int64(m[f.WINDOW + i])] if expected.shape[0] > 1 else 0
    return expected[g]


@bound
@stage
def find_quote_factors(m, b):
    """A share left at the end of the step as linear factors, in bps of the order's value: a rest r (a share of the order) costs
    FACTOR_END r + FACTOR_END_TEMPORARY r^(1 + exponent), and what the market has no part in.
    """
    for i in range(LANES):
        b[f.FACTOR_END + i] = half_spread_of(m[f.NEXT + i], m[f.SPREAD + i]) * (1e4 / m[f.ARRIVAL + i])
        b[f.FACTOR_END_TEMPORARY + i] = 0.0


@bound
@stage
def find_trade_factors(switches, strategies, p, m, b):
    """The same as if it were traded."""
    by_volume, scaled = switches[f.TEMPORARY_KIND] != f.TEMPORARY_LINEAR, switches[f.IMPACT_SCALED] > 0
    for i in range(LANES):
        to_bps, rate = 1e4 / m[f.ARRIVAL + i], p[f.SHARES + i] / expected_volume(i, strategies, m)
        raised = power(rate, p[f.TEMPORARY_EXPONENT + i]) if by_volume else 0.0
        raised *= m[f.NEXT_IMPACT + i] if scaled else 1.0
        b[f.FACTOR_END + i] = half_spread_of(m[f.NEXT + i], m[f.NEXT_SPREAD + i]) * to_bps
        b[f.FACTOR_END_TEMPORARY + i] = temporary_of(m[f.NEXT + i], raised, i, p) * to_bps


def valuing(switches):
    """What a walk calls for what is left, before it closes the books."""
    return value_as_trades if switches[f.HORIZON] == f.MARK_AS_TRADE else value_at_quotes


def factoring(switches):
    """What a walk calls for the same as factors, in each step."""
    return find_trade_factors if switches[f.HORIZON] == f.MARK_AS_TRADE else find_quote_factors

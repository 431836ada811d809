"""What is left at the end of an order: valued for lanes, and as factors for the dynamic programmes."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from fastexec.kernels import fields as f
from naive.execution import factors, transient_addition
from naive.ledger import value_of_rest
from rows.execute import ARRIVAL, COSTS, MARKET, STEPS, SWITCHES, costs_of, exponents
from rows.plans import plan_of, strategies_of
from trials import Lanes, real


def by_group(x):
    """Two groups of given paths; rows 0 and 3 are of the first, whose last step is expected to trade ten times as much."""
    expected = np.array([10.0 * x.last_volume, x.last_volume])
    return strategies_of(groups=2)._replace(last_volume=expected, groups=np.array([0, 1, 1, 0]))


def volume_of(v):
    return v.last_volume * (10.0 if v.window in (0.0, 3.0) else 1.0)


def plan(x):
    return plan_of(STEPS, mark_penalty=x.penalty, mark_slope=x.slope, temporary_kind=x.temporary_kind,
                   transient_kind=x.transient_kind)  # fmt: skip


def left_of(v):
    return exponents(v) | {"remaining": v.left * v.shares}


def trade_rest(v):
    """What is left as a slice, and what it meets."""
    raised = 0.0
    if v.temporary_kind != f.TEMPORARY_LINEAR and v.remaining > 0.0:
        raised = (v.remaining / volume_of(v)) ** v.temporary_exponent
    return {"slice": v.remaining, "raised_rate": raised, "pushed": transient_addition(costs_of(v), v.remaining)}


def less_in_a_larger_volume(given, found, again):
    np.testing.assert_array_equal(found.slice, given.remaining)
    assert (again(last_volume=2.0 * given.last_volume).raised_rate <= found.raised_rate).all()
    assert not again(left=0.0).raised_rate.any()
    one = again(window=1.0).raised_rate
    assert (again(window=0.0).raised_rate <= one).all()
    np.testing.assert_array_equal(again(window=2.0).raised_rate, one)


def value(v, as_trade):
    market = {"mid": v.mid, "spread": v.spread, "next_spread": v.next_spread, "volume": volume_of(v)}
    beyond = value_of_rest(v.remaining, v.shares - v.remaining, market, v.impact, costs_of(v), as_trade)
    return {"value": beyond + v.penalty + v.slope * v.remaining}


def value_as_trade(v):
    return trade_rest(v) | value(v, True)


def value_at_quote(v):
    return value(v, False)


def never_a_gift(given, found, again):
    """No cost is negative, and each that rises makes the rest no cheaper; more penalty is more by just that."""
    assert (found.value >= 0.0).all()
    for name, more in (("impact", 1.0), ("mid", 1.0), ("spread", 0.01), ("next_spread", 0.01), ("fee", 0.01)):
        assert (again(**{name: getattr(given, name) + more}).value >= found.value).all()
    np.testing.assert_allclose(again(penalty=given.penalty + 1.0).value, found.value + 1.0, rtol=1e-12)


def size_counts(given, found, again):
    """As a trade none is cheaper for being more, and the last step's own quote does not matter."""
    never_a_gift(given, found, again)
    np.testing.assert_array_equal(again(spread=0.0).value, found.value)
    less = again(left=0.5 * given.left, permanent_coefficient=0.0)
    assert (less.value <= again(permanent_coefficient=0.0).value * (1.0 + 1e-12)).all()


def size_does_not_count(given, found, again):
    """At the quote neither the size nor a fee, nor what is quoted at the end."""
    never_a_gift(given, found, again)
    plain = again(permanent_coefficient=0.0, slope=0.0)
    np.testing.assert_array_equal(again(permanent_coefficient=0.0, slope=0.0, left=0.5 * given.left).value, plain.value)
    np.testing.assert_array_equal(again(next_spread=0.0, fee=9.0).value, found.value)


def find_factors(v, as_trade):
    quoted = v.next_spread if as_trade else v.spread
    half, temporary = factors(costs_of(v), v.shares, v.arrival, v.next, quoted, volume_of(v))
    return {"factor_end": half, "factor_end_temporary": temporary if as_trade else 0.0}


def factors_scale(given, found, again):
    """With the mid of the end, with their own costs and with no other."""
    twice = again(next=2.0 * given.next)
    np.testing.assert_allclose(twice.factor_end, 2.0 * found.factor_end, rtol=1e-14)
    np.testing.assert_allclose(twice.factor_end_temporary, 2.0 * found.factor_end_temporary, rtol=1e-14)
    np.testing.assert_array_equal(again(mid=2.0 * given.mid).factor_end, found.factor_end)
    dearer = again(temporary_coefficient=2.0 * given.temporary_coefficient)
    np.testing.assert_allclose(dearer.factor_end_temporary, 2.0 * found.factor_end_temporary, rtol=1e-14)
    np.testing.assert_array_equal(dearer.factor_end, found.factor_end)


LEFT = {**COSTS, **MARKET, "shares": real(1.0, 1e5), "left": st.sampled_from([0.0, 0.25, 1.0]), "impact": real(0.0, 1.0),
        "window": st.integers(0, 3).map(float)}  # fmt: skip
OTHERS = {**SWITCHES, "penalty": real(0.0, 1.0), "slope": real(0.0, 1e-3), "last_volume": real(1.0, 1e6)}
ROWS = (
    Lanes("rest.trade_rest", lambda x: (plan(x).switches, by_group(x), x.p, x.m, x.b), trade_rest, LEFT,
          less_in_a_larger_volume, others=OTHERS, derived=left_of),
    Lanes("rest.value_as_trade", lambda x: (plan(x), by_group(x), x.p, x.m, x.b), value_as_trade, LEFT, size_counts,
          others=OTHERS, derived=left_of),
    Lanes("rest.value_as_trades", lambda x: (plan(x), by_group(x), x.p, x.m, x.lanes.ledgers), value_as_trade, LEFT,
          size_counts, others=OTHERS, derived=left_of),
    Lanes("rest.value_at_quote", lambda x: (plan(x).numbers, x.p, x.m, x.b), value_at_quote, LEFT, size_does_not_count,
          others=OTHERS, derived=left_of),
    Lanes("rest.value_at_quotes", lambda x: (plan(x).numbers, x.p, x.m, x.lanes.ledgers), value_at_quote, LEFT,
          size_does_not_count, others=OTHERS, derived=left_of),
    Lanes("rest.find_trade_factors", lambda x: (plan(x).switches, by_group(x), x.p, x.m, x.b),
          lambda v: find_factors(v, True), {**LEFT, **ARRIVAL}, factors_scale, others=OTHERS, derived=left_of),
    Lanes("rest.find_quote_factors", lambda x: (x.m, x.b), lambda v: find_factors(v, False), {**LEFT, **ARRIVAL},
          factors_scale, others=OTHERS, derived=left_of),
)  # fmt: skip

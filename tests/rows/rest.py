"""What is left at the end of an order: valued for lanes, and as factors for the dynamic programmes."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from fastexec.kernels import fields as f
from fastexec.kernels.clock import Clock
from naive.execution import costs_a_share, factors, transient_addition
from rows import books
from rows.execute import ARRIVAL, COSTS, MARKET, STEPS, SWITCHES, costs_of, exponents
from rows.plans import plan_of, strategies_of
from trials import Lanes, real

GROUPS = {"window": st.integers(0, 3).map(float)}


def by_group(x):
    """Two groups of given paths; rows 0 and 3 are of the first, whose last step is expected to trade ten times as much."""
    expected = np.array([10.0 * x.last_volume, x.last_volume])
    return strategies_of(groups=2)._replace(last_volume=expected, groups=np.array([0, 1, 1, 0]))


def volume_of(v):
    return v.last_volume * (10.0 if v.window in (0.0, 3.0) else 1.0)


def left_of(v):
    return exponents(v) | {"remaining": v.left * v.shares}


def meets(v):
    """What is left as a slice, and what it meets."""
    power, raised = costs_of(v), 0.0
    if v.temporary_kind != f.TEMPORARY_LINEAR and v.remaining > 0.0:
        raised = (v.remaining / volume_of(v)) ** v.temporary_exponent
    pushed = transient_addition(power, v.remaining) if v.transient_kind != f.TRANSIENT_OFF else 0.0
    return {"slice": v.remaining, "raised_rate": raised, "pushed": pushed}


def less_in_a_larger_volume(given, found, again):
    np.testing.assert_array_equal(found.slice, given.remaining)
    assert (again(last_volume=2.0 * given.last_volume).raised_rate <= found.raised_rate).all()
    assert not again(left=0.0).raised_rate.any()
    one = again(window=1.0).raised_rate
    assert (again(window=0.0).raised_rate <= one).all()
    np.testing.assert_array_equal(again(window=2.0).raised_rate, one)


def price_rest(v):
    done, charged = v.shares - v.remaining, v.penalty + v.slope * v.remaining
    if v.horizon != f.MARK_AS_TRADE:
        return {"value": v.mid * v.spread / 2.0 + v.permanent_coefficient * done + v.impact + charged}
    a_share = costs_a_share(costs_of(v), v.remaining, v.mid, v.next_spread, volume_of(v), done, v.impact)
    return meets(v) | {"value": sum(a_share.values()) + v.fee + charged}


def size_counts_as_a_trade(given, found, again):
    """Twice the shares left at the last quote cost the same a share but for the slope; as a trade none is cheaper for it."""
    assert (found.value >= 0.0).all()
    for name, more in (("penalty", 1.0), ("impact", 1.0), ("mid", 1.0)):
        assert (again(**{name: getattr(given, name) + more}).value >= found.value).all()
    quoted, traded = again(horizon=f.MARK), again(horizon=f.MARK_AS_TRADE)
    np.testing.assert_array_equal(again(horizon=f.MARK, next_spread=0.0, last_volume=7.0, fee=9.0).value, quoted.value)
    np.testing.assert_array_equal(again(horizon=f.MARK_AS_TRADE, spread=0.0).value, traded.value)
    same = again(horizon=f.MARK_AS_TRADE, next_spread=given.spread)
    assert (same.value >= quoted.value * (1.0 - 1e-12)).all()


def at(x):
    return Clock(np.uint64(0), 0, x.t, STEPS)


def find_rest_factors(v):
    as_trade = v.horizon == f.MARK_AS_TRADE
    quoted = v.next_spread if as_trade else v.spread
    half, temporary = factors(costs_of(v), v.shares, v.arrival, v.next, quoted, volume_of(v))
    return {"factor_end": half, "factor_end_temporary": temporary if as_trade and v.t == STEPS - 1 else 0.0}


def factors_price_the_rest(given, found, again):
    """All of an order that is left costs their sum, as the books say."""
    assert not again(t=0).factor_end_temporary.any()
    last = again(t=STEPS - 1, horizon=f.MARK_AS_TRADE)
    wider = again(t=STEPS - 1, horizon=f.MARK_AS_TRADE, next_spread=2.0 * given.next_spread)
    np.testing.assert_allclose(wider.factor_end, 2.0 * last.factor_end, rtol=1e-14)
    dearer = again(t=STEPS - 1, horizon=f.MARK_AS_TRADE, temporary_coefficient=2.0 * given.temporary_coefficient)
    np.testing.assert_allclose(dearer.factor_end_temporary, 2.0 * last.factor_end_temporary, rtol=1e-14)


LEFT = {
    **COSTS,
    "shares": real(1.0, 1e5),
    "left": st.sampled_from([0.0, 0.25, 1.0]),
    "impact": real(0.0, 1.0),
    **GROUPS,
}
ROWS = (
    Lanes("rest.trade_rest", lambda x: (books.plan(x).switches, by_group(x), x.p, x.m, x.b), meets, LEFT,
          less_in_a_larger_volume, others=books.RULE, derived=left_of),
    Lanes("rest.price_rest", lambda x: (books.plan(x), by_group(x), x.p, x.m, x.b), price_rest, {**LEFT, **MARKET},
          size_counts_as_a_trade, others=books.RULE, derived=left_of),
    Lanes("rest.find_rest_factors",
          lambda x: (at(x), plan_of(STEPS, temporary_kind=x.temporary_kind, horizon=x.horizon).switches, by_group(x),
                     x.p, x.m, x.b),
          find_rest_factors, {**COSTS, **MARKET, **ARRIVAL, **GROUPS, "shares": real(1.0, 1e5)}, factors_price_the_rest,
          others={**SWITCHES, "t": st.integers(0, STEPS - 1), "horizon": st.integers(0, 3),
                  "last_volume": real(1.0, 1e6)}, derived=exponents),
)  # fmt: skip

"""Slices that are linear in what is left and in signals."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from fastexec.kernels import fields as f
from naive import decide as twin
from rows.decide import ORDER, STEPS, allowed, order_of, traded
from rows.parameters import LOTS
from rows.plans import plan_of, strategies_of
from trials import Lanes, real

SIGNALS = {f"signal_{j}": real(-3.0, 3.0) for j in range(2)}
RULE = {
    "of_rest": real(0.0, 1.0),
    "fixed": real(-100.0, 100.0),
    **{f"weight_{j}": real(-500.0, 500.0) for j in range(2)},
}


def following(x):
    """The second of two rules, of two signals; the others, which the study has not, would trade without end."""
    rules = np.full((2, STEPS, f.RULE_FIELDS), 1e9)
    rules[1, x.t, : f.RULE_OF_SIGNAL + 2] = x.of_rest, x.fixed, x.weight_0, x.weight_1
    kind = strategies_of(2, STEPS, slot=1).kinds[1]
    return x.t, kind, rules, plan_of(STEPS, signals=2).switches, np.array([x.lot, 0.0, 0.0, 0.0, 0.0]), x.m, x.b


def follow(v):
    wanted = twin.by_rule(v.of_rest, v.fixed, [v.weight_0, v.weight_1], [v.signal_0, v.signal_1], v.remaining)
    return traded(v, twin.kept_within(wanted, v.lot, v.remaining))


def all_at_the_end_and_more_where_more_is_told(given, found, again):
    allowed(given, found)
    ends = again(of_rest=1.0, fixed=0.0, weight_0=0.0, weight_1=0.0)
    np.testing.assert_array_equal(ends.slice, np.where(given.volume > 0.0, given.remaining, 0.0))
    assert (again(fixed=given.fixed + 50.0).slice >= found.slice).all()
    same = again(weight_0=0.0, weight_1=0.0)
    np.testing.assert_array_equal(again(signal_0=-given.signal_0, weight_0=0.0, weight_1=0.0).slice, same.slice)


ROWS = (
    Lanes("follow_signal.follow_signal", following, follow, {**ORDER, **SIGNALS},
          all_at_the_end_and_more_where_more_is_told, others={**RULE, "lot": LOTS, "t": st.integers(0, STEPS - 1)},
          derived=order_of, through="follow_signal.keep_within", scratch="value", rtol=1e-9, atol=1e-7),
)  # fmt: skip

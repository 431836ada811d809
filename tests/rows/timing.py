"""Timing split: what was expected of moves, and what was not."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from fastexec.kernels import fields as f
from naive import timing as twin
from rows.execute import STEPS
from rows.ledger import KIND, kind_of
from rows.plans import plan_of
from trials import Lanes, real

MID, DRIFT, HELD = real(10.0, 500.0), real(-0.01, 0.01), real(0.0, 1e4)
MOVE = real(-5.0, 5.0)


def nothing_without_drift(given, found, again):
    np.testing.assert_array_equal(again(drift=0.0).expected_move, 0.0)
    assert (np.sign(found.expected_move) == np.sign(given.drift)).all()


def seen(v):
    length = v.halt_length if v.halted else 1.0
    return {"expected_move": twin.expected_seen(v.mid, v.shown, v.expected_move, length)}


def a_shown_mid_that_stands_underneath_changes_nothing(given, found, again):
    np.testing.assert_array_equal(again(shown=given.mid, halted=0.0).expected_move, given.expected_move)
    np.testing.assert_allclose(again(halted=1.0, halt_length=2.0).expected_move, 0.5 * again(halted=0.0).expected_move)


def nothing_before_a_first_move(given, found, again):
    np.testing.assert_array_equal(again(expected_move=0.0).sum_expected, 0.0)


def book_expected(v):
    held = v.remaining + (v.slice if v.at_next else 0.0)
    return {"sum_expected": v.sum_expected + twin.split([held], [0.0], [v.expected_move])[0]}


def who_fills_later_holds_more(given, found, again):
    np.testing.assert_array_equal(again(expected_move=0.0).sum_expected, given.sum_expected)
    apart = again(at_next=True).sum_expected - again(at_next=False).sum_expected
    np.testing.assert_allclose(apart, given.slice * given.expected_move, atol=1e-6)


def close_split(v):
    told = v.side * v.sum_expected / (v.shares * v.arrival) * 1e4
    at = bin(v.further).count("1")
    return {f"row_further{at}": told, f"row_further{at + 1}": v.row_timing - told}


def both_are_timing(given, found, again):
    at = bin(given.further).count("1")
    whole = getattr(found, f"row_further{at}") + getattr(found, f"row_further{at + 1}")
    np.testing.assert_allclose(whole, given.row_timing, atol=1e-9)
    np.testing.assert_array_equal(getattr(again(sum_expected=0.0), f"row_further{at + 1}"), given.row_timing)


def predicted(geometric):
    def expect(v):
        told = v.volatility * v.volatility_factor
        return {"expected_move": twin.expected_with_signals(v.mid, v.drift, told, v.predicted, v.l11**2, geometric)}

    return expect


def more_by_a_better_signal(given, found, again):
    assert (again(predicted=given.predicted + 0.1).expected_move >= found.expected_move).all()


TOLD = {"mid": MID, "drift": DRIFT, "volatility": real(0.0, 0.05), "volatility_factor": real(0.1, 3.0),
        "predicted": real(-1.0, 1.0), "l11": real(0.5, 1.0)}  # fmt: skip
SIDE = {"side": st.sampled_from([1.0, -1.0])}
ROWS = (
    Lanes("timing.expect_growth", lambda x: (x.p, x.m),
          lambda v: {"expected_move": twin.expected_move(v.mid, v.drift, True)}, {"mid": MID, "drift": DRIFT},
          nothing_without_drift, atol=1e-12),
    Lanes("timing.expect_drift", lambda x: (x.p, x.m),
          lambda v: {"expected_move": twin.expected_move(np.nan, v.drift, False)}, {"drift": DRIFT}, nothing_without_drift),
    Lanes("timing.expect_predicted_growth", lambda x: (1, np.ones((4, STEPS)), x.p, x.m), predicted(True), TOLD,
          more_by_a_better_signal, atol=1e-11),
    Lanes("timing.expect_predicted_drift", lambda x: (1, np.ones((4, STEPS)), x.p, x.m), predicted(False), TOLD,
          more_by_a_better_signal, atol=1e-15),
    Lanes("timing.expect_seen", lambda x: (x.p, x.m), seen,
          {"mid": MID, "shown": MID, "expected_move": MOVE,
           "halted": st.sampled_from([0.0, 1.0]), "halt_length": real(1.0, 9.0)},
          a_shown_mid_that_stands_underneath_changes_nothing, atol=1e-12),
    Lanes("timing.open_split", lambda x: (x.p, x.m, x.lanes.ledgers),
          lambda v: {"sum_expected": v.shares * v.expected_move}, {"shares": HELD, "expected_move": MOVE},
          nothing_before_a_first_move),
    Lanes("timing.book_expected", lambda x: (kind_of(x), x.m, x.b), book_expected,
          {"remaining": HELD, "slice": HELD, "expected_move": MOVE, "sum_expected": real(-1e4, 1e4)},
          who_fills_later_holds_more, others=KIND, atol=1e-8),
    Lanes("timing.close_split", lambda x: (plan_of(STEPS, side=x.side, further=x.further), x.lanes), close_split,
          {"sum_expected": real(-1e4, 1e4), "shares": real(1.0, 1e5), "arrival": real(1.0, 500.0),
           "row_timing": real(-1e4, 1e4)},
          both_are_timing, others={**SIDE, "further": st.integers(0, (1 << f.MOST_FURTHER) - 1)}, atol=1e-7),
)  # fmt: skip

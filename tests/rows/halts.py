"""Halts: what they are drawn from, how a step goes underneath and comes up."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from naive import halts as twin, steps
from rows.variance import drawing
from trials import Lanes, real

WORD = st.integers(0, 2**32 - 1)
LAW = {"w0": WORD, "halt_rate": real(0.0, 0.5), "halt_length": real(1.0, 100.0)}
MID = real(10.0, 500.0)


def u_of(v):
    return (v.w0 + 0.5) / 2**32


def begin(v):
    return {"halted": float(twin.goes_on(False, u_of(v), v.halt_rate, v.halt_length))}


def halt(v):
    halted, goes_on = v.halted > 0.0, twin.goes_on(v.halted > 0.0, u_of(v), v.halt_rate, v.halt_length)
    return {"volume": 0.0 if halted else v.volume, "next": v.mid if halted and goes_on else v.next,
            "halted": float(goes_on)}  # fmt: skip


def never_at_rate_0(given, found, again):
    assert not again(halt_rate=0.0, halted=0.0).halted.any()


def ends_at_once_at_length_1(given, found, again):
    never_at_rate_0(given, found, again)
    assert not again(halt_length=1.0, halted=1.0).halted.any()
    np.testing.assert_array_equal(again(halted=0.0).volume, given.volume)


def under(v):
    return {"shown": v.mid, "mid": v.underlying, "squares_before": v.sum_squared_moves}


def up(v):
    return {"underlying": v.next, "mid": v.shown}


def mids_change_places(given, found, again):
    np.testing.assert_array_equal(found.mid, given.underlying)


def what_was_shown_is_again(given, found, again):
    np.testing.assert_array_equal(found.mid, given.shown)


def counted(v):
    return {"sum_squared_moves": v.squares_before + steps.squared_move(v.mid, v.next)}


def nothing_where_it_stands(given, found, again):
    np.testing.assert_array_equal(again(next=given.mid).sum_squared_moves, given.squares_before)


def seen_as_it_is(given, found, again):
    np.testing.assert_array_equal(found.underlying, given.mid)


ROWS = (
    drawing("halts.draw_for_halts", twin.PURPOSE, pair=False),
    Lanes("halts.begin_halts", lambda x: (x.words, x.p, x.m), begin, {n: LAW[n] for n in ("w0", "halt_rate")},
          never_at_rate_0, others={"halt_length": st.just(1.0)}),
    Lanes("halts.begin_underneath", lambda x: (x.m,), lambda v: {"underlying": v.mid}, {"mid": MID}, seen_as_it_is),
    Lanes("halts.go_underneath", lambda x: (x.m,), under, {"mid": MID, "underlying": MID, "sum_squared_moves": real(0.0, 1.0)},
          mids_change_places),
    Lanes("halts.come_up", lambda x: (x.m,), up, {"next": MID, "shown": MID}, what_was_shown_is_again),
    Lanes("halts.halt", lambda x: (x.words, x.p, x.m), halt,
          {**LAW, "halted": st.sampled_from([0.0, 1.0]), "volume": real(1.0, 1e6), "mid": MID, "next": MID},
          ends_at_once_at_length_1),
    Lanes("halts.count_seen_move", lambda x: (x.m,), counted, {"mid": MID, "next": MID, "squares_before": real(0.0, 1.0)},
          nothing_where_it_stands),
)  # fmt: skip

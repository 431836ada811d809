"""The ledger: the sums that are kept of what is traded."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from fastexec.kernels import fields as f
from naive import ledger as twin
from rows.execute import ARRIVAL, COSTS, MARKET, ORDER, SLICE, STEPS, SWITCHES, costs_of, outcome_of, slice_of
from rows.plans import plan_of
from trials import LAYOUT, Lanes, real

LEDGER = [name for name, (buffer, _) in LAYOUT.items() if buffer == "b"]
SUMS = ("sum_timing", "sum_half_spread", "sum_temporary", "sum_transient", "sum_squares", "impact", "orders", "last_step",
        "largest_rate", "volume_at_last", "program_cost")  # fmt: skip


def open_ledger(v):
    return dict.fromkeys(LEDGER, 0.0) | {"remaining": v.shares, "last_step": -1.0}


def nothing_traded(given, found, again):
    np.testing.assert_array_equal(found.remaining, given.shares)
    assert not any(getattr(found, name).any() for name in SUMS if name != "last_step")


def end_order(v):
    own = v.remaining - v.slice
    joined = {"slice": v.remaining if v.volume > 0.0 else 0.0} if v.rule == f.COMPLETE else {"slice": v.slice}
    return {"own_remaining": own, **joined}


def all_or_as_decided(given, found, again):
    assert (found.own_remaining >= 0).all()
    if given.rule == f.COMPLETE:
        np.testing.assert_array_equal(found.slice[given.volume > 0], given.remaining[given.volume > 0])
    else:
        np.testing.assert_array_equal(found.slice, given.slice)


def charge_step(v):
    charge = twin.program_charge(
        v.slice, v.remaining, v.mid, v.spread, v.volume, v.temporary_coefficient, v.temporary_exponent
    )
    return {"program_cost": v.program_cost + charge}


def a_price_a_share(given, found, again):
    """Half the order at half the volume costs the same: nothing is multiplied by the shares."""
    assert (found.program_cost >= given.program_cost).all()
    np.testing.assert_allclose(
        again(shares=0.5 * given.shares, volume=0.5 * given.volume).program_cost, found.program_cost
    )
    np.testing.assert_array_equal(again(left=0.0).program_cost, given.program_cost)


def booked(v):
    mid, spread = (v.next, v.next_spread) if v.at_next else (v.mid, v.spread)
    market = {"arrival": v.arrival, "spread": spread, "volume": v.volume, "cumulative": v.cumulative_volume}
    return twin.booked(vars(v), v.slice, v.t, mid, market, costs_of(v))


def book(v):
    """All but what stages of their own add up, and what follows from shares and squares."""
    found = booked(v)
    if v.temporary_kind == f.TEMPORARY_LINEAR:
        found["sum_temporary"] = v.sum_temporary
    return {name: value for name, value in found.items() if name not in ("sum_squares", "sum_transient", "impact")}


def shares_are_conserved(given, found, again):
    """What is filled is taken from the rest; more shares and less volume never cost less; impact knows no direction."""
    np.testing.assert_allclose(found.remaining + given.slice, given.remaining, rtol=1e-15)
    assert (found.remaining >= 0).all()
    more, dearer = again(part=np.minimum(2.0 * given.part, 1.0)), again(volume=0.5 * given.volume)
    for name in ("sum_half_spread", "sum_temporary", "largest_rate", "orders"):
        assert (getattr(more, name) >= getattr(found, name)).all()
        assert (getattr(dearer, name) >= getattr(found, name)).all()
    mirrored = again(arrival=2.0 * (given.next if given.at_next else given.mid) - given.arrival)
    np.testing.assert_array_equal(mirrored.sum_half_spread, found.sum_half_spread)
    np.testing.assert_allclose(mirrored.sum_timing - given.sum_timing, given.sum_timing - found.sum_timing,
                               rtol=1e-9, atol=1e-6)  # fmt: skip


def add_squares(v):
    return {"sum_squares": v.sum_squares + v.slice * v.slice}


def squares_of_slices(given, found, again):
    """Twice the slice adds four times as much; nothing traded adds nothing."""
    fresh, twice = again(sum_squares=0.0), again(sum_squares=0.0, shares=2.0 * given.shares)
    np.testing.assert_array_equal(twice.sum_squares, 4.0 * fresh.sum_squares)
    np.testing.assert_array_equal(again(part=0.0).sum_squares, given.sum_squares)


def decay_impact(v):
    found = twin.booked(vars(v), v.slice, 0, 1.0, {"arrival": 1.0, "spread": 0.0, "volume": 1.0, "cumulative": 1.0},
                        costs_of(v))  # fmt: skip
    return {"sum_transient": found["sum_transient"], "impact": found["impact"]}


def fades(given, found, again):
    """Without a trade nothing is paid and impact decays; a larger one pays and leaves no less."""
    idle, more = again(part=0.0), again(part=1.0)
    np.testing.assert_array_equal(idle.sum_transient, given.sum_transient)
    np.testing.assert_allclose(idle.impact, given.impact * np.exp(-given.resilience), rtol=1e-13)
    assert (more.impact >= found.impact).all()
    assert (more.sum_transient >= found.sum_transient).all()


def kind_of(x):
    kind = np.zeros(f.KIND_FIELDS, np.int64)
    kind[f.FILLS_AT_NEXT] = x.at_next
    return kind


KIND = {"at_next": st.integers(0, 1)}
OPEN = dict.fromkeys(SUMS, real(0.0, 100.0))
ROWS = (
    Lanes("ledger.open_ledgers", lambda x: (x.p, x.lanes.ledgers), open_ledger, {"shares": ORDER["shares"]},
          nothing_traded, rtol=0.0),
    Lanes("ledger.open_ledger", lambda x: (x.p, x.b), open_ledger, {"shares": ORDER["shares"]}, nothing_traded, rtol=0.0),
    Lanes("ledger.end_order", lambda x: (plan_of(STEPS, horizon=x.rule).switches, x.m, x.b), end_order, SLICE,
          all_or_as_decided, others={"rule": st.integers(0, 3), **SWITCHES}, derived=slice_of),
    Lanes("ledger.book", lambda x: (x.t, kind_of(x), x.p, x.m, x.b), book,
          {**COSTS, **MARKET, **ORDER, **OPEN, **ARRIVAL, "cumulative_volume": real(0.0, 1e6)}, shares_are_conserved,
          derived=outcome_of, atol=1e-9, others={**SWITCHES, **KIND, "t": st.integers(0, STEPS - 1)}),
    Lanes("ledger.add_squares", lambda x: (x.b,), add_squares, {**SLICE, **OPEN},
          squares_of_slices, others=SWITCHES, derived=slice_of, rtol=0.0),
    Lanes("ledger.decay_impact", lambda x: (x.p, x.b), decay_impact, {**SLICE, **OPEN}, fades,
          others={**SWITCHES, "transient_kind": st.integers(1, 2)}, derived=outcome_of),
    Lanes("ledger.charge_step", lambda x: (x.p, x.m, x.b), charge_step,
          {**ORDER, **COSTS, **MARKET, "program_cost": real(0.0, 100.0)}, a_price_a_share, others=SWITCHES,
          derived=slice_of),
)  # fmt: skip

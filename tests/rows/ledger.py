"""Fills and the ledger: what a slice meets, and the sums that are kept of it."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from fastexec.kernels import fields as f
from fastexec.kernels.clock import Clock
from naive import ledger as twin
from naive.execution import costs_a_share, transient_addition
from naive.parameters import decay
from rows.decide import SHARE, VOLUME
from rows.plans import plan_of
from trials import LAYOUT, Lanes, real

STEPS = 4
KINDS = {f.TEMPORARY_LINEAR: 1.0, f.TEMPORARY_PROPORTIONAL: 1.0, f.TEMPORARY_SQRT: 0.5}
LEDGER = [name for name, (buffer, _) in LAYOUT.items() if buffer == "b"]
SUMS = ("sum_timing", "sum_half_spread", "sum_temporary", "sum_transient", "sum_squares", "impact", "orders", "last_step",
        "largest_rate", "volume_at_last", "program_cost")  # fmt: skip
COSTS = {
    "temporary_coefficient": real(0.0, 0.01), "exponent": real(0.3, 1.2), "temporary_fixed": real(0.0, 0.1),
    "permanent_coefficient": real(0.0, 1e-4), "permanent_own": real(0.0, 1.0), "transient_coefficient": real(0.0, 1e-3),
    "push": real(0.3, 1.0), "resilience": real(0.0, 3.0), "fee": real(0.0, 0.01),
}  # fmt: skip
MARKET = {"mid": real(1.0, 500.0), "next": real(1.0, 500.0), "spread": real(0.0, 0.01), "volume": VOLUME}
ORDER = {"shares": real(1.0, 1e5), "left": SHARE, "part": SHARE}
SWITCHES = {"temporary_kind": st.integers(0, 3), "transient_kind": st.integers(0, 2)}


def exponents(v):
    """What the plan sees to: kinds of their own have the exponent that they are named after."""
    return {
        "temporary_exponent": KINDS.get(v.temporary_kind, v.exponent),
        "transient_exponent": 1.0 if v.transient_kind == f.TRANSIENT_LINEAR else v.push,
        "decay": decay(v.resilience),
    }


def slice_of(v):
    """A part of what is left, and of the order; nothing where there is no volume."""
    left = v.left * v.shares
    return exponents(v) | {"remaining": left, "slice": v.part * left if v.volume > 0.0 else 0.0}


def costs_of(v):
    """The section ``[costs]`` of a lane."""
    linear, off = v.temporary_kind == f.TEMPORARY_LINEAR, v.transient_kind == f.TRANSIENT_OFF
    temporary = {"model": "linear" if linear else "power", "coefficient": v.temporary_coefficient}
    return {
        "temporary": temporary | {"exponent": v.temporary_exponent, "fixed": v.temporary_fixed},
        "permanent": {"coefficient": v.permanent_coefficient, "own": v.permanent_own},
        "transient": {"coefficient": 0.0 if off else v.transient_coefficient, "exponent": v.transient_exponent,
                      "resilience": v.resilience},
        "fees": {"per_share": v.fee},
    }  # fmt: skip


def open_ledger(v):
    return dict.fromkeys(LEDGER, 0.0) | {"remaining": v.shares, "last_step": -1.0}


def nothing_traded(given, found, again):
    np.testing.assert_array_equal(found.remaining, given.shares)
    assert not any(getattr(found, name).any() for name in SUMS if name != "last_step")


def close_horizon(v):
    own = v.remaining - v.slice
    joined = {"slice": v.remaining if v.volume > 0.0 else 0.0} if v.rule == f.COMPLETE else {"slice": v.slice}
    return {"own_remaining": own, **joined}


def all_or_as_decided(given, found, again):
    assert (found.own_remaining >= 0).all()
    if given.rule == f.COMPLETE:
        np.testing.assert_array_equal(found.slice[given.volume > 0], given.remaining[given.volume > 0])
    else:
        np.testing.assert_array_equal(found.slice, given.slice)


def raise_rates(v):
    rate = v.slice / v.volume if v.volume > 0.0 else 0.0
    return {"rate": rate, RAISED: rate**v.temporary_exponent if rate > 0.0 else 0.0}


RAISED = "value"


def powers_of_rates(given, found, again):
    """A product of rates is a product of powers, and a rate of 0 stays one."""
    half = again(part=0.5 * given.part)
    np.testing.assert_allclose(
        getattr(half, RAISED), getattr(found, RAISED) * 0.5**given.temporary_exponent, rtol=1e-12
    )
    assert not getattr(again(part=0.0), RAISED).any()
    assert (again(volume=2.0 * given.volume).rate <= found.rate).all()


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


def push(v):
    costs = costs_of(v)
    paid = v.slice * costs_a_share(costs, v.slice, 1.0, 0.0, 1.0, 0.0, v.impact)["transient"]
    return {"sum_transient": v.sum_transient + paid,
            "impact": (v.impact + transient_addition(costs, v.slice)) * decay(v.resilience)}  # fmt: skip


def fades(given, found, again):
    """Without a trade nothing is paid and impact decays; a larger one pays and leaves no less."""
    idle, more = again(part=0.0), again(part=1.0)
    np.testing.assert_array_equal(idle.sum_transient, given.sum_transient)
    np.testing.assert_allclose(idle.impact, given.impact * np.exp(-given.resilience), rtol=1e-13)
    assert (more.impact >= found.impact).all()
    assert (more.sum_transient >= found.sum_transient).all()


def fill(v):
    mid = v.next if v.at_next else v.mid
    market = {"arrival": v.arrival, "spread": v.spread, "volume": v.volume, "cumulative": v.cumulative_volume}
    wanted = twin.booked(vars(v), v.slice, v.t, mid, market, costs_of(v))
    if v.temporary_kind == f.TEMPORARY_LINEAR:
        wanted["sum_temporary"] = v.sum_temporary  # follows from shares and squares
    if v.transient_kind == f.TRANSIENT_OFF:
        wanted |= {"impact": v.impact, "sum_transient": v.sum_transient}
    if not v.squares:
        wanted["sum_squares"] = v.sum_squares
    return wanted | (charge_step(v) if v.cost_rule == f.PER_STEP else {})


def fill_at(x):
    names = ("temporary_kind", "transient_kind", "squares", "cost_rule")
    switches = plan_of(STEPS, **{name: getattr(x, name) for name in names}).switches
    return x.t, f.NEXT if x.at_next else f.MID, switches, x.p, x.m, x.b


def shares_are_conserved(given, found, again):
    """What is filled is taken from the rest; more shares and less volume never cost less; impact knows no direction."""
    np.testing.assert_allclose(found.remaining + given.slice, given.remaining, rtol=1e-15)
    assert (found.remaining >= 0).all()
    more, dearer = again(part=np.minimum(2.0 * given.part, 1.0)), again(volume=0.5 * given.volume)
    for name in ("sum_half_spread", "sum_temporary", "sum_transient", "largest_rate", "orders"):
        assert (getattr(more, name) >= getattr(found, name)).all()
        assert (getattr(dearer, name) >= getattr(found, name)).all()
    mirrored = again(arrival=2.0 * (given.next if given.at_next else given.mid) - given.arrival)
    np.testing.assert_array_equal(mirrored.sum_half_spread, found.sum_half_spread)
    np.testing.assert_allclose(mirrored.sum_timing - given.sum_timing, given.sum_timing - found.sum_timing,
                               rtol=1e-9, atol=1e-6)  # fmt: skip


FILL = {**COSTS, **MARKET, **ORDER, **dict.fromkeys(SUMS, real(0.0, 100.0)), "arrival": real(1.0, 500.0),
        "cumulative_volume": real(0.0, 1e6)}  # fmt: skip
KIND = {"at_next": st.integers(0, 1)}


def kind_of(x):
    kind = np.zeros(f.KIND_FIELDS, np.int64)
    kind[f.FILLS_AT_NEXT] = x.at_next
    return kind


def trading(x):
    t, _, *rest = fill_at(x)
    return t, kind_of(x), *rest


def end_order(v):
    return close_horizon(v) if v.t == STEPS - 1 else {}


def only_at_the_end(given, found, again):
    """Before the last step the decision stands, and nothing is noted."""
    np.testing.assert_array_equal(again(t=0).slice, given.slice)
    assert np.isnan(again(t=STEPS - 2).own_remaining).all()
    all_or_as_decided(given, again(t=STEPS - 1), again)


ROWS = (
    Lanes("fill.open_ledgers", lambda x: (x.lanes,), open_ledger, {"shares": ORDER["shares"]}, nothing_traded, rtol=0.0),
    Lanes("fill.end_order",
          lambda x: (Clock(np.uint64(0), 0, x.t, STEPS), plan_of(STEPS, horizon=x.rule).switches, x.m, x.b), end_order,
          {**ORDER, **COSTS, "volume": VOLUME}, only_at_the_end, derived=slice_of,
          others={"rule": st.integers(0, 2), "t": st.integers(0, STEPS - 1), **SWITCHES}),
    Lanes("fill.trade", trading, fill, FILL, shares_are_conserved, derived=slice_of, scratch="rate value", atol=1e-9,
          others={**SWITCHES, **KIND, "squares": st.integers(0, 1), "cost_rule": st.integers(0, 1),
                  "t": st.integers(0, STEPS - 1)}),
    Lanes("fill.open_ledger", lambda x: (x.p, x.b), open_ledger, {"shares": ORDER["shares"]}, nothing_traded, rtol=0.0),
    Lanes("fill.close_horizon", lambda x: (x.rule, x.m, x.b), close_horizon, {**ORDER, **COSTS, "volume": VOLUME},
          all_or_as_decided, others={"rule": st.integers(0, 2), **SWITCHES}, derived=slice_of),
    Lanes("fill.raise_rates", lambda x: (x.p, x.m, x.b), raise_rates, {**ORDER, **COSTS, "volume": VOLUME},
          powers_of_rates, others=SWITCHES, derived=slice_of),
    Lanes("fill.charge_step", lambda x: (x.p, x.m, x.b), charge_step,
          {**ORDER, **COSTS, **MARKET, "program_cost": real(0.0, 100.0)}, a_price_a_share, others=SWITCHES,
          derived=slice_of),
    Lanes("fill.push", lambda x: (x.transient_kind, x.p, x.b), push,
          {**ORDER, **COSTS, "volume": VOLUME, "sum_transient": real(0.0, 1e4), "impact": real(0.0, 1.0)}, fades,
          others={**SWITCHES, "transient_kind": st.integers(1, 2)}, derived=slice_of),
    Lanes("fill.fill", fill_at, fill, FILL, shares_are_conserved, derived=slice_of, scratch="rate value", atol=1e-9,
          others={**SWITCHES, "squares": st.integers(0, 1), "cost_rule": st.integers(0, 1), "at_next": st.booleans(),
                  "t": st.integers(0, STEPS - 1)}),
)  # fmt: skip

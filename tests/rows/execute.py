"""Outcomes: what a slice meets in the step that it is traded in, and what a share of it pays."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from fastexec.kernels import fields as f
from naive.execution import factors, transient_addition
from naive.parameters import decay
from rows.decide import SHARE, VOLUME
from rows.plans import plan_of
from trials import Lanes, W, real

STEPS = 4
KINDS = {f.TEMPORARY_LINEAR: 1.0, f.TEMPORARY_PROPORTIONAL: 1.0, f.TEMPORARY_SQRT: 0.5}
COSTS = {
    "temporary_coefficient": real(0.0, 0.01), "exponent": real(0.3, 1.2), "fixed": real(0.0, 0.1),
    "permanent_coefficient": real(0.0, 1e-4), "permanent_own": real(0.0, 1.0), "transient_coefficient": real(0.0, 1e-3),
    "push": real(0.3, 1.0), "resilience": real(0.0, 3.0), "fee": real(0.0, 0.01),
}  # fmt: skip
MARKET = {"mid": real(1.0, 500.0), "next": real(1.0, 500.0), "spread": real(0.0, 0.01), "next_spread": real(0.0, 0.01),
          "volume": VOLUME}  # fmt: skip
ORDER = {"shares": real(1.0, 1e5), "left": SHARE, "part": SHARE}
SWITCHES = {"temporary_kind": st.integers(0, 3), "transient_kind": st.integers(0, 2)}


def exponents(v):
    """What the plan sees to: kinds of their own have the exponent that they are named after, and only one a fixed part."""
    linear = v.temporary_kind == f.TEMPORARY_LINEAR
    return {
        "temporary_exponent": KINDS.get(v.temporary_kind, v.exponent),
        "temporary_fixed": v.fixed if linear else 0.0, "temporary_slope": v.temporary_coefficient if linear else 0.0,
        "transient_exponent": 1.0 if v.transient_kind == f.TRANSIENT_LINEAR else v.push,
        "decay": decay(v.resilience),
    }  # fmt: skip


def slice_of(v):
    """A part of what is left, and of the order; nothing where there is no volume."""
    left = v.left * v.shares
    return exponents(v) | {"remaining": left, "slice": v.part * left if v.volume > 0.0 else 0.0}


def outcome_of(v):
    """The slice, and what the stages of its models make of it; the fields of what is off are 0 since the opening."""
    found = slice_of(v)
    lane = type(v)(**(vars(v) | found))
    power = raise_rates(lane)["raised_rate"] if v.temporary_kind != f.TEMPORARY_LINEAR else 0.0
    return found | find_rates(lane) | {"raised_rate": power} | push(lane)


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


def find_rates(v):
    return {"rate": v.slice / v.volume if v.volume > 0.0 else 0.0}


def raise_rates(v):
    rate = find_rates(v)["rate"]
    return {"rate": rate, "raised_rate": rate**v.temporary_exponent if rate > 0.0 else 0.0}


def falls_with_the_volume(given, found, again):
    """The same share of twice the volume is half the rate; nothing traded, none."""
    np.testing.assert_array_equal(again(volume=2.0 * given.volume).rate, 0.5 * found.rate)
    assert not again(part=0.0).rate.any()
    assert (again(part=1.0).rate >= found.rate).all()


def powers_of_rates(given, found, again):
    """A product of rates is a product of powers, and a rate of 0 stays one."""
    falls_with_the_volume(given, found, again)
    half = again(part=0.5 * given.part)
    np.testing.assert_allclose(half.raised_rate, found.raised_rate * 0.5**given.temporary_exponent, rtol=1e-12)
    assert not again(part=0.0).raised_rate.any()


def push(v):
    return {"pushed": transient_addition(costs_of(v), v.slice)}


def powers_of_slices(given, found, again):
    """Half the slice adds half to the power; who does not trade moves nothing, and neither does what has no coefficient."""
    half = again(part=0.5 * given.part)
    np.testing.assert_allclose(half.pushed, found.pushed * 0.5**given.transient_exponent, rtol=1e-12)
    assert not again(part=0.0).pushed.any()
    assert not again(transient_coefficient=0.0).pushed.any()


def find_factors(v):
    spread, temporary = factors(costs_of(v), v.shares, v.arrival, v.mid, v.spread, v.volume)
    return {"factor_spread": spread, "factor_temporary": temporary}


def factors_price_the_slice(given, found, again):
    """A slice u of the order costs u times the first and u^(1 + exponent) times the second, as the ledger would charge it."""
    u = 0.25
    rate = u * given.shares / np.where(given.volume > 0, given.volume, 1.0)
    power = np.zeros(W) if given.temporary_kind == f.TEMPORARY_LINEAR else rate**given.temporary_exponent
    share = 0.5 * given.mid * given.spread + given.mid * given.temporary_coefficient * power
    ours = u * found.factor_spread + u ** (1 + given.temporary_exponent) * found.factor_temporary
    np.testing.assert_allclose(ours, u * share / given.arrival * 1e4, rtol=1e-12)


ARRIVAL = {"arrival": real(1.0, 500.0)}
SLICE = {**ORDER, **COSTS, "volume": VOLUME}


def kind(temporary, transient=f.TRANSIENT_OFF):
    return {"temporary_kind": st.just(temporary), "transient_kind": st.just(transient)}


def lower_volumes(v):
    return {"lowered_volume": v.volume**-v.temporary_exponent if v.volume > 0.0 else 1.0}


def negative_powers(given, found, again):
    """Of twice the volume, the power of a half."""
    there = given.volume > 0.0
    twice = again(volume=2.0 * given.volume).lowered_volume
    np.testing.assert_allclose(twice[there], (found.lowered_volume * 2.0**-given.temporary_exponent)[there], rtol=1e-12)
    np.testing.assert_array_equal(twice[~there], 1.0)


def lowered(v):
    """With ``lower_volumes`` before it."""
    found = slice_of(v)
    return found | lower_volumes(type(v)(**(vars(v) | found)))


def powers_of_rates_whoever_lies_beside(given, found, again):
    """To the last bit the same where all lanes of a block trade one slice, and where they do not."""
    powers_of_rates(given, found, again)
    alone = again(**{name: getattr(given, name)[0] for name in SLICE})
    assert set(alone.raised_rate.tolist()) == {found.raised_rate[0]}


def find_move(v):
    return {"factor_move": v.side * v.expected_move / v.arrival * 1e4}


def sides_disagree(given, found, again):
    np.testing.assert_array_equal(again(side=-given.side).factor_move, -found.factor_move)


ROWS = (
    Lanes("execute.find_rates", lambda x: (x.m, x.b), find_rates, SLICE, falls_with_the_volume, rtol=0.0,
          others=kind(f.TEMPORARY_LINEAR), derived=slice_of),
    Lanes("execute.find_proportional_rates", lambda x: (x.m, x.b), raise_rates, SLICE, powers_of_rates, rtol=0.0,
          others=kind(f.TEMPORARY_PROPORTIONAL), derived=slice_of),
    Lanes("execute.find_root_rates", lambda x: (x.m, x.b), raise_rates, SLICE, powers_of_rates,
          others=kind(f.TEMPORARY_SQRT), derived=slice_of),
    Lanes("execute.raise_rates", lambda x: (x.p, x.m, x.b), raise_rates, SLICE, powers_of_rates,
          others=kind(f.TEMPORARY_POWER), derived=slice_of),
    Lanes("execute.lower_volumes", lambda x: (x.p, x.m), lower_volumes, SLICE, negative_powers,
          others=kind(f.TEMPORARY_POWER), derived=exponents),
    Lanes("execute.raise_slices", lambda x: (x.p, x.m, x.b), raise_rates, SLICE, powers_of_rates_whoever_lies_beside,
          others=kind(f.TEMPORARY_POWER), derived=lowered),
    Lanes("execute.push", lambda x: (x.p, x.b), push, SLICE, powers_of_slices,
          others=kind(f.TEMPORARY_LINEAR, f.TRANSIENT_LINEAR), derived=slice_of),
    Lanes("execute.push_power", lambda x: (x.p, x.b), push, SLICE, powers_of_slices,
          others=kind(f.TEMPORARY_LINEAR, f.TRANSIENT_POWER), derived=slice_of),
    Lanes("execute.find_factors", lambda x: (plan_of(STEPS, temporary_kind=x.temporary_kind).switches, x.p, x.m, x.b),
          find_factors, {**COSTS, **MARKET, **ORDER, **ARRIVAL}, factors_price_the_slice, others=SWITCHES,
          derived=slice_of),
    Lanes("execute.find_move", lambda x: (plan_of(STEPS, side=x.side).numbers, x.m, x.b), find_move,
          {**ARRIVAL, "expected_move": real(-1.0, 1.0)}, sides_disagree, others={"side": st.sampled_from([1.0, -1.0])}),
)  # fmt: skip

"""What is told of a step: to the learners, and to those who look at single episodes."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from fastexec.kernels import fields as f
from fastexec.kernels.clock import Clock, Span
from fastexec.kernels.explore import Experience
from naive.execution import costs_a_share
from rows import books
from rows.books import HIGH, LOW, OFFSET, only_inside, written
from rows.execute import ARRIVAL, COSTS, MARKET, ORDER, SWITCHES, costs_of, outcome_of
from rows.ledger import KIND, kind_of
from rows.plans import plan_of
from trials import Lanes, W, real

STEPS, T = 4, 2
SPAN = Span(LOW, HIGH, OFFSET)
SLICE = {**COSTS, **MARKET, **ORDER, "impact": real(0.0, 1.0), "charged": real(0.0, 1.0), **ARRIVAL}


def of_a_share(v, mid, spread, q):
    """What each share of a slice pays over the mid, by parts, the further ones together."""
    usual = costs_a_share(costs_of(v), q, mid, spread, v.volume or 1.0, v.shares - v.remaining, v.impact)
    return usual | {"further": v.charged}


def record_of(costs):
    shape = (STEPS, OFFSET + W + 1)
    return Experience(
        np.zeros(shape, np.int32),
        np.zeros(shape, np.uint8),
        np.full(shape, costs),
        np.zeros(shape, np.float32),
        np.zeros(1),
    )


def charging(x):
    x.record = record_of(-7.0)
    x.costs = x.record.costs
    return T, SPAN, x.p, x.m, x.b, x.record


def costs_written(x):
    assert (np.delete(x.costs, T, axis=0) == -7).all()
    return {"noted": written(x.costs[T])}


def charge(v):
    share = sum(of_a_share(v, v.mid, v.spread, v.slice).values())
    return only_inside(v, {"noted": v.slice * (share + v.fee) / (v.shares * v.arrival) * 1e4})


def parts_of_an_order_add_up(given, found, again):
    """Nothing traded, nothing charged; a dearer step charges more; the price level does not matter to relative costs."""
    assert not again(part=0.0).noted[LOW:HIGH].any()
    inside = slice(LOW, HIGH)
    for name, more in (("spread", 0.01), ("fee", 0.01), ("impact", 1.0), ("charged", 1.0)):
        assert (again(**{name: getattr(given, name) + more}).noted[inside] >= found.noted[inside]).all()
    price = 1e4 * given.slice / (given.shares * given.arrival)
    dearer = again(charged=given.charged + 1.0).noted - found.noted
    np.testing.assert_allclose(dearer[inside], price[inside], rtol=1e-6, atol=1e-6)


def charging_moves(x):
    x.record = record_of(3.0)
    x.costs = x.record.costs
    return T, SPAN, plan_of(STEPS, side=x.side).numbers, x.p, x.m, x.b, x.record


def moves_written(x):
    assert (np.delete(x.costs, T, axis=0) == 3.0).all()
    outside = np.delete(x.costs[T], slice(OFFSET + LOW, OFFSET + HIGH))
    assert (outside == 3.0).all()
    return {"noted": x.costs[T, OFFSET : OFFSET + W]}


def charge_move(v):
    held = v.side * (v.remaining - v.slice) * v.expected_move / (v.shares * v.arrival) * 1e4
    return {"noted": 3.0 + (held if LOW <= v.i < HIGH else 0.0)}


def who_holds_nothing_expects_nothing(given, found, again):
    np.testing.assert_array_equal(again(expected_move=0.0).noted, 3.0)
    np.testing.assert_array_equal(again(remaining=0.0, slice=0.0).noted, 3.0)
    np.testing.assert_allclose(again(side=-given.side).noted - 3.0, 3.0 - found.noted, atol=1e-9)


def resting(x):
    x.record = record_of(-7.0)
    x.costs = x.record.costs
    x.costs[-1, OFFSET + LOW : OFFSET + HIGH] = 3.0
    return SPAN, books.plan(x), x.lanes, x.record


def rest_written(x):
    assert (x.costs[:-1] == -7).all()
    return {"noted": written(x.costs[-1])}


def charge_rest(v):
    parts = books.parts_of(v)
    found = {name: parts[part] for name, part in books.PART_FIELDS.items()}
    return found | only_inside(v, {"noted": 3.0 + parts["residual"] / (v.shares * v.arrival) * 1e4})


def who_is_done_pays_no_more(given, found, again):
    done = again(**dict.fromkeys(books.TRADES, 1.0), remaining=0.0)
    np.testing.assert_array_equal(done.noted[LOW:HIGH], 3.0)
    assert (again(value=given.value + 1.0).noted[LOW:HIGH] >= found.noted[LOW:HIGH]).all()


def recording(x):
    x.steps = np.full((len(f.STEP_COLUMNS), (OFFSET + W + 1) * 2 * STEPS), -7.0)
    ledgers = np.stack([np.full_like(x.b, np.nan), x.b])
    plan = plan_of(STEPS, side=x.side, source=x.source)
    output = books.output_of(2)._replace(steps=x.steps)
    return Clock(np.uint64(0), 0, T, STEPS), SPAN, 1, kind_of(x), plan, x.lanes._replace(ledgers=ledgers), output


def steps_written(x):
    cube = x.steps.reshape(len(f.STEP_COLUMNS), -1, 2, STEPS)
    assert (cube[:, :, 0] == -7).all()
    assert (np.delete(cube[:, :, 1], T, axis=-1) == -7).all()
    return {f"step {name}": written(column) for name, column in zip(f.STEP_COLUMNS, cube[:, :, 1, T], strict=True)}


def record(v):
    traded = v.shares - v.remaining
    mid, spread = (v.next, v.next_spread) if v.at_next else (v.mid, v.spread)
    price = mid + v.side * sum(of_a_share(v, mid, spread, v.slice).values()) if v.slice > 0.0 else np.nan
    row = {
        "mid": v.mid, "spread": v.spread, "volume": v.traded if v.source else v.volume, "shares": v.slice, "price": price,
        "remaining": v.remaining - v.slice, "own_impact": v.permanent_coefficient * traded + v.impact,
    }  # fmt: skip
    return only_inside(v, {f"step {name}": row[name] for name in f.STEP_COLUMNS})


def both_sides_pay_alike(given, found, again):
    """A buyer pays over the mid what a seller gets less; what further parts charge is in the price."""
    other, mid = again(side=-given.side), given.next if given.at_next else given.mid
    ours, theirs = (some.outputs["step price"][LOW:HIGH] - mid[LOW:HIGH] for some in (found, other))
    np.testing.assert_allclose(ours, -theirs, atol=1e-10)
    assert (np.isnan(ours) == (given.slice[LOW:HIGH] == 0)).all()
    dearer = again(charged=given.charged + 1.0).outputs["step price"][LOW:HIGH] - mid[LOW:HIGH]
    np.testing.assert_allclose(dearer, ours + given.side, atol=1e-10)


ROWS = (
    Lanes("explore.charge", charging, charge, SLICE, parts_of_an_order_add_up, others=SWITCHES, derived=outcome_of,
          outputs=costs_written, scratch="value", rtol=1e-11, each=True),
    Lanes("explore.charge_move", charging_moves, charge_move,
          {"remaining": real(0.0, 1e4), "slice": real(0.0, 1e3), "expected_move": real(-1.0, 1.0), "shares": real(1.0, 1e5),
           **ARRIVAL}, who_holds_nothing_expects_nothing, others={"side": books.SIDE}, outputs=moves_written, rtol=1e-11,
          each=True),
    Lanes("explore.charge_rest", resting, charge_rest, books.CLOSE, who_is_done_pays_no_more, others=books.RULE,
          derived=books.traded, outputs=rest_written, atol=1e-7, each=True),
    Lanes("record.record", recording, record, {**SLICE, "traded": real(0.0, 1e4)}, both_sides_pay_alike,
          others={**SWITCHES, "side": books.SIDE, **KIND, "source": st.integers(0, 2)}, derived=outcome_of,
          outputs=steps_written, each=True),
)  # fmt: skip

"""Closed books: parts of the cost, columns of the results, and the rows that are written."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from fastexec.kernels import fields as f
from fastexec.kernels.clock import Span
from naive import columns, ledger
from naive.execution import PARTS
from rows.execute import COSTS, SWITCHES, costs_of, exponents
from rows.plans import plan_of
from trials import LAYOUT, Lanes, W, real

STEPS = 4
RULES = {f.COMPLETE: "complete", f.MARK: "mark", f.LEAVE: "leave", f.MARK_AS_TRADE: "mark as trade"}
TRADES = ("first", "second", "third")
PART_FIELDS = {f"part_{part}": part for part in PARTS}
SIDE = st.sampled_from([1.0, -1.0])
END = {"mid": real(1.0, 500.0), "arrival": real(1.0, 500.0), "spread": real(0.0, 0.01)}


def traded(v):
    """Three trades of a third of the order at most, so that a rest may stay."""
    trades = [getattr(v, name) * v.shares / 3.0 for name in TRADES]
    return exponents(v) | {"remaining": v.shares - sum(trades), "sum_squares": sum(q * q for q in trades)}


def plan(x):
    return plan_of(
        STEPS, horizon=x.horizon, side=x.side, temporary_kind=x.temporary_kind, transient_kind=x.transient_kind
    )


def parts_of(v):
    rest = {"mid": v.mid, "arrival": v.arrival, "sign": v.side, "value": v.value}
    trades = [getattr(v, name) * v.shares / 3.0 for name in TRADES]
    found = ledger.parts(trades, v.sum_half_spread, v.sum_transient, v.sum_timing, v.shares, rest, costs_of(v),
                         RULES[v.horizon])  # fmt: skip
    found["temporary"] = v.sum_temporary + (found["temporary"] if v.temporary_kind == f.TEMPORARY_LINEAR else 0.0)
    return found


def derive_costs(v):
    return {name: parts_of(v)[part] for name, part in PART_FIELDS.items()}


def sides_differ_in_timing_only(given, found, again):
    """Buy and sell pay the same parts on one path, timing negated; nothing left, no residual; no part but timing is a gain."""
    other = again(side=-given.side)
    for name in PART_FIELDS:
        np.testing.assert_array_equal(getattr(other, name), getattr(found, name) * (-1 if name == "part_timing" else 1))
    whole = again(**dict.fromkeys(TRADES, 1.0), remaining=0.0)
    assert not whole.part_residual.any()
    for name in set(PART_FIELDS) - {"part_timing", "part_permanent", "part_residual"}:
        assert (getattr(found, name) >= 0).all()
    assert (found.part_permanent >= -1e-9).all()  # (1 + own - 1/2) / 2 of the squares at least
    assert (found.part_residual >= -1e-9 * given.shares).all()


def closed(v):
    """Ledgers that agree with their parts and with each other."""
    return {"remaining": v.left * v.shares, "own_remaining": max(v.left, v.own) * v.shares}


def share_of(filled, volume):
    """Of the market; none where somebody bought, and it traded nothing."""
    return filled / volume if volume else np.nan if filled else 0.0


def derive_columns(v):
    parts = {part: getattr(v, name) for name, part in PART_FIELDS.items()}
    found = columns.of_episode(parts, v.shares, v.remaining, v.arrival, v.side, v.sum_timing, v.sum_charged)
    market = v.sum_volume_price / v.cumulative_volume
    return found | {
        "row_completion": 1.0 - v.own_remaining / v.shares,
        "row_slippage": v.side * (found["row_average"] - market) / market * 1e4,
        "row_participation": share_of(found["row_filled"], v.volume_at_last),
        "row_largest_rate": v.largest_rate, "row_program_cost": v.program_cost,
    }  # fmt: skip


def adds_up(given, found, again):
    """The sum from left to right, bit for bit; and again from the average price, the fees and the rest.

    What further parts charged is in the average price, but not yet in the sum.
    """
    total = np.zeros(W)
    for part in PARTS:
        total = total + getattr(found, f"row_{part}")
    np.testing.assert_array_equal(found.row_shortfall, total)
    trade = given.side * (found.row_average - given.arrival) * found.row_filled
    marked = given.part_timing - given.side * given.sum_timing
    money = trade - given.sum_charged + marked + given.part_fees + given.part_residual
    some = found.row_filled > 0
    scale = 1e4 / (given.shares * given.arrival)
    np.testing.assert_allclose((money * scale)[some], found.row_shortfall[some], rtol=1e-9, atol=1e-6)
    assert np.isnan(found.row_average[~some]).all()
    free = again(sum_charged=0.0)
    np.testing.assert_array_equal(free.row_shortfall, found.row_shortfall)
    dearer = given.side * (found.row_average - free.row_average) * found.row_filled
    np.testing.assert_allclose(dearer[some], given.sum_charged[some], rtol=1e-9, atol=1e-6)


def account(v):
    """Parts, then columns of them."""
    parts = parts_of(v)
    for name, part in PART_FIELDS.items():
        setattr(v, name, parts[part])
    return derive_costs(v) | derive_columns(v)


def closing(v):
    return traded(v) | {"own_remaining": v.own * (v.shares - traded(v)["remaining"])}


LOW, OFFSET = 3, 2  # the first lane that is written, and the row of lane 0
HIGH = W - 1


def written(array):
    """Of rows that begin with that of lane 0, those of the lanes; the others hold what they held."""
    found = array[OFFSET : OFFSET + W].astype(np.float64)
    rest = np.delete(array, slice(OFFSET + LOW, OFFSET + HIGH))
    assert (rest == -7).all()
    return found


def only_inside(v, found):
    """Lanes outside the span write nothing."""
    return found if LOW <= v.i < HIGH else dict.fromkeys(found, -7.0)


def output_of(strategies, drawn=0):
    rows = OFFSET + W + 1
    return f.Output(
        np.full((len(f.MARKET_COLUMNS), rows), -7.0), np.full((drawn, rows), -7.0),
        np.full((len(f.EPISODE_COLUMNS) + f.MOST_FURTHER + 2, rows * strategies), -7.0),
        np.full((2, rows * strategies), -7, np.int32), np.zeros((7, 0)), np.full(5, -1, np.int64),
    )  # fmt: skip


DRAWN = ["shares", "fee"]
MARKET_SUMS = ("cumulative_volume", "sum_volume_price", "sum_price", "sum_spread", "sum_squared_moves")


def described(x):
    x.output = output_of(1, len(DRAWN))
    drawn = np.array([(f.PARAMETERS.index(name), 0) for name in DRAWN], np.int64)
    return Span(LOW, HIGH, OFFSET), plan_of(STEPS)._replace(drawn=drawn), x.p, x.m, x.output


def outputs_of_market(x):
    names = [f"column {name}" for name in f.MARKET_COLUMNS] + [f"drawn {name}" for name in DRAWN]
    return {name: written(row) for name, row in zip(names, [*x.output.markets, *x.output.parameters], strict=True)}


def describe_market(v):
    found = columns.of_market(vars(v), STEPS) | {
        "order_shares": v.shares, "arrival_price": v.arrival, "last_price": v.mid, "arrival_spread_bps": v.arrival_spread * 1e4,
    }  # fmt: skip
    wanted = {f"column {name}": found[name] for name in f.MARKET_COLUMNS}
    return only_inside(v, wanted | {f"drawn {name}": getattr(v, name) for name in DRAWN})


def means_scale(given, found, again):
    """Twice the volume at the same prices: the same average price; twice the spread, twice the mean spread."""
    twice = again(cumulative_volume=2 * given.cumulative_volume, sum_volume_price=2 * given.sum_volume_price,
                  sum_spread=2 * given.sum_spread)  # fmt: skip
    inside = slice(LOW, HIGH)
    for name, factor in (("market_vwap", 1.0), ("market_volume", 2.0), ("mean_spread_bps", 2.0), ("market_twap", 1.0)):
        np.testing.assert_allclose(
            twice.outputs[f"column {name}"][inside], factor * found.outputs[f"column {name}"][inside]
        )


COLUMN_FIELDS = [name for name, (buffer, _) in LAYOUT.items() if name.startswith("row_")]


def writing(x):
    """The second strategy's books are the lanes'; the first's hold another's numbers."""
    x.output = output_of(x.count)
    ledgers, rows = (np.stack([a] * x.count) for a in (x.b, x.row))
    ledgers[:-1] += 1.0
    rows[:-1] += 1.0
    return Span(LOW, HIGH, OFFSET), ledgers, rows, x.output


def outputs_of_episodes(x):
    last = {name: row[x.count - 1 :: x.count] for name, row in zip(COLUMN_FIELDS, x.output.episodes, strict=True)}
    counts = {
        name: row[x.count - 1 :: x.count] for name, row in zip(("orders", "last_step"), x.output.counts, strict=True)
    }
    return {f"column {name}": written(row) for name, row in (last | counts).items()}


def write_rows(v):
    return only_inside(v, {f"column {name}": getattr(v, name) for name in (*COLUMN_FIELDS, "orders", "last_step")})


def alone_or_beside_another(given, found, again):
    for count in (1, 2, 3):
        other = again(count=count)
        for name, values in found.outputs.items():
            np.testing.assert_array_equal(other.outputs[name], values)


CLOSE = {**COSTS, **END, **dict.fromkeys(("sum_half_spread", "sum_temporary", "sum_transient", "value"), real(0.0, 100.0)),
         "shares": real(1.0, 1e5), **dict.fromkeys(TRADES, st.sampled_from([0.0, 0.3, 1.0])),
         "sum_timing": real(-1e5, 1e5)}  # fmt: skip
RULE = {"horizon": st.integers(0, 3), "side": SIDE, **SWITCHES}
OPEN = {"cumulative_volume": real(1.0, 1e6), "sum_volume_price": real(1.0, 1e8), "largest_rate": real(0.0, 1.0),
        "program_cost": real(0.0, 100.0), "sum_charged": real(0.0, 1e3), "volume_at_last": st.sampled_from([0.0, 1.0, 1e5]),
        "own": st.sampled_from([0.0, 0.5, 1.0])}  # fmt: skip
ROWS = (
    Lanes("account.derive_costs", lambda x: (plan(x), x.p, x.m, x.b, x.row), derive_costs, CLOSE,
          sides_differ_in_timing_only, others=RULE, derived=traded, atol=1e-7),
    Lanes("account.derive_columns", lambda x: (plan(x), x.p, x.m, x.b, x.row), derive_columns,
          {**dict.fromkeys(PART_FIELDS, real(-1e3, 1e3)), **OPEN, "arrival": END["arrival"], "shares": CLOSE["shares"],
           "left": st.sampled_from([0.0, 0.25, 1.0]), "sum_timing": real(-1e4, 1e4)},
          adds_up, others=RULE, derived=closed, rtol=1e-11, atol=1e-7),
    Lanes("account.account", lambda x: (plan(x), x.p, x.m, x.lanes.ledgers, x.lanes.rows), account, {**CLOSE, **OPEN},
          sides_differ_in_timing_only, others=RULE, derived=closing,
          rtol=1e-11, atol=1e-6),
    Lanes("account.describe_market", described, describe_market,
          {"shares": CLOSE["shares"], "fee": real(0.0, 1.0), "arrival": END["arrival"], "mid": END["mid"],
           "arrival_spread": END["spread"], **dict.fromkeys(MARKET_SUMS, real(1.0, 1e6))},
          means_scale, outputs=outputs_of_market, each=True),
    Lanes("account.write_rows", writing, write_rows,
          {**dict.fromkeys(COLUMN_FIELDS, real(-1e6, 1e6)), "orders": st.integers(0, 9).map(float),
           "last_step": st.integers(-1, 9).map(float)},
          alone_or_beside_another, others={"count": st.integers(1, 3)}, outputs=outputs_of_episodes, rtol=0.0, each=True),
)  # fmt: skip

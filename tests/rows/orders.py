"""Own strategies of the second form: what they see, what they are asked for, and orders that cannot be had."""

from __future__ import annotations

import functools
import math
from types import SimpleNamespace

import numpy as np
from hypothesis import strategies as st

from fastexec.kernels import fields as f, observe, own_rows as rows
from fastexec.kernels._bind import Decide
from fastexec.kernels.clock import Clock, Span
from rows import books, decide, states
from rows.plans import plan_of, strategies_of
from trials import Lanes, W, real

STEPS = 50
FEATURES = {
    "INVENTORY": observe.INVENTORY, "VOLATILITY": observe.VOLATILITY_SO_FAR, "RELATIVE_SPREAD": observe.RELATIVE_SPREAD,
    "RELATIVE_VOLUME": observe.RELATIVE_VOLUME, "SHORTFALL": observe.SHORTFALL_SO_FAR, "IMPACT": observe.OWN_IMPACT,
    "REGIME": observe.OF_REGIME, "NOISE": observe.NOISE_SO_FAR,
}  # fmt: skip
PLACES = {
    name: getattr(rows, name) for name in (*FEATURES, "REMAINING", "MID", "SPREAD", "LAST_VOLUME", "ELAPSED", "RETURN")
}
for j in range(f.MOST_SIGNALS):
    FEATURES[f"SIGNAL + {j}"], PLACES[f"SIGNAL + {j}"] = observe.OF_SIGNAL + j, rows.SIGNAL + j
LACKING = sorted(set(range(rows.SEE_ROWS)) - set(PLACES.values()))


def seeing(x):
    """Nothing is known yet."""
    x.see = np.full(rows.SEE_ROWS * W, np.nan)
    return x.see


def lines(x):
    """What is seen, row by row."""
    named = PLACES | {f"lacking {row}": row for row in LACKING}
    return {name: x.see[row * W :][:W] for name, row in named.items()}


def look(v):
    """The step's own volume is never seen, the observed mid where there is one, features that the study has."""
    mid = v.observed if v.during & f.SEES_NOISE else v.mid
    found = {"REMAINING": v.remaining, "MID": mid, "SPREAD": v.spread, "LAST_VOLUME": v.last_volume,
             "ELAPSED": v.t / STEPS, "RETURN": mid / v.arrival - 1.0}  # fmt: skip
    before = SimpleNamespace(**vars(v) | {"during": v.during & ~f.SEES_STEP})
    for name, feature in FEATURES.items():
        found[name] = states.value_of(before, feature, 0) if v.there >> PLACES[name] & 1 else math.nan
    return found | {f"lacking {row}": math.nan for row in LACKING}


def nothing_to_come(given, found, again):
    """Another move and another volume of the current step change nothing that is seen."""
    for name, values in again(future=1.7).outputs.items():
        np.testing.assert_allclose(values, found.outputs[name], rtol=1e-9, atol=1e-9)


def kind_of(x):
    return strategies_of(1, STEPS, sees_volume=x.during, rows=x.there).kinds[0]


def asked(orders, see, params, step, steps):
    """All that it is told in one number."""
    for i in range(orders.shape[1]):
        told = see[1, i] + see[2, i] + see[3, i] + step / steps
        orders[0, i] = orders[0, i] + params[0] * see[0, i] + params[1] * told


@functools.cache
def asking():
    return Decide(asked, orders=True)


def own_orders(x):
    strategies = strategies_of(1, decide.STEPS, slot=1)
    strategies.levels[0, :2] = x.part, x.more
    functions = np.array([0, asking().address], np.int64)
    clock = Clock(np.uint64(0), 0, x.t, decide.STEPS)
    lanes = x.lanes._replace(see=seeing(x))
    return clock, 0, strategies, functions, plan_of(decide.STEPS, lot=x.lot).numbers, lanes


def preset(v):
    return decide.ask(v) | {"level": -math.inf, "venue": 0.0}


def round_down(v):
    return {"slice": decide.twin.rounded_down(v.slice, v.lot, v.remaining)}


def whole_lots(given, found, again):
    """Of what is asked for; once rounded, again the same."""
    np.testing.assert_array_equal(again(lot=0.0).slice, given.slice)
    np.testing.assert_allclose(again(slice=found.slice).slice, found.slice, rtol=1e-15)


class Checked(Lanes):
    """Nothing is changed; the first order that cannot be had is noted, with its value."""

    def _call(self, given, others):
        fault = np.full(5, -1, np.int64)
        result = super()._call(given, others | {"fault": fault})
        bad = [
            (3, level) if level != -math.inf else (4, venue)
            for level, venue in zip(given["level"], given["venue"], strict=True)
        ]
        inside = range(others["low"], others["high"])
        first = next((i for i in inside if bad[i] != (4, 0.0)), None)
        wanted = [-1] * 4 if first is None else [others["block"] * W + first, 1, others["t"], bad[first][0]]
        assert fault[:4].tolist() == wanted
        if first is not None:
            np.testing.assert_array_equal(fault[4:].view(np.float64), bad[first][1])
        return result


def checking(x):
    output = books.output_of(1)._replace(fault=x.fault)
    return Clock(np.uint64(0), x.block, x.t, STEPS), Span(x.low, x.high, 0), 1, x.b, output


LEVELS = st.sampled_from([-math.inf, -math.inf, -math.inf, 0.0, -1.0, 3.0, math.nan, math.inf])
ALL = sum(1 << PLACES[name] for name in FEATURES)
SOME = (0, ALL, 1 << rows.REGIME, ALL - (1 << rows.NOISE), 3 << rows.SIGNAL)
ROWS = (
    Lanes("orders.look", lambda x: (Clock(np.uint64(0), 0, x.t, STEPS), kind_of(x), x.p, x.m, x.b, seeing(x)), look,
          {**states.OF_ORDER, **states.CHARGES, "sum_charged": real(0.0, 1e4), "regime": real(0.0, 9.0),
           "observed": real(10.0, 500.0)},
          nothing_to_come, derived=states.squares_too, outputs=lines, scratch="value", rtol=1e-9, atol=1e-12,
          others={**states.STEP, "there": st.sampled_from(SOME)}),
    Lanes("orders.own_orders", own_orders, preset, {**decide.ASKING, "arrival": real(1.0, 500.0)},
          decide.whole_lots_below_what_is_asked, others={"lot": decide.LOTS, **decide.STEP, **decide.ASKED},
          derived=decide.order_of, atol=1e-9),
    Lanes("strategy.round_down", lambda x: (x.lot, x.b), round_down,
          {"slice": st.one_of(real(0.0, 1e5), st.sampled_from([-1.0, np.nan])), "remaining": real(0.0, 1e5)}, whole_lots,
          others={"lot": decide.LOTS}, atol=1e-9),
    Checked("orders.check_orders", checking, lambda v: {}, {"level": LEVELS, "venue": st.sampled_from([0.0, 0.0, 1.0, np.nan])},
            lambda given, found, again: None, rtol=0.0, others=decide.CHECKS),
)  # fmt: skip

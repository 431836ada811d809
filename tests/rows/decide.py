"""Decisions: the slice that a strategy trades in a step."""

from __future__ import annotations

import functools

import numpy as np
from hypothesis import strategies as st

from fastexec.kernels import fields as f
from fastexec.kernels._bind import Decide
from fastexec.kernels.clock import Clock, Span
from fastexec.kernels.philox import ACTIONS
from naive import decide as twin, parameters
from naive.philox import philox4x32
from rows.parameters import BLOCK, LOTS
from rows.plans import plan_of, strategies_of
from trials import Lanes, W, real

STEPS = 4
VOLUME = st.sampled_from([0.0, 1e-4, 1.0, 500.0, 12345.0])
SHARE = st.sampled_from([0.0, 0.1, 0.25, 1.0 / 3.0, 0.7, 1.0])


def order_of(v):
    """Shares in whole lots, and what of them is left."""
    shares, lots = parameters.lots_of(v.ordered, v.lot)
    left = v.left * shares
    return {"shares": shares, "lots": lots, "remaining": v.lot * round(left / v.lot) if v.lot else left}


ORDER = {"ordered": real(1.0, 1e5), "left": SHARE, "volume": VOLUME}


#: What the market traded until the step's end and, on given paths, in it: there others may trade where nothing did.
SEEN = {"cumulative_volume": real(0.0, 1e6), "traded": st.sampled_from([0.0, 5e3])}


def traded(v, wanted):
    return {"slice": wanted if v.volume > 0.0 else 0.0}


def allowed(given, found):
    """Not negative, not more than is left, nothing where nobody trades, and whole lots of whole lots."""
    assert (found.slice >= 0).all()
    assert (found.slice <= given.remaining).all()
    assert (found.slice[given.volume == 0] == 0).all()
    if given.lot:
        lots = found.slice / given.lot
        np.testing.assert_allclose(lots, np.rint(lots), atol=1e-9)


def follow(v):
    return traded(v, twin.follow(v.fraction, v.shares, v.lot, v.remaining))


def schedule_is_kept(given, found, again):
    """Who is not ahead stands where the schedule says; all by its end; never less when more is due."""
    allowed(given, found)
    whole = again(fraction=1.0)
    going = given.volume > 0
    np.testing.assert_array_equal(whole.slice[going], given.remaining[going])
    assert (whole.slice >= found.slice).all()
    done = given.shares - given.remaining + found.slice
    unit = given.lot or 1e-9 * given.shares
    assert (
        done[going] >= given.fraction * given.shares[going] - (0.5 * given.lot or 1e-9 * given.shares[going]) - 1e-9
    ).all()
    fresh = again(left=1.0)
    if given.lot == 0:
        np.testing.assert_allclose(fresh.slice[going], (given.fraction * given.shares)[going], rtol=1e-12, atol=1e-9)
    assert np.all(unit > 0)


def follow_own(v):
    group = v.i % 3
    return traded(v, twin.follow((0.0, 0.4, 1.0)[group], v.shares, v.lot, v.remaining))


def own_schedules(x):
    """Three groups of paths; lane i follows row i, which is of group i mod 3."""
    strategies = strategies_of(2, STEPS, groups=3)
    strategies.fractions[1, :, x.t + 1] = 0.0, 0.4, 1.0
    return strategies._replace(groups=np.arange(W) % 3)


def each_group_its_schedule(given, found, again):
    allowed(given, found)
    ready = again(left=1.0, volume=1.0, ordered=1e4)
    assert (ready.slice[::3] == 0).all()
    assert (ready.slice[2::3] == ready.remaining[2::3]).all()


def participate(v):
    """Of paths, only where somebody traded: elsewhere others may cross a quote."""
    if v.of_paths and v.traded == 0.0:
        return {"slice": 0.0}
    return traded(v, twin.participate(v.rate, v.cumulative_volume, v.shares, v.lot, v.remaining))


def share_of_volume(given, found, again):
    allowed(given, found)
    done = given.shares - given.remaining + found.slice
    behind = (given.shares - given.remaining <= given.rate * given.cumulative_volume) & (given.volume > 0)
    assert (done[behind] <= given.rate * given.cumulative_volume[behind] * (1 + 1e-9) + 1e-9 * max(given.lot, 1)).all()
    assert (again(cumulative_volume=2.0 * given.cumulative_volume).slice >= found.slice).all()


SETS = {f.FRACTIONS: "fractions", f.MULTIPLES: "multiples", f.LOT_COUNTS: "lots", f.ANY_LOTS: "whole lots"}
LEVELS = [0.0, 0.1, 0.5, 1.0, 2.0]


def actors(x, **kind):
    """The second of two strategies acts: its levels are ``LEVELS``."""
    strategies = strategies_of(2, STEPS, action_set=x.set, levels=len(LEVELS), owner=x.owner, **kind)
    strategies.levels[1, : len(LEVELS)] = LEVELS
    return strategies


def acted(v, number):
    level = number if v.set == f.ANY_LOTS else LEVELS[int(number)]
    return traded(v, twin.action(SETS[v.set], level, v.shares, STEPS, v.lot, v.remaining))


def take_actions(v):
    return acted(v, v.value)


def larger_actions_trade_more(given, found, again):
    allowed(given, found)
    assert (again(value=np.minimum(given.value + 1.0, len(LEVELS) - 1.0)).slice >= found.slice).all()
    assert (again(value=0.0).slice == 0).all()
    if given.set == f.FRACTIONS:
        np.testing.assert_array_equal(again(value=3.0, volume=1.0).slice, given.remaining)


def act_randomly(v):
    return acted(v, twin.chosen(v.w0, len(LEVELS)))


def each_action_as_likely(given, found, again):
    allowed(given, found)
    middles = (np.arange(W) + 0.5) / W * 2.0**32
    spread = again(w0=middles.astype(np.uint32))
    counts = (
        np.bincount(spread.value.astype(int))
        if given.set == f.ANY_LOTS
        else np.unique(spread.value, return_counts=True)[1]
    )
    assert counts.size == len(LEVELS)
    assert np.ptp(counts) <= 1


def draw_choices(v):
    episode, key = v.block * W + v.i, (v.seed & 0xFFFFFFFF, v.seed >> 32)
    stream = v.phase << 30 | ACTIONS << 24 | v.owner
    found = philox4x32((episode & 0xFFFFFFFF, episode >> 32, v.t, stream), key)
    return {f"w{j}": found[j] for j in range(4)}


def nobody_shares_choices(given, found, again):
    for name in ("owner", "t", "seed"):
        assert (again(**{name: getattr(given, name) ^ 1}).w0 != found.w0).mean() > 0.97


def find_actions(v):
    return {"value": float(POLICY[AT + v.t * 6 + int(v.state)] % f.UNSEEN_STATE)}


AT = 5
POLICY = np.random.default_rng(4).integers(0, 9, AT + 6 * STEPS)
POLICY[::3] += f.UNSEEN_STATE


def policy_of(x):
    return strategies_of(2, STEPS, policy=POLICY, policy_at=AT, states=6)


def another_step_another_action(given, found, again):
    every = again(state=np.resize(np.arange(6.0), W)).value[:6]
    np.testing.assert_array_equal(every, POLICY[AT + given.t * 6 :][:6] % f.UNSEEN_STATE)


def asked(shares, remaining, mid, spread, last_volume, params, step, steps):
    """All that it is told in one number."""
    for i in range(shares.shape[0]):
        told = mid[i] + spread[i] + last_volume[i] + step / steps
        shares[i] = shares[i] + params[0] * remaining[i] + params[1] * told


@functools.cache
def asking():
    return Decide(asked)


#: Which mid it is told.
WATCHED = {"seen": st.sampled_from([f.MID, f.OBSERVED])}


def ask(v):
    told = (v.observed if getattr(v, "seen", f.MID) == f.OBSERVED else v.mid) + v.spread + v.last_volume + v.t / STEPS
    return {"slice": twin.rounded_down(v.part * v.remaining + v.more * told, v.lot, v.remaining)}


def whole_lots_below_what_is_asked(given, found, again):
    free = again(lot=0.0, remaining=given.remaining)
    below = free.slice < given.remaining
    rounded, hair = free.slice[below] - found.slice[below], 2e-9 * (np.abs(free.slice[below]) + given.lot)
    assert (rounded >= -hair).all()
    assert (rounded <= given.lot + hair).all()
    np.testing.assert_array_equal(found.slice[~below], free.slice[~below])
    assert 0.29 * 100.0 < 29.0
    np.testing.assert_array_equal(again(lot=1.0, part=0.29, more=0.0, remaining=100.0).slice, 29.0)


def check_slices(v):
    return traded(v, 0.0 if twin.fault(v.slice, v.remaining) is not None else v.slice)


class Checked(Lanes):
    """Beside the slices, what is noted of the first bad one."""

    def _call(self, given, others):
        fault = np.full(5, -1, np.int64)
        result = super()._call(given, others | {"fault": fault})
        bad = [twin.fault(q, left) for q, left in zip(given["slice"], given["remaining"], strict=True)]
        first = next((i for i in range(others["low"], others["high"]) if bad[i] is not None), None)
        wanted = [-1] * 4 if first is None else [others["block"] * W + first, 1, others["t"], bad[first]]
        assert fault[:4].tolist() == wanted
        if first is not None:
            np.testing.assert_array_equal(fault[4:].view(np.float64), given["slice"][first])
        return result


def faults_trade_nothing(given, found, again):
    assert (found.slice >= 0).all()
    assert (found.slice <= given.remaining).all()
    good = (given.slice >= 0) & (given.slice <= given.remaining) & (given.volume > 0)
    np.testing.assert_array_equal(found.slice[good], given.slice[good])


ACTS = {"lot": LOTS, "set": st.integers(0, 3), "owner": st.integers(0, 2**24 - 1)}
STEP = {"t": st.integers(0, STEPS - 1)}
ASKING = {**ORDER, "mid": real(0.0, 200.0), "spread": real(0.0, 0.1), "last_volume": real(0.0, 1e3)}
SLICES = {"remaining": real(0.0, 100.0), "volume": VOLUME,
          "slice": st.sampled_from([0.0, 1.0, 50.0, 100.0, -1.0, 1e9, np.nan, np.inf, -np.inf])}  # fmt: skip
CHECKS = {**STEP, "block": st.integers(0, 2**40), "low": st.integers(0, 5), "high": st.integers(6, W)}
ASKED = {"part": real(0.0, 1.5), "more": real(-1.0, 1.0)}
ROWS = (
    Lanes("strategy.follow", lambda x: (x.fraction, x.lot, x.p, x.m, x.b), follow, ORDER, schedule_is_kept,
          others={"fraction": SHARE, "lot": LOTS}, derived=order_of, atol=1e-9),
    Lanes("strategy.follow_own", lambda x: (own_schedules(x), 1, x.t, x.lot, x.p, x.m, x.b), follow_own, ORDER,
          each_group_its_schedule, others={"lot": LOTS, **STEP}, atol=1e-9,
          derived=lambda v: order_of(v) | {"window": float(v.i)}, each=True),
    Lanes("strategy.participate",
          lambda x: (x.rate, x.lot, f.TRADED if x.of_paths else f.VOLUME, x.p, x.m, x.b), participate,
          {**ORDER, **SEEN}, share_of_volume,
          others={"rate": real(0.001, 0.5), "lot": LOTS, "of_paths": st.booleans()}, derived=order_of, atol=1e-9),
    Lanes("strategy.take_actions", lambda x: (actors(x), 1, x.lot, STEPS, x.p, x.m, x.b), take_actions,
          {**ORDER, "value": st.integers(0, len(LEVELS) - 1).map(float)}, larger_actions_trade_more, others=ACTS,
          derived=order_of, scratch="value", atol=1e-9),
    Lanes("strategy.act_randomly", lambda x: (actors(x), 1, x.lot, STEPS, x.words, x.p, x.m, x.b), act_randomly,
          {**ORDER, "w0": st.integers(0, 2**32 - 1)}, each_action_as_likely, others=ACTS, derived=order_of,
          scratch="value", atol=1e-9),
    Lanes("strategy.draw_choices",
          lambda x: (Clock(np.uint64(x.seed), x.block, x.t, STEPS), 1, plan_of(STEPS, phase=x.phase),
                     strategies_of(2, STEPS, owner=x.owner), x.words),
          draw_choices, {}, nobody_shares_choices, others={**BLOCK, **STEP, "owner": ACTS["owner"]}, rtol=0.0, tries=10,
          each=True),
    Lanes("strategy.find_actions", lambda x: (policy_of(x), 1, x.t, x.b), find_actions,
          {"state": st.integers(0, 5).map(float)}, another_step_another_action, others=STEP, rtol=0.0),
    Lanes("strategy.ask",
          lambda x: (np.int64(asking().address), np.array([x.part, x.more]), Clock(np.uint64(0), 0, x.t, STEPS),
                     x.lot, x.seen, x.m, x.b),
          ask, {**ASKING, "observed": real(10.0, 500.0)},
          whole_lots_below_what_is_asked, others=WATCHED | {"lot": LOTS, **STEP, **ASKED}, derived=order_of, atol=1e-9),
    Checked("strategy.check_slices",
            lambda x: (Clock(np.uint64(0), x.block, x.t, STEPS), Span(x.low, x.high, 0), 1, x.m, x.b, x.fault),
            check_slices,
            SLICES, faults_trade_nothing, rtol=0.0, others=CHECKS),
)  # fmt: skip

"""Environments: slices decided on outside, what a step pays, and what is shown of it to the environment of each lane."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from fastexec.kernels import fields as f, observe
from fastexec.kernels.clock import Clock
from fastexec.kernels.environment import Played
from naive import decide as twin
from rows import books, decide, execute, learners, states
from rows.plans import plan_of, strategies_of
from trials import Lanes, W, real

STEPS, N, COLUMNS = decide.STEPS, W + 3, 3
#: The environment of each lane: in no order, one lane in five nobody's, some environments elsewhere; or side by side.
APART = np.where(np.arange(W) % 5 == 4, -1, W - 1 - np.arange(W))
APART[0] = N - 1
SIDE_BY_SIDE = np.arange(W) + 2
#: Number, look back, mean and sd; those of the order's own, and the time.
SHOWN = (
    (observe.TIME, 0, 0.5, 0.25), (observe.OF_SPREAD, 0, 0.002, 0.001), (observe.INVENTORY, 0, 0.4, 0.3),
    (observe.MOMENTUM, 7, 0.0, 0.01), (observe.SHORTFALL_SO_FAR, 0, 3.0, 7.0), (observe.OWN_IMPACT, 0, 1.0, 2.0),
)  # fmt: skip
OWN = (0, 2, 4, 5)
SHARES = np.array([0.0, 0.4, 0.5, 1.0, 3.0, 99.999999999999, 250.0, 1e4, 1e6])


def members_of(x):
    return APART if getattr(x, "apart", True) else SIDE_BY_SIDE


def played_of(x, actions=0.0, risk=0.0):
    """Of all environments and of a block; what is written elsewhere, by its name."""
    features = np.array([(name, 1, 1, back) for name, back, _, _ in SHOWN])
    scales = np.array([(mean, sd) for _, _, mean, sd in SHOWN])
    scaled = np.repeat(np.arange(8, dtype=np.float32), W)
    x.played = Played(
        members_of(x).copy(), features, scales, scaled, np.resize(actions, N).astype(np.float64), np.full(STEPS, risk),
        np.full(N, -7.0), np.full((N, len(SHOWN)), -7.0, np.float32), np.full(N, 249, np.uint8), np.full((COLUMNS, N), -7.0),
    )  # fmt: skip
    return x.played


def told(x, array, nothing=-7):
    """Of each lane what its environment was told; those that play elsewhere were told nothing."""
    members = members_of(x)
    assert (array[np.setdiff1d(np.arange(N), members)] == nothing).all()
    return np.where(members >= 0, array[members].astype(np.float64), -7.0)


def to_its_environment(v, found):
    return found if members_of(v)[v.i] >= 0 else dict.fromkeys(found, -7.0)


def decided(v, actions):
    """What the environment of a lane decided on; 0 of nobody."""
    e = members_of(v)[v.i]
    return float(np.resize(actions, N)[e]) if e >= 0 else 0.0


def numbers(x):
    return (np.arange(N) * 3 + x.salt) % len(decide.LEVELS)


def clock_of(x, steps=STEPS):
    return Clock(np.uint64(0), 0, x.t, steps)


def lot_of(x):
    return plan_of(STEPS, lot=x.lot).numbers


def acting(x):
    strategies = strategies_of(1, STEPS, action_set=x.set, levels=len(decide.LEVELS))
    strategies.levels[0, : len(decide.LEVELS)] = decide.LEVELS
    return clock_of(x), strategies, lot_of(x), x.p, x.m, x.b, played_of(x, numbers(x))


def act(v):
    return decide.acted(v, decided(v, numbers(v)))


def act_by_share(v):
    wanted = twin.action("fractions", decided(v, parts(v)), v.shares, STEPS, v.lot, v.remaining)
    return decide.traded(v, wanted)


def parts(x):
    return np.array([0.0, 0.1, 0.25, 1.0, 0.5])[(np.arange(N) + x.salt) % 5]


def amounts(x):
    return SHARES[(np.arange(N) + x.salt) % len(SHARES)]


def act_by_shares(v):
    return decide.traded(v, twin.as_said(decided(v, amounts(v)), v.shares, v.lot, v.remaining))


def allowed(given, found, again):
    decide.allowed(given, found)
    assert not found.slice[members_of(given) < 0].any()
    assert not again(volume=0.0).slice.any()


def all_of_it(given, found, again):
    """And who asks for more than is left gets that."""
    allowed(given, found, again)
    more = decided_by_lane(given, amounts) >= given.remaining
    going = more & (given.volume > 0.0)
    np.testing.assert_array_equal(found.slice[going], given.remaining[going])


def decided_by_lane(given, of):
    members = members_of(given)
    return np.where(members >= 0, np.resize(of(given), N)[members], 0.0)


def find_cost(v):
    share = sum(learners.of_a_share(v, v.mid, v.spread, v.slice).values())
    return {"value": v.slice * (share + v.fee) / (v.shares * v.arrival) * 1e4}


def nothing_for_nothing(given, found, again):
    assert not again(part=0.0).value.any()
    for name, more in (("spread", 0.01), ("fee", 0.01), ("impact", 1.0), ("charged", 1.0)):
        assert (again(**{name: getattr(given, name) + more}).value >= found.value).all()


def pay_moves(v):
    """R dS; before the first step the whole order; what is let go of was not held at all."""
    held, last = v.remaining - v.slice, v.t == STEPS - 1
    money = held * (v.next - v.mid) + (v.shares * (v.mid - v.arrival) if v.t == 0 else 0.0)
    if last and v.horizon == f.LEAVE:
        money -= held * (v.next - v.arrival)
    return {"value": v.value + v.side * money / (v.shares * v.arrival) * 1e4}


def sides_disagree(given, found, again):
    np.testing.assert_allclose(
        again(side=-given.side).value - given.value, given.value - found.value, rtol=1e-6, atol=1e-6
    )
    if given.horizon != f.LEAVE:
        still = again(next=given.mid, arrival=given.mid)
        np.testing.assert_array_equal(still.value, given.value)


def pay_expected(v):
    money = (v.remaining - v.slice) * v.expected_move + (v.sum_expected if v.t == 0 else 0.0)
    return {"value": v.value + v.side * money / (v.shares * v.arrival) * 1e4}


def nothing_expected_nothing_paid(given, found, again):
    np.testing.assert_array_equal(again(expected_move=0.0, sum_expected=0.0).value, given.value)


def pay_risk(v):
    return {"value": v.value + v.risk * ((v.remaining - v.slice) / v.shares) ** 2}


def who_holds_nothing_risks_nothing(given, found, again):
    assert (found.value >= given.value).all()
    np.testing.assert_array_equal(again(remaining=1.0, slice=1.0).value, given.value)


def note_rewards(v):
    return to_its_environment(v, {"reward": -v.value, "complete": float(v.remaining == v.slice)})


def noted(x):
    complete = told(x, x.played.completed, 249)
    return {"reward": told(x, x.played.rewards), "complete": complete}


def minus_the_cost(given, found, again):
    mine = members_of(given) >= 0
    np.testing.assert_array_equal(again(value=0.0).reward[mine], 0.0)
    assert (again(value=given.value + 1.0).reward[mine] < found.reward[mine]).all()


def showing(x):
    return clock_of(x, states.STEPS), kind_of_sight(x), x.p, x.m, x.b, played_of(x)


def kind_of_sight(x):
    return strategies_of(1, 1, sees_volume=x.during).kinds[0]


def shown(x):
    return {f"shown {j}": told(x, x.played.observations[:, j]) for j in range(len(SHOWN))}


def seen(v, j):
    name, back, mean, sd = SHOWN[j]
    return np.float32((states.value_of(v, name, back) - mean) / sd)


def show(v):
    return to_its_environment(v, {f"shown {j}": seen(v, j) for j in range(len(SHOWN))})


def show_end(v):
    """The market as it was last shown: ``scaled`` holds the number of its feature."""
    found = {f"shown {j}": seen(v, j) if j in OWN else np.float32(j) for j in range(len(SHOWN))}
    found["shown 0"] = np.float32((1.0 - SHOWN[0][2]) / SHOWN[0][3])
    return to_its_environment(v, found)


def nothing_to_come(given, found, again):
    for name, values in again(future=1.7).outputs.items():
        np.testing.assert_allclose(values, found.outputs[name], rtol=1e-5, atol=1e-5)


def resting(x):
    played = played_of(x)
    played.rewards[APART[APART >= 0]] = 3.0
    return x.p, x.m, x.lanes.rows, played


def pay_rest(v):
    return to_its_environment(v, {"reward": 3.0 - v.part_residual / (v.shares * v.arrival) * 1e4})


def closing(x):
    return x.lanes.rows, played_of(x)


def closed(x):
    return {f"column {c}": told(x, x.played.closed[c]) for c in range(COLUMNS)}


def note_closed(v):
    values = (v.row_filled, v.row_completion, v.row_average)
    return to_its_environment(v, {f"column {c}": value for c, value in enumerate(values)})


def nothing_changes(given, found, again):
    mine = members_of(given) >= 0
    np.testing.assert_array_equal(found.outputs["column 0"][mine], given.row_filled[mine])


def take_amounts(v):
    return decide.traded(v, twin.action(decide.SETS[v.set], v.value, v.shares, STEPS, v.lot, v.remaining))


HOW = {"apart": st.booleans()}
SALT = {"salt": st.integers(0, 99), "lot": decide.LOTS, **decide.STEP, **HOW}
SIDE = {"side": books.SIDE, **decide.STEP}
PAID = {**execute.ORDER, **execute.MARKET, **execute.ARRIVAL, **execute.COSTS, "value": real(-9.0, 9.0)}
SLICED = {"others": execute.SWITCHES, "derived": execute.slice_of}
ROWS = (
    Lanes("strategy.take_amounts", lambda x: (x.set, x.lot, STEPS, x.p, x.m, x.b), take_amounts,
          {**decide.ORDER, "value": st.sampled_from(decide.LEVELS)}, lambda given, found, again: decide.allowed(given, found),
          others={"lot": decide.LOTS, "set": st.integers(0, 2)}, derived=decide.order_of, atol=1e-9),
    Lanes("environment.act", acting, act, decide.ORDER, allowed, derived=decide.order_of, scratch="value", atol=1e-9,
          others={**SALT, "set": st.integers(0, 2)}, each=True),
    Lanes("environment.act_by_share",
          lambda x: (clock_of(x), lot_of(x), x.p, x.m, x.b, played_of(x, parts(x))), act_by_share, decide.ORDER, allowed,
          derived=decide.order_of, scratch="value", atol=1e-9, others=SALT, each=True, through="environment.take_in"),
    Lanes("environment.act_by_shares", lambda x: (lot_of(x), x.p, x.m, x.b, played_of(x, amounts(x))), act_by_shares,
          decide.ORDER, all_of_it, derived=decide.order_of, scratch="value", atol=1e-9, others=SALT, each=True),
    Lanes("execute.find_cost", lambda x: (x.p, x.m, x.b), find_cost, learners.SLICE, nothing_for_nothing,
          others=execute.SWITCHES, derived=execute.outcome_of, atol=1e-9),
    Lanes("environment.pay_moves",
          lambda x: (clock_of(x), plan_of(STEPS, side=x.side, horizon=x.horizon), x.p, x.m, x.b, played_of(x)), pay_moves,
          PAID, sides_disagree, others={**SIDE, **execute.SWITCHES, "horizon": st.integers(0, 3)}, derived=execute.slice_of,
          rtol=1e-9, atol=1e-6),
    Lanes("environment.pay_expected",
          lambda x: (x.t, plan_of(STEPS, side=x.side).numbers, x.p, x.m, x.b, played_of(x)), pay_expected,
          {**PAID, "expected_move": real(-5.0, 5.0), "sum_expected": real(-1e4, 1e4)}, nothing_expected_nothing_paid,
          others={**SIDE, **execute.SWITCHES}, derived=execute.slice_of, rtol=1e-9, atol=1e-6),
    Lanes("environment.pay_risk", lambda x: (x.t, x.p, x.b, played_of(x, risk=x.risk)), pay_risk, PAID,
          who_holds_nothing_risks_nothing, others={**decide.STEP, **execute.SWITCHES, "risk": real(0.0, 9.0)},
          derived=execute.slice_of, atol=1e-12),
    Lanes("environment.note_rewards", lambda x: (x.b, played_of(x)), note_rewards,
          {"value": real(-9.0, 9.0), "remaining": real(0.0, 9.0), "slice": st.sampled_from([0.0, 1.0, 9.0])}, minus_the_cost,
          outputs=noted, rtol=0.0, each=True, others=HOW),
    Lanes("environment.show", showing, show, {**states.OF_ORDER, **states.CHARGES, "sum_charged": real(0.0, 1e4)},
          nothing_to_come, derived=states.squares_too, outputs=shown, scratch="value", rtol=1e-5, atol=1e-5, each=True,
          others={**states.STEP, **HOW}, through="environment.write_observations"),
    Lanes("environment.show_end", showing, show_end, {**states.OF_ORDER, **states.CHARGES, "sum_charged": real(0.0, 1e4)},
          nothing_to_come, derived=states.squares_too, outputs=shown, scratch="value", rtol=1e-5, atol=1e-5, each=True,
          others=states.STEP),
    Lanes("environment.pay_rest", resting, pay_rest,
          {"part_residual": real(-9.0, 1e4), "shares": real(1.0, 1e5), "arrival": real(1.0, 500.0)},
          lambda given, found, again: np.testing.assert_array_equal(again(part_residual=0.0).reward[APART >= 0], 3.0),
          outputs=lambda x: {"reward": told(x, x.played.rewards)}, each=True),
    Lanes("environment.note_closed", closing, note_closed,
          dict.fromkeys(("row_filled", "row_completion", "row_average"), real(-9.0, 9.0)), nothing_changes, outputs=closed,
          rtol=0.0, each=True, others=HOW),
)  # fmt: skip

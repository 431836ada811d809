"""A step of practice: what a policy does by chance and what is noted of it, and by what it is paid."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from fastexec.kernels import _jit, fields as f, layers as net
from fastexec.kernels.clock import Clock, Span
from fastexec.kernels.gradients import USED
from fastexec.kernels.philox import ACTIONS
from fastexec.kernels.policy_gradient import Networks
from fastexec.kernels.practise import practice_for
from fastexec.kernels.transitions import transitions_for
from naive import decide, networks as twin
from naive.philox import philox4x32
from rows import books
from rows.decide import ACTS, LEVELS, SETS, allowed
from rows.learners import ARRIVAL, T
from rows.networks import LAYERS, ROWS_OF_FEATURES, SCALES, flat, some_layers
from rows.parameters import BLOCK
from rows.plans import plan_of, strategies_of
from rows.states import OF_ORDER, STEP, STEPS, sums_of_path, value_of
from trials import Lanes, W, real

F4 = np.float32
#: The rows before the block's own belong to others.
SPAN, BEFORE = Span(0, W, 2 * W), 2 * W // USED
POLICY = np.array([weights.shape[::-1] for weights, _ in LAYERS])
VALUE = some_layers(np.random.default_rng(13), (4, 6, 1))
OF_VALUE = np.array([weights.shape[::-1] for weights, _ in VALUE])


def practice(steps=STEPS):
    networks = Networks(np.concatenate([flat(LAYERS), flat(VALUE)]), POLICY, OF_VALUE, net.TANH)
    found = practice_for(transitions_for(3 * max(W, 128), steps, 4), networks)
    for name in ("inputs", "actions", "chances", "rewards", "effects", "values"):
        getattr(found, name)[:] = -7.0
    return found


def of_lanes(rows, t):
    """Step t of the block; nobody else's rows and steps are touched."""
    own = rows[BEFORE : BEFORE + W // USED]
    assert (rows[:BEFORE] == -7.0).all()
    assert (rows[BEFORE + W // USED :] == -7.0).all()
    assert (np.delete(own, t, axis=1) == -7.0).all()
    assert (own[:, :, USED : _jit.LANES] == -7.0).all()
    return own[:, t, :USED].ravel()


def practising(x):
    kind = {"action_set": x.set, "levels": len(LEVELS), "owner": x.owner, "sees_volume": x.during}
    strategies = strategies_of(2, STEPS, kind=f.NETWORK, **kind)
    strategies.levels[:, : len(LEVELS)] = LEVELS
    table, observed = np.zeros((1, f.MOST_LAYERS, 2), np.int64), np.zeros((1, f.MOST_OBSERVED, 4), np.int64)
    scales = np.ones((1, f.MOST_OBSERVED, 2))
    table[0, : len(POLICY)], observed[0, :4], scales[0, :4] = POLICY, ROWS_OF_FEATURES, SCALES
    networks = np.array([[0, 4, len(LAYERS), net.TANH, 1]])
    strategies = strategies._replace(
        networks=networks, layers=table, observed=observed, scales=scales, weights=flat(LAYERS)
    )
    x.practice = practice()
    plan = plan_of(STEPS, lot=x.lot, phase=x.phase, horizon=x.horizon)
    return Clock(np.uint64(x.seed), x.block, x.t, STEPS), SPAN, plan, strategies, x.lanes, x.practice


def noted(x):
    found = {name: of_lanes(getattr(x.practice, name), x.t) for name in ("actions", "chances", "effects", "values")}
    assert (x.practice.rewards == -7.0).all()
    inputs = [of_lanes(x.practice.inputs[:, :, j * W : (j + 1) * W], x.t) for j in range(4)]
    return found | {f"input {j}": unit for j, unit in enumerate(inputs)}


def practise(v):
    scaled = zip(ROWS_OF_FEATURES.tolist(), SCALES.tolist(), strict=True)
    seen = [(value_of(v, feature, back) - mean) / sd for (feature, _, _, back), (mean, sd) in scaled]
    outputs = twin.forward(LAYERS, "tanh", np.array(seen)[:, None])[-1][:, 0].tolist()
    episode, key = v.block * W + v.i, (v.seed & 0xFFFFFFFF, v.seed >> 32)
    words = philox4x32((episode & 0xFFFFFFFF, episode >> 32, v.t, v.phase << 30 | ACTIONS << 24 | v.owner), key)
    number = twin.drawn(outputs, words[0])
    joined = v.t == STEPS - 1 and v.horizon == f.COMPLETE
    free = v.remaining > 0.0 and v.volume > 0.0 and not joined
    value = twin.forward(VALUE, "tanh", np.array(seen)[:, None])[-1][0, 0]
    found = {
        "actions": float(number),
        "chances": twin.chances(outputs)[number],
        "effects": float(free),
        "values": value,
    }
    found |= {f"input {j}": x for j, x in enumerate(seen)} | {f"w{j}": word for j, word in enumerate(words)}
    wanted = decide.action(SETS[v.set], LEVELS[number], v.shares, STEPS, v.lot, v.remaining)
    return found | {"slice": wanted if v.volume > 0.0 else 0.0}


def knows_nothing_to_come(given, found, again):
    """What is to come changes nothing; who has nothing left makes no difference."""
    allowed(type(given)(**(vars(given) | {"lot": 0.0})), found)  # what is left here is no whole lot
    np.testing.assert_array_equal(again(future=1.7).slice, found.slice)
    assert (again(remaining=0.0, left=0.0).outputs["effects"] == 0.0).all()


def paying(x):
    x.practice = practice(T + 2)
    x.practice.rewards[BEFORE : BEFORE + W // USED, T, :USED] = 3.0
    return T, SPAN, x.k, x.b, x.practice


def rewards(x):
    return {"reward": of_lanes(x.practice.rewards, T)}


def pay(v):
    return {"reward": 3.0 + v.value if v.k else -v.value}


def a_schedules_cost_is_saved(given, found, again):
    own, other = again(k=0).outputs["reward"], again(k=1).outputs["reward"]
    np.testing.assert_allclose(own, 3.0 - other, rtol=1e-5, atol=1e-5)


def paying_moves(x):
    x.practice = practice(T + 2)
    x.practice.rewards[BEFORE : BEFORE + W // USED, T, :USED] = 3.0
    return T, SPAN, x.k, plan_of(T + 2, side=x.side).numbers, x.p, x.m, x.b, x.practice


def pay_move(v):
    cost = v.side * (v.remaining - v.slice) * v.expected_move / (v.shares * v.arrival) * 1e4
    return {"reward": 3.0 + cost if v.k else 3.0 - cost}


def nothing_held_nothing_expected(given, found, again):
    np.testing.assert_array_equal(again(expected_move=0.0).outputs["reward"], 3.0)
    np.testing.assert_array_equal(again(remaining=0.0, slice=0.0).outputs["reward"], 3.0)


def resting(x):
    """The other of both has done all, and nothing is charged for it."""
    x.practice = practice(T + 1)
    x.practice.rewards[BEFORE : BEFORE + W // USED, T, :USED] = 3.0
    done, closed = x.b.copy(), np.full_like(x.row, np.nan)
    done[f.REMAINING : f.REMAINING + W] = 0.0
    both = [(x.b, x.row), (done, closed)]
    ledgers, rows = zip(*both[:: -1 if x.k else 1], strict=True)
    x.lanes = x.lanes._replace(ledgers=np.stack(ledgers), rows=np.stack(rows))
    return SPAN, books.plan(x), x.lanes, x.practice


def pay_rest(v):
    cost = books.parts_of(v)["residual"] / (v.shares * v.arrival) * 1e4
    return {"reward": 3.0 + cost if v.k else 3.0 - cost}


def who_is_done_pays_no_more(given, found, again):
    done = again(**dict.fromkeys(books.TRADES, 1.0), remaining=0.0)
    np.testing.assert_array_equal(done.outputs["reward"], 3.0)
    np.testing.assert_allclose(
        again(k=0).outputs["reward"] - 3.0, 3.0 - again(k=1).outputs["reward"], rtol=1e-6, atol=1e-6
    )


SETS_PLAYED = st.sampled_from([f.FRACTIONS, f.MULTIPLES, f.LOT_COUNTS])
WHO = {"k": st.integers(0, 1)}
ROWS = (
    Lanes("practise.practise", practising, practise, OF_ORDER, knows_nothing_to_come, derived=sums_of_path, outputs=noted,
          each=True, scratch="value", others={**STEP, **BLOCK, **ACTS, "set": SETS_PLAYED,
                                   "horizon": st.sampled_from([f.COMPLETE, f.MARK])},
          rtol=2e-5, atol=2e-5, tries=25, through="practise.note_inputs practise.note_decision"),
    Lanes("practise.pay", paying, pay, {"value": real(-99.0, 99.0)}, a_schedules_cost_is_saved, others=WHO,
          outputs=rewards, rtol=1e-6, atol=1e-6, each=True, through="practise.clear practise.add_to_reward"),
    Lanes("practise.pay_move", paying_moves, pay_move,
          {"remaining": real(0.0, 1e4), "slice": real(0.0, 1e3), "expected_move": real(-1.0, 1.0), "shares": real(1.0, 1e5),
           **ARRIVAL}, nothing_held_nothing_expected, others={"side": books.SIDE, **WHO}, outputs=rewards, scratch="value",
          rtol=1e-6, atol=1e-5, each=True),
    Lanes("practise.pay_rest", resting, pay_rest, books.CLOSE, who_is_done_pays_no_more, others={**books.RULE, **WHO},
          derived=books.traded, outputs=rewards, rtol=1e-6, atol=1e-5),
)  # fmt: skip

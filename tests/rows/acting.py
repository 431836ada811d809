"""What an agent does in a state, and what of it its training never saw."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import strategies as st

from fastexec.kernels import fields as f
from fastexec.kernels.clock import Clock, Span
from fastexec.kernels.explore import Experience
from fastexec.kernels.philox import ACTIONS
from naive import decide
from naive.philox import philox4x32
from rows.books import HIGH, LOW, OFFSET, only_inside, written
from rows.decide import LEVELS, SETS, allowed
from rows.parameters import BLOCK, LOTS
from rows.plans import plan_of
from rows.states import (
    AT,
    CODES,
    FEATURES,
    OF_ORDER,
    POLICY,
    STEP,
    STEPS,
    STRANGE,
    agent,
    encode,
    sums_of_path,
)
from trials import Lanes, W


def look_up(v):
    state, outside = encode(v).values()
    number = int(POLICY[AT + v.t * CODES + state])
    level = number if v.set == f.ANY_LOTS else LEVELS[number]
    wanted = decide.action(SETS[v.set], level, v.shares, STEPS, v.lot, v.remaining)
    found = {"state": state, "outside": outside, "slice": wanted if v.volume > 0.0 else 0.0}
    return found | (unseen(v, state, outside) if v.counts else {})


def unseen(v, state, outside):
    """A step more with something left, and a strange one where its training met no such state or value."""
    left = float(v.remaining > 0.0)
    strange = STRANGE[AT + v.t * CODES + int(state)] > 0 or outside > 0.0
    return {"met": v.met + left, "unseen": v.unseen + left * strange}


def count_unseen(v):
    return unseen(v, v.state, v.outside)


def only_while_something_is_left(given, found, again):
    done = again(remaining=0.0)
    np.testing.assert_array_equal(done.met, given.met)
    np.testing.assert_array_equal(done.unseen, given.unseen)
    assert (found.unseen - given.unseen <= found.met - given.met).all()
    np.testing.assert_array_equal(again(outside=1.0).unseen, given.unseen + (given.remaining > 0.0))


def as_the_policy_says(given, found, again):
    assert (found.slice >= 0).all()
    assert (found.slice <= given.remaining).all()
    np.testing.assert_array_equal(again(future=1.7).slice, found.slice)


def choosing(x):
    shape = (STEPS, OFFSET + W + 1)
    x.record = Experience(np.full(shape, -7, np.int32), np.full(shape, 249, np.uint8), np.full(shape, -7.0),
                          np.full(shape, -7.0, np.float32), np.array([x.epsilon]))  # fmt: skip
    plan = plan_of(STEPS, phase=x.phase, lot=x.lot)
    clock, span = Clock(np.uint64(x.seed), x.block, x.t, STEPS), Span(LOW, HIGH, OFFSET)
    return clock, span, plan, agent(x, 1, owner=x.owner, action_set=x.set), x.lanes, x.record


def noted(x):
    """Other steps' rows are untouched, and so are the costs."""
    assert (np.delete(x.record.states, x.t, axis=0) == -7).all()
    assert (x.record.costs == -7).all()
    actions = x.record.actions[x.t].astype(np.int16)
    assert (np.delete(x.record.beside, x.t, axis=0) == -7).all()
    found = {"noted": written(x.record.states[x.t]), "taken": written(np.where(actions == 249, -7, actions))}
    return found | {"beside": written(x.record.beside[x.t])}


def choose(v):
    state = encode(v)["state"]
    episode, key = v.block * W + v.i, (v.seed & 0xFFFFFFFF, v.seed >> 32)
    stream = v.phase << 30 | ACTIONS << 24 | v.owner
    word, other, *_ = philox4x32((episode & 0xFFFFFFFF, episode >> 32, v.t, stream), key)
    number = int(POLICY[AT + v.t * CODES + state])
    if word < v.epsilon * 2**32:
        number = decide.chosen(other, len(LEVELS))
    level = number if v.set == f.ANY_LOTS else LEVELS[number]
    wanted = decide.action(SETS[v.set], level, v.shares, STEPS, v.lot, v.remaining)
    found = {"state": state, "outside": 0.0, "slice": wanted if v.volume > 0.0 else 0.0}
    top = FEATURES[-1][1] - 1
    beside = np.float32(v.left * top - math.floor(v.left * top + 0.5))
    return found | only_inside(v, {"noted": state, "taken": number, "beside": beside})


def tries_as_often_as_said(given, found, again):
    """With epsilon 0 the policy, with 1 any action, each as likely."""
    allowed_slices = type(given)(**(vars(given) | {"lot": 0.0}))
    allowed(allowed_slices, found)
    policy = POLICY[AT + given.t * CODES + found.state.astype(int)]
    np.testing.assert_array_equal(again(epsilon=0.0).taken[LOW:HIGH], policy[LOW:HIGH])
    counts = np.bincount(again(epsilon=1.0).taken[LOW:HIGH].astype(int), minlength=len(LEVELS))
    assert counts.size == len(LEVELS)
    assert (np.abs(counts - W / len(LEVELS)) < 5.5 * (W / len(LEVELS)) ** 0.5).all()


ACTS = {"lot": LOTS, "set": st.integers(0, 3)}
COUNTED = dict.fromkeys(("met", "unseen"), st.integers(0, 9).map(float))
ROWS = (
    Lanes("strategy.count_unseen", lambda x: (agent(x), 1, x.t, x.b), count_unseen,
          {"state": st.integers(0, CODES - 1).map(float), "outside": st.sampled_from([0.0, 1.0]), **COUNTED,
           "remaining": st.sampled_from([0.0, 5.0])}, only_while_something_is_left, others=STEP, rtol=0.0),
    Lanes("strategy.table",
          lambda x: (Clock(np.uint64(0), 0, x.t, STEPS), 1, agent(x, action_set=x.set, counts_unseen=x.counts),
                     plan_of(STEPS, lot=x.lot).numbers, x.p, x.m, x.b), look_up,
          {**OF_ORDER, **COUNTED}, as_the_policy_says, others={**STEP, **ACTS, "counts": st.integers(0, 1)},
          derived=sums_of_path, scratch="value", atol=1e-9),
    Lanes("explore.choose", choosing, choose, OF_ORDER, tries_as_often_as_said, derived=sums_of_path,
          outputs=noted, scratch="value w0 w1 w2 w3", atol=1e-9, tries=15,
          others={**STEP, **ACTS, **BLOCK, "epsilon": st.sampled_from([0.0, 0.3, 1.0]), "owner": st.integers(0, 2**24 - 1)},
          each=True, through="explore.note_inventory"),
)  # fmt: skip

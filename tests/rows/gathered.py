"""What a sample of market paths tells the dynamic programmes and the learners: states, their sequence, cost factors."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from fastexec.kernels.clock import Span
from fastexec.kernels.gather import Gathered
from fastexec.kernels.watch import Watched
from naive.learning import as_integer
from rows.books import HIGH, LOW, OFFSET, only_inside, written
from rows.execute import MARKET
from rows.learners import SPAN, STEPS, T
from trials import Found, Lanes, Plain, W, arrays, fresh_block, real


def remember_states(v):
    return {"past_state": v.state, "past_traded": float(v.volume > 0.0)}


def forgets_the_step_before(given, found, again):
    np.testing.assert_array_equal(again(state=given.state + 1.0).past_state, found.past_state + 1.0)
    np.testing.assert_array_equal(again(volume=0.0).past_traded, 0.0)


X = 6  # market states


def block_with(**values):
    block = fresh_block()
    for name, value in values.items():
        getattr(Found(block, {}), name)[:] = value
    return block


FACTORS = ("factor_spread", "factor_temporary", "factor_end", "factor_end_temporary")
SCALE = [2.0**20, 60.0, 80.0, 2.0**12, 2.0**11, 2.0**10]


def sums_of(rng):
    cube = (STEPS, X, X)
    return Gathered(*(rng.integers(0, 9, cube) for _ in range(4)), *(rng.integers(0, 9, (STEPS, X, 2)) for _ in range(2)),
                    rng.integers(0, 9, (STEPS, X, 3)), np.array(SCALE), np.zeros(1, np.int64))  # fmt: skip


def some_transitions(rng):
    block = block_with(past_state=rng.integers(0, X, W), state=rng.integers(0, X, W), past_traded=rng.integers(0, 2, W),
                       **{name: rng.choice([0.0, 50.0, 100.0], W) * rng.uniform(0.5, 1.0, W) for name in FACTORS})  # fmt: skip
    return T, Span(*sorted(rng.integers(0, W + 1, 2).tolist()), 0), block["b"], sums_of(rng)


def count_transitions(t, span, b, sums):
    lanes = Found({"b": b}, {})
    for i in range(span.low, span.high):
        before, now = int(lanes.past_state[i]), int(lanes.state[i])
        counts = sums.go if lanes.past_traded[i] > 0 else sums.stay
        counts[t, before, now] += 1
        add_costs(i, b, lanes.past_traded[i] > 0, t, before, now, sums)


def factors_of(i, b):
    lanes = Found({"b": b}, {})
    return [float(getattr(lanes, name)[i]) for name in FACTORS]


def add_costs(i, b, traded, t, before, now, sums):
    """Sums of fixed point, each to the nearest."""
    half, temporary, end, raised = factors_of(i, b)
    scale, most_spread, most_temporary, *scales = sums.scale.tolist()
    if max(half, end) > most_spread or max(temporary, raised) > most_temporary:
        sums.fault[0] += 1
        return
    if traded:
        sums.half[t, before, now] += as_integer(half, scale)
        sums.temporary[t, before, now] += as_integer(temporary, scale)
        for j, product in enumerate((half**2, half * temporary, temporary**2)):
            sums.squares[t, before, j] += as_integer(product, scales[j])
    for j, factor in enumerate((end, raised)):
        sums.ends[t, before, j] += as_integer(factor, scale)


def each_lane_once(call, t, span, b, sums):
    before = sums.go.sum() + sums.stay.sum()
    call(t, span, b, sums)
    assert sums.go.sum() + sums.stay.sum() - before == span.high - span.low
    halves, middle = sums_of(np.random.default_rng(1)), (span.low + span.high) // 2
    whole = sums_of(np.random.default_rng(1))
    call(t, span, b, whole)
    for part in ((middle, span.high), (span.low, middle)):
        call(t, Span(*part, 0), b, halves)
    np.testing.assert_array_equal(whole.go, halves.go)


def count_step(t, span, b, sums):
    if t > 0:
        count_transitions(t - 1, span, b, sums)


def count_last(t, span, b, sums):
    Found({"b": b}, {}).state[:] = 0.0
    count_transitions(t, span, b, sums)


def one_state_behind_the_last_step(call, t, span, b, sums):
    before = sums.go[:, :, 1:].copy(), sums.stay[:, :, 1:].copy()
    call(t, span, b, sums)
    np.testing.assert_array_equal(sums.go[:, :, 1:], before[0])
    np.testing.assert_array_equal(sums.stay[:, :, 1:], before[1])


def none_before_the_first(call, t, span, b, sums):
    """Each lane once, and in step 0 none."""
    before = sums.go.sum() + sums.stay.sum()
    call(0, span, b, sums)
    assert sums.go.sum() + sums.stay.sum() == before
    call(1, span, b, sums)
    assert sums.go.sum() + sums.stay.sum() == before + span.high - span.low


def some_costs(rng):
    block = block_with(**{name: rng.choice([0.0, 50.0, 100.0]) * rng.uniform(0.5, 1.0, W) for name in FACTORS})
    place = T, *rng.integers(0, X, 2).tolist()
    return int(rng.integers(W)), block["b"], bool(rng.integers(2)), *place, sums_of(rng)


def some_moves(rng):
    t, span, b, sums = some_transitions(rng)
    Found({"b": b}, {}).factor_move[:] = rng.uniform(-90.0, 90.0, W)
    return t, span, b, sums


def add_moves(t, span, b, sums):
    lanes = Found({"b": b}, {})
    for i in range(span.low, span.high):
        move = float(lanes.factor_move[i])
        if abs(move) > SCALE[1]:
            sums.fault[0] += 1
        else:
            sums.moves[t, int(lanes.past_state[i]), int(not lanes.past_traded[i] > 0)] += as_integer(move, SCALE[0])


def a_fall_is_a_rise_the_other_way(call, t, span, b, sums):
    """What is added of moves turned round is what was added, negated; beyond the bound nothing is."""
    sums.moves[:], turned = 0, sums_of(np.random.default_rng(1))
    turned.moves[:] = 0
    call(t, span, b, sums)
    other = b.copy()
    Found({"b": other}, {}).factor_move[:] *= -1.0
    call(t, span, other, turned)
    np.testing.assert_allclose(turned.moves, -sums.moves, rtol=0.0, atol=W)
    turned.scale[1], turned.fault[0], start = -1.0, 0, turned.moves.copy()
    call(t, span, other, turned)
    assert turned.fault[0] == span.high - span.low
    np.testing.assert_array_equal(turned.moves, start)


def faults_are_counted(call, i, b, traded, t, before, now, sums):
    """Without bounds there is no fault, with none at all it is one, and nothing is added; each factor has its bound."""
    start, factors = sums.ends.copy(), factors_of(i, b)
    spreads, temporaries = (max(factors[j], factors[j + 2]) for j in (0, 1))
    for *bounds, wanted in (
        (np.inf, np.inf, 0), (-1.0, np.inf, 1), (np.inf, -1.0, 1), (spreads, temporaries, 0),
        (0.99 * spreads, np.inf, int(spreads > 0.0)), (np.inf, 0.99 * temporaries, int(temporaries > 0.0)),
    ):  # fmt: skip
        sums.scale[1:3], sums.fault[0], sums.ends[:] = bounds, 0, start
        call(i, b, traded, t, before, now, sums)
        assert sums.fault[0] == wanted
        added = (sums.ends - start)[t, before] / SCALE[0]
        np.testing.assert_allclose(added, np.array(factors[2:]) * (1 - wanted), rtol=0.0, atol=1.0 / SCALE[0])


def to_the_nearest(call, x, scale):
    assert abs(call(x, scale) - x * scale) <= 0.5
    assert call(x + 1.0, scale) == call(x, scale) + scale


def noting(x):
    shape = (OFFSET + W + 1, STEPS)
    x.seen = Watched(np.full(shape, -7, np.int32), np.full((*shape, 5), -7.0), np.full(shape, 249, np.uint8),
                     np.full((*shape, 2), 249, np.uint32))  # fmt: skip
    return T, SPAN, x.lanes, x.seen


def seen_written(x):
    traded, words = (np.where(a == 249, -7, a.astype(np.int64)) for a in (x.seen.traded, x.seen.words))
    found = {"states": x.seen.states, "traded": traded, "word": words[..., 0], "choice": words[..., 1]}
    found |= {f"factor {j}": x.seen.factors[..., j] for j in range(5)}
    assert all((np.delete(array, T, axis=1) == -7).all() for array in found.values())
    return {f"seen {name}": written(array[:, T]) for name, array in found.items()}


def note(v):
    found = {"states": v.state, "traded": float(v.volume > 0.0), "word": v.w0, "choice": v.w1}
    found |= {f"factor {j}": getattr(v, name) for j, name in enumerate((*FACTORS, "factor_move"))}
    return only_inside(v, {f"seen {name}": value for name, value in found.items()})


def each_field_its_own_column(given, found, again):
    """Of what is seen, a change of one changes no other."""
    inside = slice(LOW, HIGH)
    for name, column in (("state", "states"), ("w0", "word"), ("w1", "choice"), ("factor_end", "factor 2"),
                         ("factor_move", "factor 4")):  # fmt: skip
        other = again(**{name: getattr(given, name) - 1})
        for key, values in found.outputs.items():
            changed = other.outputs[key][inside] != values[inside]
            assert changed.all() if key == f"seen {column}" else not changed.any()


WATCH = {"volume": MARKET["volume"], "state": st.integers(0, 99).map(float),
         **dict.fromkeys((*FACTORS, "factor_move"), real(0.0, 100.0)),
         **dict.fromkeys(("w0", "w1"), st.integers(251, 2**32 - 1))}  # fmt: skip
ROWS = (
    Lanes("gather.remember_states", lambda x: (x.m, x.b), remember_states,
          {"state": st.integers(0, 99).map(float), "volume": MARKET["volume"]}, forgets_the_step_before, rtol=0.0),
    Plain("gather.count_transitions", count_transitions, arrays(some_transitions), each_lane_once, rtol=0.0),
    Plain("gather.count_step", count_step, arrays(lambda rng: (int(rng.integers(STEPS)), *some_transitions(rng)[1:])),
          none_before_the_first, rtol=0.0),
    Plain("gather.count_last", count_last, arrays(some_transitions), one_state_behind_the_last_step, rtol=0.0),
    Plain("gather.add_costs", add_costs, arrays(some_costs), faults_are_counted, rtol=0.0),
    Plain("gather.add_moves", add_moves, arrays(some_moves), a_fall_is_a_rise_the_other_way, rtol=0.0),
    Plain("gather.in_units", as_integer, st.tuples(real(0.0, 1e4), st.just(2.0**20)), to_the_nearest, rtol=0.0),
    Lanes("watch.expect_nothing", lambda x: (x.b,), lambda v: {"factor_move": 0.0}, {"factor_move": real(-1.0, 1.0)},
          lambda given, found, again: np.testing.assert_array_equal(found.factor_move, 0.0), rtol=0.0),
    Lanes("watch.note", noting, note, WATCH, each_field_its_own_column, outputs=seen_written, rtol=0.0, each=True),
)  # fmt: skip

"""Networks: what they observe, and what is decided by their outputs."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from fastexec.kernels import fields as f, layers as net, network as deciding
from fastexec.kernels.clock import Clock
from fastexec.kernels.philox import OF_NETWORK
from naive import decide, networks as twin
from naive.philox import philox4x32
from rows.decide import ACTS, LEVELS, SETS
from rows.layers import ACTIVATIONS, CLOSE, F4, flat, some_layers, unpacked
from rows.parameters import BLOCK
from rows.plans import plan_of, strategies_of
from rows.states import FEATURES, OF_ORDER, STEP, STEPS, clock_of, sums_of_path, value_of
from trials import Lanes, Plain, W, arrays, real

SCALES = np.array([(0.5, 0.3), (0.001, 0.02), (0.004, 0.003), (1.0, 0.25)])
ROWS_OF_FEATURES = np.array([(feature, 1, 0, back) for feature, _, _, back, _ in FEATURES])


def seeing(x, count=3):
    """Three features, so that one row fills up the four."""
    x.a = np.full(5 * W, -7.0, F4)
    return clock_of(x), ROWS_OF_FEATURES[:count], SCALES[:count], x.during, x.p, x.m, x.b, x.a


def rows_seen(x):
    return {f"unit {j}": x.a[j * W : (j + 1) * W] for j in range(5)}


def observe_scaled(v):
    found = [
        (value_of(v, feature, back) - mean) / sd
        for (feature, *_, back, _e), (mean, sd) in zip(FEATURES[:3], SCALES, strict=False)
    ]
    return {f"unit {j}": value for j, value in enumerate((*found, 0.0, -7.0))}


def nothing_to_come(given, found, again):
    for name, values in again(future=1.7).outputs.items():
        np.testing.assert_allclose(values, found.outputs[name], rtol=1e-5, atol=1e-5)


def scaling(x):
    x.a = np.full(W, np.nan, F4)
    return x.mean, x.sd, x.b, x.a


def mean_is_zero(given, found, again):
    np.testing.assert_array_equal(again(value=given.mean).outputs["scaled"], 0.0)


LAYERS = some_layers(np.random.default_rng(11), (4, 7, len(LEVELS)))
SHARES = some_layers(np.random.default_rng(12), (4, 6, 5, 1))


def player(x):
    """The second of two strategies, a network in the second slot."""
    lengths = LAYERS
    strategies = strategies_of(
        2, STEPS, action_set=x.set, levels=len(LEVELS), owner=x.owner, slot=1, sees_volume=x.during
    )
    strategies.levels[1, : len(LEVELS)] = LEVELS
    table, observed = np.zeros((2, f.MOST_LAYERS, 2), np.int64), np.zeros((2, f.MOST_OBSERVED, 4), np.int64)
    scales = np.ones((2, f.MOST_OBSERVED, 2))
    for j, (weights, _) in enumerate(lengths):
        table[1, j] = weights.shape[::-1]
    observed[1, :4], scales[1, :4] = ROWS_OF_FEATURES, SCALES
    networks = np.array([[0] * 5, [3, 4, len(lengths), net.TANH, x.mode]])
    weights = np.concatenate((np.full(3, 99, F4), flat(lengths)))
    strategies = strategies._replace(networks=networks, layers=table, observed=observed, scales=scales, weights=weights)
    lanes = x.lanes._replace(activations=np.full(net.units_of(strategies) * W, np.nan, F4))
    clock = Clock(np.uint64(x.seed), x.block, x.t, STEPS)
    return clock, 1, plan_of(STEPS, lot=x.lot, phase=x.phase), strategies, lanes, x.b


def play(v):
    seen = [
        (value_of(v, feature, back) - mean) / sd
        for (feature, *_, back, _e), (mean, sd) in zip(FEATURES, SCALES, strict=True)
    ]
    outputs = twin.forward(LAYERS, "tanh", np.array(seen)[:, None])[-1][:, 0].tolist()
    words = own_words(v)
    number = int(np.argmax(outputs)) if v.mode == deciding.GREEDY else twin.drawn(outputs, words[0])
    wanted = decide.action(SETS[v.set], LEVELS[number], v.shares, STEPS, v.lot, v.remaining)
    found = {"slice": wanted if v.volume > 0.0 else 0.0}
    return found | ({f"w{j}": word for j, word in enumerate(words)} if v.mode == deciding.SAMPLED else {})


def own_words(v):
    episode, key = v.block * W + v.i, (v.seed & 0xFFFFFFFF, v.seed >> 32)
    stream = v.phase << 30 | OF_NETWORK << 24 | v.owner
    return philox4x32((episode & 0xFFFFFFFF, episode >> 32, v.t, stream), key)


def played(given, found, again):
    """Not negative, not more than is left, nothing where nobody trades."""
    assert ((found.slice >= 0) & (found.slice <= given.remaining)).all()
    assert (found.slice[given.volume == 0] == 0).all()
    assert (again(left=0.0).slice == 0).all()


def outputs_of(x, mark=0.0):
    """Four outputs, and the rows to spare: the greatest of them and marks."""
    x.y = x.raw[: 4 * W]
    x.spare = np.concatenate((x.y.reshape(4, W).max(axis=0), np.broadcast_to(np.asarray(mark, F4), W)))
    return x.y, x.spare


def some_observations(rng):
    """Weights, layers, activation, observations of a block and a half, room for outputs."""
    sizes = rng.integers(1, 10, rng.integers(2, 6))
    layers = np.array(list(zip(sizes, sizes[1:], strict=False)))
    x = rng.normal(size=(W + W // 2, sizes[0])).astype(F4)
    return flat(some_layers(rng, sizes)), layers, int(rng.integers(2)), x, np.full((len(x), sizes[-1]), np.nan, F4)


def evaluate_network(weights, layers, activation, x, y):
    y[:] = twin.forward(unpacked(weights, layers), ACTIVATIONS[activation], x.T)[-1].T


def alone_as_among_others(call, weights, layers, activation, x, y):
    one = y[-1:].copy()
    call(weights, layers, activation, x, y)
    call(weights, layers, activation, x[-1:].copy(), one)
    np.testing.assert_array_equal(one, y[-1:])


OUTPUTS = {f"e{j}": real(-8.0, 8.0).map(lambda x: float(F4(x))) for j in range(4)}
CHANGED = " ".join(OUTPUTS)
UNKNOWN = OUTPUTS | {"e3": st.sampled_from([0.5, np.nan, np.inf, -np.inf])}


def four_of(v):
    return [v.e0, v.e1, v.e2, v.e3]


def mark_faults(v):
    return {"marks": 0.0 if np.isfinite(four_of(v)).all() else np.nan}


def one_is_enough(given, found, again):
    assert np.isnan(again(e1=np.inf).outputs["marks"]).all()


def spoil(v):
    return {"slice": (v.slice if v.volume > 0.0 else 0.0) + v.e0}


def only_where_marked(given, found, again):
    assert np.isnan(again(e0=np.nan).slice).all()
    np.testing.assert_array_equal(again(e0=0.0, volume=0.0).slice, 0.0)


def find_greatest(v):
    return {"value": float(np.argmax(four_of(v))), "best": max(four_of(v))}


def first_of_equal_ones(given, found, again):
    np.testing.assert_array_equal(again(**dict.fromkeys(OUTPUTS, 1.5)).value, 0.0)
    np.testing.assert_array_equal(again(e3=99.0).value, 3.0)


def draw_output(v):
    return {"value": float(twin.drawn(four_of(v), v.w0))}


def as_often_as_they_weigh(given, found, again):
    """Words spread evenly meet each output as often as its exponential says."""
    middles = ((np.arange(W) + 0.5) / W * 2.0**32).astype(np.uint32)
    outputs = {name: float(getattr(given, name)[0]) for name in OUTPUTS}
    counts = np.bincount(again(w0=middles, **outputs).value.astype(int), minlength=4) / W
    np.testing.assert_allclose(counts, twin.chances(list(outputs.values())), atol=1.01 / W)


def take_share(v):
    mode = {deciding.CLIPPED: "clip", deciding.SQUASHED: "tanh"}[v.mode]
    return {"slice": twin.share(v.e0, mode) * v.remaining}


def between_nothing_and_all(given, found, again):
    assert ((found.slice >= 0) & (found.slice <= given.remaining)).all()
    np.testing.assert_array_equal(again(e0=99.0).slice, given.remaining)
    np.testing.assert_array_equal(again(e0=-99.0).slice, 0.0)
    assert np.isnan(again(e0=np.nan).slice).all()


ROWS = (
    Lanes("observation.observe_scaled", seeing, observe_scaled, OF_ORDER, nothing_to_come, derived=sums_of_path,
          outputs=rows_seen, scratch="value", others=STEP, rtol=1e-6, atol=1e-6),
    Lanes("observation.scale", scaling, lambda v: {"scaled": (v.value - v.mean) / v.sd}, {"value": real(-9.0, 9.0)},
          mean_is_zero, outputs=lambda x: {"scaled": x.a}, others={"mean": real(-2.0, 2.0), "sd": real(0.1, 3.0)}, rtol=1e-7),
    Lanes("network.network", player, play, OF_ORDER, played, derived=sums_of_path, scratch="value",
          others={**STEP, **BLOCK, **ACTS, "set": st.sampled_from([f.FRACTIONS, f.MULTIPLES, f.LOT_COUNTS]),
                  "mode": st.sampled_from([deciding.GREEDY, deciding.SAMPLED])}, each=True, atol=1e-9, tries=40),
    Plain("network.evaluate_network", evaluate_network, arrays(some_observations), alone_as_among_others, **CLOSE),
    Lanes("network.mark_faults", outputs_of, mark_faults, UNKNOWN, one_is_enough, outputs=lambda x: {"marks": x.spare[W:]},
          rtol=0.0),
    Lanes("network.spoil", lambda x: (outputs_of(x, x.raw[:W])[1], x.m, x.b), spoil,
          {"slice": real(0.0, 9.0), "volume": st.sampled_from([0.0, 5.0]), "e0": st.sampled_from([0.0, np.nan])},
          only_where_marked, rtol=0.0),
    Lanes("network.find_greatest", lambda x: (*outputs_of(x), x.b), find_greatest, OUTPUTS, first_of_equal_ones,
          outputs=lambda x: {"best": x.spare[:W]}, rtol=0.0),
    Lanes("network.draw_output", lambda x: (x.words, *outputs_of(x), x.b), draw_output,
          {**OUTPUTS, "w0": st.integers(0, 2**32 - 1)}, as_often_as_they_weigh, scratch=CHANGED, rtol=0.0),
    Lanes("network.take_share", lambda x: (x.mode, x.raw[:W], x.b), take_share,
          {"e0": OUTPUTS["e0"], "remaining": real(0.0, 1e5)}, between_nothing_and_all, scratch="e0",
          others={"mode": st.sampled_from([deciding.CLIPPED, deciding.SQUASHED])}, rtol=1e-6, atol=1e-2),
)  # fmt: skip

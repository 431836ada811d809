"""Features, their bins, and what an agent does in a state."""

from __future__ import annotations

import functools

import numpy as np
from hypothesis import strategies as st

from fastexec.kernels import fields as f, observe as features
from fastexec.kernels.clock import Clock, Span
from fastexec.kernels.watch import Observed
from naive import bins as binned, ledger, noise, observe
from rows.books import HIGH, LOW, OFFSET, only_inside, written
from rows.decide import LEVELS
from rows.plans import strategies_of
from trials import Lanes, W, real

STEPS, EARLIER_SPREAD = 45, 0.002
STEP = {"t": st.sampled_from([0, 1, 5, 31, 32, 40]), "during": st.integers(0, 7), "future": st.just(1.0)}
SUMS = ("sum_half_spread", "sum_temporary", "sum_transient", "impact")
OF_ORDER = {"path": st.integers(0, 2**32 - 1), "left": st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]), "shares": real(1.0, 1e5),
            "arrival": real(1.0, 500.0), "spread": real(0.0, 0.01), **dict.fromkeys(SUMS, real(0.0, 1e4)),
            **{f"signal_{j}": real(-3.0, 3.0) for j in range(f.MOST_SIGNALS)}}  # fmt: skip


def clock_of(v):
    return Clock(np.uint64(0), 0, v.t, STEPS)


def path_of(v):
    return some_path(int(v.path), v.t, v.future)


@functools.cache
def some_path(seed, t, future):
    """Mids until the end of step t and volumes of steps 0 .. t; ``future`` changes what is not known when t begins."""
    rng = np.random.default_rng(seed)
    mids = 100.0 * np.cumprod(1.0 + rng.uniform(-0.02, 0.02, t + 2))
    volumes = rng.uniform(1.0, 1e4, t + 1) * (rng.random(t + 1) < 0.8)
    mids[-1] *= future
    volumes[-1] *= future
    return mids.tolist(), volumes.tolist()


def sums_of_path(v):
    """What the market keeps of it; the current step is in its sums already."""
    mids, volumes = path_of(v)
    moves = [after / before - 1.0 for before, after in zip(mids[:-1], mids[1:], strict=True)]
    history = {f"mids{s % f.HISTORY}": mids[s] for s in range(max(v.t - f.HISTORY + 1, 0), v.t + 1)}
    return history | {
        "mid": mids[v.t], "next": mids[v.t + 1], "last_volume": volumes[v.t - 1] if v.t else 0.0, **volume_fields(v, volumes),
        "seen_squares": sum(move**2 for move in moves[: v.t]),
        "seen_products": sum(a * b for a, b in zip(moves[: v.t], moves[1 : v.t], strict=False)),
        "cumulative_volume": sum(volumes), "sum_squared_moves": sum(move**2 for move in moves),
        "remaining": v.left * v.shares, "sum_spread": EARLIER_SPREAD * v.t + v.spread,
    }  # fmt: skip


def volume_fields(v, volumes):
    """Of given paths what strategies meet stands where else the step's volume does."""
    if v.during & f.OF_PATHS:
        return {"traded": volumes[v.t], "volume": volumes[v.t] or 321.0}
    return {"volume": volumes[v.t]}


def squares_too(v):
    """The ledger of one who traded in two slices, a quarter and the rest of what is done."""
    return sums_of_path(v) | {"sum_squares": sum(q * q for q in trades_of(v))}


def trades_of(v):
    filled = v.shares - v.left * v.shares
    return [0.25 * filled, 0.75 * filled]


def spent_by(v):
    """Currency over the mids that the slices filled at, what further parts charged, and fees."""
    costs = {
        "temporary": {"model": "linear", "fixed": v.temporary_fixed, "coefficient": v.temporary_slope},
        "permanent": {"coefficient": v.permanent_coefficient, "own": v.permanent_own},
        "transient": {"coefficient": 0.0, "exponent": 1.0}, "fees": {"per_share": v.fee},
    }  # fmt: skip
    nothing_left = dict.fromkeys(("mid", "arrival", "value", "sign"), 0.0)
    parts = ledger.parts(trades_of(v), v.sum_half_spread, v.sum_transient, 0.0, v.shares, nothing_left, costs, "leave")
    return v.sum_temporary + sum(parts.values()) + v.sum_charged


def value_of(v, feature, look_back):
    mids, volumes = path_of(v)
    return {
        features.INVENTORY: lambda: v.remaining / v.shares,
        features.OF_SPREAD: lambda: v.spread,
        features.OF_REGIME: lambda: v.regime,
        features.RELATIVE_SPREAD: lambda: observe.relative_spread([*[EARLIER_SPREAD] * v.t, v.spread], v.t),
        features.OF_VOLUME: lambda: observe.last_volume(volumes, v.t, v.during & f.SEES_STEP),
        features.RELATIVE_VOLUME: lambda: observe.relative_volume(volumes, v.t, v.during & f.SEES_STEP),
        features.NOISE_SO_FAR: lambda: noise.realised(mids, v.t),
        features.MOMENTUM: lambda: observe.momentum(mids, v.t, look_back),
        features.VOLATILITY_SO_FAR: lambda: observe.volatility(mids, v.t),
        features.SHORTFALL_SO_FAR: lambda: observe.in_bps(spent_by(v), v.shares, v.arrival),
        **{features.OF_SIGNAL + j: lambda j=j: getattr(v, f"signal_{j}") for j in range(f.MOST_SIGNALS)},
        features.TIME: lambda: v.t / STEPS,
        features.OWN_IMPACT: lambda: observe.in_bps(v.impact, 1.0, v.arrival),
    }[feature]()


def observe_feature(v):
    return {"value": value_of(v, v.feature, v.look_back)}


def nothing_of_the_future(given, found, again):
    """Another move and another volume of the current step: the same value, but for volumes that are known during it."""
    other = again(future=1.7)
    if not given.during & f.SEES_STEP or given.feature not in (features.OF_VOLUME, features.RELATIVE_VOLUME):
        np.testing.assert_allclose(other.value, found.value, rtol=1e-9, atol=1e-9)
    else:
        changed = (given.traded if given.during & f.OF_PATHS else given.volume) > 0
        if given.feature == features.OF_VOLUME:
            np.testing.assert_allclose(other.value[changed], 1.7 * found.value[changed])
    if given.feature == features.SHORTFALL_SO_FAR:
        assert (again(sum_charged=given.sum_charged + 1.0).value > found.value).all()
        for name in CHARGES:  # of what is traded, each costs something
            dearer, traded = again(**{name: getattr(given, name) + 0.01}), given.left < 1.0
            assert (dearer.value[traded] >= found.value[traded]).all()
            np.testing.assert_array_equal(dearer.value[~traded], found.value[~traded])


def add_four(v):
    return {"state": v.state + v.stride * binned.bin_of(v.value, v.edges)}


def rises_with_the_value(given, found, again):
    assert (again(value=given.value + 1.0).state >= found.state).all()
    np.testing.assert_array_equal(again(value=-np.inf).state, given.state)
    np.testing.assert_array_equal(again(value=np.inf).state, given.state + 4 * given.stride)


#: Number, bins, stride, look back, edges.
FEATURES = (
    (features.INVENTORY, 5, 1, 0, ()),
    (features.MOMENTUM, 3, 5, 7, (-0.01, 0.02)),
    (features.OF_SPREAD, 7, 15, 0, (0.001, 0.002, 0.003, 0.004, 0.005, 0.007)),
    (features.RELATIVE_SPREAD, 2, 105, 0, (1.5,)),
)
CODES, AT = 210, 3
SEEN = {features.MOMENTUM: (-0.015, 0.02), features.OF_SPREAD: (0.0005, 0.008)}
POLICY = np.random.default_rng(7).integers(0, len(LEVELS), AT + STEPS * CODES)
#: A quarter of the states that its training never met.
STRANGE = f.UNSEEN_STATE * np.random.default_rng(8).choice([0, 0, 0, 1], POLICY.size)


def agent(x, count=2, **kind):
    """The last of the strategies is a table on ``FEATURES``."""
    strategies = strategies_of(count, STEPS, policy=POLICY + STRANGE, policy_at=AT, states=CODES, features=len(FEATURES),
                               sees_volume=x.during, levels=len(LEVELS), **kind)  # fmt: skip
    for j, (feature, bins, stride, look_back, edges) in enumerate(FEATURES):
        strategies.features[-1, j, [f.FEATURE, f.BINS, f.STRIDE, f.LOOK_BACK]] = feature, bins, stride, look_back
        strategies.edges[-1, j, : len(edges)] = edges
        strategies.edges[-1, j, [f.LOWEST, f.HIGHEST]] = SEEN.get(feature, (-np.inf, np.inf))
    strategies.levels[-1, : len(LEVELS)] = LEVELS
    return strategies


def encode(v):
    numbers, outside = [], False
    for feature, bins, stride, look_back, edges in FEATURES:
        value = value_of(v, feature, look_back)
        number = binned.even_bin(value, bins) if feature == features.INVENTORY else binned.bin_of(value, edges)
        numbers.append((number, stride))
        low, high = SEEN.get(feature, (-np.inf, np.inf))
        outside |= bool(getattr(v, "counts", 0)) and v.t > 0 and not low <= value <= high
    return {"state": binned.code(numbers), "outside": float(outside)}


def note_outside(v):
    return {"outside": 1.0 if not v.low <= v.value <= v.high else v.outside}


def once_outside_always(given, found, again):
    assert (found.outside >= given.outside).all()
    np.testing.assert_array_equal(again(value=0.5 * (given.low + given.high)).outside, given.outside)
    np.testing.assert_array_equal(again(value=given.high + 1.0).outside, 1.0)


def cut_evenly(v):
    return {"state": v.state + v.stride * binned.even_bin(v.value, v.top + 1)}


def nearest_of_the_even(given, found, again):
    """No farther from its share than half a bin, both ends included; the same digit for all that lies nearest to it."""
    number = (found.state - given.state) / given.stride
    assert (np.abs(number / given.top - given.value) <= 0.5 / given.top * (1 + 1e-12)).all()
    np.testing.assert_array_equal(again(value=number / given.top).state, found.state)
    np.testing.assert_array_equal(again(value=1.0).state, given.state + given.stride * given.top)


def noting_features(x):
    x.observed = Observed(np.full((len(FEATURES) + 1, OFFSET + W + 1, STEPS), -7.0))
    return clock_of(x), Span(LOW, HIGH, OFFSET), agent(x, 1), x.p, x.m, x.b, x.observed


def features_noted(x):
    """Other steps and other features are untouched."""
    values = x.observed.values
    assert (np.delete(values, x.t, axis=2) == -7).all()
    assert (values[len(FEATURES)] == -7).all()
    return {f"feature {j}": written(values[j, :, x.t]) for j in range(len(FEATURES))}


def note_features(v):
    return only_inside(
        v, {f"feature {j}": value_of(v, feature, back) for j, (feature, *_, back, _edges) in enumerate(FEATURES)}
    )


def the_same_whatever_comes(given, found, again):
    """And each feature follows what it is made of."""
    for name, values in again(future=1.7).outputs.items():
        np.testing.assert_allclose(values, found.outputs[name], rtol=1e-9)
    inside = slice(LOW, HIGH)
    assert not again(left=0.0).outputs["feature 0"][inside].any()
    np.testing.assert_array_equal(again(spread=0.25).outputs["feature 2"][inside], 0.25)
    np.testing.assert_allclose(again(spread=EARLIER_SPREAD).outputs["feature 3"][inside], 1.0, rtol=1e-12)
    assert (again(spread=2.0 * EARLIER_SPREAD).outputs["feature 3"][inside] > 1.0).all() == (given.t > 0)


def digits_of_their_own(given, found, again):
    """Each feature moves its own digit only."""
    assert ((found.state >= 0) & (found.state < CODES)).all()
    np.testing.assert_array_equal(again(left=0.0).state, found.state - found.state % 5)
    np.testing.assert_array_equal(again(spread=0.0).state, found.state % 15)


CHARGES = {"permanent_coefficient": real(0.0, 1e-4), "permanent_own": real(0.0, 1.0), "fee": real(0.0, 0.01),
           "temporary_fixed": real(0.0, 0.1), "temporary_slope": real(0.0, 1e-4)}  # fmt: skip
EDGES = st.lists(real(-2.0, 2.0), min_size=4, max_size=4).map(lambda e: np.array(sorted(e)))
ROWS = (
    Lanes("observe.observe_feature",
          lambda x: (clock_of(x), np.array([x.feature, 0, 0, x.look_back]), x.during, x.p, x.m, x.b), observe_feature,
          {**OF_ORDER, **CHARGES, "sum_charged": real(0.0, 1e4), "regime": real(0.0, 9.0)}, nothing_of_the_future,
          derived=squares_too, rtol=1e-9, atol=1e-12, tries=80,
          others={**STEP, "feature": st.integers(0, features.LAST_SIGNAL), "look_back": st.integers(1, f.HISTORY - 1)}),
    Lanes("observe.observe_volumes", lambda x: (x.t, x.feature, x.during, x.m, x.b), observe_feature, OF_ORDER,
          nothing_of_the_future, derived=sums_of_path,
          others={**STEP, "feature": st.sampled_from([features.OF_VOLUME, features.RELATIVE_VOLUME]), "look_back": st.just(1)}),
    Lanes("watch.note_features", noting_features, note_features, OF_ORDER, the_same_whatever_comes, derived=sums_of_path,
          outputs=features_noted, scratch="value", each=True, others=STEP, atol=1e-14),
    Lanes("bins.cut_evenly", lambda x: (float(x.stride), float(x.top), x.b), cut_evenly,
          {"state": st.integers(0, 99).map(float), "value": real(0.0, 1.0)}, nearest_of_the_even, rtol=0.0,
          others={"stride": st.integers(1, 50), "top": st.integers(1, 40)}),
    Lanes("bins.add_four", lambda x: (float(x.stride), x.edges, x.b), add_four,
          {"state": st.integers(0, 99).map(float), "value": st.one_of(real(-2.0, 2.0), st.sampled_from([0.0, np.inf]))},
          rises_with_the_value, others={"stride": st.integers(1, 50), "edges": EDGES}, rtol=0.0),
    Lanes("bins.encode", lambda x: (agent(x), 1, clock_of(x), x.p, x.m, x.b), encode, OF_ORDER, digits_of_their_own,
          others=STEP, derived=sums_of_path, scratch="value"),
    Lanes("bins.note_outside", lambda x: (x.low, x.high, x.b), note_outside,
          {"value": real(-2.0, 2.0), "outside": st.sampled_from([0.0, 1.0])}, once_outside_always,
          others={"low": real(-2.0, 0.0), "high": real(0.0, 2.0)}, rtol=0.0),
    Lanes("gather.observe_state", lambda x: (clock_of(x), agent(x, 1), x.p, x.m, x.b), encode, OF_ORDER, digits_of_their_own,
          others=STEP, derived=sums_of_path, scratch="value"),
)  # fmt: skip

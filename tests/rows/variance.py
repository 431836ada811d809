"""A volatility that changes: what it is drawn from, its first value, the next ones."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from fastexec.kernels.clock import Clock
from naive import normals, philox, variance as twin
from rows.market import FLOAT32, NODES, expectation
from rows.parameters import BLOCK
from rows.plans import plan_of
from trials import Lanes, W, real

STEPS = 4
KEYS = {"variance_persistence": real(0.0, 0.99), "variance_volatility": real(0.0, 1.5)}
NORMALS = {f"variance_normals{j}": FLOAT32 for j in range(4)}
STATE = {"variance_state": real(-5.0, 5.0)}


def words_of(purpose):
    def draw(v):
        episode = v.block * W + v.i
        counter = (episode & 0xFFFFFFFF, episode >> 32, v.t + 1, v.phase << 30 | purpose << 24)
        return philox.philox4x32(counter, (v.seed & 0xFFFFFFFF, v.seed >> 32))

    return draw


def drawn(purpose, pair=True):
    """Words of the step's, and the pair of normals made of them."""

    def twin_of(v):
        words = words_of(purpose)(v)
        z = normals.normals(np.array(words, np.uint32)) if pair else ()
        return {f"w{j}": word for j, word in enumerate(words)} | {f"e{j}": float(z[j]) for j in range(2 if pair else 0)}

    return twin_of


def others_elsewhere(given, found, again):
    """Of another step, block, phase or seed; the value before step 0 is one of them."""
    changes = ({"t": given.t + 1}, {"block": given.block + 1}, {"phase": given.phase ^ 1}, {"seed": given.seed ^ 1})
    for changed in changes:
        other = again(**changed)
        for name in ("w0", "w1"):
            assert (getattr(other, name) != getattr(found, name)).mean() > 0.9


def drawing(name, purpose, pair=True):
    """The row of a stage that draws for conditions."""
    buffers = (lambda x: (x.words, x.raw)) if pair else (lambda x: (x.words,))
    return Lanes(
        name,
        lambda x: (Clock(np.uint64(x.seed), x.block, x.t, STEPS), plan_of(STEPS, phase=x.phase).switches, *buffers(x)),
        drawn(purpose, pair), {}, others_elsewhere, rtol=0.0, tries=10, each=True,
        others={**BLOCK, "t": st.integers(-1, STEPS - 1)},
    )  # fmt: skip


def ahead(purpose, own=0, rows="variance_normals", first=0):
    """Words for four steps from t + 1 on, and their normals, which wait in fields ``rows`` from ``first`` on."""

    def twin_of(v):
        episode, number = v.block * W + v.i, (v.t + 1) // 4
        counter = (episode & 0xFFFFFFFF, episode >> 32, number, v.phase << 30 | purpose << 24 | own)
        words = philox.philox4x32(counter, (v.seed & 0xFFFFFFFF, v.seed >> 32))
        z = normals.normals(np.array(words, np.uint32))
        found = {f"w{j}": word for j, word in enumerate(words)} | {f"e{j}": float(z[j]) for j in range(4)}
        return found | {f"{rows}{first + j}": float(z[j]) for j in range(4)}

    return twin_of


def elsewhere(given, found, again):
    """Other words in another block, phase or seed; the steps behind t + 1 take the other normals, one by one."""
    for changed in ({"block": given.block + 1}, {"phase": given.phase ^ 1}, {"seed": given.seed ^ 1}):
        assert (again(**changed).w0 != found.w0).mean() > 0.9


def drawing_ahead(name, purpose):
    """The row of a stage that draws for four steps at once, in a step in which it does."""
    return Lanes(
        name,
        lambda x: (Clock(np.uint64(x.seed), x.block, x.t, STEPS), plan_of(STEPS, phase=x.phase).switches, x.words, x.raw, x.m),
        ahead(purpose), {}, elsewhere, rtol=0.0, tries=10, each=True, others={**BLOCK, "t": st.sampled_from([-1, 3])},
    )  # fmt: skip


def begin(v):
    x = v.variance_volatility * v.variance_normals0
    return {
        "variance_state": x, "volatility_factor": twin.factor(x, v.variance_volatility), **freshness(v),
    }  # fmt: skip


def freshness(v):
    return {"variance_fresh": twin.following(0.0, v.variance_persistence, v.variance_volatility, 1.0)}


def vary(v):
    z = getattr(v, f"variance_normals{(v.t + 1) % 4}")
    x = twin.following(v.variance_state, v.variance_persistence, v.variance_volatility, z)
    return {"variance_state": x, "volatility_factor": twin.factor(x, v.variance_volatility)}


def mean_square_is_one(given, found, again):
    """Over the first law, and a step on from there: two normals, one for each."""
    sd = min(float(given.variance_volatility[0]), 0.5)
    lane = {"variance_volatility": sd} | (
        {} if not hasattr(given, "variance_state") else {"variance_persistence": 0.0, "variance_state": 1.0}
    )
    square = again(**lane, **dict.fromkeys(NORMALS, np.resize(NODES, W))).volatility_factor ** 2
    np.testing.assert_allclose(expectation(square), 1.0, rtol=1e-5)


def reverts(given, found, again):
    mean_square_is_one(given, found, again)
    still = again(**dict.fromkeys(NORMALS, 0.0))
    np.testing.assert_allclose(still.variance_state, given.variance_persistence * given.variance_state, rtol=1e-15)


ROWS = (
    drawing_ahead("variance.draw_for_variance", twin.PURPOSE),
    Lanes("variance.begin_variance", lambda x: (x.p, x.m), begin, {**KEYS, **NORMALS}, mean_square_is_one),
    Lanes("variance.vary", lambda x: (x.t, x.p, x.m), vary, {**KEYS, **NORMALS, **STATE}, reverts,
          others={"t": st.integers(0, 9)}, derived=freshness, rtol=1e-11, atol=1e-13),
)  # fmt: skip

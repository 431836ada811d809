"""A price that jumps: the words that its moves are drawn from, and the moves."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import strategies as st

from fastexec.kernels import fields as f, price
from fastexec.kernels.clock import Clock
from naive import jumps, steps
from rows.market import CURVE, PRICE_FIELDS, at_step
from rows.parameters import BLOCK
from rows.plans import plan_of
from trials import Lanes, W, real

STEPS = 4
#: The fields of the lane that hold what the section calls ``rate``, ``jump_mean`` and ``jump_volatility``.
RATE, MEAN, OWN = (f.PARAMETERS[at // W] for at in (price.JUMP_RATE, price.JUMP_MEAN, price.JUMP_VOLATILITY))
WORD = st.integers(0, 2**32 - 1)
# The last word stays below its end: at a number as near to 1 as numbers are, the twin's sum would never get there.
MERTON = {**PRICE_FIELDS, RATE: real(0.0, 1.0), MEAN: real(-0.9, 1.0), OWN: real(0.0, 1.0), "w0": WORD, "w1": WORD,
          "w2": WORD, "w3": st.integers(0, 2**31)}  # fmt: skip


def draw_for_price(v):
    words = jumps.words_of(v.seed, v.block * W + v.i, v.t, v.phase)
    return {f"w{j}": word for j, word in enumerate(words)}


def other_words_elsewhere(given, found, again):
    """Of another step, block or phase, and of another seed; the move before step 0 is one of them."""
    for changed in (
        {"t": given.t + 1},
        {"block": given.block + 1},
        {"phase": given.phase ^ 1},
        {"seed": given.seed ^ 1},
    ):
        other = again(**changed)
        for name in ("w0", "w1", "w2", "w3"):
            assert (getattr(other, name) != getattr(found, name)).mean() > 0.9


def move(v):
    after = steps.next_mid("geometric", v.mid, v.volatility * v.volatility_factor, v.drift, v.curve, v.z_price)
    section = {"rate": getattr(v, RATE), "jump_mean": getattr(v, MEAN), "jump_volatility": getattr(v, OWN)}
    after *= jumps.factor(section, (v.w0, v.w1, v.w2, v.w3))
    return {"next": after, "sum_squared_moves": v.sum_squared_moves + steps.squared_move(v.mid, after)}


def numbers_of(rate, again, **words):
    """How many jumps there are: each doubles a price that moves by nothing else."""
    still = {"mid": 1.0, "volatility": 0.0, "volatility_factor": 1.0, "drift": 0.0, RATE: rate, MEAN: 1.0, OWN: 0.0}
    return (np.log(again(**still, **words).next) + rate) / math.log(2.0)


def poisson_and_log_normal(given, found, again):
    """Counts by the Poisson law; turned by half, the jumps' normal is the opposite one, about a mean that is taken off."""
    rate = max(float(getattr(given, RATE)[0]), 1e-3)
    u = (np.arange(W) + 0.5) / W
    counts = numbers_of(rate, again, w2=(u * 2**32).astype(np.int64), w3=0)
    np.testing.assert_allclose(counts, np.rint(counts), atol=1e-9)
    for n in range(4):
        chance = math.exp(-rate) * rate**n / math.factorial(n)
        assert abs((np.rint(counts) == n).mean() - chance) <= 1.0 / W + 1e-6
    edge = math.exp(-rate) * 2**52  # below it no jump, above it one; the two differ in the last word
    places = np.resize([math.floor(edge) - 4, math.floor(edge) + 4], W).astype(np.int64)
    counts = numbers_of(rate, again, w2=(places >> 26) << 6, w3=(places & (2**26 - 1)) << 6)
    np.testing.assert_allclose(counts, np.resize([0.0, 1.0], W), atol=1e-9)
    half = again(w1=(given.w1 + 2**31) % 2**32)
    n = numbers_of(getattr(given, RATE), again)
    mean, own = np.log1p(getattr(given, MEAN)), getattr(given, OWN)
    v = given.volatility * given.volatility_factor * given.curve
    middle = given.drift - 0.5 * v * v + v * given.z_price + n * (mean - 0.5 * own * own)
    middle = middle - getattr(given, RATE) * getattr(given, MEAN)
    np.testing.assert_allclose(0.5 * np.log(found.next * half.next / given.mid**2), middle, atol=1e-9)


ROWS = (
    Lanes("market.draw_for_price",
          lambda x: (Clock(np.uint64(x.seed), x.block, x.t, STEPS), plan_of(STEPS, phase=x.phase).switches, x.words),
          draw_for_price, {}, other_words_elsewhere, rtol=0.0, tries=10, each=True,
          others={**BLOCK, "t": st.integers(-1, STEPS - 1)}),
    Lanes("price.merton", lambda x: (*at_step(x), x.normals, x.words, x.p, x.m), move, MERTON, poisson_and_log_normal,
          others={"curve": CURVE}, rtol=1e-11, atol=1e-13),
)  # fmt: skip

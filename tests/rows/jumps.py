"""A price that jumps: the words that its jumps are drawn from, and the moves with them."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import strategies as st

from naive import jumps, steps
from rows.variance import drawing
from trials import Lanes, W, real

WORD = st.integers(0, 2**32 - 1)
# The last word stays below its end: at a number as near to 1 as numbers are, the twin's sum would never get there.
MOVE = {"mid": real(50.0, 200.0), "next": real(50.0, 200.0), "sum_squared_moves": real(0.0, 1.0),
        "jump_rate": real(0.0, 1.0), "jump_mean": real(-0.9, 1.0), "jump_volatility": real(0.0, 1.0),
        "w0": WORD, "w1": WORD, "w2": WORD, "w3": st.integers(0, 2**31)}  # fmt: skip


def section(v):
    return {"rate": v.jump_rate, "mean": v.jump_mean, "volatility": v.jump_volatility}


def counted(v):
    return {"jumped": float(jumps.number_of(v.jump_rate, v.w2, v.w3))}


def move_to(after):
    """The price and the sum once the move ends there, whatever it was before."""

    def twin(v):
        end, before = after(v), steps.squared_move(v.mid, v.next)
        total = max(v.sum_squared_moves + steps.squared_move(v.mid, end) - before, 0.0)
        return counted(v) | {"next": end, "sum_squared_moves": total}

    return twin


multiplied = move_to(lambda v: v.next * jumps.factor(section(v), (v.w0, v.w1, v.w2, v.w3)))
added = move_to(lambda v: v.next + jumps.amount(section(v), (v.w0, v.w1, v.w2, v.w3)))


def poissons(given, found, again):
    """Counts by the Poisson law; at the edge of none and one the last word decides."""
    rate = max(float(given.jump_rate[0]), 1e-3)
    u = (np.arange(W) + 0.5) / W
    counts = again(jump_rate=rate, w2=(u * 2**32).astype(np.int64), w3=0).jumped
    for n in range(4):
        chance = math.exp(-rate) * rate**n / math.factorial(n)
        assert abs((counts == n).mean() - chance) <= 1.0 / W + 1e-6
    edge = math.exp(-rate) * 2**52  # below it no jump, above it one; the two differ in the last word
    places = np.resize([math.floor(edge) - 4, math.floor(edge) + 4], W).astype(np.int64)
    counts = again(jump_rate=rate, w2=(places >> 26) << 6, w3=(places & (2**26 - 1)) << 6).jumped
    np.testing.assert_array_equal(counts, np.resize([0.0, 1.0], W))


def about_a_mean_that_is_taken_off(given, found, again):
    """Turned by half, the jumps' normal is the opposite one."""
    half, n = again(w1=(given.w1 + 2**31) % 2**32), found.jumped
    mean, own = np.log1p(given.jump_mean), given.jump_volatility
    middle = np.log(given.next) + n * (mean - 0.5 * own * own) - given.jump_rate * given.jump_mean
    np.testing.assert_allclose(0.5 * np.log(found.next * half.next), middle, atol=1e-9)


def about_a_mean_in_currency(given, found, again):
    half = again(w1=(given.w1 + 2**31) % 2**32)
    middle = given.next + (found.jumped - given.jump_rate) * given.jump_mean
    np.testing.assert_allclose(0.5 * (found.next + half.next), middle, atol=1e-6)


ROWS = (
    drawing("jumps.draw_for_jumps", jumps.PURPOSE, pair=False),
    Lanes("jumps.count_jumps", lambda x: (x.words, x.p, x.m), counted,
          {name: MOVE[name] for name in ("jump_rate", "w2", "w3")}, poissons),
    Lanes("jumps.jump_by_factors", lambda x: (x.words, x.p, x.m), multiplied, MOVE, about_a_mean_that_is_taken_off,
          rtol=1e-10, atol=1e-9),
    Lanes("jumps.jump_by_amounts", lambda x: (x.words, x.p, x.m), added, MOVE, about_a_mean_in_currency, rtol=1e-10,
          atol=1e-9),
)  # fmt: skip

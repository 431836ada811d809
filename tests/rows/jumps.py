"""A price that jumps: what its jumps are drawn from, and the moves with them."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import strategies as st

from fastexec.kernels.clock import Clock
from naive import jumps, normals, philox, steps
from rows.market import FLOAT32
from rows.parameters import BLOCK
from rows.plans import plan_of
from trials import Lanes, W, real

STEPS = 6
#: Not to the end: at a number as near to 1 as numbers are, the twin's sum would never get there.
CHANCE = st.integers(0, 2**52 - 2**20).map(lambda k: (k + 0.5) / 2**52)
KEYS = {"jump_rate": real(0.0, 1.0), "jump_mean": real(-0.9, 1.0), "jump_volatility": real(0.0, 1.0)}
MOVE = {"mid": real(50.0, 200.0), "next": real(50.0, 200.0), "sum_squared_moves": real(0.0, 1.0),
        "chance_of_jumps": CHANCE, "e3": FLOAT32, **KEYS}  # fmt: skip


def section(v):
    return {"rate": v.jump_rate, "mean": v.jump_mean, "volatility": v.jump_volatility}


def made_of_keys(v):
    log_mean = math.log(1.0 + v.jump_mean) - v.jump_volatility**2 / 2.0
    return {"no_jump": math.exp(-v.jump_rate), "jump_log_mean": log_mean}


def words(v, number):
    episode = v.block * W + v.i
    counter = (episode & 0xFFFFFFFF, episode >> 32, number, v.phase << 30 | jumps.PURPOSE << 24)
    return philox.philox4x32(counter, (v.seed & 0xFFFFFFFF, v.seed >> 32))


def chances(v, number):
    """Two of them, and the words that they are made of."""
    drawn = words(v, number)
    return {f"w{j}": word for j, word in enumerate(drawn)} | {
        "chance_of_jumps": jumps.uniform_of(*drawn[:2]), "next_chance": jumps.uniform_of(*drawn[2:])
    }  # fmt: skip


def begun(v):
    """Those of the first move before step 0, with its normals."""
    z = normals.normals(np.array(words(v, 0), np.uint32))
    return made_of_keys(v) | chances(v, 0) | {f"e{j}": float(z[j]) for j in range(4)}


def drawn_for(v):
    return chances(v, v.t // 2 + 1) if v.t % 2 == 0 else {"chance_of_jumps": v.next_chance}


def clock(x, t):
    return Clock(np.uint64(x.seed), x.block, t, STEPS), plan_of(STEPS, phase=x.phase).switches


def others_elsewhere(given, found, again):
    """Of another block, phase or seed."""
    for changed in ({"block": given.block + 1}, {"phase": given.phase ^ 1}, {"seed": given.seed ^ 1}):
        assert (again(**changed).chance_of_jumps != found.chance_of_jumps).mean() > 0.9


def two_moves_share_a_draw(given, found, again):
    """An even step leaves the chance of the next one, and no two pairs are alike."""
    even = again(t=2 * (given.t // 2))
    assert (even.chance_of_jumps != even.next_chance).mean() > 0.9
    assert (again(t=2 * (given.t // 2) + 2).chance_of_jumps != even.chance_of_jumps).mean() > 0.9
    odd = again(t=2 * (given.t // 2) + 1)
    np.testing.assert_array_equal(odd.chance_of_jumps, given.next_chance)


def counted(v):
    number = float(jumps.number_of(v.jump_rate, v.chance_of_jumps))
    return {"jumped": number, "root_of_jumps": math.sqrt(number)}


def move_to(after):
    """The price and the sum once the move ends there, whatever it was before."""

    def twin(v):
        end, before = after(v), steps.squared_move(v.mid, v.next)
        total = max(v.sum_squared_moves + steps.squared_move(v.mid, end) - before, 0.0)
        return counted(v) | {"next": end, "sum_squared_moves": total}

    return twin


multiplied = move_to(lambda v: v.next * jumps.factor(section(v), (v.chance_of_jumps, v.e3)))
added = move_to(lambda v: v.next + jumps.amount(section(v), (v.chance_of_jumps, v.e3)))


def poissons(given, found, again):
    """Counts by the Poisson law, whether the others of the block are few or many; no jump to the last bit of a chance."""
    rate = max(float(given.jump_rate[0]), 1e-3)
    u = (np.arange(W) + 0.5) / W
    counts = again(jump_rate=rate, chance_of_jumps=u).jumped
    for n in range(4):
        chance = math.exp(-rate) * rate**n / math.factorial(n)
        assert abs((counts == n).mean() - chance) <= 1.0 / W + 1e-6
    np.testing.assert_array_equal(again(jump_rate=np.where(u > 0.5, rate, 0.0), chance_of_jumps=u).jumped[u < 0.5], 0.0)
    edge = math.floor(math.exp(-rate) * 2**52)  # below it no jump, above it one
    places = np.resize([edge - 4, edge + 4], W).astype(np.int64)
    counts = again(jump_rate=rate, chance_of_jumps=(places + 0.5) / 2**52).jumped
    np.testing.assert_array_equal(counts, np.resize([0.0, 1.0], W))


def no_jump_is_the_likelier_the_lower_the_rate(given, found, again):
    np.testing.assert_array_equal(again(jump_rate=0.0).no_jump, 1.0)
    lower = again(jump_rate=0.5 * given.jump_rate)
    np.testing.assert_allclose(lower.no_jump**2, found.no_jump, rtol=1e-14)
    others_elsewhere(given, found, again)


def about_a_mean_that_is_taken_off(given, found, again):
    """With the opposite normal they are as far on its other side."""
    half, n = again(e3=-given.e3), found.jumped
    mean, own = np.log1p(given.jump_mean), given.jump_volatility
    middle = np.log(given.next) + n * (mean - 0.5 * own * own) - given.jump_rate * given.jump_mean
    np.testing.assert_allclose(0.5 * np.log(found.next * half.next), middle, atol=1e-9)


def about_a_mean_in_currency(given, found, again):
    half = again(e3=-given.e3)
    middle = given.next + (found.jumped - given.jump_rate) * given.jump_mean
    np.testing.assert_allclose(0.5 * (found.next + half.next), middle, atol=1e-6)


ROWS = (
    Lanes("jumps.begin_jumps", lambda x: (*clock(x, -1), x.words, x.raw, x.p, x.m), begun, KEYS,
          no_jump_is_the_likelier_the_lower_the_rate, others=BLOCK, each=True, tries=10, rtol=1e-14, atol=1e-15),
    Lanes("jumps.draw_for_jumps", lambda x: (*clock(x, x.t), x.words, x.m), drawn_for, {"next_chance": CHANCE},
          two_moves_share_a_draw, others={**BLOCK, "t": st.integers(0, STEPS - 1)}, each=True, tries=10, rtol=0.0),
    Lanes("jumps.draw_chances", lambda x: (*clock(x, 0)[:1], x.number, clock(x, 0)[1], x.words, x.m),
          lambda v: chances(v, v.number), {}, others_elsewhere, others={**BLOCK, "number": st.integers(0, STEPS)},
          each=True, tries=10, rtol=0.0),
    Lanes("jumps.count_jumps", lambda x: (x.p, x.m), counted,
          {name: MOVE[name] for name in ("jump_rate", "chance_of_jumps", "jump_mean", "jump_volatility")}, poissons,
          derived=made_of_keys),
    Lanes("jumps.jump_by_factors", lambda x: (x.raw, x.p, x.m), multiplied, MOVE, about_a_mean_that_is_taken_off,
          derived=made_of_keys, rtol=1e-10, atol=1e-9),
    Lanes("jumps.jump_by_amounts", lambda x: (x.raw, x.p, x.m), added, MOVE, about_a_mean_in_currency,
          derived=made_of_keys, rtol=1e-10, atol=1e-9),
)  # fmt: skip

"""Markets that are given: as they are, or joined from rows."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from fastexec.kernels import fields as f
from fastexec.kernels.philox import BLOCKS
from fastexec.kernels.walk import Clock
from naive import given as twin
from naive import steps
from naive.philox import philox4x32
from rows.parameters import BLOCK
from rows.plans import plan_of
from trials import Lanes, W, arrays, real

STEPS, ROOM = 3, 8


def some_paths(rng):
    """Eight rows, two times of day of four rows each; a quarter of the steps without volume."""
    mid, volume = rng.uniform(50.0, 200.0, (ROOM, STEPS + 1)), rng.uniform(1.0, 1e4, (ROOM, STEPS))
    volume[rng.random((ROOM, STEPS)) < 0.25] = 0.0
    first, spread = np.repeat([0, 4], 4), rng.uniform(0.0, 0.01, (ROOM, STEPS))
    return f.Paths(mid, spread, volume, rng.uniform(50.0, 200.0, ROOM), first, np.full(ROOM, 4))


PATHS = {"paths": arrays(some_paths)}
ROW = {"window": st.integers(0, ROOM - 1).map(float)}
MIDS = {"mid": real(10.0, 500.0), "sum_squared_moves": real(0.0, 1.0)}
#: Where a walk begins: sums and states are cleared, down to the mids of earlier steps.
CLEARED = {
    name: 0.0
    for name in ("next", "spread", "volume", "last_volume", "spread_state", "volume_state", "day_state", "cumulative_volume",
                 "sum_volume_price", "sum_price", "sum_spread", "sum_squared_moves")
}  # fmt: skip


def begin_given(v):
    row = min(max(v.first + v.i, 0), ROOM - 1)
    return CLEARED | {"window": row, "arrival": v.paths.arrival[row], "mid": v.paths.mid[row, 0],
                      "arrival_spread": v.paths.spread[row, 0]}  # fmt: skip


def each_episode_its_own_row(given, found, again):
    inside = (given.first + np.arange(W) >= 0) & (given.first + np.arange(W) < ROOM)
    np.testing.assert_array_equal(found.window[inside], (given.first + np.arange(W))[inside])
    assert (np.diff(found.window) >= 0).all()


def words(v, t):
    episode, key = v.block * W + v.i, (v.seed & 0xFFFFFFFF, v.seed >> 32)
    return philox4x32((episode & 0xFFFFFFFF, episode >> 32, t, v.phase << 30 | BLOCKS << 24), key)


def begin_joined(v):
    row = twin.drawn_row(words(v, 0)[1], 0, ROOM)
    return CLEARED | {"window": row, "arrival": v.initial_price, "mid": v.initial_price,
                      "arrival_spread": v.paths.spread[row, 0]}  # fmt: skip


def rows_are_as_likely(given, found, again):
    counts = np.bincount(found.window.astype(int), minlength=ROOM)
    assert counts.size == ROOM
    assert (np.abs(counts - W / ROOM) < 5.5 * (W / ROOM) ** 0.5).all()
    np.testing.assert_array_equal(found.arrival, given.initial_price)


def rejoin(v):
    first, count = int(v.paths.block_first[int(v.window)]), int(v.paths.block_count[int(v.window)])
    word, choice, *_ = words(v, v.t)
    return {"window": twin.row_of_step(int(v.window), v.ends, word, choice, first, count)}


def keeps_the_time_of_day(given, found, again):
    np.testing.assert_array_equal(found.window // 4, given.window // 4)
    np.testing.assert_array_equal(again(ends=0.0).window, given.window)
    always = again(ends=1.0).window
    assert all((always == row).any() for row in np.unique(given.window // 4 * 4))  # also the row itself may be drawn


def advance_given(v):
    row, as_they_are = int(v.window), v.source == f.GIVEN
    after = twin.mid_after(v.mid, v.paths.mid[row].tolist(), v.t, as_they_are)
    return {
        "spread": v.paths.spread[row, v.t], "volume": v.paths.volume[row, v.t], "next": after,
        "sum_squared_moves": v.sum_squared_moves + steps.squared_move(v.mid, after),
    }  # fmt: skip


def joined_moves_scale_with_the_price(given, found, again):
    twice = again(mid=2.0 * given.mid)
    np.testing.assert_allclose(twice.next, (1.0 if given.source == f.GIVEN else 2.0) * found.next, rtol=1e-15)
    np.testing.assert_array_equal(twice.volume, found.volume)


def follow_paths(v):
    if v.source == f.JOINED and v.t > 0:
        v.window = rejoin(v)["window"]
    return {"window": v.window} | advance_given(v)


def given_paths_are_not_left(given, found, again):
    if given.source == f.GIVEN or given.t == 0:
        np.testing.assert_array_equal(found.window, given.window)
        np.testing.assert_array_equal(again(ends=1.0).window, given.window)
    np.testing.assert_array_equal(found.volume, given.paths.volume[found.window.astype(int), given.t])


def roll_given(v):
    return {"mid": v.next, "last_volume": v.volume}


def nothing_is_lost(given, found, again):
    np.testing.assert_array_equal(found.mid, given.next)
    np.testing.assert_array_equal(again(next=given.mid).mid, given.mid)


def clock(x):
    return Clock(np.uint64(x.seed), x.block, x.t, STEPS)


def plan(x):
    return plan_of(STEPS, source=x.source, restart=x.ends, phase=x.phase)


STEP = {
    "t": st.integers(0, STEPS - 1),
    "source": st.sampled_from([f.GIVEN, f.JOINED]),
    "ends": st.sampled_from([0.1, 0.7]),
}
ROWS = (
    Lanes("given.begin_given", lambda x: (x.first, x.paths, x.m), begin_given, {}, each_episode_its_own_row,
          others={"first": st.integers(-W, ROOM), **PATHS}, rtol=0.0, each=True),
    Lanes(
        "given.begin_joined", lambda x: (Clock(np.uint64(x.seed), x.block, 0, STEPS), plan_of(STEPS, phase=x.phase),
                                         x.paths, x.words, x.p, x.m),
        begin_joined, {"initial_price": real(1.0, 1e4)}, rows_are_as_likely, others={**BLOCK, **PATHS}, rtol=0.0,
        scratch="w0 w1 w2 w3", tries=10, each=True,
    ),
    Lanes("given.rejoin", lambda x: (clock(x), plan(x), x.paths, x.words, x.m), rejoin, ROW, keeps_the_time_of_day,
          others={**BLOCK, **PATHS, **STEP}, rtol=0.0, scratch="w0 w1 w2 w3", tries=10, each=True),
    Lanes("given.advance_given", lambda x: (x.t, plan_of(STEPS, source=x.source), x.paths, x.m),
          advance_given, {**ROW, **MIDS}, joined_moves_scale_with_the_price, others={**PATHS, **STEP}),
    Lanes("given.follow_paths", lambda x: (clock(x), plan(x), x.paths, x.words, x.m), follow_paths, {**ROW, **MIDS},
          given_paths_are_not_left, others={**BLOCK, **PATHS, **STEP}, scratch="w0 w1 w2 w3", tries=10, each=True),
    Lanes("given.roll_given", lambda x: (x.m,), roll_given, {"mid": real(1.0, 1e4), "next": real(1.0, 1e4),
          "volume": real(0.0, 1e6)}, nothing_is_lost, rtol=0.0),
)  # fmt: skip

"""Markets that are given: as they are, or joined from rows."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from fastexec.kernels import fields as f
from fastexec.kernels.clock import Clock
from fastexec.kernels.philox import BLOCKS
from naive import given as twin, steps
from naive.philox import philox4x32
from rows.parameters import BLOCK
from rows.plans import plan_of
from trials import LAYOUT, Lanes, W, arrays, real

STEPS, ROOM = 3, 8


def some_paths(rng):
    """Eight rows, two times of day of four rows each; a quarter of the steps without volume, half of which may be traded in."""
    mid, volume = rng.uniform(50.0, 200.0, (ROOM, STEPS + 1)), rng.uniform(1.0, 1e4, (ROOM, STEPS))
    volume[rng.random((ROOM, STEPS)) < 0.25] = 0.0
    first, spread = np.repeat([0, 4], 4), rng.uniform(0.0, 0.01, (ROOM, STEPS + 1))
    rate_volume = np.where(
        (volume == 0.0) & (rng.random((ROOM, STEPS)) < 0.5), rng.uniform(1.0, 1e4, (ROOM, STEPS)), volume
    )
    signals, arrival = rng.normal(size=(2, ROOM, STEPS)), rng.uniform(50.0, 200.0, ROOM)
    return f.Paths(mid, spread, volume, arrival, first, np.full(ROOM, 4), rate_volume, signals)


PATHS = {"paths": arrays(some_paths)}
ROW = {"window": st.integers(0, ROOM - 1).map(float)}
MIDS = {"mid": real(10.0, 500.0), "sum_squared_moves": real(0.0, 1.0)}
#: Where a walk begins: sums and states are cleared, down to the mids of earlier steps.
CLEARED = {
    name: 0.0
    for name, (buffer, start) in LAYOUT.items()
    if buffer == "m" and start < f.MIDS and start not in (f.WINDOW, f.ARRIVAL, f.MID, f.ARRIVAL_SPREAD)
}


def begin_given(v):
    row = min(v.block * W + v.i, ROOM - 1)
    return CLEARED | {"window": row, "arrival": v.paths.arrival[row], "mid": v.paths.mid[row, 0],
                      "arrival_spread": v.paths.spread[row, 0]}  # fmt: skip


def each_episode_its_own_row(given, found, again):
    """And beyond the last, the last one's."""
    wanted = np.minimum(given.block * W + np.arange(W), ROOM - 1)
    np.testing.assert_array_equal(found.window, wanted)
    assert (again(block=1).window == ROOM - 1).all()


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
    if v.t == 0:
        return {"window": v.window}
    first, count = int(v.paths.block_first[int(v.window)]), int(v.paths.block_count[int(v.window)])
    word, choice, *_ = words(v, v.t)
    return {"window": twin.row_of_step(int(v.window), v.ends, word, choice, first, count)}


def keeps_the_time_of_day(given, found, again):
    np.testing.assert_array_equal(found.window // 4, given.window // 4)
    np.testing.assert_array_equal(again(ends=0.0).window, given.window)
    if given.t == 0:
        np.testing.assert_array_equal(again(ends=1.0).window, given.window)
        return
    always = again(ends=1.0).window
    assert all((always == row).any() for row in np.unique(given.window // 4 * 4))  # also the row itself may be drawn


def follow(v, as_they_are):
    row = int(v.window)
    after = twin.mid_after(v.mid, v.paths.mid[row].tolist(), v.t, as_they_are)
    return {
        "spread": v.paths.spread[row, v.t], "next_spread": v.paths.spread[row, v.t + 1],
        "volume": v.paths.volume[row, v.t], "next": after,
        "sum_squared_moves": v.sum_squared_moves + steps.squared_move(v.mid, after),
    }  # fmt: skip


def levels_are_kept(given, found, again):
    """Where the price is changes nothing of where it goes."""
    np.testing.assert_array_equal(again(mid=2.0 * given.mid).next, found.next)
    np.testing.assert_array_equal(found.next, given.paths.mid[given.window.astype(int), given.t + 1])


def moves_are_kept(given, found, again):
    twice = again(mid=2.0 * given.mid)
    np.testing.assert_allclose(twice.next, 2.0 * found.next, rtol=1e-15)
    np.testing.assert_array_equal(twice.volume, found.volume)


def offer(v):
    return {"traded": v.volume, "volume": v.paths.rate_volume[int(v.window), v.t]}


def who_trades_meets_what_traded(given, found, again):
    """Where there was a volume it is what strategies meet; what traded changes nothing of what they meet elsewhere."""
    row, t = given.window.astype(int), given.t
    some = given.paths.volume[row, t] > 0.0
    np.testing.assert_array_equal(found.volume[some], given.paths.volume[row, t][some])
    np.testing.assert_array_equal(again(volume=given.volume + 1.0).volume, found.volume)


def know(v):
    return {f"signal_{j}": v.paths.signals[j, int(v.window), v.t] for j in range(2)}


def nothing_of_other_steps_is_known(given, found, again):
    """Nor of other rows; and who has fewer signals leaves the others' fields."""
    signals = given.paths.signals.copy()
    signals[:, :, given.t] = np.nan
    signals[:, given.window.astype(int), given.t] = given.paths.signals[:, given.window.astype(int), given.t]
    signals[:, :, np.arange(STEPS) != given.t] = np.nan
    changed = again(paths=given.paths._replace(signals=signals))
    np.testing.assert_array_equal(changed.signal_1, found.signal_1)
    one = again(paths=given.paths._replace(signals=given.paths.signals[:1].copy()), signal_1=7.0)
    np.testing.assert_array_equal(one.signal_1, 7.0)


def traded_is_what_was_last(given, found, again):
    np.testing.assert_array_equal(again(volume=7.0).last_volume, given.traded)


def clock(x):
    return Clock(np.uint64(x.seed), x.block, x.t, STEPS)


def plan(x):
    return plan_of(STEPS, restart=x.ends, phase=x.phase)


STEP = {"t": st.integers(0, STEPS - 1), "ends": st.sampled_from([0.1, 0.7])}
ROWS = (
    Lanes("given.begin_given", lambda x: (Clock(np.uint64(0), x.block, 0, STEPS), x.paths, x.m), begin_given, {},
          each_episode_its_own_row, others={"block": st.integers(0, 2), **PATHS}, rtol=0.0, each=True),
    Lanes("given.begin_joined",
          lambda x: (Clock(np.uint64(x.seed), x.block, 0, STEPS), plan_of(STEPS, phase=x.phase), x.paths, x.words, x.p, x.m),
          begin_joined, {"initial_price": real(1.0, 1e4)}, rows_are_as_likely, others={**BLOCK, **PATHS}, rtol=0.0,
          scratch="w0 w1 w2 w3", tries=10, each=True),
    Lanes("given.rejoin", lambda x: (clock(x), plan(x), x.paths, x.words, x.m), rejoin, ROW, keeps_the_time_of_day,
          others={**BLOCK, **PATHS, **STEP}, rtol=0.0, scratch="w0 w1 w2 w3", tries=15, each=True),
    Lanes("given.follow_given", lambda x: (x.t, x.paths, x.m), lambda v: follow(v, True), {**ROW, **MIDS}, levels_are_kept,
          others={**PATHS, **STEP}),
    Lanes("given.offer", lambda x: (x.t, x.paths, x.m), offer, {**ROW, "volume": real(0.0, 1e4)}, who_trades_meets_what_traded,
          others={**PATHS, **STEP}, rtol=0.0),
    Lanes("given.know_signals", lambda x: (x.t, x.paths, x.m), know, {**ROW, "signal_1": real(-3.0, 3.0)},
          nothing_of_other_steps_is_known, others={**PATHS, **STEP}, rtol=0.0),
    Lanes("given.remember_traded", lambda x: (x.m,), lambda v: {"last_volume": v.traded}, {"traded": real(0.0, 1e4)},
          traded_is_what_was_last, rtol=0.0),
    Lanes("given.follow_joined", lambda x: (x.t, x.paths, x.m), lambda v: follow(v, False), {**ROW, **MIDS}, moves_are_kept,
          others={**PATHS, **STEP}),
)  # fmt: skip

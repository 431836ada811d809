"""What was decided elsewhere is read, and the market's path is written: each lane the row of its own episode."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from fastexec.kernels import fields as f
from fastexec.kernels.buffers import example_output
from fastexec.kernels.clock import Clock, Span
from fastexec.kernels.record import recorded_for
from rows.books import HIGH, LOW, OFFSET, only_inside, written
from rows.plans import plan_of, strategies_of
from trials import Lanes, W, arrays, real

STEPS, ROOM = 3, W + 5


def deciding(x):
    clock = Clock(np.uint64(0), x.block, x.t, STEPS)
    kinds = strategies_of(2, STEPS, kind=f.DECIDED, slot=1).kinds
    return clock, 1, kinds, x.p, x.b, f.DecidedOutput(*example_output(), x.slices)


def as_decided(v):
    q = v.slices[1, min(v.block * W + v.i, ROOM - 1), v.t]
    return {"slice": v.remaining if abs(q - v.remaining) <= 1e-9 * v.shares else q}


def each_episode_its_own(given, found, again):
    """Whatever is left, but for a hair of it; the steps and the other strategies' rows are not looked at."""
    rows = np.minimum(given.block * W + np.arange(W), ROOM - 1)
    wanted = given.slices[1, rows, given.t]
    np.testing.assert_array_equal(again(remaining=1e9).slice, wanted)
    np.testing.assert_array_equal(again(remaining=wanted * (1 + 1e-13)).slice, wanted * (1 + 1e-13))
    other = given.slices.copy()
    other[0], other[:, :, : given.t], other[:, :, given.t + 1 :] = np.nan, np.nan, np.nan
    np.testing.assert_array_equal(again(slices=other).slice, found.slice)


def noting(x):
    x.recorded = recorded_for(OFFSET + W + 1, STEPS)
    for array in x.recorded:
        array[:] = -7.0
    switches = plan_of(STEPS, source=x.source).switches
    return x.t, Span(LOW, HIGH, OFFSET), switches, x.m, x.recorded


def outputs_of(x):
    r, t = x.recorded, x.t
    columns = {"mids": r.mid[:, t], "mids after": r.mid[:, t + 1], "spreads": r.spread[:, t],
               "spreads after": r.spread[:, t + 1], "volumes": r.volume[:, t], "arrivals": r.arrival}  # fmt: skip
    return {name: written(column) for name, column in columns.items()}


def note_market(v):
    volume = v.volume if v.source == f.SYNTHETIC else v.traded
    return only_inside(v, {"mids": v.mid, "mids after": v.next, "spreads": v.spread, "spreads after": v.next_spread,
                           "volumes": volume, "arrivals": v.arrival})  # fmt: skip


def nothing_else_is_written(given, found, again):
    twice = again(volume=2.0 * given.volume, traded=2.0 * given.traded)
    inside = slice(LOW, HIGH)
    np.testing.assert_array_equal(twice.outputs["volumes"][inside], 2.0 * found.outputs["volumes"][inside])
    np.testing.assert_array_equal(twice.outputs["mids"], found.outputs["mids"])


SLICES = arrays(lambda rng: rng.choice([0.0, 1.0, 33.3, 500.0], (2, ROOM, STEPS)))
STEP = {"t": st.integers(0, STEPS - 1)}
ROWS = (
    Lanes("episode.as_decided", deciding, as_decided,
          {"remaining": st.sampled_from([0.0, 1.0, 33.3, 500.0 * (1 + 1e-12), 1e4]), "shares": real(600.0, 1e5)},
          each_episode_its_own, others={**STEP, "slices": SLICES, "block": st.integers(0, 2)}, rtol=0.0, each=True, tries=10),
    Lanes("record.note_market", noting, note_market,
          {name: real(0.0, 1e4) for name in ("mid", "next", "spread", "next_spread", "volume", "traded", "arrival")},
          nothing_else_is_written, others={**STEP, "source": st.sampled_from([f.SYNTHETIC, f.GIVEN, f.JOINED])},
          outputs=outputs_of, rtol=0.0, each=True),
)  # fmt: skip

"""Every step of an episode, for those who want to look at one: the outcome of each slice, told share by share; or the market's
own path alone.
"""

from typing import NamedTuple

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, bound_to, stage
from fastexec.kernels.buffers import example_output
from fastexec.kernels.door import F8, held, within
from fastexec.kernels.execute import price_of
from fastexec.kernels.ledger import fills_at
from fastexec.kernels.study_door import check_study
from fastexec.kernels.walk import Stages, Walk


@bound_to(output=example_output)
@stage
def record(clock, span, k, kind, plan, lanes, output):
    """Write a step of strategy k between its outcome and the ledger."""
    steps, (price, quote) = output.steps, fills_at(kind)
    volume = f.VOLUME if plan.switches[f.SOURCE] == f.SYNTHETIC else f.TRADED
    p, m, b, count = lanes.parameters, lanes.market, lanes.ledgers[k], lanes.ledgers.shape[0]
    for i in range(span.low, span.high):
        r = ((span.offset + i) * count + k) * clock.steps + clock.t
        q = b[f.SLICE + i]
        paid = np.nan
        if q > 0.0:
            mid = m[price + i]
            paid = mid + plan.numbers[f.SIDE] * price_of(i, mid, m[quote + i], p, b)
        steps[f.STEP_MID, r] = m[f.MID + i]
        steps[f.STEP_SPREAD, r] = m[f.SPREAD + i]
        steps[f.STEP_VOLUME, r] = m[volume + i]
        steps[f.STEP_SHARES, r] = q
        steps[f.STEP_PRICE, r] = paid
        steps[f.STEP_REMAINING, r] = b[f.REMAINING + i] - q
        before = p[f.PERMANENT_COEFFICIENT + i] * (p[f.SHARES + i] - b[f.REMAINING + i])
        steps[f.STEP_IMPACT, r] = before + b[f.IMPACT + i]
        for j in range(plan.switches[f.SIGNALS]):
            steps[f.STEP_IMPACT + 1 + j, r] = m[f.SIGNAL_0 + j * LANES + i]


class Recorded(NamedTuple):
    """Markets: ``mid`` and ``spread`` float64[e, t + 1], ``volume`` (what traded) float64[e, t], ``arrival`` float64[e]."""

    mid: np.ndarray
    spread: np.ndarray
    volume: np.ndarray
    arrival: np.ndarray


def recorded_for(episodes: int, steps: int) -> Recorded:
    """Uninitialised rows."""
    ends = episodes, steps + 1
    return Recorded(np.empty(ends), np.empty(ends), np.empty((episodes, steps)), np.empty(episodes))


def _example() -> Recorded:
    """For types."""
    return recorded_for(1, 1)


@bound_to(recorded=_example)
@stage
def note_market(t, span, switches, m, recorded):
    """Write step t of the market, with the mid and the quote at its end."""
    volume = f.VOLUME if switches[f.SOURCE] == f.SYNTHETIC else f.TRADED
    for i in range(span.low, span.high):
        r = span.offset + i
        recorded.arrival[r] = m[f.ARRIVAL + i]
        recorded.volume[r, t] = m[volume + i]
        recorded.mid[r, t] = m[f.MID + i]
        recorded.mid[r, t + 1] = m[f.NEXT + i]
        recorded.spread[r, t] = m[f.SPREAD + i]
        recorded.spread[r, t + 1] = m[f.NEXT_SPREAD + i]


def _door(episodes, plan, strategies, paths, lanes, functions, recorded):
    _, first, count, base = episodes
    within("episodes: base", base, first, first)
    steps = check_study((first, count), plan, strategies, paths, lanes, functions)
    held("recorded.mid", recorded.mid, F8, count, steps + 1)
    held("recorded.spread", recorded.spread, F8, count, steps + 1)
    held("recorded.volume", recorded.volume, F8, count, steps)
    held("recorded.arrival", recorded.arrival, F8, count)


def _stages(world):
    """Record the markets of a ``World``; ``own`` is a ``Recorded``, and nobody trades."""
    return Stages([], (), (note_market,))


record_markets = Walk("record_markets", _door, _stages)

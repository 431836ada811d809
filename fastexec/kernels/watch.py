"""Market paths as a learner sees them: states and cost factors step by step, and the words that its choices are drawn from."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, entry, stage
from fastexec.kernels.door import F8, I4, U1, U4, held
from fastexec.kernels.elementary import power
from fastexec.kernels.episode import example_study, leave_step, open_block
from fastexec.kernels.given import follow_paths
from fastexec.kernels.market import advance, draw, observe
from fastexec.kernels.parameters import fix_parameters
from fastexec.kernels.philox import ACTIONS, draw_words
from fastexec.kernels.room import lanes_for
from fastexec.kernels.state import encode
from fastexec.kernels.study_door import check_study, codes_of


class Watched(NamedTuple):
    """``states`` int32[e, t]: market states; ``factors`` float64[e, t, 3]: half spread, temporary factor and half spread at
    the step's end, bps of the order's value; ``traded`` uint8[e, t]; ``words`` uint32[e, t, 2].
    """

    states: np.ndarray
    factors: np.ndarray
    traded: np.ndarray
    words: np.ndarray


def watch_range(
    seed: np.uint64, first: int, count: int, plan: f.Plan, strategies: f.Strategies, paths: f.Paths, seen: Watched
) -> None:
    """Episodes ``first <= e < first + count`` into rows e - first of ``seen``; the market features are strategy 0's."""
    watch_blocks((seed, first, count), plan, strategies, paths, seen, lanes_for())


def _example() -> tuple[Any, ...]:
    seen = Watched(
        np.zeros((1, 1), np.int32), np.zeros((1, 1, 3)), np.zeros((1, 1), np.uint8), np.zeros((1, 1, 2), np.uint32)
    )
    return (np.uint64(0), 0, 1), *example_study(), seen, lanes_for()


def _door(episodes, plan, strategies, paths, seen, lanes):
    _, first, count = episodes
    steps = check_study((first, count), plan, strategies, paths, lanes)
    codes_of(strategies)
    held("seen.states", seen.states, I4, count, steps)
    held("seen.factors", seen.factors, F8, count, steps, 3)
    held("seen.traded", seen.traded, U1, count, steps)
    held("seen.words", seen.words, U4, count, steps, 2)


@entry(_example, _door, references=False)
def watch_blocks(episodes, plan, strategies, paths, seen, lanes):
    """Block after block."""
    seed, first, count = episodes
    p, m, normals, words, raw, ledgers, _ = lanes
    b = ledgers[0]
    switches, curves, chains = plan.switches, plan.curves, plan.chains
    steps, given = switches[f.STEPS], switches[f.SOURCE] != f.SYNTHETIC
    fix_parameters(plan, p)
    for block in range(first // LANES, (first + count + LANES - 1) // LANES):
        span = (max(first - block * LANES, 0), min(first + count - block * LANES, LANES), block * LANES - first)
        open_block(seed, block, plan, paths, (words, raw), p, m, ledgers)
        for t in range(steps):
            if given:
                follow_paths(seed, block, t, plan, paths, words, m)
            else:
                draw(seed, block, t, switches, words, raw, normals, p)
                advance(t, switches, curves, chains, normals, p, m)
            observe(t, m)
            encode(strategies, np.int64(0), t, p, m, b)
            stream = np.uint32(switches[f.PHASE] << 30 | ACTIONS << 24 | strategies.kinds[0, f.OWNER])
            draw_words(seed, block, t, stream, words)
            note(t, span, switches[f.TEMPORARY_KIND] == f.TEMPORARY_LINEAR, words, p, m, b, seen)
            leave_step(given or t == steps - 1, t, switches, curves, chains, normals, p, m)


@stage
def note(t, span, linear, words, p, m, b, seen):
    """Step t of a block's episodes; ``span`` is (first and last lane, row of lane 0)."""
    low, high, offset = span
    for i in range(low, high):
        e, volume, to_bps = offset + i, m[f.VOLUME + i], 1e4 / m[f.ARRIVAL + i]
        rate = p[f.SHARES + i] / (volume if volume > 0.0 else 1.0)
        of_rate = 0.0 if linear else power(rate, p[f.TEMPORARY_EXPONENT + i])
        seen.states[e, t] = np.int32(b[f.STATE + i])
        seen.factors[e, t, 0] = 0.5 * m[f.MID + i] * m[f.SPREAD + i] * to_bps
        seen.factors[e, t, 1] = m[f.MID + i] * p[f.TEMPORARY_COEFFICIENT + i] * of_rate * to_bps
        seen.factors[e, t, 2] = 0.5 * m[f.NEXT + i] * m[f.SPREAD + i] * to_bps
        seen.traded[e, t] = np.uint8(volume > 0.0)
        seen.words[e, t, 0] = words[f.FIRST + i]
        seen.words[e, t, 1] = words[f.SECOND + i]

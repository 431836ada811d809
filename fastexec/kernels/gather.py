"""What a sample of market paths tells a backward programme: how states follow each other, and what trading costs in them.

Trying every inventory and every action on every sampled path (Nevmyvaka, Feng and Kearns 2006) adds, for a step and a
market state, the same numbers over and over: a slice costs a factor times its size and another times a power of its size,
and what follows depends on the path through its next state alone. So the sums of the two factors and the counts of what
follows what are all that the sample has to say, and they are gathered once.

Sums are integers (fixed point): threads may add them in any order.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, entry, stage
from fastexec.kernels.door import F8, I8, held, sizes, within
from fastexec.kernels.elementary import power
from fastexec.kernels.episode import example_study, leave_step, open_block
from fastexec.kernels.given import follow_paths
from fastexec.kernels.market import advance, draw, observe
from fastexec.kernels.parameters import fix_parameters
from fastexec.kernels.room import lanes_for
from fastexec.kernels.state import encode
from fastexec.kernels.study_door import check_study, codes_of


class Gathered(NamedTuple):
    """``go`` and ``stay`` int64[t, x, x']: how often x' followed x in step t, with volume and without; ``costs``
    int64[t, x, 3]: sums of the half spread, of the temporary factor and of the half spread at the step's end, bps of the
    order's value, times ``scale[0]``; ``fault`` int64[1]: values beyond the bounds ``scale[1]``, ``scale[2]``.
    """

    go: np.ndarray
    stay: np.ndarray
    costs: np.ndarray
    scale: np.ndarray
    fault: np.ndarray


def gather_range(
    seed: np.uint64, first: int, count: int, plan: f.Plan, strategies: f.Strategies, paths: f.Paths, sums: Gathered
) -> None:
    """Add episodes ``first <= e < first + count`` to ``sums``; the market features are those of strategy 0."""
    gather_blocks((seed, first, count), plan, strategies, paths, sums, lanes_for(), np.zeros((2, LANES), np.int64))


def _example() -> tuple[Any, ...]:
    cube = np.zeros((1, 1, 1), np.int64)
    sums = Gathered(cube, cube, cube, np.ones(3), np.zeros(1, np.int64))
    return (np.uint64(0), 0, 1), *example_study(), sums, lanes_for(), np.zeros((2, LANES), np.int64)


def _door(episodes, plan, strategies, paths, sums, lanes, passed):
    _, first, count = episodes
    steps = check_study((first, count), plan, strategies, paths, lanes)
    states = sizes("sums.go", sums.go, 3)[1]
    within("sums.go: states", states, codes_of(strategies))
    held("sums.go", sums.go, I8, steps, states, states)
    held("sums.stay", sums.stay, I8, steps, states, states)
    held("sums.costs", sums.costs, I8, steps, states, 3)
    held("sums.scale", sums.scale, F8, 3)
    held("sums.fault", sums.fault, I8, 1)
    held("passed", passed, I8, 2, LANES)


@entry(_example, _door, references=False)
def gather_blocks(episodes, plan, strategies, paths, sums, lanes, passed):
    """Block after block; ``passed`` int64[2, lane]: the state one step ago, and whether there was volume."""
    seed, first, count = episodes
    p, m, normals, words, raw, ledgers, _ = lanes
    b, before, traded = ledgers[0], passed[0], passed[1]
    switches, curves, chains = plan.switches, plan.curves, plan.chains
    steps, given = switches[f.STEPS], switches[f.SOURCE] != f.SYNTHETIC
    fix_parameters(plan, p)
    for block in range(first // LANES, (first + count + LANES - 1) // LANES):
        low, high = max(first - block * LANES, 0), min(first + count - block * LANES, LANES)
        open_block(seed, block, plan, paths, (words, raw), p, m, ledgers)
        for t in range(steps):
            if given:
                follow_paths(seed, block, t, plan, paths, words, m)
            else:
                draw(seed, block, t, switches, words, raw, normals, p)
                advance(t, switches, curves, chains, normals, p, m)
            observe(t, m)
            encode(strategies, np.int64(0), t, p, m, b)
            if t > 0:
                count_transitions(t - 1, low, high, before, traded, b, sums)
            add_costs(t, low, high, switches[f.TEMPORARY_KIND] == f.TEMPORARY_LINEAR, p, m, b, sums)
            for i in range(LANES):
                before[i], traded[i] = np.int64(b[f.STATE + i]), np.int64(m[f.VOLUME + i] > 0.0)
            leave_step(given or t == steps - 1, t, switches, curves, chains, normals, p, m)
        for i in range(LANES):
            b[f.STATE + i] = 0.0  # behind the last step there is one state
        count_transitions(steps - 1, low, high, before, traded, b, sums)


@stage
def count_transitions(t, low, high, before, traded, b, sums):
    """The state of each lane after the one before."""
    for i in range(low, high):
        now = np.int64(b[f.STATE + i])
        if traded[i]:
            sums.go[t, before[i], now] += 1
        else:
            sums.stay[t, before[i], now] += 1


@stage
def add_costs(t, low, high, linear, p, m, b, sums):
    """The step's factors: of the slice (half spread), of its power (temporary), and the half spread at the step's end."""
    scale, most_spread, most_temporary = sums.scale[0], sums.scale[1], sums.scale[2]
    for i in range(LANES):
        volume = m[f.VOLUME + i]
        ratio = p[f.SHARES + i] / (volume if volume > 0.0 else 1.0)
        b[f.VALUE + i] = 0.0 if linear else power(ratio, p[f.TEMPORARY_EXPONENT + i])
    for i in range(low, high):
        x, to_bps = np.int64(b[f.STATE + i]), 1e4 / m[f.ARRIVAL + i]
        half = 0.5 * m[f.MID + i] * m[f.SPREAD + i] * to_bps
        temporary = m[f.MID + i] * p[f.TEMPORARY_COEFFICIENT + i] * b[f.VALUE + i] * to_bps
        end = 0.5 * m[f.NEXT + i] * m[f.SPREAD + i] * to_bps
        if not (half <= most_spread and end <= most_spread and temporary <= most_temporary):
            sums.fault[0] += 1
        elif m[f.VOLUME + i] > 0.0:
            sums.costs[t, x, 0] += np.int64(half * scale)
            sums.costs[t, x, 1] += np.int64(temporary * scale)
        sums.costs[t, x, 2] += np.int64(end * scale) if end <= most_spread else 0

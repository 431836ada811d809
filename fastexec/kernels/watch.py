"""What learners watch: market paths with states, cost factors and the words that choices are drawn from; and, in a pilot run,
what a schedule observes step by step, by the same kernel that an agent will see by.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import entry, stage
from fastexec.kernels.bins import encode
from fastexec.kernels.door import F8, I4, U1, U4, held, within
from fastexec.kernels.episode import example_study
from fastexec.kernels.execute import execute, find_factors
from fastexec.kernels.ledger import book, close_horizon
from fastexec.kernels.observe import observe_feature
from fastexec.kernels.parameters import fix_parameters
from fastexec.kernels.room import lanes_for
from fastexec.kernels.strategy import decide, draw_choices
from fastexec.kernels.study_door import check_study, codes_of, observed_by
from fastexec.kernels.walk import Clock, blocks_of, leave_step, open_block, open_step, span_of


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
    p, m, b, steps = lanes.parameters, lanes.market, lanes.ledgers[0], plan.switches[f.STEPS]
    fix_parameters(plan, p)
    for block in blocks_of(first, count):
        span = span_of(block, first, count, first)
        open_block(Clock(seed, block, 0, steps), plan, paths, lanes)
        for t in range(steps):
            clock = Clock(seed, block, t, steps)
            open_step(clock, plan, paths, lanes)
            encode(strategies, np.int64(0), t, p, m, b)
            find_factors(plan.switches, p, m, b)
            draw_choices(clock, np.int64(0), plan, strategies, lanes.words)
            note(t, span, lanes, seen)
            leave_step(clock, plan, lanes)


@stage
def note(t, span, lanes, seen):
    """Step t of a block's episodes."""
    m, b, words = lanes.market, lanes.ledgers[0], lanes.words
    for i in range(span.low, span.high):
        e = span.offset + i
        seen.states[e, t] = np.int32(b[f.STATE + i])
        seen.factors[e, t, 0] = b[f.FACTOR_SPREAD + i]
        seen.factors[e, t, 1] = b[f.FACTOR_TEMPORARY + i]
        seen.factors[e, t, 2] = b[f.FACTOR_END + i]
        seen.traded[e, t] = np.uint8(m[f.VOLUME + i] > 0.0)
        seen.words[e, t, 0] = words[f.FIRST + i]
        seen.words[e, t, 1] = words[f.SECOND + i]


def observe_range(
    seed: np.uint64, first: int, count: int, plan: f.Plan, strategies: f.Strategies, paths: f.Paths, values: np.ndarray
) -> None:
    """The features of strategy 0, a schedule or POV, before any bins in episodes ``first <= e < first + count``, into
    ``values`` float64[feature, e - first, t].
    """
    observe_blocks((seed, first, count), plan, strategies, paths, values, lanes_for())


def _observed_example() -> tuple[Any, ...]:
    return (np.uint64(0), 0, 1), *example_study(), np.zeros((1, 1, 1)), lanes_for()


def _observed_door(episodes, plan, strategies, paths, values, lanes):
    _, first, count = episodes
    steps = check_study((first, count), plan, strategies, paths, lanes)
    features = observed_by(strategies)
    within("strategies.kinds[KIND] of strategy 0", int(strategies.kinds[0, f.KIND]), f.SCHEDULE, f.POV)
    held("values", values, F8, features, count, steps)


@entry(_observed_example, _observed_door, references=False)
def observe_blocks(episodes, plan, strategies, paths, values, lanes):
    """Block after block."""
    seed, first, count = episodes
    p, m, b, steps = lanes.parameters, lanes.market, lanes.ledgers[0], plan.switches[f.STEPS]
    price = np.int64(f.NEXT if strategies.kinds[0, f.FILLS_AT_NEXT] else f.MID)
    fix_parameters(plan, p)
    for block in blocks_of(first, count):
        span = span_of(block, first, count, first)
        open_block(Clock(seed, block, 0, steps), plan, paths, lanes)
        for t in range(steps):
            clock = Clock(seed, block, t, steps)
            open_step(clock, plan, paths, lanes)
            note_features(t, span, strategies, p, m, b, values)
            fraction, rate = strategies.fractions[0, 0, t + 1], strategies.levels[0, 0]
            decide(strategies.kinds[0, f.KIND], fraction, rate, plan.numbers[f.LOT], p, m, b)
            if t == steps - 1:
                close_horizon(plan.switches[f.HORIZON], m, b)
            execute(plan.switches, p, m, b)
            book(t, price, plan.switches, p, m, b)
            leave_step(clock, plan, lanes)


@stage
def note_features(t, span, strategies, p, m, b, values):
    """What the block's episodes observe in step t."""
    for j in range(strategies.kinds[0, f.FEATURES]):
        observe_feature(t, strategies.features[0, j], strategies.kinds[0, f.SEES_VOLUME], p, m, b)
        for i in range(span.low, span.high):
            values[j, span.offset + i, t] = b[f.VALUE + i]

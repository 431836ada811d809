"""What learners watch: market paths with states, cost factors and the words that choices are drawn from; and, in a pilot run,
what a schedule observes step by step, by the same kernel that an agent will see by.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, bound, bound_to, stage
from fastexec.kernels.door import F8, I4, U1, U4, held, within
from fastexec.kernels.execute import finding
from fastexec.kernels.gather import observe_state
from fastexec.kernels.ledger import booking, end_order
from fastexec.kernels.observe import observe_feature
from fastexec.kernels.parts import outcome
from fastexec.kernels.rest import factoring
from fastexec.kernels.strategy import DECISIONS, draw_choices
from fastexec.kernels.study_door import check_study, codes_of, observed_by
from fastexec.kernels.walk import Episodes, Stages, Walk


class Watched(NamedTuple):
    """``states`` int32[e, t]: market states; ``factors`` float64[e, t, 5]: half spread and temporary factor, the same of what
    is left at the step's end, and what holding the order through the move is expected to cost, bps of the order's
    value; ``traded`` uint8[e, t]; ``words`` uint32[e, t, 2].
    """

    states: np.ndarray
    factors: np.ndarray
    traded: np.ndarray
    words: np.ndarray


def watch_range(
    seed: np.uint64, first: int, count: int, plan: f.Plan, strategies: f.Strategies, paths: f.Paths, seen: Watched
) -> None:
    """Episodes ``first <= e < first + count`` into rows e - first of ``seen``; the market features are strategy 0's."""
    watch_blocks.over(Episodes(seed, first, count, first), (plan, strategies, paths), seen)


def example_seen() -> Watched:
    """For types."""
    return Watched(
        np.zeros((1, 1), np.int32), np.zeros((1, 1, 5)), np.zeros((1, 1), np.uint8), np.zeros((1, 1, 2), np.uint32)
    )


def _door(episodes, plan, strategies, paths, lanes, functions, seen):
    _, first, count, base = episodes
    within("episodes: base", base, first, first)
    steps = check_study((first, count), plan, strategies, paths, lanes, functions)
    codes_of(strategies)
    held("seen.states", seen.states, I4, count, steps)
    held("seen.factors", seen.factors, F8, count, steps, 5)
    held("seen.traded", seen.traded, U1, count, steps)
    held("seen.words", seen.words, U4, count, steps, 2)


@bound
@stage
def draw_own_choices(clock, plan, strategies, words):
    """The words that a learner chooses by."""
    draw_choices(clock, np.int64(0), plan, strategies, words)


@bound
@stage
def expect_nothing(b):
    """Of a move whose mean is zero."""
    for i in range(LANES):
        b[f.FACTOR_MOVE + i] = 0.0


@bound_to(seen=example_seen)
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
        seen.factors[e, t, 3] = b[f.FACTOR_END_TEMPORARY + i]
        seen.factors[e, t, 4] = b[f.FACTOR_MOVE + i]
        seen.traded[e, t] = np.uint8(m[f.VOLUME + i] > 0.0)
        seen.words[e, t, 0] = words[f.FIRST + i]
        seen.words[e, t, 1] = words[f.SECOND + i]


def _stages(world):
    """Watch; ``own`` is what is ``Watched``."""
    switches = world.plan.switches
    none = () if switches[f.SPLIT] else (expect_nothing,)
    factors = (*none, *finding(switches), factoring(switches))
    return Stages([(observe_state, *factors, draw_own_choices, note)], ())


watch_blocks = Walk("watch_blocks", _door, _stages)


class Observed(NamedTuple):
    """``values`` float64[feature, e, t]: of each feature before any bins."""

    values: np.ndarray


def example_observed() -> Observed:
    """For types."""
    return Observed(np.zeros((1, 1, 1)))


def observe_range(
    seed: np.uint64, first: int, count: int, plan: f.Plan, strategies: f.Strategies, paths: f.Paths, values: np.ndarray
) -> None:
    """The features of strategy 0, a schedule, POV or table, before any bins in episodes ``first <= e < first + count``, into
    ``values`` float64[feature, e - first, t].
    """
    observe_blocks.over(Episodes(seed, first, count, first), (plan, strategies, paths), Observed(values))


def _observed_door(episodes, plan, strategies, paths, lanes, functions, observed):
    _, first, count, base = episodes
    within("episodes: base", base, first, first)
    steps = check_study((first, count), plan, strategies, paths, lanes, functions)
    features = observed_by(strategies)
    kind = int(strategies.kinds[0, f.KIND])
    within("strategies.kinds[KIND] of strategy 0", f.SCHEDULE if kind == f.TABLE else kind, f.SCHEDULE, f.POV)
    held("observed.values", observed.values, F8, features, count, steps)


@bound_to(observed=example_observed)
@stage
def note_features(clock, span, strategies, p, m, b, observed):
    """What the block's episodes observe in the step."""
    for j in range(strategies.kinds[0, f.FEATURES]):
        observe_feature(clock, strategies.features[0, j], strategies.kinds[0, f.SEES_VOLUME], p, m, b)
        for i in range(span.low, span.high):
            observed.values[j, span.offset + i, clock.t] = b[f.VALUE + i]


def _observed_stages(world):
    """Observe what strategy 0 does; ``own`` is what is ``Observed``."""
    switches, kind = world.plan.switches, int(world.strategies.kinds[0, f.KIND])
    played = (note_features, DECISIONS[kind], end_order, *outcome(switches), *booking(switches))
    return Stages([played], ())


observe_blocks = Walk("observe_blocks", _observed_door, _observed_stages)

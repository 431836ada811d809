"""A block stops between two steps and goes on in another call: opened, stepped and closed one by one it has the same bits.

All that it knows lies in its lanes, so between the calls these are copied to other memory, and the old one is spoilt.
"""

from __future__ import annotations

import numpy as np
import pytest

from conftest import small_study
from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, entry
from fastexec.kernels.episode import example_study, output_for, play, plugin_slots
from fastexec.kernels.parameters import fix_parameters
from fastexec.kernels.room import Lanes, lanes_for
from fastexec.kernels.walk import Clock, close_block, leave_step, open_block, open_step, span_of
from fastexec.simulation import prepare


def example():
    plan, strategies, paths = example_study()
    output, lanes = output_for(plan, strategies, 1), lanes_for(1, f.CLOSED_FIELDS)
    return Clock(np.uint64(0), 0, 0, 1), (0, 1), plan, strategies, paths, output, plugin_slots(), lanes


@entry(example, lambda *_: None, references=False)
def go_on(clock, episodes, plan, strategies, paths, output, plugins, lanes):
    """Open the block before step 0, close it behind the last one, and play the step between."""
    first, count = episodes
    span = span_of(clock.block, first, count, first)
    if clock.t < 0:
        fix_parameters(plan, lanes.parameters)
        open_block(clock, plan, paths, lanes)
    elif clock.t < clock.steps:
        open_step(clock, plan, paths, lanes)
        for k in range(strategies.kinds.shape[0]):
            play(clock, span, k, plan, strategies, plugins, lanes, output)
        leave_step(clock, plan, lanes)
    else:
        close_block(span, plan, lanes, output)


def moved(lanes):
    copies = Lanes(*(array.copy() for array in lanes))
    for array in lanes:
        array.fill(77)
    return copies


@pytest.mark.parametrize("spread", ["mean_reverting", "random_walk"])
@pytest.mark.parametrize("drawn", [False, True])
def test_a_block_that_stops_between_steps_has_the_same_bits(spread, drawn):
    volatility = {"low": 0.001, "high": 0.002} if drawn else 0.001
    levels = {"mean": 0.0004} if spread == "mean_reverting" else {"initial": 0.0004, "volatility": 0.0001}
    market = {"price": {"volatility": volatility}, "spread": {"model": spread, **levels}}
    study = small_study(market=market, order={"steps": 5})
    prepared = prepare(study)
    plan, strategies, paths = prepared.arrays
    first, count = LANES // 2, 2 * LANES  # cuts two of three blocks
    output = output_for(plan, strategies, count)
    output.episodes.fill(-1.0)
    for block in range(3):
        lanes = lanes_for(len(study.strategies), f.CLOSED_FIELDS)
        for t in range(-1, study.order.steps + 1):
            clock = Clock(np.uint64(study.seed), block, t, study.order.steps)
            go_on(clock, (first, count), plan, strategies, paths, output, plugin_slots(), lanes)
            lanes = moved(lanes)
    whole = prepared.run(first, count)
    for j, name in enumerate(f.EPISODE_COLUMNS):
        if name in whole.episodes:
            np.testing.assert_array_equal(output.episodes[j], whole.episodes[name], err_msg=name)
    for j, name in enumerate(f.MARKET_COLUMNS):
        np.testing.assert_array_equal(output.markets[j], whole.markets[name], err_msg=name)

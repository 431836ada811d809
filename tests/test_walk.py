"""A block stops between two steps and goes on in another call: opened, stepped and closed one by one it has the same bits.

All that it knows lies in its lanes, so between the calls these are copied to other memory, and the old one is spoilt.
"""

from __future__ import annotations

import numpy as np
import pytest

from conftest import small_study
from fastexec.kernels import fields as f, walk, world as w
from fastexec.kernels._bind import standing
from fastexec.kernels._jit import LANES, entry
from fastexec.kernels.buffers import Lanes, lanes_for, output_for
from fastexec.kernels.clock import Episodes
from fastexec.kernels.episode import simulate_blocks
from fastexec.simulation import prepare


@entry(lambda: (*walk._example(), 0, 0, 0, 0), lambda *_: None, references=False)
def go_on(world, addresses, row, block, t, k):
    """One row of the stages of a walk."""
    walk.call_row(addresses, row, world, block, t, k)


def rows(steps, strategies):
    """(row, step, strategy) in the order of a walk, in pieces between which the block stops."""
    yield [(walk.START, 0, 0), (walk.BEFORE, -1, 0), (walk.OPEN, 0, 0)]
    for t in range(steps):
        first = walk.PLAY + (strategies if t == steps - 1 else 0)
        played = [(first + k, t, k) for k in range(strategies)]
        yield [(walk.STEP, t, 0), *played, (walk.LEAVE, t, 0)]
    yield [(walk.CLOSE, steps - 1, 0)]


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
        for piece in rows(study.order.steps, len(study.strategies)):
            world = w.World(
                Episodes(np.uint64(study.seed), first, count, first),
                plan,
                strategies,
                paths,
                lanes,
                np.zeros(0, np.int64),
                output,
            )
            addresses = walk.addresses_of(plan, simulate_blocks.stages_of(world), len(study.strategies))
            with standing(world) as table:
                for row, t, k in piece:
                    go_on(table, addresses, row, block, t, k)
            lanes = moved(lanes)
    whole = prepared.run(first, count)
    for j, name in enumerate(f.EPISODE_COLUMNS):
        if name in whole.episodes:
            np.testing.assert_array_equal(output.episodes[j], whole.episodes[name], err_msg=name)
    for j, name in enumerate(f.MARKET_COLUMNS):
        np.testing.assert_array_equal(output.markets[j], whole.markets[name], err_msg=name)

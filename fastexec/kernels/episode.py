"""The driver: a range of episodes through all steps and strategies, one block of lanes after the other.

It holds no lock and no state, so threads take ranges side by side: as fast as ``prange`` (5.1 against 5.2 ns) at two
thirds of the compile time, with no threading layer to choose, and progress and Ctrl-C work between ranges.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import PLUGIN_SLOTS, decide_function, entry, inlined
from fastexec.kernels.door import F8, I4, I8, held, sizes, within
from fastexec.kernels.execute import execute
from fastexec.kernels.ledger import book, close_horizon
from fastexec.kernels.parameters import fix_parameters
from fastexec.kernels.record import record
from fastexec.kernels.room import lanes_for
from fastexec.kernels.strategy import ask, check_slices, decide, decide_otherwise
from fastexec.kernels.study_door import check_study
from fastexec.kernels.walk import Clock, blocks_of, close_block, leave_step, open_block, open_step, span_of


def no_op(shares, remaining, mid, spread, last_volume, params, step, steps):
    """Fills an empty plugin slot; never called."""


def plugin_slots(functions: Sequence[Any] = ()) -> tuple[Any, ...]:
    """The sixteen slots, first the user's functions (made by ``decide_function``), then no-ops."""
    empty = decide_function(no_op, ours=True)
    return (*functions, *[empty] * (PLUGIN_SLOTS - len(functions)))


def output_for(plan: f.Plan, strategies: f.Strategies, episodes: int, every_step: bool = False) -> f.Output:
    """Uninitialised rows for so many episodes, of the sizes that plan and strategies ask for."""
    rows = episodes * strategies.kinds.shape[0]
    return f.Output(
        np.empty((len(f.MARKET_COLUMNS), episodes)),
        np.empty((plan.drawn.size, episodes)),
        np.empty((len(f.EPISODE_COLUMNS), rows)),
        np.empty((len(f.COUNT_COLUMNS), rows), np.int32),
        np.empty((len(f.STEP_COLUMNS), rows * int(plan.switches[f.STEPS]) if every_step else 0)),
        np.full(4, -1, np.int64),
    )


def example_study() -> tuple[f.Plan, f.Strategies, f.Paths]:
    """A smallest plan of one step, strategies and paths, for signatures."""
    switches = np.zeros(f.SWITCHES, np.int64)
    switches[f.STEPS] = 1
    plan = f.Plan(
        switches,
        np.zeros(f.NUMBERS),
        np.zeros((len(f.PARAMETERS), 3)),
        np.zeros(0, np.int64),
        np.zeros((4, 1)),
        np.zeros(2 * f.CHAIN_SIZE),
    )
    strategies = f.Strategies(
        np.zeros((1, f.KIND_FIELDS), np.int64),
        np.zeros((1, f.MOST_LEVELS)),
        np.zeros((1, 1, 2)),
        np.zeros(1, np.int64),
        np.zeros((1, f.MOST_FEATURES, 4), np.int64),
        np.zeros((1, f.MOST_FEATURES, f.MOST_LEVELS)),
        np.zeros(1, np.uint16),
    )
    one = np.zeros(1, np.int64)
    paths = f.Paths(np.zeros((1, 2)), np.zeros((1, 1)), np.zeros((1, 1)), np.zeros(1), one, one)
    return plan, strategies, paths


def simulate_range(
    seed: np.uint64,
    first: int,
    count: int,
    plan: f.Plan,
    strategies: f.Strategies,
    paths: f.Paths,
    output: f.Output,
    plugins: tuple[Any, ...],
) -> None:
    """Simulate episodes ``first <= e < first + count`` into the rows of ``output``."""
    lanes = lanes_for(strategies.kinds.shape[0], f.CLOSED_FIELDS)
    simulate_blocks((seed, first, count), plan, strategies, paths, output, plugins, lanes)


def _example() -> tuple[Any, ...]:
    plan, strategies, paths = example_study()
    output = output_for(plan, strategies, 1)
    return (np.uint64(0), 0, 1), plan, strategies, paths, output, plugin_slots(), lanes_for(1, f.CLOSED_FIELDS)


def _door(episodes, plan, strategies, paths, output, plugins, lanes):
    _, first, count = episodes
    steps = check_study((first, count), plan, strategies, paths, lanes, f.CLOSED_FIELDS)
    rows = count * strategies.kinds.shape[0]
    within("plugins: slots", len(plugins), PLUGIN_SLOTS, PLUGIN_SLOTS)
    held("output.markets", output.markets, F8, len(f.MARKET_COLUMNS), count)
    held("output.parameters", output.parameters, F8, plan.drawn.size, count)
    held("output.episodes", output.episodes, F8, len(f.EPISODE_COLUMNS), rows)
    held("output.counts", output.counts, I4, len(f.COUNT_COLUMNS), rows)
    recorded = sizes("output.steps", output.steps, 2)[1] > 0
    held("output.steps", output.steps, F8, len(f.STEP_COLUMNS), rows * steps if recorded else 0)
    held("output.fault", output.fault, I8, 4)


@entry(_example, _door, references=False)
def simulate_blocks(episodes, plan, strategies, paths, output, plugins, lanes):
    """Block after block of ``episodes`` (seed, first, count)."""
    seed, first, count = episodes
    steps = plan.switches[f.STEPS]
    fix_parameters(plan, lanes.parameters)
    for block in blocks_of(first, count):
        span = span_of(block, first, count, first)
        open_block(Clock(seed, block, 0, steps), plan, paths, lanes)
        for t in range(steps):
            clock = Clock(seed, block, t, steps)
            open_step(clock, plan, paths, lanes)
            for k in range(strategies.kinds.shape[0]):
                play(clock, span, k, plan, strategies, plugins, lanes, output)
            leave_step(clock, plan, lanes)
        close_block(span, plan, lanes, output)


@inlined
def play(clock, span, k, plan, strategies, plugins, lanes, output):
    """Strategy k's step: its slices decided, executed, booked."""
    p, m, b, kind, lot = lanes.parameters, lanes.market, lanes.ledgers[k], strategies.kinds[k], plan.numbers[f.LOT]
    price = f.NEXT if kind[f.FILLS_AT_NEXT] else f.MID
    if kind[f.KIND] <= f.POV:
        decide(kind[f.KIND], strategies.fractions[k, 0, clock.t + 1], strategies.levels[k, 0], lot, p, m, b)
    elif kind[f.KIND] == f.PLUGIN:
        ask(plugins[kind[f.SLOT]], strategies.levels[k], clock, lot, m, b)
        check_slices(clock, span, k, m, b, output.fault)
    else:
        decide_otherwise(clock, k, plan, strategies, lanes.words, p, m, b)
    if clock.t == clock.steps - 1:
        close_horizon(plan.switches[f.HORIZON], m, b)
    execute(plan.switches, p, m, b)
    if output.steps.shape[1] > 0:
        record(clock, span, k, price, plan, lanes, output.steps)
    book(clock.t, price, plan.switches, p, m, b)

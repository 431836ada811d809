"""The driver: a range of episodes through all steps and strategies, one block of lanes after the other.

It holds no lock and no state, so threads take ranges side by side: as fast as ``prange`` (5.1 against 5.2 ns) at two
thirds of the compile time, with no threading layer to choose, and progress and Ctrl-C work between ranges.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, PLUGIN_SLOTS, decide_function, entry, inlined, stage
from fastexec.kernels.account import account, describe_market, write_rows
from fastexec.kernels.door import F8, I4, I8, held, sizes, within
from fastexec.kernels.fill import close_horizon, fill, open_ledger
from fastexec.kernels.given import begin_given, begin_joined, follow_paths, roll_given
from fastexec.kernels.market import advance, begin, draw, observe, roll
from fastexec.kernels.parameters import draw_parameters, fix_parameters
from fastexec.kernels.record import record
from fastexec.kernels.room import lanes_for
from fastexec.kernels.strategy import ask, decide, decide_otherwise
from fastexec.kernels.study_door import check_study


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
    p, m, normals, words, raw, ledgers, rows = lanes
    switches, curves, chains, lot = plan.switches, plan.curves, plan.chains, plan.numbers[f.LOT]
    kinds, fractions, levels = strategies.kinds, strategies.fractions, strategies.levels
    steps, given, recorded = switches[f.STEPS], switches[f.SOURCE] != f.SYNTHETIC, output.steps.shape[1] > 0
    fix_parameters(plan, p)
    for block in range(first // LANES, (first + count + LANES - 1) // LANES):
        span = (first, max(first, block * LANES), min(first + count, (block + 1) * LANES))
        open_block(seed, block, plan, paths, (words, raw), p, m, ledgers)
        for t in range(steps):
            if given:
                follow_paths(seed, block, t, plan, paths, words, m)
            else:
                draw(seed, block, t, switches, words, raw, normals, p)
                advance(t, switches, curves, chains, normals, p, m)
            observe(t, m)
            for k in range(kinds.shape[0]):
                b, price = ledgers[k], f.NEXT if kinds[k, f.FILLS_AT_NEXT] else f.MID
                if kinds[k, f.KIND] <= f.POV:
                    decide(kinds[k, f.KIND], fractions[k, 0, t + 1], levels[k, 0], lot, p, m, b)
                elif kinds[k, f.KIND] == f.PLUGIN:
                    ask(plugins[kinds[k, f.SLOT]], levels[k], (t, steps, lot, k), span, m, b, output.fault)
                else:
                    decide_otherwise((seed, block, t, k), plan, strategies, words, p, m, b)
                if t == steps - 1:
                    close_horizon(switches[f.HORIZON], m, b)
                if recorded:
                    record(span, (t, k, kinds.shape[0], price), plan, p, m, b, output.steps)
                fill(t, price, switches, p, m, b)
            leave_step(given or t == steps - 1, t, switches, curves, chains, normals, p, m)
        close_block(span, plan, p, m, ledgers, rows, output)


@stage
def open_block(seed, block, plan, paths, drawn, p, m, ledgers):
    """A block at step 0: parameters, market, empty ledgers; ``drawn`` is (words, raw normals)."""
    words, raw = drawn
    draw_parameters(seed, block, plan, words, p)
    if plan.switches[f.SOURCE] == f.GIVEN:
        begin_given(block * LANES, paths, m)
    elif plan.switches[f.SOURCE] == f.JOINED:
        begin_joined(seed, block, plan, paths, words, p, m)
    else:
        begin(seed, block, plan, words, raw, p, m)
    for k in range(ledgers.shape[0]):
        open_ledger(p, ledgers[k])


@inlined
def leave_step(keep_spread, t, switches, curves, chains, normals, p, m):
    """To the next step; at the end only the mid moves on, the last quoted spread stays."""
    if keep_spread:
        roll_given(m)
    else:
        roll(t, switches, curves, chains, normals, p, m)


@stage
def close_block(span, plan, p, m, ledgers, rows, output):
    """Write the rows of a block's episodes; ``span`` is (first episode of the output, first and end of the block's)."""
    describe_market(span, plan, p, m, output)
    for k in range(ledgers.shape[0]):
        account(k, plan, p, m, ledgers[k], rows)
    write_rows(span, ledgers, rows, output)

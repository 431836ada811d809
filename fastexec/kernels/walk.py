"""The walk of blocks of lanes through their steps: which stages are called when. Every walk is a list of stages.

    to start    once
    before      for each block, as if it were at step -1: what is drawn for it
    to open     for each block
    a step      for each step: the market's
    play        for each step and strategy
    to leave    for each step, behind the strategies
    to close    for each block, behind the last step

All that a block knows lies in its lanes, and all else is said by the clock: a block may stop between two steps, and go on in
another call. The walk holds no lock and no state, so threads take ranges of episodes side by side: as fast as ``prange``
(5.1 against 5.2 ns), with no threading layer to choose, and progress and Ctrl-C work between ranges.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from fastexec.kernels import fields as f, given, market, world as w
from fastexec.kernels._bind import address_of, call_stage, in_order, require_addresses, standing
from fastexec.kernels._jit import Entry, entry, inlined
from fastexec.kernels.buffers import lanes_for
from fastexec.kernels.clock import Episodes as Episodes, blocks_of
from fastexec.kernels.door import I8, held, sizes, within
from fastexec.kernels.layers import units_of
from fastexec.kernels.ledger import end_order, open_ledgers
from fastexec.kernels.own_rows import SEE_ROWS
from fastexec.kernels.parameters import draw_parameters, fix_parameters
from fastexec.kernels.signals import derive_signals
from fastexec.kernels.timing import open_split

#: Rows of the list of addresses; from PLAY on one for each strategy, and then one for each in the last step.
(START, BEFORE, OPEN, STEP, LEAVE, CLOSE, PLAY) = range(7)


class Stages(NamedTuple):
    """What a walk calls beside the market: for each strategy in each step, behind the last step of a block, and in each step
    before the strategies.
    """

    play: Sequence[Sequence[Any]]
    close: Sequence[Any]
    step: Sequence[Any] = ()


def addresses_of(plan: f.Plan, stages: Stages, strategies: int) -> np.ndarray:
    """int64[row, place]: where the stages begin, in the order in which they are called; 0 ends a row. Strategies behind those
    that ``stages`` play do nothing.
    """
    made = plan.switches[f.SOURCE] == f.SYNTHETIC
    before, opening, step, leave = (market if made else given).stages_of(plan.switches)
    idle = [()] * (strategies - len(stages.play))
    usual = [[stage for stage in played if stage is not end_order] for played in stages.play]
    drawn = (draw_parameters,) if plan.drawn.size else ()
    split = (open_split,) if plan.switches[f.SPLIT] else ()
    derived = (derive_signals,) if made and plan.switches[f.SIGNALS] else ()
    rows = [
        (fix_parameters, *derived),
        (*drawn, *(derived if drawn else ()), *before),
        (*opening, open_ledgers, *split),
        (*step, *stages.step),
        leave,
        stages.close,
    ]
    rows += [*usual, *idle, *stages.play, *idle]
    table = np.zeros((len(rows), max(map(len, rows)) + 1), np.int64)
    places = [(row, j, stage) for row, called in zip(table, rows, strict=True) for j, stage in enumerate(called)]
    for row, j, stage in in_order(places):
        row[j] = address_of(stage)
    return table


@inlined
def call_row(addresses, row, world, block, t, k):
    """The stages of a row, one after the other."""
    for j in range(addresses.shape[1]):
        address = addresses[row, j]
        if address == 0:
            return
        call_stage(address, world, block, t, k)


def _example() -> tuple[Any, ...]:
    return w.table_of(w.example_world()), np.zeros((PLAY + 2, 1), np.int64)


def _door(world, addresses):
    held("world", world, I8, *sizes("world", world, 1))
    within("world: words", world.size, w.HEAD)
    within("world: its own place in memory", int(world[w.SELF]), world.ctypes.data, world.ctypes.data)
    rows, most = sizes("addresses", addresses, 2)
    within("addresses: rows", rows, PLAY + 2 * int(world[w.STRATEGIES]), PLAY + 2 * int(world[w.STRATEGIES]))
    held("addresses", addresses, I8, rows, most)
    require_addresses(addresses[addresses != 0].tolist())


@entry(_example, _door, references=False)
def walk_blocks(world, addresses):
    """Block after block through all steps."""
    first, count, steps = world[w.FIRST], world[w.COUNT], world[w.STEPS]
    call_row(addresses, START, world, 0, 0, 0)
    for block in blocks_of(first, count):
        call_row(addresses, BEFORE, world, block, -1, 0)
        call_row(addresses, OPEN, world, block, 0, 0)
        for t in range(steps):
            call_row(addresses, STEP, world, block, t, 0)
            played = PLAY + (world[w.STRATEGIES] if t == steps - 1 else 0)
            for k in range(world[w.STRATEGIES]):
                call_row(addresses, played + k, world, block, t, k)
            call_row(addresses, LEAVE, world, block, t, 0)
        call_row(addresses, CLOSE, world, block, steps - 1, 0)


class Walk(Entry):
    """A walk that Python calls, through its door, with the parts of a ``World``; ``stages_of`` says of one what is called.
    ``row_fields``: fields of the buffer that it closes accounts in.
    """

    def __init__(
        self,
        name: str,
        door: Callable[..., None],
        stages_of: Callable[[w.World], Stages],
        row_fields: int = f.PARTS,
    ) -> None:
        def walk(*parts: Any) -> None:
            self.go(w.World(*parts))

        walk.__name__, walk.__module__, walk.__doc__ = name, door.__module__, stages_of.__doc__
        super().__init__(walk, lambda: (), door, False)
        self.stages_of, self.row_fields = stages_of, row_fields

    def _compiled(self) -> Any:
        return self._function

    def over(
        self, episodes: Episodes, parts: tuple[f.Plan, f.Strategies, f.Paths], own: Any, users: Sequence[Any] = ()
    ) -> None:
        """Walk with lane buffers of this call's own; ``users``: the compiled strategies of the user."""
        kinds = parts[1].kinds
        see_rows = SEE_ROWS if (kinds[:, f.KIND] == f.OWN_ORDERS).any() else 0
        lanes = lanes_for(kinds.shape[0], self.row_fields, see_rows, units_of(parts[1]))
        self(episodes, *parts, lanes, np.array([one.address for one in users], np.int64), own)

    def go(self, world: w.World) -> None:
        """Compile or load the stages, and walk."""
        addresses = addresses_of(world.plan, self.stages_of(world), len(world.strategies.kinds))
        with standing(world) as table:
            walk_blocks(table, addresses)

"""What the stages of a walk are given: one table of where every array begins and how large it is, and what names mean.

A stage is called by address with the table, the block, the step and the strategy, and takes from it what its parameters are
called: ``p``, ``m`` and ``normals`` are lane buffers, ``b`` the ledger of the strategy at hand, ``clock`` and ``span`` where
the walk is, ``plan``, ``strategies``, ``paths`` and ``lanes`` the whole of each, ``curves`` or ``kinds`` one array of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES
from fastexec.kernels.buffers import Lanes, lanes_for
from fastexec.kernels.clock import Clock, Episodes, Span

#: Words at the head of the table; SELF is the table's own place in memory, which no copy of it has.
(SELF, SEED, FIRST, COUNT, BASE, STEPS, STRATEGIES) = range(7)
HEAD = 8
WORDS = 4  # of an array: where it begins, and at most three sizes

ALIASES = {"p": "parameters", "m": "market"}
#: Rows of an array's first axis, that of the strategy at hand.
ROWS = {"b": "ledgers", "row": "rows", "kind": "kinds", "trajectories": "fractions"}


class World(NamedTuple):
    """All that a walk works on. ``functions`` int64[slot]: addresses of the user's strategies; ``own``: what this walk alone
    has, a NamedTuple of arrays.
    """

    episodes: Episodes
    plan: f.Plan
    strategies: f.Strategies
    paths: f.Paths
    lanes: Lanes
    functions: np.ndarray
    own: Any

    def clock(self, block: int, t: int) -> Clock:
        """At step t of a block."""
        return Clock(self.episodes.seed, block, t, int(self.plan.switches[f.STEPS]))

    def span(self, block: int) -> Span:
        """The lanes of a block that count."""
        _, first, count, base = self.episodes
        return Span(max(first - block * LANES, 0), min(first + count - block * LANES, LANES), block * LANES - base)

    def shared(self) -> tuple[Any, ...]:
        """Every array that stages of all walks may take, in the order of the table."""
        return (*self.plan, *self.strategies, *self.paths, *self.lanes, self.functions)


def places(world: World) -> Iterator[tuple[str, int, Any]]:
    """Name, place in the table and value of everything that a parameter may be called."""
    at = HEAD
    for name in ("plan", "strategies", "paths", "lanes"):
        whole = getattr(world, name)
        yield name, at, whole
        for field, array in zip(whole._fields, whole, strict=True):
            yield field, at, array
            at += WORDS
    yield "functions", at, world.functions
    yield "own", at + WORDS, world.own


def size_of(world: World) -> int:
    """Words of its table."""
    return HEAD + WORDS * len((*world.shared(), *world.own))


def table_of(world: World, table: np.ndarray | None = None) -> np.ndarray:
    """int64: the head, then ``WORDS`` for each array; into ``table`` where there is one. The arrays must outlive it."""
    arrays = (*world.shared(), *world.own)
    table = np.zeros(size_of(world), np.int64) if table is None else table
    words = [table.ctypes.data, 0, *world.episodes[1:], int(world.plan.switches[f.STEPS])]
    words += [world.strategies.kinds.shape[0], *(0,) * (HEAD - 1 - STRATEGIES)]
    for array in arrays:
        words += (array.__array_interface__["data"][0], *array.shape, *(0,) * (WORDS - 1 - array.ndim))
    table[:] = words
    table[SEED : SEED + 1].view(np.uint64)[0] = world.episodes.seed
    return table


def example_world(own: Any = ()) -> World:
    """A smallest one, of one step, for types."""
    switches = np.zeros(f.SWITCHES, np.int64)
    switches[f.STEPS] = 1
    plan = f.Plan(
        switches,
        np.zeros(f.NUMBERS),
        np.zeros((len(f.PARAMETERS), 3)),
        np.zeros((0, f.DRAWN_FIELDS), np.int64),
        np.zeros((4, 1)),
        np.zeros(f.CHAINS_SIZE),
    )
    strategies = f.Strategies(
        np.zeros((1, f.KIND_FIELDS), np.int64),
        np.zeros((1, f.MOST_LEVELS)),
        np.zeros((1, 1, 2)),
        np.zeros(1, np.int64),
        np.zeros((1, f.MOST_FEATURES, 4), np.int64),
        np.zeros((1, f.MOST_FEATURES, f.EDGES)),
        np.zeros(1, np.uint16),
        np.ones(1),
        np.zeros((1, 1, f.RULE_FIELDS)),
    )
    one = np.zeros(1, np.int64)
    paths = f.no_paths()
    return World(Episodes(0, 0, 1, 0), plan, strategies, paths, lanes_for(1, f.CLOSED_FIELDS), one, own)

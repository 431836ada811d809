"""Where a walk is, and which lanes of its block count."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastexec.kernels._jit import LANES, inlined


class Clock(NamedTuple):
    """Where the walk is: the root ``seed`` uint64, the ``block``, its step ``t`` of ``steps``."""

    seed: int | np.uint64
    block: int
    t: int
    steps: int


class Span(NamedTuple):
    """The lanes of a block that are episodes of the call, ``low <= i < high``; lane i writes row ``offset + i``."""

    low: int
    high: int
    offset: int


class Episodes(NamedTuple):
    """Of a call: ``first <= e < first + number`` from the root ``seed`` uint64; episode ``base`` is written in row 0."""

    seed: int | np.uint64
    first: int
    number: int
    base: int


@inlined
def blocks_of(first, count):
    """The blocks that hold the episodes ``first <= e < first + count``."""
    return range(first // LANES, (first + count + LANES - 1) // LANES)


@inlined
def span_of(block, first, count, base):
    """Of a block; episode ``base`` is written in row 0."""
    return Span(max(first - block * LANES, 0), min(first + count - block * LANES, LANES), block * LANES - base)

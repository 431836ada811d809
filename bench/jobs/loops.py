"""Loops over single stages, compiled with the package's own options and kept in no cache: they are not of the package."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from fastexec.kernels import _jit, clock, fields, market, philox, walk
from fastexec.kernels.bins import encode
from fastexec.kernels.parameters import fix_parameters


def _loop(function: Callable[..., Any]) -> Callable[..., Any]:
    """Not an entry: its cache is named by the package's files alone and would keep an older loop."""
    return numba.njit(**_jit.OPTIONS, **_jit.NO_REFERENCES)(function)  # type: ignore[no-any-return]


@_loop
def draw_four(seed, blocks, steps, lanes):
    """Four normals for each lane and step, and nothing else: a call of Philox used to the full."""
    words, normals = lanes.words, lanes.raw
    for block in range(blocks):
        for t in range(steps):
            philox.draw_words(seed, block, t, np.uint32(0), words)
            philox.gaussians(words, normals)


@_loop
def draw_words(seed, blocks, steps, lanes):
    """Four words for each lane and step: what the choices of an agent are drawn from."""
    words = lanes.words
    for block in range(blocks):
        for t in range(steps):
            philox.draw_words(seed, block, t, np.uint32(0), words)


@_loop
def draw_moves(seed, blocks, steps, plan, lanes):
    """The normals of a step as the market takes them (price, spread, volume): the floor under every simulation."""
    p, normals, words, raw, switches = lanes.parameters, lanes.normals, lanes.words, lanes.raw, plan.switches
    fix_parameters(plan, p)
    for block in range(blocks):
        for t in range(steps):
            market.draw(clock.Clock(seed, block, t, steps), switches, words, raw)
            if switches[fields.CORRELATED]:
                market.correlate(raw, normals, p)
            else:
                market.keep_independent(raw, normals)


def encode_states(seed, blocks, steps, plan, strategies, paths, lanes):
    """Each block's states again and again on the market of one step."""
    _MARKET_ALONE(clock.Episodes(seed, 0, _jit.LANES, 0), plan, strategies, paths, lanes, np.zeros(0, np.int64), ())
    return _encode(blocks, steps, strategies, lanes)


_MARKET_ALONE = walk.Walk(
    "market_alone", lambda *_: None, lambda world: walk.Stages([()] * len(world.strategies.kinds), ())
)


@_loop
def _encode(blocks, steps, strategies, lanes):
    total = 0.0
    for _ in range(blocks):
        for t in range(steps):
            encode(
                strategies, 0, clock.Clock(np.uint64(0), 0, t, steps), lanes.parameters, lanes.market, lanes.ledgers[0]
            )
            total += lanes.ledgers[0][fields.STATE]
    return total

"""Loops over single stages, compiled with the package's own options and kept in no cache: they are not of the package."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from fastexec.kernels import _jit, fields, philox
from fastexec.kernels.bins import encode
from fastexec.kernels.market import draw
from fastexec.kernels.parameters import fix_parameters
from fastexec.kernels.walk import Clock, open_block, open_step


def _loop(function: Callable[..., Any]) -> Callable[..., Any]:
    """Not an entry: its cache is named by the package's files alone and would keep an older loop."""
    return numba.njit(**_jit._OPTIONS, **_jit._NO_REFERENCES)(function)  # type: ignore[no-any-return]


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
            draw(Clock(seed, block, t, steps), switches, words, raw, normals, p)


@_loop
def encode_states(seed, blocks, steps, plan, strategies, paths, lanes):
    """Each block's states again and again on the market of one step."""
    p, m, b = lanes.parameters, lanes.market, lanes.ledgers[0]
    fix_parameters(plan, p)
    clock = Clock(seed, 0, 0, steps)
    open_block(clock, plan, paths, lanes)
    open_step(clock, plan, paths, lanes)
    total = 0.0
    for _ in range(blocks):
        for t in range(steps):
            encode(strategies, 0, t, p, m, b)
            total += b[fields.STATE]
    return total

"""Loops over single stages, compiled with the package's own options and kept in no cache: they are not of the package.

Each is two functions: one makes the room, and the loop itself is a stage, which counts no references.
"""

from __future__ import annotations

import numpy as np

from fastexec.kernels import fields, philox
from fastexec.kernels._jit import LANES, allocating, stage
from fastexec.kernels.episode import open_block
from fastexec.kernels.market import advance, draw, observe
from fastexec.kernels.parameters import fix_parameters
from fastexec.kernels.room import lanes_for, raw_for, words_for
from fastexec.kernels.state import encode


@stage
def _four(seed, blocks, steps, words, normals):
    for block in range(blocks):
        for t in range(steps):
            philox.draw_words(seed, block, t, np.uint32(0), words)
            philox.gaussians(words, normals)


@allocating
def draw_four(seed, blocks, steps):
    """Four normals for each lane and step, and nothing else: a call of Philox used to the full."""
    words, normals = words_for(4 * LANES), raw_for(4 * LANES)
    _four(seed, blocks, steps, words, normals)
    return normals[0]


@stage
def _words(seed, blocks, steps, words):
    for block in range(blocks):
        for t in range(steps):
            philox.draw_words(seed, block, t, np.uint32(0), words)


@allocating
def draw_words(seed, blocks, steps):
    """Four words for each lane and step: what the choices of an agent are drawn from."""
    words = words_for(4 * LANES)
    _words(seed, blocks, steps, words)
    return words[0]


@stage
def _moves(seed, blocks, steps, plan, lanes):
    p, _, normals, words, raw, _ = lanes
    switches = plan.switches
    fix_parameters(plan, p)
    for block in range(blocks):
        for t in range(steps):
            draw(seed, block, t, switches, words, raw, normals, p)


@allocating
def draw_moves(seed, blocks, steps, plan):
    """The normals of a step as the market takes them (price, spread, volume): the floor under every simulation."""
    lanes = lanes_for(1)
    _moves(seed, blocks, steps, plan, lanes)
    return lanes.normals[0]


@stage
def _states(seed, blocks, steps, plan, strategies, paths, lanes):
    p, m, normals, words, raw, ledgers = lanes
    b, total = ledgers[0], 0.0
    fix_parameters(plan, p)
    open_block(seed, 0, plan, paths, (words, raw), p, m, ledgers)
    draw(seed, 0, 0, plan.switches, words, raw, normals, p)
    advance(0, plan.switches, plan.curves, plan.chains, normals, p, m)
    observe(0, m)
    for _ in range(blocks):
        for t in range(steps):
            encode(strategies, 0, t, p, m, b)
            total += b[fields.STATE * LANES]
    return total


@allocating
def encode_states(seed, blocks, steps, plan, strategies, paths):
    """Each block's states again and again on the market of one step."""
    return _states(seed, blocks, steps, plan, strategies, paths, lanes_for(1))

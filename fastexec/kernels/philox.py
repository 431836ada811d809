"""Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011), the stream layout, and Gaussian draws.

Key: the 64-bit root seed. Counter: (episode low, episode high, step, stream), stream = phase (2 bits) | purpose (6 bits) |
24 bits of SHA-256 of a strategy's name (0 for the market). There is no generator state: a number is a pure function of
who asks for it, so no strategy and no thread can disturb another's draws.
"""

from __future__ import annotations

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, chained, inlined, stage
from fastexec.kernels.elementary import radius, sine_cosine

EVALUATION, TRAINING, PILOT, VALIDATION = 0, 1, 2, 3  # phases
# Purposes; each gives four words for an episode and a step.
(MOVES, START, PARAMETERS, ACTIONS, BLOCKS, OF_JUMPS, OF_VARIANCE, OF_REGIMES, OF_HALTS, OF_NOISE, OF_SIGNALS,
 OF_NETWORK, OF_WEIGHTS, OF_LEAVES) = range(14)  # fmt: skip

_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL0, _WEYL1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)


def stream(phase: int, purpose: int, owner: int = 0) -> int:
    """The counter's fourth word; ``owner`` is 24 bits of a strategy's name, 0 for the market."""
    return phase << 30 | purpose << 24 | owner


@inlined
def philox(c0, c1, c2, c3, k0, k1):
    """Ten rounds: four uint32 words for the counter (c0, c1, c2, c3) and the key (k0, k1), all uint32."""
    for _ in range(10):
        p0 = np.uint64(c0) * _M0
        p1 = np.uint64(c2) * _M1
        n0 = np.uint32(np.uint32(p1 >> _32) ^ c1 ^ k0)
        n2 = np.uint32(np.uint32(p0 >> _32) ^ c3 ^ k1)
        c1 = np.uint32(p1 & _LOW)
        c3 = np.uint32(p0 & _LOW)
        c0, c2 = n0, n2
        # In uint64 and masked: Numba would promote a sum of uint32 silently, and interpreted numpy warns of its overflow.
        k0 = np.uint32((np.uint64(k0) + _WEYL0) & _LOW)
        k1 = np.uint32((np.uint64(k1) + _WEYL1) & _LOW)
    return c0, c1, c2, c3


@chained
def draw_words(seed, block, step, stream, words):
    """Four words for each lane of a block: fields FIRST to FOURTH, uint32."""
    first = np.uint64(block) * np.uint64(LANES)
    low, high = np.uint32(first & _LOW), np.uint32(first >> _32)
    k0, k1 = np.uint32(np.uint64(seed) & _LOW), np.uint32(np.uint64(seed) >> _32)
    c2, c3 = np.uint32(step), np.uint32(stream)
    for i in range(LANES):
        w0, w1, w2, w3 = philox(np.uint32(low + np.uint32(i)), high, c2, c3, k0, k1)
        words[f.FIRST + i] = w0
        words[f.SECOND + i] = w1
        words[f.THIRD + i] = w2
        words[f.FOURTH + i] = w3


@chained
def gaussians(words, raw):
    """Four standard normals for each lane by Box and Muller (1958): words 0, 1 make normals 0, 1; words 2, 3 make 2, 3.

    They stay float32 here: with a float64 store in the loop LLVM works at half the width (4.2 ns against 2.7).
    """
    for i in range(LANES):
        r = radius(words[f.FIRST + i])
        sine, cosine = sine_cosine(words[f.SECOND + i])
        raw[f.FIRST + i] = r * cosine
        raw[f.SECOND + i] = r * sine
    for i in range(LANES):
        r = radius(words[f.THIRD + i])
        sine, cosine = sine_cosine(words[f.FOURTH + i])
        raw[f.THIRD + i] = r * cosine
        raw[f.FOURTH + i] = r * sine


@chained
def gaussian_pair(words, raw):
    """Only normals 0 and 1: half the work where the market needs no more."""
    for i in range(LANES):
        r = radius(words[f.FIRST + i])
        sine, cosine = sine_cosine(words[f.SECOND + i])
        raw[f.FIRST + i] = r * cosine
        raw[f.SECOND + i] = r * sine


@stage
def draw_ahead(clock, stream, waiting, words, raw, m):
    """Normals for one thing that takes a single one in each step: words are drawn for four steps at once, and what they make
    waits in the four fields of ``m`` from ``waiting`` on (``waiting_for``).
    """
    step = clock.t + 1
    if step % 4 == 0:
        draw_words(clock.seed, clock.block, step // 4, stream, words)
        gaussians(words, raw)
        for i in range(4 * LANES):
            m[waiting + i] = np.float64(raw[i])


@inlined
def waiting_for(t, waiting):
    """Where the normal of step t + 1 lies."""
    return waiting + (t + 1) % 4 * LANES

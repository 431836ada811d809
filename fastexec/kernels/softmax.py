"""The chances of actions from a network's outputs, in lanes: softmax in float32, with an exponential of our own."""

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, chained, inlined, stage

#: Rows of what a softmax leaves: of each action how probable it is, the highest output, and one over the sum of the rest.
TOP, SHARE = f.MOST_LEVELS * LANES, (f.MOST_LEVELS + 1) * LANES
CHANCES = f.MOST_LEVELS + 2

_MAGIC = np.float32(12582912.0)  # 1.5 * 2^23: adding it leaves a rounded integer in the low bits of the sum
_LOG2_E = np.float32(1.44269504088896341)
_LN2_HIGH, _LN2_LOW = np.float32(0.693359375), np.float32(-2.12194440e-4)
_SMALLEST = np.float32(-87.0)
_F0, _F1 = np.float32(0.0), np.float32(1.0)


@inlined
def exp(x):
    """e^x in float32 for -87 <= x <= 88 within 2 units in the last place; 0 below. Coefficients: Moshier's Cephes, ``expf``."""
    near = x if x > _SMALLEST else _SMALLEST
    shifted = np.float32(near * _LOG2_E + _MAGIC)
    k = shifted - _MAGIC
    r = (near - k * _LN2_HIGH) - k * _LN2_LOW
    p = np.float32(1.9875691500e-4)
    p = p * r + np.float32(1.3981999507e-3)
    p = p * r + np.float32(8.3334519073e-3)
    p = p * r + np.float32(4.1665795894e-2)
    p = p * r + np.float32(1.6666665459e-1)
    p = p * r + np.float32(5.0000001201e-1)
    fraction = (p * (r * r) + r) + _F1
    scale = np.int32(np.int32(shifted.view(np.int32) + np.int32(127)) << np.int32(23)).view(np.float32)
    return fraction * scale if x > _SMALLEST else _F0


@chained
def find_chances(actions, logits, chances):
    """softmax of the first ``actions`` units of ``logits`` in each lane: the highest is taken off first, so nothing overflows."""
    top, share = chances[TOP : TOP + LANES], chances[SHARE : SHARE + LANES]
    for i in range(LANES):
        top[i] = logits[i]
        share[i] = _F0
    for a in range(1, actions):
        row = logits[a * LANES : (a + 1) * LANES]
        for i in range(LANES):
            top[i] = row[i] if row[i] > top[i] else top[i]
    for a in range(actions):
        row, chance = logits[a * LANES : (a + 1) * LANES], chances[a * LANES : (a + 1) * LANES]
        for i in range(LANES):
            e = exp(row[i] - top[i])
            chance[i] = e
            share[i] += e
    for i in range(LANES):
        share[i] = _F1 / share[i]
    for a in range(actions):
        chance = chances[a * LANES : (a + 1) * LANES]
        for i in range(LANES):
            chance[i] *= share[i]


@stage
def choose(actions, chances, words, chosen, chance):
    """Of each lane the last action whose predecessors' chances add up to no more than a uniform number: its number, and how
    probable it was; never one of chance 0. ``words`` uint32: its upper 24 bits are that number.
    """
    so_far = chances[SHARE : SHARE + LANES]
    for i in range(LANES):
        so_far[i] = _F0
        chosen[i] = _F0
        chance[i] = chances[i]
    for a in range(actions):
        row, number = chances[a * LANES : (a + 1) * LANES], np.float32(a)
        for i in range(LANES):
            drawn = np.float32(np.int32(np.uint32(words[i]) >> np.uint32(8))) * np.float32(5.9604644775390625e-08)
            it = row[i] > _F0 and drawn >= so_far[i]
            chosen[i] = number if it else chosen[i]
            chance[i] = row[i] if it else chance[i]
            so_far[i] += row[i]

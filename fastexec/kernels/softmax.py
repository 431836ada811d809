"""The chances of actions from a network's outputs, in lanes: softmax in float32."""

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, chained, stage
from fastexec.kernels.elementary import exp32

#: Rows of what a softmax leaves: of each action how probable it is, the highest output, and one over the sum of the rest.
TOP, SHARE = f.MOST_LEVELS * LANES, (f.MOST_LEVELS + 1) * LANES
CHANCES = f.MOST_LEVELS + 2

_F0, _F1 = np.float32(0.0), np.float32(1.0)
_2_24 = np.float32(5.9604644775390625e-08)


@chained
def find_chances(actions, logits, chances):
    """softmax of the first ``actions`` units of ``logits`` in each lane; the highest is taken off, so nothing overflows."""
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
            e = exp32(row[i] - top[i])
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
    probable it was; never one of chance 0. The upper 24 bits of the first word are that number.
    """
    drawn, so_far = chances[TOP : TOP + LANES], chances[SHARE : SHARE + LANES]
    for i in range(LANES):
        drawn[i] = np.float32(np.int32(np.uint32(words[f.FIRST + i]) >> np.uint32(8))) * _2_24
        so_far[i] = _F0
        chosen[i] = _F0
        chance[i] = chances[i]
    for a in range(actions):
        row, number = chances[a * LANES : (a + 1) * LANES], np.float32(a)
        for i in range(LANES):
            p, before = row[i], so_far[i]
            it = (p > _F0) & (drawn[i] >= before)
            chosen[i] = number if it else chosen[i]
            chance[i] = p if it else chance[i]
            so_far[i] = before + p

"""Generalised advantages (Schulman, Moritz, Levine, Jordan, Abbeel 2016): how much better than expected a step came out.

A_t = sum over l of (discount trace)^l delta_{t + l}, delta_t = reward_t + discount V_{t + 1} - V_t (their equation 16).
"""

from __future__ import annotations

import numpy as np

from fastexec.kernels._jit import LANES, entry, stage
from fastexec.kernels.door import F8, held, within
from fastexec.kernels.gradients import LEAF, PIECES, USED
from fastexec.kernels.transitions import check_transitions, transitions_for

_F0 = np.float32(0.0)
#: Sums over a leaf: of the steps with an effect, of their advantages, and of these squared; of all rewards.
NUMBER, SUM, SQUARES, REWARD = range(4)
SUMS = REWARD + 1


def _example():
    return transitions_for(LEAF, 1, 4), np.float32(0.0), np.float32(0.0), 0, 0, np.zeros((1, SUMS)), np.zeros(LANES)


def _door(record, discount, trace, low, high, sums, lanes):
    rows, _, _ = check_transitions("record", record)
    within("low", low, 0, high)
    within("high", high, low, rows // PIECES)
    held("lanes", lanes, F8, SUMS * LANES)
    held("sums", sums, F8, rows // PIECES, SUMS)


@entry(_example, _door, references=False)
def find_advantages(record, discount, trace, low, high, sums, lanes):
    """The advantages of leaves ``low <= leaf < high``, and their ``sums``; ``lanes`` float64[SUMS * LANES]: to work in."""
    for leaf in range(low, high):
        sums[leaf] = 0.0
        for r in range(leaf * PIECES, (leaf + 1) * PIECES):
            lanes[:] = 0.0
            look_back(record.rewards[r], record.values[r], discount, trace, record.advantages[r])
            add_steps(record.advantages[r], record.effects[r], record.rewards[r], lanes)
            for j in range(SUMS):
                for i in range(USED):
                    sums[leaf, j] += lanes[j * LANES + i]


@stage
def look_back(rewards, values, discount, trace, advantages):
    """The advantages of a block, last step first."""
    steps = rewards.shape[0]
    for t in range(steps - 1, -1, -1):
        reward, value, following, here = rewards[t], values[t], values[t + 1], advantages[t]
        ahead = advantages[min(t + 1, steps - 1)]
        kept = discount * trace if t + 1 < steps else _F0
        for i in range(LANES):
            delta = (reward[i] + discount * following[i]) - value[i]
            here[i] = delta + kept * ahead[i]


@stage
def add_steps(advantages, effects, rewards, lanes):
    """Of each lane over its steps: see ``SUMS``."""
    number, total, squares, paid = (
        lanes[:LANES],
        lanes[LANES : 2 * LANES],
        lanes[2 * LANES : 3 * LANES],
        lanes[3 * LANES :],
    )
    for t in range(advantages.shape[0]):
        advantage, effect, reward = advantages[t], effects[t], rewards[t]
        for i in range(LANES):
            weight, one = np.float64(effect[i]), np.float64(advantage[i])
            number[i] += weight
            total[i] += weight * one
            squares[i] += weight * one * one
            paid[i] += np.float64(reward[i])

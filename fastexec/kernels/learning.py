"""The batched update: targets of a whole round summed as integers, so that any order of addition gives the same bits.

From the last step back to the first: y = cost + discount * least Q of the next state. A cell that n targets fell on moves
by (1 - (1 - alpha)^n) of the way to their mean, as n single updates on equal targets would.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastexec.kernels._jit import entry
from fastexec.kernels.elementary import power


class Step(NamedTuple):
    """Of one step, [e]: ``states`` int32, ``actions`` uint8, ``costs`` float64 in bps, ``following`` int32: the next states."""

    states: np.ndarray
    actions: np.ndarray
    costs: np.ndarray
    following: np.ndarray


class Sums(NamedTuple):
    """Of one thread: ``totals`` and ``counts`` int64[s, a], ``fault`` int64[1]: targets beyond the bound."""

    totals: np.ndarray
    counts: np.ndarray
    fault: np.ndarray


def _example():
    one, cell = np.zeros(1, np.int32), np.zeros((1, 1), np.int64)
    step = Step(one, np.zeros(1, np.uint8), np.zeros(1), one)
    return step, np.zeros(1), 0, 1, np.zeros(3), Sums(cell, cell, np.zeros(1, np.int64))


@entry(_example)
def add_targets(step, ahead, low, high, numbers, sums):
    """Add the targets of episodes ``low <= e < high`` of a step; ``numbers``: (discount, scale, bound), ``ahead``
    float64[s]: the next states' least Q. A target beyond the bound is counted in ``fault`` and not added.
    """
    discount, scale, bound = numbers[0], numbers[1], numbers[2]
    states, actions, costs, following = step.states, step.actions, step.costs, step.following
    totals, counts = sums.totals, sums.counts
    for e in range(low, high):
        y = costs[e] + discount * ahead[following[e]]
        if abs(y) <= bound:
            totals[states[e], actions[e]] += np.int64(np.floor(y * scale + 0.5))
            counts[states[e], actions[e]] += 1
        else:
            sums.fault[0] += 1


@entry("void(float64[:, ::1], int64[:, ::1], int64[:, :, ::1], int64[:, :, ::1], float64, float64, float64[::1])")
def merge_targets(q, visits, sums, counts, alpha, scale, ahead):
    """Move the cells that were met (with ``alpha`` 0 to the mean of all their targets so far), empty the sums for the next
    step, and note the least Q of each state.
    """
    for s in range(q.shape[0]):
        least = np.inf
        for a in range(q.shape[1]):
            total, n = np.int64(0), np.int64(0)
            for part in range(sums.shape[0]):
                total += sums[part, s, a]
                n += counts[part, s, a]
                sums[part, s, a] = 0
                counts[part, s, a] = 0
            if n > 0:
                mean = np.float64(total) / (scale * np.float64(n))
                visits[s, a] += n
                share = (
                    1.0 - power(1.0 - alpha, np.float64(n)) if alpha > 0.0 else np.float64(n) / np.float64(visits[s, a])
                )
                q[s, a] += share * (mean - q[s, a])
            least = min(least, q[s, a])
        ahead[s] = least

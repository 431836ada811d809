"""The batched update: targets of a whole round summed as integers, so that any order of addition gives the same bits.

From the last step back to the first: y = cost + discount * least Q of the next state. A cell that n targets fell on moves
by (1 - (1 - alpha)^n) of the way to their mean, as n single updates on equal targets would.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastexec.kernels._jit import entry, inlined
from fastexec.kernels.door import F8, I4, I8, U1, held, sizes, within
from fastexec.kernels.elementary import power

TOTAL, COUNT = 0, 1  # of a cell: the sum of its targets and how many, side by side in one line of memory
#: Shares of the way for so many targets and fewer are looked up: a power for each cell took a tenth of an update.
TABULATED = 4096


class Step(NamedTuple):
    """Of one step, [e]: ``states`` int32, ``actions`` uint8, ``costs`` float64 in bps, ``following`` int32: the next states."""

    states: np.ndarray
    actions: np.ndarray
    costs: np.ndarray
    following: np.ndarray


def _example():
    one = np.zeros(1, np.int32)
    step = Step(one, np.zeros(1, np.uint8), np.zeros(1), one)
    return step, np.zeros(1), 0, 1, np.zeros(3), np.zeros((1, 1, 2), np.int64), np.zeros(1, np.int64)


def _targets_door(step, ahead, low, high, numbers, cells, fault):
    """States and actions themselves are not looked at, they are many: ``explore_blocks`` wrote them, and its door knew
    that its features make no other codes.
    """
    (episodes,) = sizes("step.states", step.states, 1)
    states, actions, _ = sizes("cells", cells, 3)
    held("step.states", step.states, I4, episodes)
    held("step.actions", step.actions, U1, episodes)
    held("step.costs", step.costs, F8, episodes)
    held("step.following", step.following, I4, episodes)
    within("low", low, 0, high)
    within("high", high, low, episodes)
    held("ahead", ahead, F8, states)
    held("numbers", numbers, F8, 3)
    held("cells", cells, I8, states, actions, 2)
    held("fault", fault, I8, 1)


@entry(_example, _targets_door)
def add_targets(step, ahead, low, high, numbers, cells, fault):
    """Add the targets of episodes ``low <= e < high`` of a step to ``cells`` int64[s, a, (TOTAL, COUNT)], one thread's own.

    ``numbers``: (discount, scale, bound), ``ahead`` float64[s]: the next states' least Q. A target beyond the bound is
    counted in ``fault`` and not added.
    """
    discount, scale, bound = numbers[0], numbers[1], numbers[2]
    states, actions, costs, following = step.states, step.actions, step.costs, step.following
    for e in range(low, high):
        y = costs[e] + discount * ahead[np.uint32(following[e])]
        if abs(y) <= bound:
            s, a = np.uint32(states[e]), actions[e]
            cells[s, a, TOTAL] += np.int64(np.floor(y * scale + 0.5))
            cells[s, a, COUNT] += 1
        else:
            fault[0] += 1


@inlined
def share_of_way(alpha, n):
    """1 - (1 - alpha)^n."""
    return 1.0 - power(1.0 - alpha, np.float64(n))


def _shares_door(alpha, shares):
    held("shares", shares, F8, *sizes("shares", shares, 1))


@entry("void(float64, float64[::1])", _shares_door)
def tabulate_shares(alpha, shares):
    """``shares[n]`` for n targets on a cell."""
    for n in range(shares.shape[0]):
        shares[n] = share_of_way(alpha, n)


def _merge_door(q, visits, cells, alpha, shares, scale, ahead):
    states, actions = sizes("q", q, 2)
    threads = sizes("cells", cells, 4)[0]
    held("q", q, F8, states, actions)
    held("visits", visits, I8, states, actions)
    held("cells", cells, I8, threads, states, actions, 2)
    held("shares", shares, F8, *sizes("shares", shares, 1))
    held("ahead", ahead, F8, states)


@entry(
    "void(float64[:, ::1], int64[:, ::1], int64[:, :, :, ::1], float64, float64[::1], float64, float64[::1])",
    _merge_door,
)
def merge_targets(q, visits, cells, alpha, shares, scale, ahead):
    """Move the cells that were met (with ``alpha`` 0 to the mean of all their targets so far), empty ``cells``
    int64[thread, s, a, (TOTAL, COUNT)] for the next step, and note the least Q of each state. ``shares``: see
    ``tabulate_shares``.
    """
    for s in range(q.shape[0]):
        least = np.inf
        for a in range(q.shape[1]):
            total, n = np.int64(0), np.int64(0)
            for part in range(cells.shape[0]):
                total += cells[part, s, a, TOTAL]
                n += cells[part, s, a, COUNT]
                cells[part, s, a, TOTAL] = 0
                cells[part, s, a, COUNT] = 0
            if n > 0:
                mean = np.float64(total) / (scale * np.float64(n))
                visits[s, a] += n
                if alpha == 0.0:
                    share = np.float64(n) / np.float64(visits[s, a])
                else:
                    share = shares[n] if n < shares.shape[0] else share_of_way(alpha, n)
                q[s, a] += share * (mean - q[s, a])
            least = min(least, q[s, a])
        ahead[s] = least

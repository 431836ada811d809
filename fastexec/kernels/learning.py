"""The batched update: targets of a whole round summed as integers, so that any order of addition gives the same bits.

From the last step back to the first: y = cost + discount * Q of what the policy does in the next state. In the next state
the inventory is the one to which the action leads from the middle of its bin, between two bins the mean of both: were it
that of the bin alone, a slice of half a bin would seem to move the order by none or by a whole one.

The policy changes where another action has been found better by ``CAUTION`` standard errors. With the least of all means for
the best (Watkins 1989) the luckiest of many noisy means is taken at every step from the last to the first, and after 15 steps
the table promised 2.6 bps where its policy cost 7.7.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastexec.kernels._jit import entry, inlined, stage
from fastexec.kernels.door import F4, F8, I4, I8, U1, U2, all_within, held, sizes, within
from fastexec.kernels.elementary import power

#: Of a cell: the sums of its targets and of their squares, and how many, side by side in memory.
TOTAL, SQUARES, COUNT = 0, 1, 2
#: Of a cell's targets the mean, the mean of their squares and their number so far, float64[s, a, (MEAN, SECOND, VISITS)].
MEAN, SECOND, VISITS = 0, 1, 2
#: Shares of the way for so many targets and fewer are looked up: a power for each cell took a tenth of an update.
TABULATED = 4096
#: A falling rate is 1 / (1 / rate + (n - 1) / SLOWNESS) at the n-th visit: later targets, which know more of what follows,
#: weigh more than earlier ones.
SLOWNESS = 5
CONSTANT, FALLING, BY_VISITS = 0, 1, 2
#: Standard errors by which another action must have been found better, and how many targets must say so of either. With nothing
#: of both the policy goes where its estimates are luckiest (13.6 bps for 10.8 with 21 actions); with 2.5 and 30 it is slow.
CAUTION, FEWEST = 1.0, 5.0


class Step(NamedTuple):
    """Of one step, [e]: ``states`` int32, ``actions`` uint8, ``costs`` float64 in bps; ``following`` int32: the next
    states; ``beside``, ``after`` float32: by how many bins the inventory differs from the middle of its bin, in this step and
    in the next.
    """

    states: np.ndarray
    actions: np.ndarray
    costs: np.ndarray
    following: np.ndarray
    beside: np.ndarray
    after: np.ndarray


class Scales(NamedTuple):
    """``total`` and ``square``: what targets and their squares are multiplied by; ``bound`` of a target; ``stride`` of the
    inventory in the code of a state.
    """

    discount: float
    total: float
    square: float
    bound: float
    stride: int


def _example():
    one = np.zeros(1, np.int32)
    beside = np.zeros(1, np.float32)
    step = Step(one, np.zeros(1, np.uint8), np.zeros(1), one, beside, beside)
    return step, np.zeros(1), 0, 1, Scales(1.0, 1.0, 1.0, 1.0, 1), np.zeros((1, 1, 3), np.int64), np.zeros(1, np.int64)


def _targets_door(step, ahead, low, high, scales, cells, fault):
    """States and actions themselves are not looked at, they are many: ``explore_blocks`` wrote them, and its door knew
    that its features make no other codes.
    """
    (episodes,) = sizes("step.states", step.states, 1)
    states, actions, _ = sizes("cells", cells, 3)
    held("step.states", step.states, I4, episodes)
    held("step.actions", step.actions, U1, episodes)
    held("step.costs", step.costs, F8, episodes)
    held("step.following", step.following, I4, episodes)
    held("step.beside", step.beside, F4, episodes)
    held("step.after", step.after, F4, episodes)
    within("low", low, 0, high)
    within("high", high, low, episodes)
    held("ahead", ahead, F8, states)
    within("scales.stride", scales.stride, 1, states)
    held("cells", cells, I8, states, actions, 3)
    held("fault", fault, I8, 1)


@entry(_example, _targets_door)
def add_targets(step, ahead, low, high, scales, cells, fault):
    """Add the targets of episodes ``low <= e < high`` of a step to ``cells`` int64[s, a, (TOTAL, SQUARES, COUNT)], one
    thread's own.

    ``ahead`` float64[s]: what the next states are worth, NaN where nothing is known. A target beyond the bound is counted in
    ``fault`` and not added.
    """
    states, actions, costs = step.states, step.actions, step.costs
    for e in range(low, high):
        moved = step.after[e] - step.beside[e]
        y = costs[e] + scales.discount * value_ahead(ahead, np.int64(step.following[e]), moved, scales.stride)
        if abs(y) <= scales.bound:
            s, a = np.uint32(states[e]), actions[e]
            cells[s, a, TOTAL] += np.int64(np.floor(y * scales.total + 0.5))
            cells[s, a, SQUARES] += np.int64(np.floor(y * y * scales.square + 0.5))
            cells[s, a, COUNT] += 1
        else:
            fault[0] += 1


@stage
def value_ahead(ahead, s, moved, stride):
    """What follows, ``moved`` bins of inventory beside state s: of the two bins around it, where both are known."""
    value, beside = ahead[s], s
    if moved > 0.0:
        beside = s + stride
    elif moved < 0.0:
        beside = s - stride
    if beside != s and beside >= 0 and beside < ahead.shape[0]:
        other = ahead[beside]
        value += abs(np.float64(moved)) * (other - value) if other == other else 0.0
    return value


@inlined
def share_of_way(alpha, n):
    """1 - (1 - alpha)^n."""
    return 1.0 - power(1.0 - alpha, np.float64(n))


@stage
def share_by_visits(rate, alpha, before, n):
    """How far n targets lead after ``before`` others, when the rate falls: 1 - the product of (1 - rate)."""
    if rate == BY_VISITS:
        return n / (before + n)
    start, left = SLOWNESS / alpha - SLOWNESS + before, 1.0
    for j in range(SLOWNESS):
        left *= (start + j) / (start + n + j)
    return 1.0 - left


def _shares_door(alpha, shares):
    held("shares", shares, F8, *sizes("shares", shares, 1))


@entry("void(float64, float64[::1])", _shares_door)
def tabulate_shares(alpha, shares):
    """``shares[n]`` for n targets on a cell."""
    for n in range(shares.shape[0]):
        shares[n] = share_of_way(alpha, n)


class Rate(NamedTuple):
    """``kind``: CONSTANT, FALLING or BY_VISITS; ``alpha``: the rate, at first; ``shares``: see ``tabulate_shares``."""

    kind: int
    alpha: float
    shares: np.ndarray


def _merge_example():
    scales = Scales(1.0, 1.0, 1.0, 1.0, 1)
    cells = np.zeros((1, 1, 1, 3), np.int64)
    return np.zeros((1, 1, 3)), cells, Rate(0, 0.1, np.zeros(1)), scales, np.zeros(1, np.uint16), np.zeros(1)


def _merge_door(learned, cells, rate, scales, policy, ahead):
    states, actions, _ = sizes("learned", learned, 3)
    threads = sizes("cells", cells, 4)[0]
    held("learned", learned, F8, states, actions, 3)
    held("cells", cells, I8, threads, states, actions, 3)
    held("rate.shares", rate.shares, F8, *sizes("rate.shares", rate.shares, 1))
    held("policy", policy, U2, states)
    all_within("policy", policy, 0, actions - 1)
    held("ahead", ahead, F8, states)


@entry(_merge_example, _merge_door)
def merge_targets(learned, cells, rate, scales, policy, ahead):
    """Move the cells that were met, empty ``cells`` int64[thread, s, a, (TOTAL, SQUARES, COUNT)] for the next step, change
    the ``policy`` uint16[s] of the step where it is worth it, and note what the policy then costs from each state on, NaN
    where no action was ever tried. ``learned`` float64[s, a, (MEAN, SECOND, VISITS)].
    """
    for s in range(learned.shape[0]):
        met = np.int64(0)
        for a in range(learned.shape[1]):
            met += merge_cell(learned[s, a], cells, s, a, rate, scales)
        if met > 0:
            policy[s] = np.uint16(better_action(learned[s], np.int64(policy[s])))
        taken = learned[s, np.int64(policy[s])]
        ahead[s] = taken[MEAN] if taken[VISITS] > 0.0 else mean_of_tried(learned[s])


@stage
def merge_cell(cell, cells, s, a, rate, scales):
    """All threads' targets of a cell into it; returns their number."""
    total, squares, count = np.int64(0), np.int64(0), np.int64(0)
    for part in range(cells.shape[0]):
        total += cells[part, s, a, TOTAL]
        squares += cells[part, s, a, SQUARES]
        count += cells[part, s, a, COUNT]
        cells[part, s, a, TOTAL] = 0
        cells[part, s, a, SQUARES] = 0
        cells[part, s, a, COUNT] = 0
    if count > 0:
        before, n = cell[VISITS], np.float64(count)
        share = 1.0
        if before > 0.0 and rate.kind == CONSTANT:
            share = rate.shares[count] if count < rate.shares.shape[0] else share_of_way(rate.alpha, count)
        elif before > 0.0:
            share = share_by_visits(rate.kind, rate.alpha, before, n)
        cell[MEAN] += share * (np.float64(total) / (scales.total * n) - cell[MEAN])
        cell[SECOND] += share * (np.float64(squares) / (scales.square * n) - cell[SECOND])
        cell[VISITS] = before + n
    return count


@stage
def mean_of_tried(cells):
    """What the actions that were tried cost, each as often as it was; NaN where none was."""
    total, visits = 0.0, 0.0
    for a in range(cells.shape[0]):
        total += cells[a, VISITS] * cells[a, MEAN]
        visits += cells[a, VISITS]
    return total / visits if visits > 0.0 else np.nan


@stage
def noise_of(cell):
    """The squared standard error of a cell's mean, as if all its targets weighed alike."""
    return max(cell[SECOND] - cell[MEAN] * cell[MEAN], 0.0) / (cell[VISITS] - 1.0)


@stage
def better_action(cells, now):
    """The action that is better than ``now`` by most, standard errors taken off; ``now`` where none is, or too few targets
    say so.
    """
    best, least = now, 0.0
    if cells[now, VISITS] >= FEWEST:
        for a in range(cells.shape[0]):
            if a != now and cells[a, VISITS] >= FEWEST:
                noise = noise_of(cells[a]) + noise_of(cells[now])
                gap = cells[a, MEAN] - cells[now, MEAN] + CAUTION * np.sqrt(noise)
                if gap < least:
                    best, least = a, gap
    return best

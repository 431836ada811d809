"""Merton's jumps (1976), move by move: the slow and obvious twin of ``[market.jumps]``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from naive.normals import normals
from naive.philox import philox4x32

MOVES, PURPOSE = 0, 5  # of the words that a step's normals and the numbers of jumps are drawn from
Draws = tuple[float, float]


def uniform_of(high: int, low: int) -> float:
    """Between 0 and 1, in steps of 2^-52."""
    return ((high >> 6) * 2**26 + (low >> 6) + 0.5) / 2**52


def draws_of(seed: int, episode: int, step: int, phase: int = 0) -> Draws:
    """Of the move out of ``step``: a uniform number for how many jumps, and the step's fourth normal for their size; -1: of
    the first move of start = "moved", both of words of its own.
    """

    def words(purpose: int, number: int) -> tuple[int, int, int, int]:
        counter = (episode & 0xFFFFFFFF, episode >> 32, number, phase << 30 | purpose << 24)
        return philox4x32(counter, (seed & 0xFFFFFFFF, seed >> 32))

    numbers = words(PURPOSE, step // 2 + 1)  # two moves share their words
    sizes = words(MOVES, step) if step >= 0 else numbers
    own = numbers[2:] if step % 2 == 1 and step >= 0 else numbers[:2]
    return uniform_of(*own), float(normals(np.array(sizes, np.uint32))[3])


def number_of(rate: float, u: float) -> int:
    """How many jumps: the smallest n with u <= P(N <= n), N Poisson."""
    n, probability = 0, math.exp(-rate)
    below = probability
    while u > below:
        n += 1
        probability *= rate / n
        below += probability
    return n


def factor(section: dict[str, Any], draws: Draws) -> float:
    """What a move is multiplied by: n log-normal jumps of mean 1 + mean, over the mean of that."""
    rate, mean, own = section["rate"], section["mean"], section["volatility"]
    n = number_of(rate, draws[0])
    # n independent normals of mean a and sd b add up to one of mean n a and sd b sqrt(n): one draw stands for all.
    jumps = n * (math.log(1.0 + mean) - own**2 / 2.0) + own * math.sqrt(n) * draws[1]
    return math.exp(jumps) / math.exp(rate * mean)


def amount(section: dict[str, Any], draws: Draws) -> float:
    """What is added to a move: n normal jumps, in currency, without their mean."""
    n = number_of(section["rate"], draws[0])
    return (n - section["rate"]) * section["mean"] + section["volatility"] * math.sqrt(n) * draws[1]

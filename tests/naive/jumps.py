"""Merton's jumps (1976), move by move: the slow and obvious twin of ``[market.jumps]``."""

from __future__ import annotations

import math
from typing import Any

from naive.philox import philox4x32

PURPOSE = 5  # of the words that jumps are drawn from


def words_of(seed: int, episode: int, step: int, phase: int = 0) -> tuple[int, int, int, int]:
    """The four words of the move out of ``step``; -1: of the first move of start = "moved"."""
    counter = (episode & 0xFFFFFFFF, episode >> 32, step + 1, phase << 30 | PURPOSE << 24)
    return philox4x32(counter, (seed & 0xFFFFFFFF, seed >> 32))


def number_of(rate: float, third: int, fourth: int) -> int:
    """How many jumps: the smallest n with u <= P(N <= n), N Poisson; u lies between 0 and 1 in steps of 2^-52."""
    u = ((third >> 6) * 2**26 + (fourth >> 6) + 0.5) / 2**52
    n, probability = 0, math.exp(-rate)
    below = probability
    while u > below:
        n += 1
        probability *= rate / n
        below += probability
    return n


def normal_of(first: int, second: int) -> float:
    """By Box and Muller (1958)."""
    turn = 2.0 * math.pi * (second + 0.5) / 2**32
    return math.sqrt(-2.0 * math.log((first + 0.5) / 2**32)) * math.cos(turn)


def factor(section: dict[str, Any], words: tuple[int, int, int, int]) -> float:
    """What a move is multiplied by: n log-normal jumps of mean 1 + mean, over the mean of that."""
    rate, mean, own = section["rate"], section["mean"], section["volatility"]
    n = number_of(rate, words[2], words[3])
    # n independent normals of mean a and sd b add up to one of mean n a and sd b sqrt(n): one draw stands for all.
    jumps = n * (math.log(1.0 + mean) - own**2 / 2.0) + own * math.sqrt(n) * normal_of(words[0], words[1])
    return math.exp(jumps) / math.exp(rate * mean)


def amount(section: dict[str, Any], words: tuple[int, int, int, int]) -> float:
    """What is added to a move: n normal jumps, in currency, without their mean."""
    n = number_of(section["rate"], words[2], words[3])
    return (n - section["rate"]) * section["mean"] + section["volatility"] * math.sqrt(n) * normal_of(
        words[0], words[1]
    )

"""A volatility whose logarithm is an AR(1): the slow and obvious twin, step by step."""

from __future__ import annotations

import math

import numpy as np

from naive.normals import normals
from naive.philox import philox4x32

PURPOSE = 6  # of the words that a step's volatility is drawn from


def normal_of(seed: int, episode: int, step: int, phase: int = 0) -> float:
    """What makes the volatility of ``step``; 0: of the first. Four words make the normals of four steps."""
    counter = (episode & 0xFFFFFFFF, episode >> 32, step // 4, phase << 30 | PURPOSE << 24)
    words = philox4x32(counter, (seed & 0xFFFFFFFF, seed >> 32))
    return float(normals(np.array(words, np.uint32))[step % 4])


def following(x: float, persistence: float, sd: float, z: float) -> float:
    """The log's deviation, a step on."""
    return persistence * x + math.sqrt(sd**2 - (persistence * sd) ** 2) * z


def factor(x: float, sd: float) -> float:
    """What a volatility is multiplied by; its square has mean 1, because E exp(2 x) = exp(2 sd^2)."""
    return math.sqrt(math.exp(2.0 * x) / math.exp(2.0 * sd**2))


def path(seed: int, episode: int, steps: int, persistence: float, sd: float) -> list[float]:
    """The factor of each step."""
    x, found = sd * normal_of(seed, episode, 0), []
    for t in range(steps):
        found.append(factor(x, sd))
        x = following(x, persistence, sd, normal_of(seed, episode, t + 1))
    return found

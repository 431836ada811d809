"""Regimes of a market: the slow and obvious twin of which there is in each step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from naive.normals import normals
from naive.philox import philox4x32
from naive.steps import next_level

PURPOSE = 7  # of the words that a step's regime is drawn from


def normal_of(seed: int, episode: int, step: int) -> float:
    """What chooses the regime of ``step``."""
    counter = (episode & 0xFFFFFFFF, episode >> 32, step, PURPOSE << 24)
    return float(normals(np.array(philox4x32(counter, (seed & 0xFFFFFFFF, seed >> 32)), np.uint32))[0])


def path(
    seed: int, episode: int, steps: int, transition: Sequence[Sequence[float]], first: Sequence[float]
) -> list[int]:
    """The regime of each step and of the end."""
    found: list[int] = []
    for t in range(steps + 1):
        law = transition[found[-1]] if found else first
        found.append(next_level(law, normal_of(seed, episode, t)))
    return found

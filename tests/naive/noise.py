"""Microstructure noise: the slow and obvious twin of what is seen of a mid, and of what its moves tell."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from naive.normals import normals
from naive.philox import philox4x32

PURPOSE = 9  # of the words that a step's bounce is drawn from


def bounce(seed: int, episode: int, step: int, sd: float, phase: int = 0) -> float:
    """The observed mid of ``step`` over the efficient one."""
    counter = (episode & 0xFFFFFFFF, episode >> 32, step, phase << 30 | PURPOSE << 24)
    words = philox4x32(counter, (seed & 0xFFFFFFFF, seed >> 32))
    return 1.0 + sd * float(normals(np.array(words, np.uint32))[0])


def realised(observed: Sequence[float], t: int) -> float:
    """sd of the bounce by the observed mids up to step t: of independent bounces a move and the next have covariance -sd^2."""
    moves = [observed[s + 1] / observed[s] - 1.0 for s in range(t)]
    products = [first * second for first, second in zip(moves, moves[1:], strict=False)]
    return math.sqrt(max(-sum(products), 0.0) / max(len(products), 1))

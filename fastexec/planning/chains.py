"""Markov chains as the kernels take them: thresholds on the normal scale, levels; and their laws step by step.

Plain loops and the kernels' own functions only, so that they have the same bits on every machine.
"""

from __future__ import annotations

import numpy as np

from fastexec.kernels.fields import CHAIN_SIZE, FIRST_ROW, LEVEL_ROW, MOST_LEVELS
from fastexec.kernels.quantile import normal_quantiles
from fastexec.models.chains import Chain, closed_classes


def stationary_law(transition: tuple[tuple[float, ...], ...]) -> np.ndarray:
    """The law that a step of the chain leaves as it is, float64[level]; the chain has one closed class.

    Grassmann, Taksar and Heyman (1985): elimination without a subtraction, so every probability is right to its last
    digits, also a tiny one.
    """
    states = closed_classes(transition)[0]
    n = len(states)
    p = [[transition[i][j] for j in states] for i in states]
    for k in range(n - 1, 0, -1):
        leaving = 0.0
        for j in range(k):
            leaving += p[k][j]
        for i in range(k):
            p[i][k] /= leaving
            for j in range(k):
                p[i][j] += p[i][k] * p[k][j]
    weights = [1.0]
    for k in range(1, n):
        weight = 0.0
        for i in range(k):
            weight += weights[i] * p[i][k]
        weights.append(weight)
    total = 0.0
    for weight in weights:
        total += weight
    law = np.zeros(len(transition))
    law[states] = [weight / total for weight in weights]
    return law


def first_law(chain: Chain) -> np.ndarray:
    """The law of the level in step 0, float64[level]."""
    return np.array(chain.initial) if chain.initial else stationary_law(chain.transition)


def laws(chain: Chain, steps: int) -> np.ndarray:
    """The law of the level in each step, float64[t, level]."""
    law = first_law(chain)
    found = np.empty((steps, law.size))
    for t in range(steps):
        found[t] = law
        following = np.zeros(law.size)
        for i, row in enumerate(chain.transition):
            following = following + law[i] * np.array(row)
        law = following
    return found


def table(chain: Chain) -> np.ndarray:
    """What the kernels' ``step_chain`` reads, float64[CHAIN_SIZE]; see ``kernels.fields``."""
    rows = np.full((MOST_LEVELS + 2, MOST_LEVELS), np.inf)
    n = len(chain.levels)
    for i, row in enumerate(chain.transition):
        rows[i, : n - 1] = _thresholds(np.array(row))
    rows[FIRST_ROW, : n - 1] = _thresholds(first_law(chain))
    rows[LEVEL_ROW] = 0.0
    rows[LEVEL_ROW, :n] = chain.levels
    assert rows.size == CHAIN_SIZE
    return rows.ravel()


def _thresholds(law: np.ndarray) -> np.ndarray:
    """z_j with Phi(z_j) = P(level <= j), for all levels but the last.

    From the nearer end, so that a small probability keeps its digits at the top as at the bottom, and none leaks into a
    level of probability 0.
    """
    below, above = np.add.accumulate(law)[:-1], np.add.accumulate(law[::-1])[-2::-1]
    z, mirrored = np.empty_like(below), np.empty_like(above)
    normal_quantiles(np.ascontiguousarray(below), z)
    normal_quantiles(np.ascontiguousarray(above), mirrored)
    return np.where(below <= above, z, -mirrored)

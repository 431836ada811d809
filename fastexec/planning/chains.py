"""Markov chains as the kernels take them: thresholds on the normal scale, and levels."""

from __future__ import annotations

import numpy as np

from fastexec.kernels.fields import CHAIN_SIZE, FIRST_ROW, LEVEL_ROW, MOST_LEVELS
from fastexec.kernels.quantile import normal_quantiles
from fastexec.models.declarations import MarkovLaw


def table(law: MarkovLaw) -> np.ndarray:
    """What the kernels' ``step_chain`` reads, float64[CHAIN_SIZE]; see ``kernels.fields``."""
    rows = np.full((MOST_LEVELS + 2, MOST_LEVELS), np.inf)
    n = law.levels.size
    for i, row in enumerate(law.transition):
        rows[i, : n - 1] = _thresholds(row)
    rows[FIRST_ROW, : n - 1] = _thresholds(law.first)
    rows[LEVEL_ROW] = 0.0
    rows[LEVEL_ROW, :n] = law.levels
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

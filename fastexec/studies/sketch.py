"""Quantiles from the mergeable histogram of ``kernels.summary``: exact counts, values within 1/256 of the true ones."""

from __future__ import annotations

import numpy as np

from fastexec.kernels.summary import BINADES, BINS_A_BINADE, LOWEST, SIDE_BINS

#: Largest relative distance of a reported quantile from the order statistic it stands for (within 2^-20 .. 2^20).
RELATIVE_ERROR = 1.0 / 256.0


def middles() -> np.ndarray:
    """The middle of each bin, float64[BINS], ascending; 0 for the bin around zero."""
    step = np.arange(BINS_A_BINADE) / BINS_A_BINADE
    mantissas = 1.0 + step + 0.5 / BINS_A_BINADE
    powers = np.ldexp(1.0, np.arange(LOWEST, LOWEST + BINADES))
    positive = (powers[:, None] * mantissas).ravel()
    return np.concatenate((-positive[::-1], [0.0], positive))


_MIDDLES = middles()
assert _MIDDLES.size == 2 * SIDE_BINS + 1


def quantiles(counts: np.ndarray, probabilities: np.ndarray, low: float, high: float) -> np.ndarray:
    """Order statistics floor(p (n - 1)) from bin counts int64[bin]; kept within the exact minimum and maximum."""
    total = int(counts.sum())
    ranks = np.floor(np.asarray(probabilities) * (total - 1)).astype(np.int64)
    places = np.searchsorted(np.cumsum(counts), ranks, side="right")
    return np.asarray(np.clip(_MIDDLES[places], low, high))


def upper_mean(counts: np.ndarray, share: float, low: float, high: float) -> float:
    """Mean of the highest ``share`` of the values, the bin at the edge counted in part."""
    wanted = max(share * float(counts.sum()), 1.0)
    taken, total = 0.0, 0.0
    for place in np.flatnonzero(counts)[::-1]:
        part = min(float(counts[place]), wanted - taken)
        total += part * float(np.clip(_MIDDLES[place], low, high))
        taken += part
        if taken >= wanted:
            break
    return total / taken

"""Quantiles from the mergeable histogram of ``kernels.summary``: exact counts, values within 1/256 of the true ones (1/16
beyond 2^40).
"""

from __future__ import annotations

import numpy as np

from fastexec.kernels.summary import (
    BINADES,
    BINS_A_BINADE,
    FAR_BINADES,
    FAR_BINS_A_BINADE,
    LOWEST,
    SIDE_BINS,
)

#: Largest relative distance of a reported quantile from the order statistic it stands for (within 2^-20 .. 2^40).
RELATIVE_ERROR = 1.0 / 256.0
#: The same beyond 2^40.
FAR_RELATIVE_ERROR = 1.0 / 16.0


def middles() -> np.ndarray:
    """The middle of each bin, float64[BINS], ascending; 0 for the bin around zero."""
    near = _binades(LOWEST, BINADES, BINS_A_BINADE)
    positive = np.concatenate((near, _binades(LOWEST + BINADES, FAR_BINADES, FAR_BINS_A_BINADE)))
    return np.concatenate((-positive[::-1], [0.0], positive))


def _binades(lowest: int, count: int, bins: int) -> np.ndarray:
    """The middles of so many bins a binade, from 2^lowest on."""
    mantissas = 1.0 + np.arange(bins) / bins + 0.5 / bins
    powers = np.ldexp(1.0, np.arange(lowest, lowest + count))
    return np.asarray((powers[:, None] * mantissas).ravel())


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

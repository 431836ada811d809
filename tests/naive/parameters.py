"""Parameters of one episode: drawn from their ranges, whole lots, and the constants that follow from them."""

from __future__ import annotations

import math

import numpy as np


def drawn(word: int, low: float, high: float, logarithmic: bool) -> float:
    """Uniform between the ends, or its logarithm is; from the middle of the word's cell of [0, 1]."""
    u = (word + 0.5) / 2.0**32
    return low * (high / low) ** u if logarithmic else (1.0 - u) * low + u * high


def lots_of(shares: float, lot: float) -> tuple[float, float]:
    """The order in whole lots, at least one: shares and lots; where fractions trade, shares twice."""
    if lot == 0.0:
        return shares, shares
    lots = max(math.floor(shares / lot + 0.5), 1)
    return lots * lot, float(lots)


def correlation_matrix(ps: float, pv: float, sv: float, va: float, sa: float) -> np.ndarray:
    """Of (z_p, standardised |z_p|, z_s, z_v): p price, s spread, v volume, a the size of the price's move."""
    return np.array([[1.0, 0.0, ps, pv], [0.0, 1.0, sa, va], [ps, sa, 1.0, sv], [pv, va, sv, 1.0]])


def factor(matrix: np.ndarray) -> np.ndarray:
    """The lower triangle L with L L^T = matrix."""
    return np.linalg.cholesky(matrix)


def decay(resilience: float) -> float:
    """What is left of transient impact after a step."""
    return math.exp(-resilience)


def stationary_sd(reversion: float, volatility: float) -> float:
    """Of x' = (1 - reversion) x + volatility z."""
    return math.sqrt(volatility**2 / (1.0 - (1.0 - reversion) ** 2))


def lognormal_scale(mean: float, *sds: float) -> float:
    """The median of a log-normal number of that mean; the standard deviations of its logarithm's independent parts."""
    return mean * math.exp(-sum(sd**2 for sd in sds) / 2.0)

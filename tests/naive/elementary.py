"""Elementary functions to more digits than a float64 has, by mpmath."""

from __future__ import annotations

import mpmath
import numpy as np

DIGITS = 60


def evaluate(function: int, x: np.ndarray, exponent: float) -> list[float]:
    """exp (0), log (1), x^exponent, 0 of 0 (2), cos(2 pi x) (3); each rounded once."""
    with mpmath.workdps(DIGITS):
        exact = [mpmath.mpf(float(value)) for value in x]
        if function == 0:
            return [float(mpmath.exp(v)) for v in exact]
        if function == 1:
            return [float(mpmath.log(v)) for v in exact]
        if function == 2:
            return [float(mpmath.power(v, mpmath.mpf(exponent))) if v else 0.0 for v in exact]
        return [float(mpmath.cospi(2 * v)) for v in exact]


def normal_quantile(p: float) -> float:
    """z with Phi(z) = p; the ends of the real line for p outside (0, 1)."""
    if not 0.0 < p < 1.0:
        return -np.inf if p <= 0.0 else np.inf
    with mpmath.workdps(DIGITS):
        return float(mpmath.sqrt(2) * mpmath.erfinv(2 * mpmath.mpf(p) - 1))


def normal_law(z: float) -> float:
    """Phi(z), with all its digits also far below 0."""
    with mpmath.workdps(DIGITS):
        return float(mpmath.erfc(-mpmath.mpf(float(z)) / mpmath.sqrt(2)) / 2)


def polynomial(coefficients: tuple[float, ...], x: float) -> float:
    """sum of c_j x^j."""
    with mpmath.workdps(DIGITS):
        return float(sum(mpmath.mpf(c) * mpmath.mpf(x) ** j for j, c in enumerate(coefficients)))

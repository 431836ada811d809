"""Arithmetic with the same bits on every machine, for numbers that are derived before the kernels run.

The kernels' own elementary functions on arrays, sums from left to right, curves. NumPy's exp, power and sum have other bits
on other processors. The kernels are loaded on first use.
"""

from __future__ import annotations

import numpy as np

_EXP, _LOG, _POWER, _COS = range(4)
_SURE = 8.3  # the tail beyond is below half an ulp of 1
_DENSITY_AT_0 = 0.3989422804014327


def exp_of(x: np.ndarray) -> np.ndarray:
    """e^x by the kernels' own exp."""
    return _evaluate(_EXP, x)


def log_of(x: np.ndarray) -> np.ndarray:
    """The natural logarithm of x > 0 by the kernels' own log."""
    return _evaluate(_LOG, x)


def power_of(x: np.ndarray, exponent: float) -> np.ndarray:
    """x^exponent for x >= 0 by the kernels' own power; 0 gives 0."""
    return _evaluate(_POWER, x, exponent)


def cosine_of_turns(x: np.ndarray) -> np.ndarray:
    """cos(2 pi x) by the kernels' own cosine."""
    return _evaluate(_COS, x)


def normal_cdf(x: np.ndarray) -> np.ndarray:
    """P(z <= x) of a standard normal z, within 2e-16 absolute; exactly 0 and 1 beyond 8.3 sd.

    Marsaglia (2004), "Evaluating the normal distribution": a series of positive terms times the density.
    """
    x = np.asarray(x, np.float64)
    near = np.abs(x) < _SURE
    at, place = np.unique(x[near], return_inverse=True)
    term, total, last, divisor = at.copy(), at.copy(), np.zeros_like(at), 1.0
    while (total != last).any():
        divisor += 2.0
        last, term = total, term * at * at / divisor
        total = last + term
    found = np.where(x > 0.0, 1.0, 0.0)
    found[near] = (0.5 + total * normal_density(at))[place]
    return found


def normal_density(x: np.ndarray) -> np.ndarray:
    """The density of a standard normal."""
    return np.asarray(_DENSITY_AT_0 * exp_of(-0.5 * x * x))


def expected_maximum(count: int) -> float:
    """Of so many independent standard normals, within 1e-8: the integral of 1 - F^count above 0, less that of F^count below."""
    x = np.arange(0.0, 9.0, 1e-3) + 0.5e-3
    above, below = np.ones_like(x), np.ones_like(x)
    for _ in range(count):
        above, below = above * normal_cdf(x), below * normal_cdf(-x)
    return plain_sum((1.0 - above) - below) * 1e-3


def _evaluate(function: int, x: np.ndarray, exponent: float = 0.0) -> np.ndarray:
    from fastexec.kernels.elementary import evaluate

    flat = np.require(x, np.float64, ["C", "W"]).ravel()
    out = np.empty_like(flat)
    evaluate(function, flat, float(exponent), out)
    return out.reshape(np.shape(x))


def plain_sum(x: np.ndarray) -> float:
    """Left-to-right sum: np.sum adds in an order that depends on the vector width of the CPU."""
    return float(np.add.accumulate(np.asarray(x, np.float64))[-1])


def curve(knots: tuple[float, ...], steps: int, root_mean_square: bool = False) -> np.ndarray:
    """A curve of any length at the steps' midpoints, float64[t], with mean (or root mean square) 1; all ones if empty."""
    if not knots:
        return np.ones(steps)
    at = (np.arange(steps) + 0.5) / steps
    values = np.interp(at, (np.arange(len(knots)) + 0.5) / len(knots), np.asarray(knots, np.float64))
    mean = plain_sum(values * values if root_mean_square else values) / steps
    return np.asarray(values / (np.sqrt(mean) if root_mean_square else mean))

"""The least cost of an order in a market whose states everybody knows: the recursion, written down as it is said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np


def least_cost(
    steps: int,
    lots: int,
    chances: Sequence[Sequence[float]],
    paid: Callable[[int, int, int], float],
    held: Callable[[int, int, int], float],
    growth: Callable[[int, int], float] = lambda t, x: 1.0,
) -> list[float]:
    """From each state x in step 0. ``chances[x][y]``: of y after x; ``paid(t, x, q)``: what q lots cost in step t, in units of
    the mid there; ``held(t, x, rest)``: what lots that are left after the fill pay for the step's move; ``growth(t, x)``: of
    all that is still to come. What is left in the last step is traded.
    """

    @cache
    def value(t: int, left: int, x: int) -> float:
        costs = []
        for q in range(left + 1) if t < steps - 1 else [left]:
            cost, rest = paid(t, x, q), left - q
            if rest:
                after = sum(p * value(t + 1, rest, y) for y, p in enumerate(chances[x]) if p)
                cost += held(t, x, rest) + growth(t, x) * after
            costs.append(cost)
        return min(costs)

    return [value(0, lots, x) for x in range(len(chances))]


def ar1_least_cost(steps: int, lots: int, persistence: float, paid: Callable[[int], float], held: float) -> float:
    """The same in the mean over an AR(1) of unit variance, each lot that is left paying ``held`` times its value. What straight
    lines between values cost falls with the square of their distance: twice as many tell where it ends (Richardson).
    """
    coarse, fine = (_between(points, steps, lots, persistence, paid, held) for points in (301, 601))
    return fine + (fine - coarse) / 3.0


def _between(
    points: int, steps: int, lots: int, persistence: float, paid: Callable[[int], float], held: float
) -> float:
    """On so many values between -6 and 6; what follows by Gauss-Hermite sums over straight lines between them."""
    x = np.linspace(-6.0, 6.0, points)
    z, weight = np.polynomial.hermite_e.hermegauss(40)
    places = np.clip(persistence * x[:, None] + np.sqrt(1.0 - persistence**2) * z, -6.0, 6.0)

    def ahead(values: np.ndarray) -> np.ndarray:
        return np.interp(places, x, values) @ weight / weight.sum()

    value = [np.full(x.size, float(paid(left))) for left in range(lots + 1)]
    for _ in range(steps - 1):
        follows = [held * rest * x + ahead(value[rest]) for rest in range(lots + 1)]
        value = [np.min([paid(q) + follows[left - q] for q in range(left + 1)], axis=0) for left in range(lots + 1)]
    first = np.exp(-0.5 * x * x)
    return float(first @ value[lots] / first.sum())

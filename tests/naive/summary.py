"""Moments, wins and histogram bins of a few episodes, by the formulas of a first course."""

from __future__ import annotations

import math
from collections.abc import Sequence

BINS_A_BINADE, SIDE = 128, 128 * 40  # from 2^-20 to 2^20, of each sign; between them the bin of zero


def bin_of(x: float) -> int:
    """128 bins of equal width in each power of two; what is smaller than all lies in the middle, larger in the end bins."""
    size = abs(x)
    if size < 2.0**-20:
        place = 0
    elif size >= 2.0**20:
        place = SIDE
    else:
        fraction, exponent = math.frexp(size)  # size = fraction 2^exponent, fraction from 1/2 to 1
        place = (exponent - 1 + 20) * BINS_A_BINADE + math.floor((2.0 * fraction - 1.0) * BINS_A_BINADE) + 1
    return SIDE - place if x < 0 else SIDE + place


def middle_of(number: int) -> float:
    """The middle of a bin."""
    place = abs(number - SIDE)
    if place == 0:
        return 0.0
    binade, step = divmod(place - 1, BINS_A_BINADE)
    return math.copysign(2.0 ** (binade - 20) * (1.0 + (step + 0.5) / BINS_A_BINADE), number - SIDE)


def wins(costs: Sequence[float]) -> list[list[int]]:
    """Twice how often each one costs less than each other; ties count once."""
    return [[2 if own < other else 1 if own == other else 0 for other in costs] for own in costs]


def mean(values: Sequence[float]) -> float:
    """The exact sum, rounded once, by the count."""
    return math.fsum(values) / len(values)


def product(values: Sequence[float], others: Sequence[float]) -> float:
    """The sum of products of deviations from the means."""
    one, other = mean(values), mean(others)
    return math.fsum((x - one) * (y - other) for x, y in zip(values, others, strict=True))

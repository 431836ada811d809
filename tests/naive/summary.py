"""Moments, wins and histogram bins of a few episodes, by the formulas of a first course."""

from __future__ import annotations

import math
from collections.abc import Sequence

#: From which power of two to which, and into how many bins of equal width each power of two between is cut.
Stretches = Sequence[tuple[int, int, int]]


def side_of(stretches: Stretches) -> int:
    """How many bins there are on either side of the one in the middle."""
    return sum((end - start) * bins for start, end, bins in stretches)


def binade_of(x: float) -> float:
    """Between which powers of two the size of x lies: the lower one's exponent."""
    return math.frexp(x)[1] - 1 if math.isfinite(x) and x != 0.0 else -math.inf if x == 0.0 else math.inf


def bin_of(x: float, stretches: Stretches) -> int:
    """What is smaller than the first power of two lies in the middle; what is larger than the last in the end bins."""
    place, side, binade = 0, side_of(stretches), binade_of(x)
    for start, end, bins in stretches:
        if binade >= end:
            place += (end - start) * bins
        elif binade >= start:
            fraction, exponent = math.frexp(abs(x))  # the size is fraction 2^exponent, fraction from 1/2 to 1
            place += (exponent - 1 - start) * bins + math.floor((2.0 * fraction - 1.0) * bins) + 1
    return side - place if x < 0 else side + place


def middle_of(number: int, stretches: Stretches) -> float:
    """The middle of a bin."""
    side = side_of(stretches)
    place, sign = abs(number - side), math.copysign(1.0, number - side)
    for start, end, bins in stretches:
        if 0 < place <= (end - start) * bins:
            binade, step = divmod(place - 1, bins)
            return sign * 2.0 ** (binade + start) * (1.0 + (step + 0.5) / bins)
        place -= (end - start) * bins
    return 0.0


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

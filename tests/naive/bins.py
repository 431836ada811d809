"""The bin that an observed value falls into, and the code of the bins of all features."""

from __future__ import annotations

import math
from collections.abc import Sequence


def bin_of(value: float, edges: Sequence[float]) -> int:
    """How many edges lie below the value."""
    return sum(value > edge for edge in edges)


def even_bin(left: float, bins: int) -> int:
    """The nearest of evenly spaced shares 0 .. 1 of the order."""
    return math.floor(left * (bins - 1) + 0.5)


def code(bins: Sequence[tuple[int, int]]) -> int:
    """Mixed radix: the sum of each feature's bin times its stride."""
    return sum(number * stride for number, stride in bins)

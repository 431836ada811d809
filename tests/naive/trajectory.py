"""Cost of a static schedule, slice by slice."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any


def total_cost(
    slices: Sequence[float], terms: dict[str, Sequence[float]], scales: Sequence[Sequence[float]], c: dict[str, Any],
    barrier: float,
) -> Any:  # fmt: skip
    """Own costs (a sum over the exponents of a mixture), transient impact (half of one's own), risk of the share of the order
    that is left, and the barrier that keeps slices positive.
    """
    if any(n <= 0.0 for n in slices):
        return math.inf
    total = impact = done = 0.0
    for t, n in enumerate(slices):
        push = c["push"] * n ** c["push_exponent"]
        done += n
        total += terms["linear"][t] * n + c["square"] * n**2
        total += sum(scale[t] * n ** (1.0 + e) for scale, e in zip(scales, c["exponents"], strict=True))
        total += n * (impact + push / 2.0) + terms["risk"][t] * (1.0 - done) ** 2 - barrier * math.log(n)
        impact = (impact + push) * terms["keep"][t]
    return total


def states(slices: Sequence[float], keep: Sequence[float], c: dict[str, Any]) -> list[tuple[float, float]]:
    """Before each step: the share of the order left, and impact left of earlier trades."""
    found, impact = [], 0.0
    for t, n in enumerate(slices):
        found.append((1.0 - sum(slices[:t]), impact))
        impact = (impact + c["push"] * max(n, 0.0) ** c["push_exponent"]) * keep[t]
    return found


def stepped(
    size: float, slices: Sequence[float], keep: Sequence[float], c: dict[str, Any], feedback: Any
) -> list[float]:
    """New slices: a share of the direction, and the answer to how far the states already are from the old ones."""
    old, new = states(slices, keep, c), []
    for t, n in enumerate(slices):
        left, impact = states([*new, 0.0], keep, c)[t]
        there = feedback[t][1] * (left - old[t][0]) + feedback[t][2] * (impact - old[t][1])
        new.append(n + size * feedback[t][0] + there)
    new[-1] += 1.0 - sum(new)
    return new

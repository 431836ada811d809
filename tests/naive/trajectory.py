"""Cost of a static schedule, slice by slice."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any


def total_cost(
    slices: Sequence[float], order: float, terms: dict[str, Sequence[float]], c: dict[str, float], barrier: float
) -> Any:
    """Own costs, transient impact (half of one's own), risk of what is left, and the barrier that keeps slices positive."""
    if any(n <= 0.0 for n in slices):
        return math.inf
    total = impact = done = 0.0
    for t, n in enumerate(slices):
        push = c["push"] * n ** c["push_exponent"]
        done += n
        total += terms["linear"][t] * n + terms["scale"][t] * n ** (1.0 + c["exponent"]) + c["square"] * n**2
        total += n * (impact + push / 2.0) + terms["risk"][t] * (order - done) ** 2 - barrier * math.log(n)
        impact = (impact + push) * c["keep"]
    return total


def states(slices: Sequence[float], order: float, c: dict[str, float]) -> list[tuple[float, float]]:
    """Before each step: shares left, and impact left of earlier trades."""
    found, impact = [], 0.0
    for t, n in enumerate(slices):
        found.append((order - sum(slices[:t]), impact))
        impact = (impact + c["push"] * max(n, 0.0) ** c["push_exponent"]) * c["keep"]
    return found


def stepped(size: float, slices: Sequence[float], order: float, c: dict[str, float], feedback: Any) -> list[float]:
    """New slices: a share of the direction, and the answer to how far the states already are from the old ones."""
    old, new = states(slices, order, c), []
    for t, n in enumerate(slices):
        left, impact = states([*new, 0.0], order, c)[t]
        there = feedback[t][1] * (left - old[t][0]) + feedback[t][2] * (impact - old[t][1])
        new.append(n + size * feedback[t][0] + there)
    new[-1] += order - sum(new)
    return new

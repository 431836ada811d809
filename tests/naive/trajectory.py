"""Cost of a static schedule, slice by slice."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np


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


def tail(t: int, slices: Sequence[float], terms: dict[str, Any], scales: Any, c: dict[str, Any], barrier: float) -> Any:
    """Gradient and Hessian of the cost from step t on, of linear transient impact, by (share left, impact) before step t and
    the slices from t on but the last one, which is what is left.
    """
    steps, before = len(slices), states(slices, terms["keep"], c)
    size = 2 + steps - 1 - t
    gradient, hessian = np.zeros(size), np.zeros((size, size))
    x, y = np.eye(size)[0], np.eye(size)[1]  # how the states move with each
    for s in range(t, steps):
        n, (left, impact), risk = slices[s], before[s], terms["risk"][s]
        move = x if s == steps - 1 else np.eye(size)[2 + s - t]
        own = terms["linear"][s] + 2.0 * c["square"] * n - barrier / n
        own += sum((1.0 + e) * scale[s] * n**e for scale, e in zip(scales, c["exponents"], strict=True))
        curve = 2.0 * c["square"] + barrier / n**2
        curve += sum(e * (1.0 + e) * scale[s] * n ** (e - 1.0) for scale, e in zip(scales, c["exponents"], strict=True))
        gradient += own * move + (impact + c["push"] * n) * move + n * y + 2.0 * risk * (left - n) * (x - move)
        hessian += (curve + c["push"]) * np.outer(move, move) + np.outer(move, y) + np.outer(y, move)
        hessian += 2.0 * risk * np.outer(x - move, x - move)
        x, y = x - move, terms["keep"][s] * (y + c["push"] * move)
    return gradient, hessian


def direction(slices: Sequence[float], terms: dict[str, Any], scales: Any, c: dict[str, Any], barrier: float) -> Any:
    """Newton's step of each slice, how it changes with (share left, impact), and the decrease that the first foretells."""
    found = [[0.0] * (len(slices) - 1) + [0.0], [0.0] * (len(slices) - 1) + [1.0], [0.0] * len(slices)]
    for t in range(len(slices) - 1):
        gradient, hessian = tail(t, slices, terms, scales, c, barrier)
        answers = np.linalg.solve(hessian[2:, 2:], -np.column_stack((gradient[2:], hessian[2:, :2])))
        for j in range(3):
            found[j][t] = answers[0, j]
    gradient, hessian = tail(0, slices, terms, scales, c, barrier)
    return found, 0.5 * gradient[2:] @ np.linalg.solve(hessian[2:, 2:], gradient[2:])


def minimum(
    slices: Sequence[float], terms: dict[str, Any], scales: Any, c: dict[str, Any], barrier: float
) -> list[float]:
    """Newton's method on all slices at once, halved until it helps; transient impact linear."""
    now = np.array(slices)
    for _ in range(200):
        gradient, hessian = tail(0, list(now), terms, scales, c, barrier)
        free = -np.linalg.solve(hessian[2:, 2:], gradient[2:])
        step, size = np.append(free, -free.sum()), 1.0
        cost = total_cost(list(now), terms, scales, c, barrier)
        while size > 1e-12 and total_cost(list(now + size * step), terms, scales, c, barrier) > cost:
            size *= 0.5
        now = now + size * step
    return [float(n) for n in now]

"""Of the price moves that an order is held through, what was expected."""

from __future__ import annotations

import math


def expected_move(mid: float, drift: float, geometric: bool) -> float:
    """E[S_{t+1} - S_t]."""
    return mid * (math.exp(drift) - 1.0) if geometric else drift


def expected_with_signals(mid: float, drift: float, v: float, told: float, left: float, geometric: bool) -> float:
    """The same, where the move's normal has mean ``told`` and variance ``left``."""
    log_mean = drift - v**2 / 2.0 + v * told  # of the growth, which is log-normal
    return mid * (math.exp(log_mean + v**2 * left / 2.0) - 1.0) if geometric else drift + v * told


def expected_seen(underneath: float, shown: float, expected: float, length: float) -> float:
    """Of the mid that is seen: it comes up to the one underneath with probability 1 / length, 1 where nothing is halted."""
    return (underneath + expected - shown) / length


def split(remaining: list[float], moves: list[float], expected: list[float]) -> tuple[float, float]:
    """(expected, unexpected) of what is held through each move, in currency."""
    whole = sum(r * move for r, move in zip(remaining, moves, strict=True))
    told = sum(r * e for r, e in zip(remaining, expected, strict=True))
    return told, whole - told

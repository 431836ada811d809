"""One step of a synthetic market for one episode: each function makes one number from what is known before."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

from naive.market import moved
from naive.parameters import correlation_matrix, factor

MEAN_OF_SIZE, SD_OF_SIZE = math.sqrt(2.0 / math.pi), math.sqrt(1.0 - 2.0 / math.pi)  # of |z|, z standard normal


def next_mid(model: str, mid: float, volatility: float, drift: float, curve: float, z: float) -> float:
    """The mid after the step's move; ``curve``: the time of day's share of the volatility."""
    return moved({"model": model, "drift": drift}, mid, volatility * curve, z)


def squared_move(before: float, after: float) -> float:
    """Of the relative move."""
    return (after / before - 1.0) ** 2


def correlated(
    z: float, e1: float, e2: float, ps: float, pv: float, sv: float, va: float, sa: float
) -> tuple[float, float]:
    """(z_s, z_v) from independent normals and the five correlations."""
    lower = factor(correlation_matrix(ps, pv, sv, va, sa))
    a = (abs(z) - MEAN_OF_SIZE) / SD_OF_SIZE
    sources = (z, a, e1, e2)
    return (sum(lower[2, j] * sources[j] for j in range(4)), sum(lower[3, j] * sources[j] for j in range(4)))


def walked_spread(spread: float, volatility: float, z: float) -> float:
    """A random walk reflected at zero."""
    return abs(spread + volatility * z)


def reverted(state: float, reversion: float, volatility: float, z: float) -> float:
    """The logarithm's distance from its mean, a step later."""
    return state - reversion * state + volatility * z


def level_of_spread(state: float, mean: float, sd: float, curve: float, floor: float) -> float:
    """The spread whose logarithm is ``state`` away from its mean; its expectation is mean * curve above the floor."""
    return max(mean * curve * math.exp(state - sd**2 / 2.0), floor)


def cosine_volume(mean: float, amplitude: float, cosine: float, noise: float, floor: float, z: float) -> float:
    """A U over the day and noise, not below the floor."""
    return max(mean + mean * amplitude * cosine + noise * z, floor)


def next_state(state: float, persistence: float, z: float) -> float:
    """A log-AR(1) of unit variance, a step later."""
    return persistence * state + math.sqrt(1.0 - persistence**2) * z


def lognormal_volume(
    state: float, day: float, mean: float, sd: float, day_sd: float, curve: float, floor: float
) -> float:
    """Volume of a step, from the state of the step and that of the day; its expectation is mean * curve above the floor."""
    return max(mean * curve * math.exp(sd * state - sd**2 / 2.0) * math.exp(day_sd * day - day_sd**2 / 2.0), floor)


def next_level(law: Sequence[float], z: float) -> int:
    """The level that a normal chooses by a law: the first whose probability, summed from level 0, is not below Phi(z)."""
    u, below = NormalDist().cdf(z), 0.0
    for level, probability in enumerate(law):
        below += probability
        if u <= below:
            return level
    return max(level for level, probability in enumerate(law) if probability > 0.0)


def add_to_sums(sums: dict[str, float], mid: float, after: float, spread: float, volume: float) -> dict[str, float]:
    """A market's sums with one step more; its volume trades at the mean of the mids before and after."""
    price = (mid + after) / 2.0
    return {
        "cumulative_volume": sums["cumulative_volume"] + volume,
        "sum_volume_price": sums["sum_volume_price"] + price * volume,
        "sum_price": sums["sum_price"] + price,
        "sum_spread": sums["sum_spread"] + spread,
    }

"""What a strategy observes when a step begins, feature by feature: the slow and obvious twin of the observations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from naive.execution import costs_a_share, transient_addition
from naive.market import MarketPath

FEATURES = (
    "inventory",
    "spread",
    "relative_spread",
    "volume",
    "relative_volume",
    "momentum",
    "volatility",
    "shortfall",
    "impact",
)


def observe(
    path: MarketPath,
    order: dict[str, Any],
    costs: dict[str, Any],
    slices: Sequence[float],
    fills_after: bool,
    known: str,
    look_back: int,
) -> dict[str, list[float]]:
    """Each feature at the start of each step of one episode, of a strategy that trades ``slices``.

    ``order``, ``costs``: resolved sections of the study, ``order["shares"]`` those of the episode. ``fills_after``: at the
    mid of the step's end. ``known``: when a step's volume is known, "after" or "during". ``look_back``: of momentum.
    """
    found: dict[str, list[float]] = {name: [] for name in FEATURES}
    for t in range(len(slices)):
        volumes = list(path.volume[: t + 1] if known == "during" else path.volume[:t])
        mean = sum(volumes) / len(volumes) if volumes else 0.0
        moves = [path.mid[s + 1] / path.mid[s] - 1.0 for s in range(t)]
        spent, transient = so_far(path, costs, slices[:t], fills_after)
        found["inventory"].append(1.0 - sum(slices[:t]) / order["shares"])
        found["spread"].append(path.spread[t])
        found["relative_spread"].append(path.spread[t] / (sum(path.spread[: t + 1]) / (t + 1)))
        found["volume"].append(volumes[-1] if volumes else 0.0)
        found["relative_volume"].append(volumes[-1] / mean if mean > 0.0 else 1.0)
        found["momentum"].append(path.mid[t] / path.mid[max(t - look_back, 0)] - 1.0)
        found["volatility"].append(math.sqrt(sum(move**2 for move in moves) / t) if t > 0 else 0.0)
        found["shortfall"].append(1e4 * spent / (order["shares"] * path.arrival))
        found["impact"].append(1e4 * transient / path.arrival)
    return found


def so_far(path: MarketPath, costs: dict[str, Any], slices: Sequence[float], fills_after: bool) -> tuple[float, float]:
    """Currency spent on ``slices`` over the mids they filled at, fees included; and the transient impact then left."""
    spent = traded = transient = 0.0
    for t, shares in enumerate(slices):
        if shares > 0.0:
            spent += shares * step_price(path, costs, t, shares, traded, transient, fills_after)
            transient += transient_addition(costs, shares)
            traded += shares
        transient *= math.exp(-costs["transient"]["resilience"])
    return spent, transient


def step_price(
    path: MarketPath,
    costs: dict[str, Any],
    t: int,
    shares: float,
    traded: float,
    transient: float,
    fills_after: bool = False,
) -> float:
    """Currency a share that a slice costs over the mid it fills at, its fee included."""
    mid = path.mid[t + 1] if fills_after else path.mid[t]
    parts = costs_a_share(costs, shares, mid, path.spread[t], path.volume[t], traded, transient)
    return sum(parts.values()) + float(costs["fees"]["per_share"])

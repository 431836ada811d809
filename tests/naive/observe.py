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
    during = known == "during"
    for t in range(len(slices)):
        spent, transient = so_far(path, costs, slices[:t], fills_after)
        found["inventory"].append(1.0 - sum(slices[:t]) / order["shares"])
        found["spread"].append(path.spread[t])
        found["relative_spread"].append(relative_spread(path.spread, t))
        found["volume"].append(last_volume(path.volume, t, during))
        found["relative_volume"].append(relative_volume(path.volume, t, during))
        found["momentum"].append(momentum(path.mid, t, look_back))
        found["volatility"].append(volatility(path.mid, t))
        found["shortfall"].append(in_bps(spent, order["shares"], path.arrival))
        found["impact"].append(in_bps(transient, 1.0, path.arrival))
    return found


def relative_spread(spreads: Sequence[float], t: int) -> float:
    """The spread over its mean so far, this step's included; 1 where there was none."""
    mean = sum(spreads[: t + 1]) / (t + 1)
    return spreads[t] / mean if mean > 0.0 else 1.0


def momentum(mids: Sequence[float], t: int, look_back: int) -> float:
    """Relative move of the mid over the last steps, or since the start where there are fewer."""
    return mids[t] / mids[max(t - look_back, 0)] - 1.0


def volatility(mids: Sequence[float], t: int) -> float:
    """Root mean square of the relative moves of the steps that are over."""
    moves = [mids[s + 1] / mids[s] - 1.0 for s in range(t)]
    return math.sqrt(sum(move**2 for move in moves) / t) if t > 0 else 0.0


def known_volumes(volumes: Sequence[float], t: int, during: bool) -> list[float]:
    """Those of the steps that are over, and the current one's where it is known during the step."""
    return list(volumes[: t + 1] if during else volumes[:t])


def last_volume(volumes: Sequence[float], t: int, during: bool) -> float:
    """The last one known; 0 before there is one."""
    return [0.0, *known_volumes(volumes, t, during)][-1]


def relative_volume(volumes: Sequence[float], t: int, during: bool) -> float:
    """The last volume over the mean of those known; 1 where nothing has been traded."""
    known = known_volumes(volumes, t, during)
    mean = sum(known) / len(known) if known else 0.0
    return known[-1] / mean if mean > 0.0 else 1.0


def in_bps(money: float, shares: float, arrival: float) -> float:
    """Of the order's value; with one share, of the price."""
    return 1e4 * money / (shares * arrival)


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
    then = t + 1 if fills_after else t
    parts = costs_a_share(costs, shares, path.mid[then], path.spread[then], path.volume[t], traded, transient)
    return sum(parts.values()) + float(costs["fees"]["per_share"])

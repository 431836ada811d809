"""One market path, step by step in plain Python, from the study file's keys and given normals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass
class MarketPath:
    """mid[t] and spread[t] when step t begins, volume[t] within it; mid has one more: the end."""

    arrival: float
    mid: list[float]
    spread: list[float]
    volume: list[float]


def curve_at(knots: list[float], steps: int, power: int) -> list[float]:
    """Knots at their midpoints, linear between, flat outside; mean of the power-th powers 1."""
    if not knots:
        return [1.0] * steps
    values = []
    for t in range(steps):
        place = (t + 0.5) / steps * len(knots) - 0.5
        if place <= 0:
            values.append(knots[0])
        elif place >= len(knots) - 1:
            values.append(knots[-1])
        else:
            j = int(place)
            values.append(knots[j] + (place - j) * (knots[j + 1] - knots[j]))
    mean = (sum(v**power for v in values) / steps) ** (1 / power)
    return [v / mean for v in values]


def correlated(c: dict[str, float], z: float, e1: float, e2: float) -> tuple[float, float]:
    """(z_s, z_v) from the move's normal and two others, by the Cholesky factor of (z_p, a, z_s, z_v)."""
    ps, pv, sv = c.get("price_spread", 0.0), c.get("price_volume", 0.0), c.get("spread_volume", 0.0)
    va, sa = c.get("volume_absolute_return", 0.0), c.get("spread_absolute_return", 0.0)
    factor = np.linalg.cholesky(np.array([[1, 0, ps, pv], [0, 1, sa, va], [ps, sa, 1, sv], [pv, va, sv, 1]]))
    size = (abs(z) - math.sqrt(2 / math.pi)) / math.sqrt(1 - 2 / math.pi)
    found = factor @ np.array([z, size, e1, e2])
    return float(found[2]), float(found[3])


def market_path(market: dict[str, Any], steps: int, moves: np.ndarray, start: np.ndarray) -> MarketPath:
    """``moves``: (z_p, e1, e2) of each step; ``start``: first move, stationary spread, stationary log volume, day."""
    price = market["price"]
    arrival = market["initial_price"]
    diurnal = curve_at(price.get("diurnal", []), steps, 2)
    pairs = [correlated(market.get("correlation", {}), *map(float, moves[t])) for t in range(steps)]

    def after(mid: float, t: int, z: float) -> float:
        sd = price["volatility"] * diurnal[t]
        if price["model"] == "arithmetic":
            return mid + price.get("drift", 0.0) + sd * z
        return mid * math.exp(price.get("drift", 0.0) - sd * sd / 2 + sd * z)

    mid = [after(arrival, 0, float(start[0])) if price.get("start") == "moved" else arrival]
    for t in range(steps):
        mid.append(after(mid[-1], t, float(moves[t][0])))
    return MarketPath(
        arrival,
        mid,
        spreads(market["spread"], steps, [p[0] for p in pairs], float(start[1])),
        volumes(market["volume"], steps, [p[1] for p in pairs], float(start[2]), float(start[3])),
    )


def spreads(spread: dict[str, Any], steps: int, z: list[float], first: float) -> list[float]:
    """z[t] moves the spread out of step t."""
    model = spread["model"]
    if model == "constant":
        return [spread["initial"]] * steps
    if model == "random_walk":
        path = [spread["initial"]]
        for t in range(steps - 1):
            path.append(abs(path[-1] + spread["volatility"] * z[t]))
        return path
    assert model == "mean_reverting"
    keep, own = 1 - spread["reversion"], spread["volatility"]
    sd = own / math.sqrt(1 - keep**2)
    level, x, path = curve_at(spread.get("diurnal", []), steps, 1), sd * first, []
    for t in range(steps):
        path.append(max(spread["floor"], spread["mean"] * level[t] * math.exp(x - sd * sd / 2)))
        x = keep * x + own * z[t]
    return path


def volumes(volume: dict[str, Any], steps: int, z: list[float], before: float, day: float) -> list[float]:
    """z[t] makes the volume of step t."""
    model = volume["model"]
    if model == "constant":
        return [volume["mean"]] * steps
    if model == "cosine":
        path = []
        for t in range(steps):
            level = volume["mean"] * (1 + volume["amplitude"] * math.cos(2 * math.pi * t / (steps - 1)))
            path.append(max(volume["floor"], level + volume["noise"] * z[t]))
        return path
    assert model == "lognormal"
    level, rho, x, path = curve_at(volume.get("curve", []), steps, 1), volume["persistence"], before, []
    a, b = volume["volatility"], volume["day_volatility"]
    for t in range(steps):
        x = rho * x + math.sqrt(1 - rho * rho) * z[t]
        path.append(max(volume["floor"], volume["mean"] * level[t] * math.exp(a * x + b * day - (a * a + b * b) / 2)))
    return path

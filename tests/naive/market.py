"""One episode of a synthetic market, step by step: the slow and obvious twin of the simulated markets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass
class MarketPath:
    """What the market does in one episode of N steps, without our own trades."""

    mid: np.ndarray  # currency, N + 1 values: mid[t] when step t begins, mid[N] at the end
    spread: np.ndarray  # full quoted spread as a fraction of the mid, N + 1 values likewise
    volume: np.ndarray  # shares traded by others during each step
    arrival: float  # currency
    rate_volume: np.ndarray | None = None  # of real days: what rates are taken against; 0: nobody trades

    @property
    def met(self) -> np.ndarray:
        """What the rate of a slice is taken against in each step; 0 where nobody trades."""
        return self.volume if self.rate_volume is None else self.rate_volume


def market_path(market: dict[str, Any], steps: int, moves: np.ndarray, start: np.ndarray) -> MarketPath:
    """Path of the resolved ``[market]`` section ``market`` (curves and correlations may be absent).

    ``moves[t]``: independent normals (z_p, e1, e2) of step t. ``start``: normals of the first move of start = "moved",
    of the mean-reverting spread at step 0, of the log volume before step 0, and of the day's volume.
    """
    normals = correlated_normals(market.get("correlation", {}), steps, moves)
    arrival = float(market["initial_price"])
    mid = mid_path(market["price"], arrival, steps, normals[:, 0], start[0])
    spread = spread_path(market["spread"], steps, normals[:, 1], start[1])
    volume = volume_path(market["volume"], steps, normals[:, 2], start[2], start[3])
    return MarketPath(mid=mid, spread=spread, volume=volume, arrival=arrival)


def correlated_normals(correlation: dict[str, float], steps: int, moves: np.ndarray) -> np.ndarray:
    """(z_p, z_s, z_v) of each step, from the Cholesky factor for (z_p, a, z_s, z_v); a: standardised size of z_p."""
    ps = correlation.get("price_spread", 0.0)
    pv = correlation.get("price_volume", 0.0)
    sv = correlation.get("spread_volume", 0.0)
    va = correlation.get("volume_absolute_return", 0.0)
    sa = correlation.get("spread_absolute_return", 0.0)
    matrix = np.array([[1.0, 0.0, ps, pv], [0.0, 1.0, sa, va], [ps, sa, 1.0, sv], [pv, va, sv, 1.0]])
    factor = np.linalg.cholesky(matrix)
    result = np.zeros((steps, 3))
    for t in range(steps):
        z_p, e1, e2 = moves[t]
        a = (abs(z_p) - math.sqrt(2.0 / math.pi)) / math.sqrt(1.0 - 2.0 / math.pi)
        _, _, z_s, z_v = factor @ np.array([z_p, a, e1, e2])
        result[t] = z_p, z_s, z_v
    return result


def mid_path(price: dict[str, Any], arrival: float, steps: int, z_p: np.ndarray, first: float) -> np.ndarray:
    """Mid at the start of each step and at the end; z_p[t] moves it out of step t."""
    shape = curve_at_midpoints(price.get("diurnal", ()), steps)
    shape = shape / math.sqrt(np.mean(shape**2))
    mid = np.zeros(steps + 1)
    mid[0] = arrival
    if price.get("start", "arrival") == "moved":
        mid[0] = moved(price, arrival, price["volatility"] * shape[0], first)
    for t in range(steps):
        mid[t + 1] = moved(price, mid[t], price["volatility"] * shape[t], z_p[t])
    return mid


def moved(price: dict[str, Any], mid: float, volatility: float, z: float) -> float:
    """The mid after one move; drift 0 is a martingale in both models."""
    if price["model"] == "geometric":
        return mid * math.exp(price["drift"] - volatility**2 / 2.0 + volatility * z)
    if price["model"] == "arithmetic":
        return mid + price["drift"] + volatility * z
    raise ValueError(f"no twin of the price model {price['model']}")


def spread_path(spread: dict[str, Any], steps: int, z_s: np.ndarray, first: float) -> np.ndarray:
    """Spread of each step and at the end; z_s[t] moves it from step t to step t + 1."""
    model = spread["model"]
    result = np.zeros(steps + 1)
    if model == "constant":
        for t in range(steps + 1):
            result[t] = spread["initial"]
    elif model == "random_walk":
        result[0] = spread["initial"]
        for t in range(steps):
            result[t + 1] = abs(result[t] + spread["volatility"] * z_s[t])
    elif model == "mean_reverting":
        shape = curve_at_midpoints(spread.get("diurnal", ()), steps)
        shape = shape / np.mean(shape)
        kept = 1.0 - spread["reversion"]
        variance = spread["volatility"] ** 2 / (1.0 - kept**2)
        x = math.sqrt(variance) * first
        for t in range(steps + 1):
            of_day = shape[min(t, steps - 1)]  # the end belongs to the last step
            result[t] = max(spread["floor"], spread["mean"] * of_day * math.exp(x - variance / 2.0))
            x = kept * x + spread["volatility"] * z_s[t] if t < steps else x
    else:
        raise ValueError(f"no twin of the spread model {model}")
    return result


def volume_path(volume: dict[str, Any], steps: int, z_v: np.ndarray, before: float, day: float) -> np.ndarray:
    """Volume of each step; z_v[t] makes that of step t."""
    model = volume["model"]
    result = np.zeros(steps)
    if model == "constant":
        for t in range(steps):
            result[t] = volume["mean"]
    elif model == "cosine":
        for t in range(steps):
            theta = 2.0 * math.pi * t / (steps - 1) if steps > 1 else 0.0
            level = volume["mean"] * (1.0 + volume["amplitude"] * math.cos(theta))
            result[t] = max(volume["floor"], level + volume["noise"] * z_v[t])
    elif model == "lognormal":
        shape = curve_at_midpoints(volume.get("curve", ()), steps)
        shape = shape / np.mean(shape)
        sd, day_sd, persistence = volume["volatility"], volume["day_volatility"], volume["persistence"]
        x = before
        for t in range(steps):
            x = persistence * x + math.sqrt(1.0 - persistence**2) * z_v[t]
            log = sd * x + day_sd * day - (sd**2 + day_sd**2) / 2.0
            result[t] = max(volume["floor"], volume["mean"] * shape[t] * math.exp(log))
    else:
        raise ValueError(f"no twin of the volume model {model}")
    return result


def curve_at_midpoints(curve: Sequence[float], steps: int) -> np.ndarray:
    """``curve`` interpolated linearly at the midpoints of the steps, flat outside its knots; 1 without a curve."""
    result = np.ones(steps)
    knots = len(curve)
    for t in range(steps):
        if knots > 0:
            place = (t + 0.5) / steps * knots - 0.5  # in knots: knot j stands at (j + 0.5) / knots of the day
            left = math.floor(place)
            weight = place - left
            below = curve[min(max(left, 0), knots - 1)]
            above = curve[min(max(left + 1, 0), knots - 1)]
            result[t] = (1.0 - weight) * below + weight * above
    return result

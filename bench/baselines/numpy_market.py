"""The mini-project's market and a TWAP as a careful numpy user would write them: the same model, vectorised over episodes.

It keeps the same ledger as the engine (parts of the cost, counts, largest participation), in float64 with float32 normals
of numpy's fastest generator, and walks in batches that fit the cache.
"""

from __future__ import annotations

import numpy as np

BATCH = 4096


def numpy_mini_project(episodes: int, steps: int = 50, shares: float = 10_000.0, seed: int = 1) -> np.ndarray:
    """Mean parts of the shortfall (timing, spread, temporary; bps) of TWAP on the mini-project's market."""
    rng = np.random.Generator(np.random.SFC64(seed))
    sums = np.zeros(3)
    for first in range(0, episodes, BATCH):
        sums += _batch(rng, min(BATCH, episodes - first), steps, shares)
    return sums / episodes


def _batch(rng: np.random.Generator, n: int, steps: int, shares: float) -> np.ndarray:
    volatility, drift = 0.002, 0.000002
    level = 1000.0 * (1.0 - 0.5 * np.cos(2 * np.pi * np.arange(steps) / (steps - 1)))
    mid = np.full(n, 100.0)
    spread = np.full(n, 0.001)
    remaining = np.full(n, shares)
    timing, half_spread, temporary, squares = np.zeros((4, n))
    largest, orders, last, seen, at_last, volume_price, price_sum, spread_sum, moves = np.zeros((9, n))
    mid = mid * np.exp(drift - 0.5 * volatility**2 + volatility * rng.standard_normal(n, np.float32))
    for t in range(steps):
        z = rng.standard_normal((3, n), np.float32)
        growth = np.exp(drift - 0.5 * volatility**2 + volatility * z[0])
        following = mid * growth
        volume = np.maximum(level[t] + 200.0 * z[2], 100.0)
        seen += volume
        price = 0.5 * (mid + following)
        volume_price += volume * price
        price_sum += price
        spread_sum += spread
        moves += (growth - 1.0) ** 2
        q = np.maximum(remaining - (shares - np.floor((t + 1) / steps * shares + 0.5)), 0.0)
        rate = q / volume
        value = q * mid
        remaining -= q
        timing += q * (mid - 100.0)
        half_spread += 0.5 * value * spread
        temporary += value * 0.001 * rate
        squares += q * q
        np.maximum(largest, rate, out=largest)
        traded = q > 0
        orders += traded
        np.copyto(last, t, where=traded)
        np.copyto(at_last, seen, where=traded)
        mid = following
        spread = np.abs(spread + 0.0002 * z[1])
    return np.array([-timing.sum(), half_spread.sum(), temporary.sum()]) * 1e4 / (shares * 100.0)


def numpy_normals(count: int, seed: int = 1) -> None:
    """So many normals, float32, of numpy's fastest generator, in batches that fit the cache."""
    rng, room = np.random.Generator(np.random.SFC64(seed)), np.empty(3 * BATCH, np.float32)
    for first in range(0, count, room.size):
        rng.standard_normal(out=room[: count - first], dtype=np.float32)

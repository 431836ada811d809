"""The mini-project's market and a TWAP in JAX, in a process of its own on one core: ``python jax_market.py BATCH...``.

It compiles for each batch, keeps the fastest, and says so (a line of JSON); then it plays as many episodes as each line
of its input asks for, and answers with their mean shortfall in bps.
"""

from __future__ import annotations

import json
import os
import sys
from time import perf_counter

if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
os.environ["OMP_NUM_THREADS"] = "1"

import jax
import jax.numpy as jnp

STEPS, SHARES, ARRIVAL = 50, 10_000.0, 100.0
VOLATILITY, DRIFT = 0.002, 0.000002
LEVEL = 1000.0 * (1.0 - 0.5 * jnp.cos(2 * jnp.pi * jnp.arange(STEPS) / (STEPS - 1)))


def step(state: tuple, now: tuple) -> tuple[tuple, None]:
    """One step of a batch: the same ledger as the engine's."""
    mid, spread, remaining, ledger = state
    t, key, level = now
    timing, half_spread, temporary, squares, largest, orders, last, seen, at_last, vp, ps, ss, moves = ledger
    z = jax.random.normal(key, (3, mid.shape[0]), jnp.float32)
    growth = jnp.exp(DRIFT - 0.5 * VOLATILITY**2 + VOLATILITY * z[0])
    following = mid * growth
    volume = jnp.maximum(level + 200.0 * z[2], 100.0)
    seen, price = seen + volume, 0.5 * (mid + following)
    q = jnp.maximum(remaining - (SHARES - jnp.floor((t + 1) / STEPS * SHARES + 0.5)), 0.0)
    rate, value, traded = q / volume, q * mid, q > 0
    ledger = (
        timing + q * (mid - ARRIVAL),
        half_spread + 0.5 * value * spread,
        temporary + value * 0.001 * rate,
        squares + q * q,
        jnp.maximum(largest, rate),
        orders + traded,
        jnp.where(traded, t, last),
        seen,
        jnp.where(traded, seen, at_last),
        vp + volume * price,
        ps + price,
        ss + spread,
        moves + (growth - 1.0) ** 2,
    )
    return (following, jnp.abs(spread + 0.0002 * z[1]), remaining - q, ledger), None


def play(key: jax.Array, batch: int) -> jax.Array:
    """The ledger of a batch of episodes, each part's sum."""
    first, *keys = jax.random.split(key, STEPS + 1)
    mid = ARRIVAL * jnp.exp(DRIFT - 0.5 * VOLATILITY**2 + VOLATILITY * jax.random.normal(first, (batch,), jnp.float32))
    nothing = jnp.zeros(batch, jnp.float32)
    state = mid, nothing + 0.001, nothing + SHARES, (nothing,) * 13
    (_, _, _, ledger), _ = jax.lax.scan(step, state, (jnp.arange(STEPS, dtype=jnp.float32), jnp.stack(keys), LEVEL))
    return jnp.stack([part.sum() for part in ledger])


def episodes_of(compiled: jax.stages.Wrapped, batch: int, episodes: int) -> float:
    """Mean shortfall of so many episodes, bps."""
    parts = [compiled(key, batch) for key in jax.random.split(jax.random.key(1), max(episodes // batch, 1))]
    sums = sum(jax.device_get(part).astype(float) for part in parts)
    return float((-sums[0] + sums[1] + sums[2]) * 1e4 / (SHARES * ARRIVAL) / (batch * len(parts)))


def main() -> None:
    compiled, found = jax.jit(play, static_argnums=1), {}
    started = perf_counter()
    for batch in map(int, sys.argv[1:]):
        episodes_of(compiled, batch, 32_768)  # compiles
        times = []
        for _ in range(3):
            began = perf_counter()
            episodes_of(compiled, batch, 32_768)
            times.append(perf_counter() - began)
        found[batch] = min(times)
    best = min(found, key=found.get)
    print(json.dumps({"batch": best, "prepared_s": perf_counter() - started, "version": jax.__version__}), flush=True)
    for line in sys.stdin:
        print(episodes_of(compiled, best, int(line)), flush=True)


if __name__ == "__main__":
    main()

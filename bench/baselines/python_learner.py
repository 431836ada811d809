"""The mini-project's learner in plain Python, draws and paths included."""

from __future__ import annotations

import math
import random


def python_q_learning(episodes: int, steps: int = 50) -> None:
    """Online Q-learning on the mini-project's market in plain Python with a dictionary, draws and paths included."""
    rng, q = random.Random(7), {}
    for _ in range(episodes):
        left, mid, spread = 10_000.0, 100.0, 0.001
        before = None
        for t in range(steps):
            volume = max(
                1000.0 * (1.0 - 0.5 * math.cos(2.0 * math.pi * t / (steps - 1))) + rng.gauss(0.0, 200.0), 100.0
            )
            state = (t, min(int(spread * 1000.0), 10), min(int(volume / 1000.0), 5))
            row = q.setdefault(state, [0.0] * 5)
            if before is not None:
                last, a, cost = before
                last[a] += 0.1 * (cost + min(row) - last[a])
            action = rng.randrange(5) if rng.random() < 0.3 else row.index(min(row))
            shares = left if t == steps - 1 else math.floor(0.25 * action * left)
            cost = shares * mid * (0.5 * spread + 0.001 * shares / volume)
            left -= shares
            before = row, action, cost
            mid *= math.exp(0.002 * rng.gauss(0.0, 1.0))
            spread = abs(spread + rng.gauss(0.0, 0.0002))

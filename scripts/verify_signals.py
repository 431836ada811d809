"""What a predictive signal is worth by the rule of follow_signal on the engine's own signals; a table, a verdict.

    python scripts/verify_signals.py [--episodes 200000] [--seed 1]

An order of 1 over a time of 1: cost sum of k/dt n^2 + phi dt x_post^2 + alpha x_N^2 (Cartea, Jaimungal and Penalva 2015, ch. 6)
and a drift I on what is held, dI = -kI I dt + sI dW, I_0 = .3 (Lehalle and Neuman 2019), of which a step expects its integral.
Both ways may be traded: no bound is kept. What is left at the end pays alpha x^2, as a last slice of that slope would.
"""

from __future__ import annotations

import argparse
import math
import sys

import numpy as np

from fastexec.planning.follow_signal import Problem, solve
from fastexec.simulation import prepare
from fastexec.studies.study import Study

K, PHI, ALPHA = 1e-3, 1e-2, 1e-1
REVERSION, OWN_SD, START = 2.0, 0.5, 0.3
SD = OWN_SD / math.sqrt(2.0 * REVERSION)  # of the stationary law, whose x = I / SD the market's signals are
ORACLES = {5: 0.002328959083413, 50: 0.003074530614248}
GAIN = 0.3927500463
STEPS, FINE = 50, 6_400
CHUNK = 20_000


def memory(steps: int) -> float:
    return math.exp(-REVERSION / steps)


def move(steps: int) -> float:
    """What a step is expected to bring at x = 1."""
    return SD * (1.0 - memory(steps)) / REVERSION


def rule(steps: int) -> np.ndarray:
    """float64[t, (share of the rest, shares, shares for a unit of x)], and a last row for what is left at the end."""
    dt, last = 1.0 / steps, np.arange(steps + 1) == steps
    none = np.zeros(steps + 1)
    slope, risk = np.where(last, ALPHA, K / dt), np.where(last, 0.0, PHI * dt)
    told = np.full((1, steps + 1), move(steps))
    return solve(Problem(none, slope, none, risk, told, [memory(steps)], np.ones(steps + 1, bool)))


def costs(own: np.ndarray, x: np.ndarray) -> np.ndarray:
    """What the rule costs on signals float64[e, t], float64[e]."""
    steps, left, total = x.shape[1], np.ones(len(x)), np.zeros(len(x))
    for t in range(steps):
        n = own[t, 0] * left + own[t, 2] * x[:, t]
        left = left - n
        total += K * steps * n * n + (PHI / steps * left + move(steps) * x[:, t]) * left
    return total + ALPHA * left * left


def exact_gain(steps: int) -> float:
    """Of following: (k_t + A_t) times E[(what x adds to slice t)^2]."""
    own, keep = rule(steps)[:-1], memory(steps) ** (2 * np.arange(steps))
    squares = 1.0 + keep * ((START / SD) ** 2 - 1.0)
    return float((K * steps / (1.0 - own[:, 0]) * own[:, 2] ** 2 * squares).sum())


def signals(episodes: int, first: int, seed: int) -> np.ndarray:
    """The engine's, led to start at I_0: a linear law goes on from where it is."""
    study = Study.from_dict({
        "seed": seed, "episodes": first + episodes, "order": {"steps": STEPS}, "strategies": [{"model": "twap"}],
        "market": {"signals": [{"name": "x", "predicts": "move", "correlation": 0.1, "persistence": memory(STEPS)}]},
    })  # fmt: skip
    x = prepare(study).steps(first, episodes)["signal_x"].reshape(episodes, STEPS)
    return x + memory(STEPS) ** np.arange(STEPS) * (START / SD - x[:, :1])


def simulated(episodes: int, seed: int) -> tuple[float, float]:
    """Mean gain and its standard error."""
    own = rule(STEPS)
    blind = own * np.array([1.0, 1.0, 0.0])
    gains = []
    for first in range(0, episodes, CHUNK):
        x = signals(min(CHUNK, episodes - first), first, seed)
        gains.append(costs(blind, x) - costs(own, x))
    gain = np.concatenate(gains)
    return float(gain.mean()), float(gain.std(ddof=1) / math.sqrt(gain.size))


def report(episodes: int, seed: int) -> bool:
    """Print each figure beside its oracle; True where all agree."""
    sound = True
    for steps, oracle in ORACLES.items():
        found = float(costs(rule(steps), np.zeros((1, steps)))[0])
        sound &= abs(found - oracle) < 1e-14
        print(f"cost without a signal, {steps} steps: {found:.15f}, oracle {oracle:.15f}")
    coarse, fine = exact_gain(FINE), exact_gain(2 * FINE)
    limit = 2.0 * fine - coarse
    sound &= abs(limit - GAIN) < 1e-7
    print(f"gain, {FINE} and {2 * FINE} steps: {coarse:.8f}, {fine:.8f}; their limit {limit:.8f}, oracle {GAIN:.8f}")
    mean, error = simulated(episodes, seed)
    exact = exact_gain(STEPS)
    score = (mean - exact) / error
    sound &= abs(score) < 4.0
    print(
        f"gain, {STEPS} steps, {episodes} episodes: {mean:.5f} +- {error:.5f}, exact {exact:.8f}, {score:+.2f} errors"
    )
    return sound


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--episodes", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    sound = report(options.episodes, options.seed)
    print("sound" if sound else "NOT SOUND")
    sys.exit(0 if sound else 1)


if __name__ == "__main__":
    main()

"""The mini-project's market as a Gymnasium vector environment in numpy, played by TWAP."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box

STEPS, SHARES, ARRIVAL = 50, 10_000.0, 100.0
VOLATILITY, DRIFT = 0.002, 0.000002


class Execution(gymnasium.vector.VectorEnv):
    """Sell an order in fifty steps. Observed: time, what is left, the spread, the last volume. Action: shares of the step.
    Reward: minus the step's cost in bps of the order.
    """

    def __init__(self, num_envs: int) -> None:
        self.num_envs = num_envs
        self.single_observation_space = Box(-np.inf, np.inf, (4,))
        self.single_action_space = Box(0.0, SHARES, (1,))
        self.observation_space = Box(-np.inf, np.inf, (num_envs, 4))
        self.action_space = Box(0.0, SHARES, (num_envs, 1))
        self.level = 1000.0 * (1.0 - 0.5 * np.cos(2 * np.pi * np.arange(STEPS) / (STEPS - 1)))
        self.never = np.zeros(num_envs, bool)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        if seed is not None:
            self.rng = np.random.Generator(np.random.SFC64(seed))
        n, self.t = self.num_envs, 0
        first = self.rng.standard_normal(n, np.float32)
        self.mid = ARRIVAL * np.exp(DRIFT - 0.5 * VOLATILITY**2 + VOLATILITY * first)
        self.spread, self.remaining, self.volume = np.full(n, 0.001), np.full(n, SHARES), np.zeros(n)
        return self._observed(), {}

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict]:
        z = self.rng.standard_normal((3, self.num_envs), np.float32)
        self.volume = np.maximum(self.level[self.t] + 200.0 * z[2], 100.0)
        q = np.clip(actions[:, 0], 0.0, self.remaining)
        value = q * self.mid
        cost = -q * (self.mid - ARRIVAL) + value * (0.5 * self.spread + 0.001 * q / self.volume)
        self.remaining = self.remaining - q
        self.mid = self.mid * np.exp(DRIFT - 0.5 * VOLATILITY**2 + VOLATILITY * z[0])
        self.spread = np.abs(self.spread + 0.0002 * z[1])
        self.t += 1
        ended = np.full(self.num_envs, self.t == STEPS)
        return self._observed(), cost * (-1e4 / (SHARES * ARRIVAL)), ended, self.never, {}

    def _observed(self) -> np.ndarray:
        time = np.full(self.num_envs, self.t / STEPS)
        return np.stack((time, self.remaining / SHARES, self.spread, self.volume), axis=1).astype(np.float32)


class SixFeatures(Execution):
    """The same that observes two more: the move over the last five steps, and the volatility realised so far."""

    def __init__(self, num_envs: int) -> None:
        super().__init__(num_envs)
        self.single_observation_space = Box(-np.inf, np.inf, (6,))
        self.observation_space = Box(-np.inf, np.inf, (num_envs, 6))

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        self.mids: list[np.ndarray] = []
        self.squares = np.zeros(self.num_envs)
        return super().reset(seed=seed, options=options)

    def _observed(self) -> np.ndarray:
        if self.mids:
            move = self.mid / self.mids[-1] - 1.0
            self.squares += move * move
        self.mids.append(self.mid)
        momentum = self.mid / self.mids[max(self.t - 5, 0)] - 1.0
        volatility = np.sqrt(self.squares / max(self.t, 1))
        further = np.stack((momentum, volatility), axis=1).astype(np.float32)
        return np.concatenate((super()._observed(), further), axis=1)


def gymnasium_mini_project(episodes: int, num_envs: int = 4096) -> float:
    """Mean shortfall of TWAP, bps; whole batches of environments."""
    env, total = Execution(num_envs), 0.0
    action = np.full((num_envs, 1), SHARES / STEPS)
    env.reset(seed=1)
    for _ in range(episodes // num_envs):
        env.reset()
        for _ in range(STEPS):
            _, reward, _, _, _ = env.step(action)
            total -= float(reward.sum())
    return total / (episodes // num_envs * num_envs)

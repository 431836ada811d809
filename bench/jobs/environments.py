"""Steps of Gymnasium environments: 4,096 orders of the mini-project at once, six features; and what others make of the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastexec.studies.study import Study
from jobs.engine import MINI, STEPS
from jobs.job import BASELINES, Job, MissingError, Size

OURS, SYNC, NUMPY_ENVIRONMENT = "step, 4,096 environments", "SyncVectorEnv", "numpy vector environment"
STEP = "step"
_MANY, _FEW = 4096, 64
_FEATURES = ["time", "inventory", "spread", "volume", "momentum", "volatility"]
_LEVELS = [0.0, 0.5, 1.0, 1.5, 2.0]
_SETUP: dict[str, Any] = {"features": _FEATURES, "actions": {"set": "multiples", "levels": _LEVELS}}


def played(env: Any, actions: list[np.ndarray]) -> Callable[[], None]:
    """An episode in every environment, and the step that begins the next ones."""
    env.reset(seed=1)

    def episode() -> None:
        for action in actions:
            env.step(action)

    return episode


def numbers(environments: int, steps: int) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [rng.integers(0, len(_LEVELS), environments) for _ in range(steps)]


def ours(threads: int) -> Callable[[], None]:
    try:
        from fastexec.gym import ExecutionVectorEnv
    except ImportError as error:
        raise MissingError(str(error)) from None
    env = ExecutionVectorEnv(Study.preset(MINI), _MANY, threads=threads, **_SETUP)
    return played(env, numbers(_MANY, STEPS + 1))


def sync(threads: int) -> Callable[[], None]:
    """Fewer of them: each step of one costs the same, however many there are."""
    try:
        from gymnasium.vector import SyncVectorEnv

        from fastexec.gym import ExecutionEnv
    except ImportError as error:
        raise MissingError(str(error)) from None
    study = Study.preset(MINI)
    env = SyncVectorEnv([lambda: ExecutionEnv(study, **_SETUP) for _ in range(_FEW)])
    return played(env, numbers(_FEW, STEPS + 1))


def in_numpy(threads: int) -> Callable[[], None]:
    try:
        from baselines.gymnasium_market import SHARES, SixFeatures
    except ImportError as error:
        raise MissingError(str(error)) from None
    env = SixFeatures(_MANY)
    env.reset(seed=1)
    actions = [np.array(_LEVELS)[action][:, None] * (SHARES / STEPS) for action in numbers(_MANY, STEPS)]

    def episode() -> None:
        env.reset()
        for action in actions:
            env.step(action)

    return episode


def jobs(size: Size) -> list[Job]:
    """A step is that of one environment; those that only begin an episode do not count."""
    return [
        Job(OURS, "environments", ours, _MANY * STEPS, STEP, True, (), (SYNC, NUMPY_ENVIRONMENT)),
        Job(SYNC, BASELINES, sync, _FEW * STEPS, STEP),
        Job(NUMPY_ENVIRONMENT, BASELINES, in_numpy, _MANY * STEPS, STEP),
    ]

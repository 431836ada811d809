"""The adaptor for Stable-Baselines3: its own check, two of its learners, and what its callers keep."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("stable_baselines3", reason="Stable-Baselines3, which needs torch, is not installed")

from stable_baselines3 import A2C, PPO
from stable_baselines3.common.env_checker import check_env

from conftest import small_study
from fastexec.errors import InputError
from fastexec.gym import ExecutionEnv, ExecutionVectorEnv, StableBaselinesVecEnv

SETUP = {"features": ["time", "inventory", "spread"], "actions": {"set": "multiples", "levels": [0.0, 1.0, 2.0]}}


def adapted(num_envs=16, **more):
    return StableBaselinesVecEnv(
        ExecutionVectorEnv(small_study(), num_envs, autoreset_mode="SameStep", **SETUP, **more)
    )


def test_its_own_check():
    check_env(ExecutionEnv(small_study(), **SETUP))


def test_ends_and_columns_are_in_the_infos():
    env = adapted(3)
    env.seed(4)
    kept = [env.reset()]
    for t in range(12):
        observations, rewards, done, infos = env.step(np.array([0, 1, 2]))
        kept.append(observations)
        assert (done == (t == 11)).all()
        assert rewards.dtype == np.float32
    assert all("terminal_observation" in info and "shortfall_bps" in info for info in infos)
    assert not any(np.shares_memory(one, other) for one in kept for other in kept if one is not other)


@pytest.mark.parametrize("learner", [PPO, A2C])
def test_learners_take_it(learner):
    model = learner("MlpPolicy", adapted(unexpected=False), n_steps=12, seed=1, device="cpu")
    model.learn(12 * 16 * 4)
    assert model.num_timesteps == 12 * 16 * 4


def test_another_environment_is_refused():
    with pytest.raises(InputError, match="must be an ExecutionVectorEnv"):
        StableBaselinesVecEnv(ExecutionEnv(small_study(), **SETUP))
    with pytest.raises(InputError, match="autoreset_mode is NextStep"):
        StableBaselinesVecEnv(ExecutionVectorEnv(small_study(), 2, **SETUP))

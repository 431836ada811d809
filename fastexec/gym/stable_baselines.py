"""StableBaselinesVecEnv: an ``ExecutionVectorEnv`` as Stable-Baselines3 takes environments. Imported when first asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from fastexec.errors import InputError
from fastexec.gym.vector import ExecutionVectorEnv

try:
    from stable_baselines3.common.vec_env import VecEnv
except ImportError as error:
    raise ImportError("StableBaselinesVecEnv needs Stable-Baselines3: pip install stable-baselines3") from error

Indices = int | Iterable[int] | None


class StableBaselinesVecEnv(VecEnv):  # type: ignore[misc] # the library ships with torch, and is not installed with this one
    """For ``PPO("MlpPolicy", StableBaselinesVecEnv(env))``. ``env`` resets environments in the step in which their episodes end
    (``autoreset_mode="SameStep"``), as Stable-Baselines3 expects it. Every array is the caller's own.

    Raises InputError where ``env`` is another environment, or resets otherwise.
    """

    def __init__(self, env: ExecutionVectorEnv) -> None:
        if not isinstance(env, ExecutionVectorEnv):
            raise InputError(f"env: must be an ExecutionVectorEnv, not {type(env).__name__}")
        if env.autoreset_mode is not AutoresetMode.SAME_STEP:
            raise InputError(
                f"env: its autoreset_mode is {env.autoreset_mode.value}; Stable-Baselines3 needs autoreset_mode='SameStep'"
            )
        self.env = env
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)

    def reset(self) -> np.ndarray:
        """Begin an episode in each environment; with the seed that ``seed`` was given, if it was, from the first one on."""
        observations, infos = self.env.reset(seed=self._seeds[0])
        self._reset_seeds()
        self._reset_options()
        self.reset_infos = [{"episode_number": number} for number in infos["episode_number"].tolist()]
        return observations

    def step_async(self, actions: np.ndarray) -> None:
        """Keep the actions for ``step_wait``."""
        self._actions = actions

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Play a step. Of an episode that ended its info holds ``terminal_observation`` and the columns of the results."""
        observations, rewards, terminated, _, infos = self.env.step(self._actions)
        found: list[dict[str, Any]] = [{"completed": one} for one in infos["completed"].tolist()]
        for e in np.flatnonzero(terminated).tolist():
            last = infos["final_info"]
            found[e] = {name: last[name][e].item() for name in ("completed", *self.env.task.columns)}
            found[e] |= {"terminal_observation": infos["final_obs"][e], "TimeLimit.truncated": False}
        return observations, rewards.astype(np.float32), terminated, found

    def close(self) -> None:
        """End the environment."""
        self.env.close()

    def get_attr(self, attr_name: str, indices: Indices = None) -> list[Any]:
        """An attribute of the environment, once for each."""
        return [getattr(self.env, attr_name) for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Indices = None) -> None:
        """Set an attribute of the environment, which is one for all."""
        setattr(self.env, attr_name, value)

    def env_method(self, method_name: str, *args: Any, indices: Indices = None, **kwargs: Any) -> list[Any]:
        """Refused: there is one environment with many lanes."""
        raise InputError(f"env_method: {method_name} cannot be called on single environments; call it on .env")

    def env_is_wrapped(self, wrapper_class: type, indices: Indices = None) -> list[bool]:
        """Never."""
        return [False for _ in self._get_indices(indices)]

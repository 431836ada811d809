"""The simulator as Gymnasium environments (extra ``gym``): ``ExecutionVectorEnv``, ``ExecutionEnv``, and their registered id.

>>> import gymnasium, fastexec.gym
>>> envs = gymnasium.make_vec("fastexec/Execution-v0", num_envs=1024, study="large_cap", phase="training")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

try:
    import gymnasium
    from gymnasium.vector import AutoresetMode  # noqa: F401 - of 1.1, the first with it
except ImportError as error:
    raise ImportError("fastexec.gym needs Gymnasium 1.1 or later: pip install 'fastexec[gym]'") from error

from fastexec.gym.single import ExecutionEnv
from fastexec.gym.vector import ExecutionVectorEnv

if TYPE_CHECKING:
    from fastexec.gym.stable_baselines import StableBaselinesVecEnv

__all__ = ["ExecutionEnv", "ExecutionVectorEnv", "StableBaselinesVecEnv"]

ID = "fastexec/Execution-v0"
if ID not in gymnasium.registry:
    gymnasium.register(
        ID, entry_point="fastexec.gym:ExecutionEnv", vector_entry_point="fastexec.gym:ExecutionVectorEnv"
    )


def __getattr__(name: str) -> Any:
    if name == "StableBaselinesVecEnv":  # which imports torch
        from fastexec.gym.stable_baselines import StableBaselinesVecEnv

        return StableBaselinesVecEnv
    raise AttributeError(f"module 'fastexec.gym' has no attribute {name!r}")

"""ExecutionEnv: one order of a study, for agents that others train."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np
from gymnasium import Env, error

from fastexec.gym.blocks import Blocks
from fastexec.gym.task import Setup, task_of
from fastexec.gym.vector import LARGEST_SEED, Actions, Infos
from fastexec.models.study import StudyModel

_ONE = np.zeros(1, np.int64)


class ExecutionEnv(Env[np.ndarray, Any]):
    """An order of a study, episode after episode of a ``phase``: ``ExecutionVectorEnv`` with one environment and without its
    first axis. A step works on a whole block of lanes; who trains plays many orders at once in that.

    ``setup``: see ``Setup``. Raises InputError, one line, where study and arguments do not fit.
    """

    def __init__(self, study: StudyModel | str, *, render_mode: None = None, **setup: Unpack[Setup]) -> None:
        self.task = task_of(study, **setup)
        self.metadata, self.render_mode = {"render_modes": []}, render_mode
        self.observation_space, self.action_space = self.task.observation_space, self.task.action_space
        self._blocks, self._takes = Blocks(self.task, 1, 1), Actions(self.task, 1)
        self._plays = self._closed = False

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, Infos]:
        """Begin the next episode. ``seed``: the root seed in place of the study's, from whose first episode on it plays."""
        self._require_open()
        if options:
            raise ValueError(f"`options[{next(iter(options))!r}]` means nothing here; there are no options")
        super().reset(seed=seed)
        if seed is not None:
            if seed > LARGEST_SEED:
                raise error.Error(f"Seed must be at most 2**64 - 1, actual value: {seed}")
            self._blocks.restart(seed)
        self._blocks.reset(_ONE)
        self._plays = True
        return self._blocks.observations[0].copy(), self._begun_infos()

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, Infos]:
        """Play a step. Raises InvalidAction where the action lies outside its space, and ResetNeeded before a reset."""
        self._require_open()
        if not self._plays:
            raise error.ResetNeeded("no episode has begun, or it has ended; call reset() before step()")
        self._takes.take(np.asarray(action)[None], self._blocks.actions)
        ended = bool(self._blocks.step().size)
        infos: Infos = {"completed": bool(self._blocks.completed[0])}
        if ended:
            self._plays = False
            infos |= {name: float(self._blocks.closed[c, 0]) for name, c in self.task.columns.items()}
        return self._blocks.observations[0].copy(), float(self._blocks.rewards[0]), ended, False, infos

    def close(self) -> None:
        """Nothing can be played any more."""
        self._closed = True
        self._blocks.close()

    def _begun_infos(self) -> Infos:
        return {"episode_number": int(self._blocks.episode[0]), "completed": False}

    def _require_open(self) -> None:
        if self._closed:
            raise error.ClosedEnvironmentError("the environment is closed; make another")

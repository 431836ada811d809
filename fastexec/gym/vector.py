"""ExecutionVectorEnv: many orders of a study at once, for agents that others train."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np
from gymnasium import error
from gymnasium.spaces import Discrete
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from fastexec.arguments import require_one_of, require_whole
from fastexec.gym.blocks import Blocks
from fastexec.gym.task import Setup, Task, task_of
from fastexec.models.study import StudyModel
from fastexec.threads import default_threads, require_threads

Infos = dict[str, Any]
Stepped = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, Infos]
MOST_ENVIRONMENTS, LARGEST_SEED = 2**24, 2**64 - 1
_NOBODY = np.zeros(0, np.int64)


class ExecutionVectorEnv(VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """``num_envs`` orders of a study, each in an episode of its own, played by the simulator itself.

    Environments play the episodes of a ``phase`` in the order in which they are reset, those that are reset together in the
    order of their numbers: each is that episode as ``fastexec.simulate`` plays it, whatever ``num_envs``. On replayed days
    they are the windows, again and again. ``setup``: see ``Setup``. threads: 1 by default, None for all processors.

    Observed is float32[n, f]: each feature less its mean in a pilot run, over its standard deviation there. Actions are numbers
    of an action set (int[n]), shares of what is left (float32[n, 1]) or shares (float64[n, 1]: whole lots, at most what is
    left). The reward is minus what the step costs, in bps of the order's value; over an episode that is minus its
    ``shortfall_bps``. An episode ends (terminated) when its last step is over; from then on ``infos`` hold the columns of the
    results. An order that is complete before waits for that end: its actions do nothing, its rewards are 0, and
    ``infos["completed"]`` says so.

    Raises InputError, one line, where study and arguments do not fit.
    """

    def __init__(
        self,
        study: StudyModel | str,
        num_envs: int = 1,
        *,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        threads: int | None = 1,
        **setup: Unpack[Setup],
    ) -> None:
        self.num_envs = require_whole("num_envs", num_envs, 1, MOST_ENVIRONMENTS)
        self.autoreset_mode = mode_of(autoreset_mode)
        self.task = task_of(study, **setup)
        self.metadata = {"render_modes": [], "autoreset_mode": self.autoreset_mode}
        self.single_observation_space, self.single_action_space = self.task.observation_space, self.task.action_space
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._blocks = Blocks(self.task, self.num_envs, require_threads(threads) or default_threads())
        self._takes = Actions(self.task, self.num_envs)
        #: Who waits for a reset: before the first, and when an episode has ended.
        self._waiting = np.arange(self.num_envs)
        self._begun = np.zeros(self.num_envs, np.bool_)
        self._never, self._always = np.zeros(self.num_envs, np.bool_), np.ones(self.num_envs, np.bool_)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, Infos]:
        """Begin the next episodes, in all environments or those of ``options["reset_mask"]``, bool[n]. ``seed``: the root seed
        in place of the study's, from whose first episode on all environments play.

        Infos hold the ``episode_number`` of those that begin.
        """
        self._require_open()
        mask = mask_of(options, self.num_envs)
        if seed is not None:
            if mask is not None and not mask.all():
                raise ValueError(
                    "`seed` is that of all environments and `options['reset_mask']` names some; leave one out"
                )
            super().reset(seed=seed)
            if seed > LARGEST_SEED:
                raise error.Error(f"Seed must be at most 2**64 - 1, actual value: {seed}")
            self._blocks.restart(seed)
        who = np.arange(self.num_envs) if mask is None else np.flatnonzero(mask)
        self._begin(who)
        return self._blocks.observations.copy(), self._begun_infos(who) | {
            "completed": self._blocks.completed.copy(), "_completed": self._masked(who)
        }  # fmt: skip

    def step(self, actions: np.ndarray) -> Stepped:
        """Play a step of every environment.

        Raises InvalidAction where the actions have another shape or type, or one lies outside their space, and ResetNeeded
        where an environment has not begun, or has ended and nobody resets it.
        """
        self._require_open()
        waiting = self._waiting
        if waiting.size:
            self._require_begun(waiting)
        self._takes.take(actions, self._blocks.actions)
        ended = self._blocks.step()
        if waiting.size:
            self._begin(waiting)
            self._blocks.rewards[waiting] = 0.0
        rewards, infos = self._blocks.rewards.copy(), self._infos(ended)
        if waiting.size:
            infos |= self._begun_infos(waiting)
        terminated = self._never.copy()
        if ended.size:
            terminated[ended] = True
            self._end(ended, infos)
        return self._blocks.observations.copy(), rewards, terminated, self._never.copy(), infos

    def close_extras(self, **kwargs: Any) -> None:
        """End its threads."""
        self._blocks.close()

    def _begin(self, who: np.ndarray) -> None:
        self._blocks.reset(who)
        self._begun[who] = True
        everybody = who.size == self.num_envs
        self._waiting = _NOBODY if everybody else np.setdiff1d(self._waiting, who, assume_unique=True)

    def _end(self, ended: np.ndarray, infos: Infos) -> None:
        """What becomes of environments whose episode has ended."""
        if self.autoreset_mode is not AutoresetMode.SAME_STEP:
            self._waiting = np.union1d(self._waiting, ended) if self._waiting.size else ended
            return
        final = np.full(self.num_envs, None, object)
        final[ended] = list(self._blocks.observations[ended])
        last = infos | {"_completed": self._masked(ended)}
        infos.clear()
        self._begin(ended)
        infos |= self._completed() | self._begun_infos(ended)
        infos |= {"final_obs": final, "_final_obs": self._masked(ended)}
        infos |= {"final_info": last, "_final_info": self._masked(ended)}

    def _infos(self, ended: np.ndarray) -> Infos:
        """Which orders are complete, and of episodes that have ended the columns of the results."""
        infos = self._completed()
        if ended.size:
            mask = self._masked(ended)
            for name, c in self.task.columns.items():
                infos[name], infos[f"_{name}"] = np.where(mask, self._blocks.closed[c], 0.0), mask.copy()
        return infos

    def _completed(self) -> Infos:
        return {"completed": self._blocks.completed.copy(), "_completed": self._always.copy()}

    def _begun_infos(self, who: np.ndarray) -> Infos:
        return {"episode_number": self._blocks.episode.copy(), "_episode_number": self._masked(who)}

    def _masked(self, who: np.ndarray) -> np.ndarray:
        mask = self._never.copy()
        mask[who] = True
        return mask

    def _require_open(self) -> None:
        if self.closed:
            raise error.ClosedEnvironmentError("the environment is closed; make another")

    def _require_begun(self, waiting: np.ndarray) -> None:
        """In mode NEXT_STEP those that have ended are reset by the step."""
        new = waiting[~self._begun[waiting]]
        if new.size:
            raise error.ResetNeeded(f"environment {new[0]} has not begun; call reset() before step()")
        if self.autoreset_mode is AutoresetMode.DISABLED:
            raise error.ResetNeeded(
                f"the episode of environment {waiting[0]} has ended; call reset(options={{'reset_mask': terminated}})"
            )


class Actions:
    """Actions of a caller into the blocks'; InvalidAction where they do not lie in their space."""

    def __init__(self, task: Task, environments: int) -> None:
        space, self._count = task.action_space, environments
        self._levels = int(space.n) if isinstance(space, Discrete) else 0
        self._most = 0.0 if isinstance(space, Discrete) else float(space.high[0])

    def take(self, actions: Any, into: np.ndarray) -> None:
        """Into float64[n], as they are."""
        given = np.asarray(actions)
        shape, kinds = ((self._count,), "iu") if self._levels else ((self._count, 1), "f")
        if given.shape != shape or given.dtype.kind not in kinds:
            noun = "whole numbers" if self._levels else "floats"
            raise error.InvalidAction(f"actions are {given.dtype} {given.shape}; they must be {noun} of shape {shape}")
        # With a NaN among them neither comparison holds.
        if not (given.min() >= 0 and given.max() <= (self._levels - 1 if self._levels else self._most)):
            self._refuse(given.reshape(-1).astype(np.float64))
        into[:] = given.reshape(-1)

    def _refuse(self, values: np.ndarray) -> None:
        most = self._levels - 1 if self._levels else self._most
        e = int(np.argmin((values >= 0.0) & (values <= most)))
        raise error.InvalidAction(f"the action of environment {e} is {values[e]:g}; it must lie between 0 and {most:g}")


def mode_of(mode: AutoresetMode | str) -> AutoresetMode:
    """The mode, or that of a name."""
    names = [one.value for one in AutoresetMode]
    return mode if isinstance(mode, AutoresetMode) else AutoresetMode(require_one_of("autoreset_mode", mode, *names))


def mask_of(options: dict[str, Any] | None, environments: int) -> np.ndarray | None:
    """The ``reset_mask`` of a reset's options, as Gymnasium's own vector environments take it."""
    if not options:
        return None
    if options.keys() != {"reset_mask"}:
        other = next(key for key in options if key != "reset_mask")
        raise ValueError(f"`options[{other!r}]` means nothing here; the only option is 'reset_mask'")
    mask = options["reset_mask"]
    if not isinstance(mask, np.ndarray):
        raise TypeError(f"`options['reset_mask']` must be a numpy array, got {type(mask)}")
    if mask.dtype != np.bool_:
        raise TypeError(f"`options['reset_mask']` must have `dtype=np.bool_`, got {mask.dtype}")
    if mask.shape != (environments,):
        raise ValueError(f"`options['reset_mask']` must have shape `({environments},)`, got {mask.shape}")
    if not mask.any():
        raise ValueError("`options['reset_mask']` must contain at least one True value")
    return mask

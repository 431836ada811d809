"""Environments driven by decisions that are known beforehand, and studies to drive them in."""

from __future__ import annotations

from typing import Any

import numpy as np

import lights
from column_days import X, columned, study as on_days
from conftest import small_study
from fastexec.gym import ExecutionVectorEnv
from fastexec.kernels.philox import EVALUATION
from fastexec.simulation import prepare

STRATEGIES = [
    {"model": "twap"},
    {"model": "almgren_chriss", "risk_aversion": 1e-4},
    {"model": "pov", "rate": 0.15},
    {"model": "random"},
    {"model": "schedule", "name": "late"},
]
NAMES = [str(one.get("name", one["model"])) for one in STRATEGIES]
#: Studies of every model: the small one, those of the golden hashes, and days of bars, replayed and joined.
STUDIES = ["small", *lights.STUDIES, "replay", "bootstrap"]


def study_of(name: str, folder: Any, episodes: int = 300, **changes: Any) -> Any:
    """A study of the catalogue with the five strategies."""
    if name in ("replay", "bootstrap"):
        path, _ = columned(folder / "bars.parquet", lengths=(40, 40, 40))
        found = on_days(path, name, [X], **({"block": 3.0} if name == "bootstrap" else {}))
        found = found.model_copy(update={"episodes": episodes if name == "bootstrap" else None})
    elif name == "small":
        found = small_study()
    else:
        found = lights.study(name, episodes)
    weights = [0.0 if t % 2 else t + 0.5 for t in range(found.order.steps)]
    fixed = {"strategies": [*STRATEGIES[:-1], STRATEGIES[-1] | {"weights": weights}]} | (
        {} if name == "replay" else {"episodes": episodes}
    )
    return found.changed(fixed | changes)


def decisions_of(study: Any, phase: int = EVALUATION) -> dict[str, np.ndarray]:
    """What each strategy trades in the episodes of a phase, float64[e, t] by its name."""
    prepared = prepare(study, phase=phase)
    shares = prepared.steps(0, prepared.episodes)["shares"]
    cube = shares.reshape(prepared.episodes, len(prepared.strategies), -1)
    return {name: np.ascontiguousarray(cube[:, k]) for k, name in enumerate(prepared.strategies)}


def driven(env: ExecutionVectorEnv, shares: np.ndarray, steps: int, mask: Any = None) -> dict[int, dict[str, float]]:
    """Play ``shares`` float64[e, t], each environment those of its own episode, for so many steps; ``mask(step)``: who is reset
    before it beside those that have ended. Of each episode that ended the columns, and ``reward``, the sum of its rewards.
    """
    n, rng = env.num_envs, np.random.default_rng(3)
    _, infos = env.reset()
    episode, at, paid = infos["episode_number"].copy(), np.zeros(n, int), np.zeros(n)
    ended, found = np.zeros(n, bool), {}
    for step in range(steps):
        reset = ended | (mask(step, rng) if mask is not None else False)
        if reset.any():
            _, infos = env.reset(options={"reset_mask": reset})
            np.testing.assert_array_equal(infos["_episode_number"], reset)
            episode[reset], at[reset], paid[reset] = infos["episode_number"][reset], 0, 0.0
        _, rewards, ended, truncated, infos = env.step(shares[episode, at][:, None])
        assert not truncated.any()
        paid += rewards
        at += 1
        for e in np.flatnonzero(ended).tolist():
            found[int(episode[e])] = {name: infos[name][e] for name in env.task.columns} | {"reward": paid[e]}
    return found

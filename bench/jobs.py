"""The jobs that benchmarks time, as functions without arguments."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from fastexec.kernels import philox
from fastexec.kernels._jit import LANES, entry
from fastexec.kernels.room import lanes_for
from fastexec.learning.batched import Learner
from fastexec.learning.program import program_cuts
from fastexec.models.agents import Training
from fastexec.models.strategies import Actions
from fastexec.simulation import prepare
from fastexec.studies.study import Study


@entry("void(uint64, int64, int64, uint32[::1], float32[::1])")
def draw_all(seed, blocks, steps, words, normals):
    """The normals of so many blocks and steps, and nothing else: the floor under every simulation."""
    for block in range(blocks):
        for t in range(steps):
            philox.draw_words(seed, block, t, np.uint32(0), words)
            philox.gaussians(words, normals)


def draws_alone(episodes: int, steps: int) -> None:
    lanes = lanes_for()
    draw_all(np.uint64(7), episodes // LANES, steps, lanes.words, lanes.raw)


class Job:
    """A prepared study, run over its episodes on one thread."""

    def __init__(self, preset: str, models: list[str] | None, episodes: int) -> None:
        study = Study.preset(preset)
        if models is not None:
            strategies = [{"model": model, "name": f"{model}{j}"} for j, model in enumerate(models)]
            study = Study.model_validate(study.model_dump() | {"strategies": strategies})
        self.prepared, self.episodes, self.steps = prepare(study), episodes, study.order.steps

    def __call__(self) -> None:
        self.prepared.run(0, self.episodes)


def training_rounds(threads: int, batch: int = 65_536):
    """A round of batched Q-learning on the mini-project's market: 6,930 state-actions a step, simulation and update."""
    study = Study.preset("mini_project_honest")
    training = Training(rule="batched", batch=batch, actions=Actions(set="fractions"))
    study = Study.model_validate(study.model_dump() | {"train": {"bench": training.model_dump()}})
    learner = Learner(study, study.train["bench"], program_cuts(), "bench", threads)

    def run() -> None:
        with ThreadPoolExecutor(threads) as pool:
            learner.play(pool, 0, 0.3)
            learner.update(pool)

    return run


def engine_job(preset: str, models: list[str] | None, episodes: int) -> Job:
    return Job(preset, models, episodes)


def on_threads(preset: str, models: list[str], episodes: int, threads: int):
    """The same episodes in ranges of 32,768 (about 20 ms), handed to so many threads."""
    prepared = Job(preset, models, episodes).prepared

    def run() -> None:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda first: prepared.run(first, 32_768) and None, range(0, episodes, 32_768)))

    return run

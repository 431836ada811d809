"""Simulation: normals, the market alone, strategies on one path, presets, parameters of each episode; and its baselines."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from baselines.numpy_market import numpy_mini_project, numpy_normals

from fastexec.kernels._jit import LANES
from fastexec.kernels.buffers import lanes_for, output_for
from fastexec.kernels.episode import simulate_range
from fastexec.planning.plan import plan_study
from fastexec.simulation import prepare
from fastexec.studies.catalogue import presets
from fastexec.studies.study import Study
from fastexec.threads import default_threads
from jobs import loops
from jobs.job import BASELINES, FLOORS, GROWTH, SELDOM, Job, MissingError, Size

MINI, STEPS, SEED = "mini_project_honest", 50, np.uint64(7)
NORMALS, FOUR, NUMPY_NORMALS = (
    "three normals",
    "four normals",
    "three normals, numpy SFC64 float32",
)
ONE, NUMPY, JAX, GYMNASIUM = "one strategy", "numpy twin", "JAX", "Gymnasium vector environment"
PATH_STEP = "path-step"
_RANGE = 65_536  # episodes handed over at once, at most: 30 ms of one strategy
_BASELINES = Path(__file__).resolve().parent.parent / "baselines"
_CHAIN = {"model": "markov", "transition": [[0.9, 0.1], [0.2, 0.8]]}
#: The market of its simplest models, and with one of them exchanged.
_PLAIN = {
    "initial_price": 100.0,
    "price": {"model": "geometric", "volatility": 0.002},
    "spread": {"model": "constant", "initial": 0.001},
    "volume": {"model": "constant", "mean": 1000.0},
}
_MARKETS: dict[str, dict[str, Any]] = {
    "geometric, constant, constant": {},
    "price arithmetic": {"price": {"model": "arithmetic", "volatility": 0.2}},
    "spread random_walk": {"spread": {"model": "random_walk", "initial": 0.001, "volatility": 0.0002}},
    "spread mean_reverting": {"spread": {"model": "mean_reverting", "mean": 0.001}},
    "spread markov": {"spread": {**_CHAIN, "levels": [0.0004, 0.003]}},
    "volume cosine": {"volume": {"model": "cosine", "mean": 1000.0, "noise": 200.0, "floor": 100.0}},
    "volume lognormal": {"volume": {"model": "lognormal", "mean": 1000.0}},
    "volume markov": {"volume": {**_CHAIN, "levels": [200.0, 1400.0]}},
}
_RANGES = [
    "order.shares={ low = 5_000.0, high = 20_000.0, scale = 'log' }",
    "market.price.volatility={ low = 0.001, high = 0.003 }",
    "market.spread.initial={ low = 0.0005, high = 0.002 }",
    "costs.temporary.coefficient={ low = 0.0005, high = 0.002 }",
]


def changed(study: Study, **changes: Any) -> Study:
    return Study.model_validate(study.model_dump() | changes)


def strategies(*models: str) -> list[dict[str, Any]]:
    return [{"model": model, "name": f"{model}{j}"} for j, model in enumerate(models)]


def mini(*models: str, overrides: list[str] | None = None, **changes: Any) -> Study:
    """The honest mini-project with other strategies."""
    return changed(Study.preset(MINI, overrides or []), strategies=strategies(*models), **changes)


def simulating(study: Study, episodes: int) -> Callable[[int], Callable[[], None]]:
    """The study's episodes in ranges handed to threads; with one thread in this one."""

    def make(threads: int) -> Callable[[], None]:
        prepared = prepare(study)
        return partial(in_ranges, lambda first, count: prepared.run(first, count) and None, episodes, threads)

    return make


def in_ranges(part: Callable[[int, int], None], episodes: int, threads: int) -> None:
    """``part(first, count)`` over the episodes; at least two parts for each thread where there are several."""
    most = _RANGE if threads == 1 else min(_RANGE, max(episodes // (2 * threads) // LANES, 8) * LANES)
    firsts = range(0, episodes, most)
    counts = [min(most, episodes - first) for first in firsts]
    if threads == 1:
        for first, count in zip(firsts, counts, strict=True):
            part(first, count)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(part, firsts, counts))


def market_alone(study: Study, episodes: int) -> Callable[[int], Callable[[], None]]:
    """The same kernel with the rows of its strategies cut off."""

    def make(threads: int) -> Callable[[], None]:
        prepared = prepare(study)
        plan, plans, paths = prepared.arrays
        by_strategy = ("kinds", "levels", "fractions", "features", "edges", "policy")
        nobody = plans._replace(**{name: getattr(plans, name)[:0] for name in by_strategy})

        def part(first: int, count: int) -> None:
            output = output_for(plan, nobody, count)
            simulate_range(SEED, first, count, plan, nobody, paths, output)

        return partial(in_ranges, part, episodes, threads)

    return make


def moves_alone(study: Study, episodes: int) -> Callable[[int], Callable[[], None]]:
    plan, _ = plan_study(study, 0)

    def make(threads: int) -> Callable[[], None]:
        def part(first: int, count: int) -> None:
            loops.draw_moves(SEED, count // LANES, study.order.steps, plan, lanes_for())

        return partial(in_ranges, part, episodes, threads)

    return make


def four_alone(episodes: int) -> Callable[[int], Callable[[], None]]:
    def make(threads: int) -> Callable[[], None]:
        return partial(
            in_ranges,
            lambda first, count: loops.draw_four(SEED, count // LANES, STEPS, lanes_for()) and None,
            episodes,
            threads,
        )

    return make


class JaxProcess:
    """The JAX twin in its own process; a call asks for so many episodes and waits."""

    def __init__(self, episodes: int, batches: list[int]) -> None:
        command = [sys.executable, str(_BASELINES / "jax_market.py"), *map(str, batches)]
        self.process = subprocess.Popen(
            command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.episodes, first = episodes, self.process.stdout.readline()
        if not first:
            raise MissingError(
                (self.process.communicate()[1].splitlines() or ["it ended at once"])[-1].partition(": ")[2]
            )
        self.notes = json.loads(first)

    def __call__(self) -> float:
        self.process.stdin.write(f"{self.episodes}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def close(self) -> None:
        self.process.communicate()


def gymnasium(episodes: int) -> Callable[[], float]:
    try:
        from baselines.gymnasium_market import gymnasium_mini_project
    except ImportError as error:
        raise MissingError(str(error)) from None
    return partial(gymnasium_mini_project, episodes)


def core_jobs(size: Size) -> list[Job]:
    """The ratios that the project promises stand side by side, so that they meet the same moments of the machine."""
    episodes = 16 * _RANGE
    several, few, steps = 8 * _RANGE, 2 * _RANGE, episodes * STEPS
    against = (NUMPY, JAX, GYMNASIUM)
    batches = [2048, 4096, 8192] if size.quick else [512, 1024, 2048, 4096, 8192, 16384, 32768]
    jobs = [
        Job(NORMALS, "normals", moves_alone(mini("twap"), episodes), steps, PATH_STEP, True, (), (NUMPY_NORMALS,)),
        Job(FOUR, "normals", four_alone(episodes), steps, PATH_STEP, True),
        Job(NUMPY_NORMALS, BASELINES, lambda _: partial(numpy_normals, 3 * few * STEPS), few * STEPS, PATH_STEP),
        Job(ONE, "strategies", simulating(mini("twap"), episodes), steps, PATH_STEP, True, (NORMALS,), against),
        Job(NUMPY, BASELINES, lambda _: partial(numpy_mini_project, few), few * STEPS, PATH_STEP, floor=(NORMALS,)),
        Job(JAX, BASELINES, lambda _: JaxProcess(few, batches), few * STEPS, PATH_STEP, floor=(NORMALS,)),
        Job(GYMNASIUM, BASELINES, lambda _: gymnasium(few), few * STEPS, PATH_STEP, floor=(NORMALS,)),
    ]
    for count in (2, 4, 8, 16):
        study = mini(*(["twap", "pov"] * 8)[:count])
        jobs.append(
            Job(
                f"{count} strategies",
                "strategies",
                simulating(study, several),
                several * STEPS,
                PATH_STEP,
                True,
                (NORMALS,),
            )
        )
    for title, overrides in (("parameters fixed", []), ("parameters of each episode", _RANGES)):
        study = mini("twap", "pov", overrides=overrides)
        jobs.append(Job(title, "strategies", simulating(study, several), several * STEPS, PATH_STEP, True, (NORMALS,)))
    return jobs


def market_jobs(size: Size) -> list[Job]:
    jobs = []
    for title, exchanged in _MARKETS.items():
        study = mini("twap", market={**_PLAIN, **exchanged})
        work = 8 * _RANGE * STEPS
        floor = f"draws of {title}"
        jobs += [
            Job(floor, FLOORS, moves_alone(study, 8 * _RANGE), work, PATH_STEP),
            Job(title, "market alone", market_alone(study, 8 * _RANGE), work, PATH_STEP, True, (floor,)),
        ]
    return jobs


def preset_jobs(size: Size) -> list[Job]:
    """Agents and optima are trained shortly: what a table holds does not matter to the speed of playing it."""
    jobs = []
    for name, _ in presets():
        study = Study.preset(name)
        short = {key: {**t.model_dump(), "rounds": 1, "batch": min(t.batch, 16_384)} for key, t in study.train.items()}
        episodes, floor = size.of(2 * _RANGE, 4 * _RANGE), f"draws of {name}"
        work = episodes * study.order.steps
        jobs += [
            Job(floor, FLOORS, moves_alone(study, episodes), work, PATH_STEP),
            Job(
                f"{name} ({len(study.strategies)})", "presets", simulating(changed(study, train=short), episodes),
                work, PATH_STEP, True, (floor,),
            ),
        ]  # fmt: skip
    return jobs


def growth_jobs(size: Size) -> list[Job]:
    """Time against steps, strategies and threads."""
    jobs = []
    for steps in (10, 30, 100, 300, 1000):
        study = mini("twap", order={**mini("twap").order.model_dump(), "steps": steps})
        jobs.append(Job(f"{steps} steps", GROWTH, simulating(study, 4_096), rounds=SELDOM, growth=("steps", steps)))
    for count in (1, 2, 4, 8, 16):
        study = mini(*(["twap"] * count))
        make = simulating(study, _RANGE)
        jobs.append(Job(f"{count} times twap", GROWTH, make, rounds=SELDOM, growth=("strategies", count)))
    threads = sorted({1, 2, *(2**n for n in range(2, 10)), default_threads()})
    for count in (n for n in threads if n <= default_threads()):
        make = simulating(mini("twap"), 16 * _RANGE)
        jobs.append(
            Job(f"{count} threads", GROWTH, lambda _, m=make, n=count: m(n), rounds=SELDOM, growth=("threads", count))
        )
    return jobs

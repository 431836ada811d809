"""The engine on the markets of the presets: one strategy, more strategies on the same path, two threads.

pytest bench --benchmark-enable            every figure
python bench/ratios.py                     the ratios that the project promises, in one run
"""

from __future__ import annotations

import pytest
from baselines import numpy_mini_project
from jobs import draws_alone, engine_job, on_threads

EPISODES = 32_768


def test_draws_alone(per_step):
    per_step(lambda: draws_alone(EPISODES, 50), EPISODES * 50)


@pytest.mark.parametrize("strategies", [1, 2, 4, 8])
def test_mini_project(per_step, strategies):
    per_step(engine_job("mini_project_honest", ["twap"] * strategies, EPISODES), EPISODES * 50)


def test_numpy_twin(per_step):
    per_step(lambda: numpy_mini_project(EPISODES), EPISODES * 50, rounds=5)


@pytest.mark.parametrize("preset", ["large_cap", "almgren_chriss_2000"])
def test_preset(per_step, preset):
    job = engine_job(preset, None, EPISODES)
    per_step(job, EPISODES * job.steps)


@pytest.mark.parametrize("threads", [1, 2])
def test_threads(per_step, threads):
    per_step(on_threads("mini_project_honest", ["twap"], 4 * EPISODES, threads), 4 * EPISODES * 50)

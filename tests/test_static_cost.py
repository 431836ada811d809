"""What a static schedule is expected to cost, against plain Monte Carlo by a naive program that shares no code."""

from __future__ import annotations

import numpy as np
import pytest

from fastexec.simulation import simulate
from naive.schedule_cost import costs_bps
from static_schedules import MARKETS, SCHEDULES, objective, study_of, table

EPISODES = 60_000


@pytest.mark.parametrize("name", list(MARKETS))
def test_the_objective_is_what_plain_monte_carlo_finds(name):
    study = study_of(**MARKETS[name])
    data, found = study.model_dump(), table(study)
    first, *others = found
    exact = dict(zip(found, objective(study, np.array(list(found.values()))), strict=True))
    reference = costs_bps(data, found[first], EPISODES, 1)
    for other in others:
        gap = costs_bps(data, found[other], EPISODES, 1) - reference
        error = gap.std() / np.sqrt(EPISODES)
        assert abs(gap.mean() - (exact[other] - exact[first])) < 4.5 * error + 1e-7, other


def test_the_program_plays_it_at_the_cost_that_was_planned():
    """End to end: the simulated mean without the moves is the naive program's."""
    study = study_of(**MARKETS["chain, idle by chance"])
    results, found = simulate(study, episodes=40_000).episodes, table(study)
    cost = (results["shortfall_bps"] - results["timing_bps"]).reshape(-1, len(SCHEDULES))
    for k, name in enumerate(found):
        mine = costs_bps(study.model_dump(), found[name], 40_000, 5)
        error = np.hypot(mine.std(), cost[:, k].std()) / np.sqrt(40_000)
        assert abs(mine.mean() - cost[:, k].mean()) < 4.5 * error, name

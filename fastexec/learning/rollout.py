"""A policy played on episodes of a phase: what it costs, what it completes, its mean schedule."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastexec.kernels import fields
from fastexec.kernels.episode import output_for, plugin_slots, simulate_range
from fastexec.models.strategies import Qtable
from fastexec.models.study import StudyModel
from fastexec.planning.expectation import expect
from fastexec.planning.plan import plan_strategies, plan_study
from fastexec.planning.policies import TablePolicy

_CHUNK = 2_048


class Played(NamedTuple):
    """cost, shortfall: mean bps without and with the moves; completion; schedule float64[t + 1], done by the start of t."""

    cost: float
    shortfall: float
    completion: float
    schedule: np.ndarray


def play(study: StudyModel, policy: TablePolicy, phase: int, episodes: int) -> Played:
    """Episodes 0 to ``episodes`` of a phase, in chunks, on this thread."""
    alone = study.model_copy(update={"strategies": (Qtable(model="qtable", name="agent", agent="-"),)})
    plan, _ = plan_study(study, phase)
    strategies = plan_strategies(alone, expect(study), policies={"agent": policy})
    steps = study.order.steps
    place = fields.EPISODE_COLUMNS.index
    sums, done = np.zeros(3), np.zeros(steps)
    for first in range(0, episodes, _CHUNK):
        count = min(_CHUNK, episodes - first)
        output = output_for(count, 1, 0, steps)
        simulate_range(np.uint64(study.seed), first, count, plan, strategies, fields.no_paths(), output, plugin_slots())
        rows = output.episodes
        moneys = rows[place("shortfall_bps")] - rows[place("timing_bps")], rows[place("shortfall_bps")]
        sums += [float(np.add.accumulate(x)[-1]) for x in (*moneys, rows[place("completion")])]
        shares = output.steps[fields.STEP_COLUMNS.index("shares")].reshape(count, steps)
        left = output.steps[fields.STEP_COLUMNS.index("remaining")].reshape(count, steps)
        done += np.add.accumulate(shares / (shares[:, :1] + left[:, :1]), axis=0)[-1]
    schedule = np.concatenate(([0.0], np.add.accumulate(done / episodes)))
    cost, shortfall, completion = (sums / episodes).tolist()
    return Played(cost, shortfall, completion, np.minimum(schedule / max(schedule[-1], 1e-300), 1.0))

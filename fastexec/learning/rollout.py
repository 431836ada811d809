"""A policy played on episodes of a phase: what it costs, what it completes, its mean schedule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from fastexec.kernels import fields
from fastexec.kernels.buffers import output_for
from fastexec.kernels.episode import simulate_range
from fastexec.kernels.watch import observe_range
from fastexec.models.strategies import Qtable, Strategy
from fastexec.models.study import StudyModel
from fastexec.planning.expectation import expect
from fastexec.planning.plan import plan_strategies, plan_study
from fastexec.planning.policies import Cut, Policies, TablePolicy, feature_arrays

_CHUNK = 2_048


class Played(NamedTuple):
    """cost, shortfall: mean bps without and with the moves; completion; schedule float64[t + 1], done by the start of t."""

    cost: float
    shortfall: float
    completion: float
    schedule: np.ndarray


class Alone(NamedTuple):
    """A study with one strategy, on its own synthetic market, as the kernels take it."""

    seed: np.uint64
    plan: fields.Plan
    strategies: fields.Strategies

    def steps(self, first: int, count: int) -> fields.Output:
        """Episodes ``first <= e < first + count`` with every step, on this thread."""
        output = output_for(self.plan, self.strategies, count, every_step=True)
        simulate_range(self.seed, first, count, self.plan, self.strategies, fields.no_paths(), output)
        return output

    def observe(self, cuts: Sequence[Cut], sees_volume: bool, first: int, count: int) -> np.ndarray:
        """The features of ``cuts`` before any bins in the same episodes, float64[cut, e, t]."""
        kinds = self.strategies.kinds
        kinds[0, fields.FEATURES], kinds[0, fields.SEES_VOLUME] = len(cuts), sees_volume
        self.strategies.features[0], _ = feature_arrays(tuple(cuts))
        values = np.empty((len(cuts), count, int(self.plan.switches[fields.STEPS])))
        observe_range(self.seed, first, count, self.plan, self.strategies, fields.no_paths(), values)
        return values


def alone(study: StudyModel, strategy: Strategy, phase: int, policies: Policies | None = None) -> Alone:
    """A study's market and costs in a phase, with ``strategy`` in place of its own ones."""
    plan, _ = plan_study(study, phase)
    only = study.model_copy(update={"strategies": (strategy,)})
    return Alone(np.uint64(study.seed), plan, plan_strategies(only, expect(study), policies=policies))


def play(study: StudyModel, policy: TablePolicy, phase: int, episodes: int) -> Played:
    """Episodes 0 to ``episodes`` of a phase, in chunks, on this thread."""
    agent = alone(study, Qtable(model="qtable", name="agent", agent="-"), phase, {"agent": policy})
    steps = study.order.steps
    place = fields.EPISODE_COLUMNS.index
    sums, done = np.zeros(3), np.zeros(steps)
    for first in range(0, episodes, _CHUNK):
        count = min(_CHUNK, episodes - first)
        output = agent.steps(first, count)
        rows = output.episodes
        moneys = rows[place("shortfall_bps")] - rows[place("timing_bps")], rows[place("shortfall_bps")]
        sums += [float(np.add.accumulate(x)[-1]) for x in (*moneys, rows[place("completion")])]
        shares = output.steps[fields.STEP_COLUMNS.index("shares")].reshape(count, steps)
        left = output.steps[fields.STEP_COLUMNS.index("remaining")].reshape(count, steps)
        done += np.add.accumulate(shares / (shares[:, :1] + left[:, :1]), axis=0)[-1]
    schedule = np.concatenate(([0.0], np.add.accumulate(done / episodes)))
    cost, shortfall, completion = (sums / episodes).tolist()
    return Played(cost, shortfall, completion, np.minimum(schedule / max(schedule[-1], 1e-300), 1.0))

"""A policy played on episodes of a phase: what it costs, what it completes, its mean schedule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from fastexec.kernels import fields
from fastexec.kernels.buffers import output_for
from fastexec.kernels.episode import simulate_range
from fastexec.kernels.observe import INVENTORY
from fastexec.kernels.watch import observe_range
from fastexec.models.strategies import Qtable, Strategy
from fastexec.models.study import StudyModel
from fastexec.planning.control import timing_has_mean_zero
from fastexec.planning.expectation import expect
from fastexec.planning.plan import plan_strategies, plan_study
from fastexec.planning.policies import Cut, Policies, TablePolicy, feature_arrays

_CHUNK = 2_048
#: Of the values of a feature so many at either end do not count as seen: of a heavy-tailed spread the largest of 250,000 is 25
#: times its mean, and a market with spreads 10 times as wide would hardly ever go beyond it.
RARE = 0.0005


class Played(NamedTuple):
    """cost: mean bps without the moves, with what the risk of them is charged, and its standard error; completion; schedule
    float64[t + 1], done by the start of t.
    """

    cost: float
    error: float
    completion: float
    schedule: np.ndarray


class Alone(NamedTuple):
    """A study with one strategy, on its own synthetic market, as the kernels take it."""

    seed: np.uint64
    plan: fields.Plan
    strategies: fields.Strategies
    signals: tuple[str, ...] = ()

    def steps(self, first: int, count: int) -> fields.Output:
        """Episodes ``first <= e < first + count`` with every step, on this thread."""
        output = output_for(self.plan, self.strategies, count, every_step=True)
        simulate_range(self.seed, first, count, self.plan, self.strategies, fields.no_paths(), output)
        return output

    def ranges(self, first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Between which values each of the agent's features lies but for ``RARE`` of them at either end, float64[f]; of the
        inventory none.
        """
        kinds, features = self.strategies.kinds, self.strategies.features
        values = np.empty((int(kinds[0, fields.FEATURES]), count, int(self.plan.switches[fields.STEPS])))
        observe_range(self.seed, first, count, self.plan, self.strategies, fields.no_paths(), values)
        told = values[:, :, 1:] if values.shape[2] > 1 else values  # in the first step some tell nothing yet
        flat = np.sort(told.reshape(len(values), -1), axis=1)
        rare = int(RARE * flat.shape[1])
        low, high = flat[:, rare], flat[:, -1 - rare]
        own = features[0, : values.shape[0], fields.FEATURE] == INVENTORY
        return np.where(own, -np.inf, low), np.where(own, np.inf, high)

    def observe(self, cuts: Sequence[Cut], sees_volume: bool, first: int, count: int) -> np.ndarray:
        """The features of ``cuts`` before any bins in the same episodes, float64[cut, e, t]."""
        kinds = self.strategies.kinds
        own = kinds[0, fields.SEES_VOLUME] & ~fields.SEES_STEP
        kinds[0, fields.FEATURES], kinds[0, fields.SEES_VOLUME] = (
            len(cuts),
            own | (fields.SEES_STEP if sees_volume else 0),
        )
        self.strategies.features[0], _ = feature_arrays(tuple(cuts), self.signals)
        values = np.empty((len(cuts), count, int(self.plan.switches[fields.STEPS])))
        observe_range(self.seed, first, count, self.plan, self.strategies, fields.no_paths(), values)
        return values


def alone(study: StudyModel, strategy: Strategy, phase: int, policies: Policies | None = None) -> Alone:
    """A study's market and costs in a phase, with ``strategy`` in place of its own ones."""
    plan, _ = plan_study(study, phase)
    only = study.model_copy(update={"strategies": (strategy,)})
    return Alone(np.uint64(study.seed), plan, plan_strategies(only, expect(study), policies=policies), study.signals)


def play(
    study: StudyModel, policy: TablePolicy, phase: int, episodes: int, first: int = 0, risk: np.ndarray | float = 0.0
) -> Played:
    """So many episodes of a phase, in chunks, on this thread; ``risk`` float64[t]: bps for each squared share left. Moves that
    cost nothing on average are left out: where the price is a martingale all, else those that were not expected.
    """
    qtable = Qtable(model="qtable", name="agent", agent="-")
    agent = alone(study, qtable, phase, {"agent": policy})
    steps = study.order.steps
    place = fields.EPISODE_COLUMNS.index
    chance = fields.EPISODE_COLUMNS.index("timing_bps") if study.market.declares().martingale else None
    if study.splits_timing and timing_has_mean_zero(study, qtable):
        chance = fields.episode_rows(agent.plan.switches) - 1
    sums, done = np.zeros(3), np.zeros(steps)
    for at in range(first, first + episodes, _CHUNK):
        count = min(_CHUNK, first + episodes - at)
        output = agent.steps(at, count)
        rows = output.episodes
        cost = rows[place("shortfall_bps")] - (0.0 if chance is None else rows[chance])
        shares = output.steps[fields.STEP_COLUMNS.index("shares")].reshape(count, steps)
        left = output.steps[fields.STEP_COLUMNS.index("remaining")].reshape(count, steps)
        ordered = shares[:, :1] + left[:, :1]
        done += np.add.accumulate(shares / ordered, axis=0)[-1]
        cost = cost + np.add.accumulate(risk * (left / ordered) * (left / ordered), axis=1)[:, -1]
        sums += [float(np.add.accumulate(x)[-1]) for x in (cost, cost * cost, rows[place("completion")])]
    schedule = np.concatenate(([0.0], np.add.accumulate(done / episodes)))
    mean, square, completion = (sums / episodes).tolist()
    error = float(np.sqrt(max(square - mean * mean, 0.0) / episodes))
    return Played(mean, error, completion, np.minimum(schedule / max(schedule[-1], 1e-300), 1.0))

"""Batched Q-learning: rounds of episodes with the table frozen, then one update from the last step back to the first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from fastexec.errors import InputError
from fastexec.kernels import fields
from fastexec.kernels.explore import Experience, explore_range
from fastexec.kernels.learning import TABULATED, Step, add_targets, merge_targets, tabulate_shares
from fastexec.kernels.philox import TRAINING
from fastexec.learning.backward import fixed_point, most_temporary
from fastexec.learning.optimum import risk_of
from fastexec.models.agents import Training
from fastexec.models.strategies import Qtable
from fastexec.models.study import StudyModel
from fastexec.planning.expectation import expect
from fastexec.planning.plan import known_after, owner, plan_strategies, plan_study
from fastexec.planning.policies import Cut, TablePolicy

_LARGEST = 1e6  # bps; a cost to go beyond a hundred times the order's value is refused


def learn_batched(
    study: StudyModel, training: Training, cuts: tuple[Cut, ...], name: str, threads: int, start: np.ndarray | None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """After each round q float64[t, state, a] and visits int64[t, state]; the same bits for any number of threads.

    The table starts at 0, below every cost, so that untried actions are tried. Raises InputError where a risk aversion is
    asked for without a complete horizon, or targets would not fit into the sums.
    """
    if training.risk_aversion > 0.0 and study.order.at_horizon != "complete":
        raise InputError(f'train.{name}.risk_aversion: rule batched needs order.at_horizon = "complete" for it')
    learner = Learner(study, training, cuts, name, threads)
    if start is not None:
        learner.q[:] = start
    with ThreadPoolExecutor(threads) as pool:
        for number in range(training.rounds):
            last = max(training.rounds - 1, 1)
            epsilon = training.epsilon + (training.epsilon_last - training.epsilon) * number / last
            learner.play(pool, number, epsilon)
            learner.update(pool)
            yield learner.q, learner.visits.sum(axis=2)


class Learner:
    """The table and the room for a round."""

    def __init__(self, study: StudyModel, training: Training, cuts: tuple[Cut, ...], name: str, threads: int) -> None:
        states, steps = int(np.prod([cut.bins for cut in cuts], dtype=np.int64)), study.order.steps
        actions, batch = len(training.actions.levels), training.batch
        self.study, self.training, self.cuts, self.name, self.threads = study, training, cuts, name, threads
        self.plan, _ = plan_study(study, TRAINING)
        self.q, self.visits = np.zeros((steps, states, actions)), np.zeros((steps, states, actions), np.int64)
        self.record = Experience(
            np.empty((steps, batch), np.int32), np.empty((steps, batch), np.uint8), np.empty((steps, batch))
        )
        self.cells = np.zeros((threads, states, actions, 2), np.int64)
        self.alpha = training.learning_rate if training.rate == "constant" else 0.0
        self.shares = np.zeros(TABULATED)
        tabulate_shares(self.alpha, self.shares)
        bound = max(_LARGEST, most_temporary(study))
        self.numbers = np.array([training.discount, fixed_point(bound * batch), bound])
        self.edges = np.linspace(0, batch, threads + 1).astype(int).tolist()

    def play(self, pool: ThreadPoolExecutor, number: int, epsilon: float) -> None:
        """A round of episodes by the table as it is."""
        table = np.argmin(self.q, axis=2).astype(np.uint16)
        policy = TablePolicy(self.cuts, self.training.actions, table, np.zeros(self.study.order.steps + 1))
        alone = self.study.model_copy(update={"strategies": (Qtable(model="qtable", name="agent", agent="-"),)})
        strategies = plan_strategies(alone, expect(self.study), policies={"agent": policy})
        strategies.kinds[0, fields.SEES_VOLUME] = not known_after(self.study)
        strategies.kinds[0, fields.OWNER] = owner(self.name)
        first, seed = number * self.training.batch, np.uint64(self.study.seed)

        def part(low: int, high: int) -> None:
            episodes = (first + low, high - low, first)
            explore_range(seed, episodes, self.plan, strategies, fields.no_paths(), epsilon, self.record)

        self._everywhere(pool, part)
        if self.training.risk_aversion > 0.0:
            self._charge_risk()

    def _charge_risk(self) -> None:
        """risk * (share of the order left after the step)^2 on each step's cost; nothing is left after the last."""
        inventories = self.cuts[-1].bins
        risk = risk_of(self.study, self.training.risk_aversion)
        for t in range(self.q.shape[0] - 1):
            left = (self.record.states[t + 1] // (self.q.shape[1] // inventories)) / (inventories - 1)
            self.record.costs[t] += risk[t] * left * left

    def update(self, pool: ThreadPoolExecutor) -> None:
        """One pass from the last step to the first."""
        fault = np.zeros((self.threads, 1), np.int64)
        nothing = np.zeros(self.training.batch, np.int32)
        ahead = np.zeros(self.q.shape[1])
        for t in range(self.q.shape[0] - 1, -1, -1):
            following = nothing if t == self.q.shape[0] - 1 else self.record.states[t + 1]

            def part(
                low: int, high: int, t: int = t, following: np.ndarray = following, ahead: np.ndarray = ahead
            ) -> None:
                k = self.edges.index(low)
                step = Step(self.record.states[t], self.record.actions[t], self.record.costs[t], following)
                add_targets(step, ahead, low, high, self.numbers, self.cells[k], fault[k])

            self._everywhere(pool, part)
            least = np.empty(self.q.shape[1])
            merge_targets(self.q[t], self.visits[t], self.cells, self.alpha, self.shares, self.numbers[1], least)
            ahead = least
        if fault.any():
            raise InputError(
                f"train.{self.name}: {int(fault.sum())} targets lie beyond {self.numbers[2]:.3g} bps, for which the fixed "
                "point has no room; the costs of this study are too extreme"
            )

    def _everywhere(self, pool: ThreadPoolExecutor, part: Callable[[int, int], None]) -> None:
        """The first part on this thread: fifty times a round, waking another costs more than merging the cells."""
        own, *others = (x for x in zip(self.edges, self.edges[1:], strict=False) if x[1] > x[0])
        jobs = [pool.submit(part, low, high) for low, high in others]
        part(*own)
        for job in jobs:
            job.result()

"""Batched Q-learning: rounds of episodes with the table frozen, then one update from the last step back to the first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Lock

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
            np.empty((steps, batch), np.int32),
            np.empty((steps, batch), np.uint8),
            np.empty((steps, batch)),
            np.zeros(1),
        )
        self.cells = np.zeros((threads, states, actions, 2), np.int64)
        self.alpha = training.learning_rate if training.rate == "constant" else 0.0
        self.shares = np.zeros(TABULATED)
        tabulate_shares(self.alpha, self.shares)
        bound = max(_LARGEST, most_temporary(study))
        self.numbers = np.array([training.discount, fixed_point(bound * batch), bound])
        edges = np.linspace(0, batch, threads + 1).astype(int).tolist()
        self.parts = [(low, high) for low, high in zip(edges, edges[1:], strict=False) if high > low]
        self.nothing = np.zeros(batch, np.int32)
        self.strategies = self._strategies()

    def play(self, pool: ThreadPoolExecutor, number: int, epsilon: float) -> None:
        """A round of episodes by the table as it is."""
        self.strategies.policy[self.strategies.kinds[0, fields.POLICY_AT] :] = np.argmin(self.q, axis=2).ravel()
        self.record.epsilon[0] = epsilon
        first, seed = number * self.training.batch, np.uint64(self.study.seed)

        def part(low: int, high: int) -> None:
            episodes = (first + low, high - low, first)
            explore_range(seed, episodes, self.plan, self.strategies, fields.no_paths(), self.record)

        own, *others = self.parts
        jobs = [pool.submit(part, *other) for other in others]
        part(*own)
        for job in jobs:
            job.result()
        if self.training.risk_aversion > 0.0:
            self._charge_risk()

    def _strategies(self) -> fields.Strategies:
        """The agent alone, its policy still empty."""
        table = np.zeros(self.q.shape[:2], np.uint16)
        policy = TablePolicy(self.cuts, self.training.actions, table, np.zeros(self.study.order.steps + 1))
        alone = self.study.model_copy(update={"strategies": (Qtable(model="qtable", name="agent", agent="-"),)})
        strategies = plan_strategies(alone, expect(self.study), policies={"agent": policy})
        strategies.kinds[0, fields.SEES_VOLUME] = not known_after(self.study)
        strategies.kinds[0, fields.OWNER] = owner(self.name)
        return strategies

    def _charge_risk(self) -> None:
        """risk * (share of the order left after the step)^2 on each step's cost; nothing is left after the last."""
        inventories = self.cuts[-1].bins
        risk = risk_of(self.study, self.training.risk_aversion)
        for t in range(self.q.shape[0] - 1):
            left = (self.record.states[t + 1] // (self.q.shape[1] // inventories)) / (inventories - 1)
            self.record.costs[t] += risk[t] * left * left

    def update(self, pool: ThreadPoolExecutor) -> None:
        """One pass from the last step to the first; the other threads stay awake between its steps."""
        fault = np.zeros((self.threads, 1), np.int64)
        helpers = [_Helper() for _ in self.parts[1:]]
        jobs = [pool.submit(helper.serve, self.q.shape[0]) for helper in helpers]
        ahead = np.zeros(self.q.shape[1])
        for t in range(self.q.shape[0] - 1, -1, -1):
            following = self.nothing if t == self.q.shape[0] - 1 else self.record.states[t + 1]
            step = Step(self.record.states[t], self.record.actions[t], self.record.costs[t], following)
            tasks = [
                partial(add_targets, step, ahead, low, high, self.numbers, self.cells[k], fault[k])
                for k, (low, high) in enumerate(self.parts)
            ]
            for helper, task in zip(helpers, tasks[1:], strict=True):
                helper.begin(task)
            tasks[0]()
            for helper in helpers:
                helper.wait()
            ahead = np.empty(self.q.shape[1])
            merge_targets(self.q[t], self.visits[t], self.cells, self.alpha, self.shares, self.numbers[1], ahead)
        for job in jobs:
            job.result()
        if fault.any():
            raise InputError(
                f"train.{self.name}: {int(fault.sum())} targets lie beyond {self.numbers[2]:.3g} bps, for which the fixed "
                "point has no room; the costs of this study are too extreme"
            )


class _Helper:
    """A thread that does one task after the other, handed over by two locks: a pool's own way of handing over, fifty times a
    round, took longer than the second thread saved.
    """

    def __init__(self) -> None:
        self._task: Callable[[], None] | None = None
        self._begun, self._done = Lock(), Lock()
        self._begun.acquire()
        self._done.acquire()

    def serve(self, tasks: int) -> None:
        """Do so many tasks; one that fails counts as done, and its error is this call's."""
        failed: BaseException | None = None
        for _ in range(tasks):
            self._begun.acquire()
            try:
                if self._task is not None:
                    self._task()
            except BaseException as error:
                failed = failed or error
            finally:
                self._done.release()
        if failed is not None:
            raise failed

    def begin(self, task: Callable[[], None]) -> None:
        """Hand over a task."""
        self._task = task
        self._begun.release()

    def wait(self) -> None:
        """Until it is done."""
        self._done.acquire()

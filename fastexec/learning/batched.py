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
from fastexec.kernels.learning import (
    BY_VISITS,
    CONSTANT,
    FALLING,
    MEAN,
    SECOND,
    TABULATED,
    VISITS,
    Rate,
    Scales,
    Step,
    add_targets,
    merge_targets,
    tabulate_shares,
)
from fastexec.kernels.philox import TRAINING
from fastexec.learning.backward import fixed_point, most_temporary
from fastexec.learning.tables import Learned
from fastexec.learning.terms import risk_of
from fastexec.models.agents import Training
from fastexec.models.names import owner
from fastexec.models.strategies import Qtable
from fastexec.models.study import StudyModel
from fastexec.planning.expectation import expect
from fastexec.planning.plan import plan_strategies, plan_study
from fastexec.planning.policies import Cut, TablePolicy

_LEAST = 1e-18
_LARGEST = 1e6  # bps; a cost to go beyond a hundred times the order's value is refused
RATES = {"constant": CONSTANT, "falling": FALLING, "visits": BY_VISITS}


def learn_batched(
    study: StudyModel,
    training: Training,
    cuts: tuple[Cut, ...],
    name: str,
    threads: int,
    start: Learned | None,
    policy: np.ndarray,
) -> Iterator[Learned]:
    """The table after each round; the same bits for any number of threads. It begins by playing ``policy``.

    Raises InputError where a risk aversion is asked for without a complete horizon, or targets would not fit into the sums.
    """
    if training.risk_aversion > 0.0 and study.order.at_horizon != "complete":
        raise InputError(f'train.{name}.risk_aversion: rule batched needs order.at_horizon = "complete" for it')
    learner = Learner(study, training, cuts, name, threads)
    learner.policy[:] = policy
    if start is not None:
        known = np.where(np.isnan(start.q), 0.0, 1.0)[..., None]
        learner.learned[:] = known * np.nan_to_num(np.stack((start.q, start.second, start.tries), axis=-1))
    with ThreadPoolExecutor(threads) as pool:
        for number in range(training.rounds):
            learner.play(pool, number, epsilon_of(training, number))
            learner.update(pool)
            yield learner.table()


def epsilon_of(training: Training, number: int) -> float:
    """The share of random actions in a round."""
    return training.epsilon + (training.epsilon_last - training.epsilon) * number / max(training.rounds - 1, 1)


class Learner:
    """The table and the memory for a round."""

    def __init__(self, study: StudyModel, training: Training, cuts: tuple[Cut, ...], name: str, threads: int) -> None:
        states, steps = int(np.prod([cut.bins for cut in cuts], dtype=np.int64)), study.order.steps
        actions, batch = len(training.actions.levels_for(study.order)), training.batch
        self.study, self.training, self.cuts, self.name, self.threads = study, training, cuts, name, threads
        self.plan, _ = plan_study(study, TRAINING)
        self.policy, self.learned = np.zeros((steps, states), np.uint16), np.zeros((steps, states, actions, 3))
        self.record = Experience(
            np.empty((steps, batch), np.int32),
            np.empty((steps, batch), np.uint8),
            np.empty((steps, batch)),
            np.empty((steps, batch), np.float32),
            np.zeros(1),
        )
        self.cells = np.zeros((threads, states, actions, 3), np.int64)
        shares = np.zeros(TABULATED)
        tabulate_shares(training.learning_rate, shares)
        self.rate = Rate(RATES[training.rate], training.learning_rate, shares)
        self.bound = max(_LARGEST, most_temporary(study))
        edges = np.linspace(0, batch, threads + 1).astype(int).tolist()
        self.parts = [(low, high) for low, high in zip(edges, edges[1:], strict=False) if high > low]
        self.nothing, self.even = np.zeros(batch, np.int32), np.zeros(batch, np.float32)
        self.strategies = self._strategies()

    def table(self) -> Learned:
        """What was learned so far."""
        tries = self.learned[..., VISITS].astype(np.int64)
        q, second = (np.where(tries > 0, self.learned[..., j], np.nan) for j in (MEAN, SECOND))
        return Learned(q, second, tries, tries.sum(axis=2), self.policy.copy())

    def play(self, pool: ThreadPoolExecutor, number: int, epsilon: float) -> None:
        """A round of episodes by the policy as it is."""
        self.strategies.policy[self.strategies.kinds[0, fields.POLICY_AT] :] = self.policy.ravel()
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
        policy = TablePolicy(self.cuts, self.training.actions, self.policy, np.zeros(self.study.order.steps + 1))
        alone = self.study.model_copy(update={"strategies": (Qtable(model="qtable", name="agent", agent="-"),)})
        strategies = plan_strategies(alone, expect(self.study), policies={"agent": policy})
        strategies.kinds[0, fields.OWNER] = owner(self.name)
        return strategies

    def _charge_risk(self) -> None:
        """risk * (share of the order left after the step)^2 on each step's cost; nothing is left after the last."""
        inventories = self.cuts[-1].bins
        risk, record = risk_of(self.study, self.training.risk_aversion), self.record
        for t in range(self.policy.shape[0] - 1):
            bins = record.states[t + 1] // (self.policy.shape[1] // inventories)
            left = (bins + record.beside[t + 1].astype(np.float64)) / (inventories - 1)
            record.costs[t] += risk[t] * left * left

    def update(self, pool: ThreadPoolExecutor) -> None:
        """One pass from the last step to the first; the other threads stay awake between its steps."""
        fault = np.zeros((self.threads, 1), np.int64)
        helpers = [_Helper() for _ in self.parts[1:]]
        jobs = [pool.submit(helper.serve, self.policy.shape[0]) for helper in helpers]
        ahead = np.zeros(self.policy.shape[1])
        for t in range(self.policy.shape[0] - 1, -1, -1):
            step, scales = self._step(t), self._scales(t, ahead)
            tasks = [
                partial(add_targets, step, ahead, low, high, scales, self.cells[k], fault[k])
                for k, (low, high) in enumerate(self.parts)
            ]
            for helper, task in zip(helpers, tasks[1:], strict=True):
                helper.begin(task)
            tasks[0]()
            for helper in helpers:
                helper.wait()
            ahead = np.empty(self.policy.shape[1])
            merge_targets(self.learned[t], self.cells, self.rate, scales, self.policy[t], ahead)
        for job in jobs:
            job.result()
        if fault.any():
            raise InputError(
                f"train.{self.name}: {int(fault.sum())} targets lie beyond {self.bound:.3g} bps, for which the fixed "
                "point has no room; the costs of this study are too extreme"
            )

    def _step(self, t: int) -> Step:
        """What was met in a step, and in the one behind it; behind the last there is one state."""
        record, last = self.record, t == self.policy.shape[0] - 1
        following = self.nothing if last else record.states[t + 1]
        beside, after = (self.even, self.even) if last else (record.beside[t], record.beside[t + 1])
        return Step(record.states[t], record.actions[t], record.costs[t], following, beside, after)

    def _scales(self, t: int, ahead: np.ndarray) -> Scales:
        """The fixed point of a step's sums: room for every target of the round at the largest that there can be."""
        follows = float(np.abs(ahead[~np.isnan(ahead)]).max(initial=0.0))
        largest = float(np.abs(self.record.costs[t]).max()) + self.training.discount * follows
        largest = min(max(largest * (1.0 + 1e-9), _LEAST), self.bound) if np.isfinite(largest) else self.bound
        n = self.training.batch
        return Scales(
            self.training.discount, fixed_point(largest * n), fixed_point(largest * largest * n), largest,
            self.policy.shape[1] // self.cuts[-1].bins,
        )  # fmt: skip


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

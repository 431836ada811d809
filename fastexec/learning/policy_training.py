"""Networks trained on a study's own synthetic market: batches of fresh episodes, each played, learned from, and forgotten."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from fastexec.kernels import fields
from fastexec.kernels.gradients import LEAF
from fastexec.kernels.philox import TRAINING
from fastexec.kernels.practise import practice_for, practise_range
from fastexec.kernels.transitions import transitions_for
from fastexec.learning.policy_gradient import Learner, Settings, Update
from fastexec.learning.scales import scales_of
from fastexec.models.actions import Actions
from fastexec.models.names import owner
from fastexec.models.network import NetworkStrategy
from fastexec.models.scalar import expected
from fastexec.models.strategies import Twap
from fastexec.models.study import StudyModel
from fastexec.planning.expectation import expect
from fastexec.planning.plan import plan_strategies, plan_study
from fastexec.planning.policies import Layer, NetworkPolicy, Scaled, slices_with

#: Seeds are apart by so many episodes of the training's phase.
APART = 1 << 32
#: How much less probable, at first, an action is for each even slice that it trades more or less than that: the exponent.
TOWARDS_EVEN, FARTHEST = 1.0, 4.0


class Plan(NamedTuple):
    """A training by episodes of a study: ``observation`` with its scales; ``updates`` of ``batch`` episodes, whole leaves."""

    study: StudyModel
    name: str
    observation: tuple[Scaled, ...]
    actions: Actions
    settings: Settings
    updates: int
    batch: int


def plan_training(
    study: StudyModel,
    name: str,
    features: Sequence[tuple[str, int]],
    actions: Actions,
    settings: Settings,
    updates: int,
    batch: int,
) -> Plan:
    """With the scales of a pilot run; ``features``: (name, steps of momentum)."""
    return Plan(study, name, scales_of(study, features), actions, settings, updates, batch)


def learn_policy(
    plan: Plan, number: int, threads: int = 1, report: Callable[[int, Update], None] | None = None
) -> tuple[NetworkPolicy, list[Update]]:
    """The network of seed ``number``, and what each update met; ``report`` after each one."""
    bias = towards_even(plan.study, plan.actions)
    pupil = Learner(plan.settings, len(plan.observation), bias, plan.study.seed, owner(plan.name), number, threads)
    rollout, curve = Rollout(plan, pupil, threads), []
    with ThreadPoolExecutor(max(threads - 1, 1)) as pool:
        for update in range(plan.updates):
            rollout.practise(number * APART + update * plan.batch, pool)
            told = pupil.update(rollout.record, 1.0 - update / plan.updates, pool)
            curve.append(told)
            if report is not None:
                report(update, told)
    return policy_of(plan, pupil), curve


class Rollout:
    """A study's market with the pupil beside a TWAP; ``record``: the transitions of a batch of it."""

    def __init__(self, plan: Plan, pupil: Learner, threads: int) -> None:
        study = plan.study
        both = (NetworkStrategy(model="network", name="agent", agent="-"), Twap(model="twap", name="twap"))
        alone = study.model_copy(update={"strategies": both})
        strategies = plan_strategies(alone, expect(study), policies={"agent": policy_of(plan, pupil)})
        strategies.kinds[0, fields.OWNER] = owner(plan.name)
        self._seed, (self._market, _) = np.uint64(study.seed), plan_study(study, TRAINING)
        self._strategies = strategies._replace(weights=pupil.weights[: pupil.middle])
        inputs = -(-len(plan.observation) // 4) * 4
        self.record = transitions_for(plan.batch, study.order.steps, inputs)
        self._each = [practice_for(self.record, pupil.networks) for _ in range(threads)]
        cuts = [plan.batch // LEAF * k // threads * LEAF for k in range(threads + 1)]
        self._parts = list(zip(cuts[:-1], cuts[1:], strict=True))

    def practise(self, first: int, pool: ThreadPoolExecutor) -> None:
        """Play the episodes from ``first`` on."""

        def part(thread: int) -> None:
            low, high = self._parts[thread]
            practise_range(
                self._seed, (first + low, high - low, first), self._market, self._strategies, fields.no_paths(),
                self._each[thread],
            )  # fmt: skip

        jobs = [pool.submit(part, thread) for thread in range(1, len(self._parts))]
        part(0)
        for job in jobs:
            job.result()


def towards_even(study: StudyModel, actions: Actions) -> np.ndarray:
    """The first bias of each action's output: the farther from an even slice it trades, the less probable it is."""
    shares, steps = expected(study.order.shares), study.order.steps
    slices = slices_with(study.order, actions, np.array([shares]), shares)[0]
    return np.asarray(-np.minimum(TOWARDS_EVEN * np.abs(slices * steps - 1.0), FARTHEST))


def policy_of(plan: Plan, pupil: Learner, mode: str = "greedy") -> NetworkPolicy:
    """What the pupil would do now, as a strategy."""
    layers, at = [], 0
    for inputs, outputs in pupil.policy.tolist():
        rows, columns = -(-outputs // 4) * 4, -(-inputs // 4) * 4
        w = pupil.weights[at : at + rows * columns].reshape(rows, columns)
        b = pupil.weights[at + rows * columns : at + rows * (columns + 1)]
        layers.append(Layer(w[:outputs, :inputs].copy(), b[:outputs].copy()))
        at += rows * (columns + 1)
    return NetworkPolicy(
        plan.observation, tuple(layers), plan.settings.activation, plan.actions, mode, plan.study.order.steps
    )

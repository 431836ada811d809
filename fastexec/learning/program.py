"""The mini-project's learner on the paths of the training phase; its table as one that the engine plays."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fastexec.errors import InputError
from fastexec.kernels import fields
from fastexec.kernels.philox import TRAINING
from fastexec.kernels.program import MOMENTA, SPREADS, TIMES, VOLUMES, learn_program
from fastexec.learning.online import watch
from fastexec.learning.rollout import alone
from fastexec.learning.tables import Learned, least
from fastexec.models.agents import Training
from fastexec.models.scalar import expected
from fastexec.models.strategies import Twap
from fastexec.models.study import StudyModel
from fastexec.planning.plan import known_after
from fastexec.planning.policies import Cut


def program_cuts() -> tuple[Cut, ...]:
    """The program's features as edges: a value on an edge belongs above it, as cutting to an integer has it."""
    below = np.nextafter
    spreads = np.array([below(k / 1000.0, 0.0) for k in range(1, SPREADS)])
    volumes = np.array([below(k * 1000.0, 0.0) for k in range(1, VOLUMES)])
    momenta = np.array([below((0.5 * k - 5.0) / 100.0, -1.0) for k in range(1, MOMENTA)])
    return (
        Cut("spread", SPREADS, spreads, 0),
        Cut("volume", VOLUMES, volumes, 0),
        Cut("momentum", MOMENTA, momenta, 5),
        Cut("inventory", 1, np.zeros(0), 0),
    )


def learn_program_rule(
    study: StudyModel,
    training: Training,
    cuts: tuple[Cut, ...],
    name: str,
    threads: int,
    start: Learned | None,
    policy: np.ndarray,
) -> Iterator[Learned]:
    """The table after each round of ``batch`` episodes, minus the reward to go.

    Raises InputError where the study is not the mini-project's kind.
    """
    if study.costs.rule != "per_step" or known_after(study) or training.actions.set != "fractions":
        raise InputError(
            f'train.{name}: rule program needs costs.rule = "per_step", market.volume.known = "during" and actions of '
            'set = "fractions"; it is the mini-project\'s own'
        )
    if start is not None:
        raise InputError(f"train.{name}.start: the mini-project's learner starts from nothing")
    steps = study.order.steps
    slices = np.array([min(int(10.0 * ((steps - t) / steps)), TIMES - 1) for t in range(steps)])
    for tables, _ in _rounds(study, training, name):
        q, second, tries = (x.reshape(TIMES, -1, x.shape[1])[slices] for x in tables)
        yield Learned(-q, second, tries, tries.sum(axis=2), least(-q, policy))


def program_history(study: StudyModel, name: str) -> np.ndarray:
    """What each episode of a training by rule program was rewarded in all, and its completion, float64[e, 2]."""
    return np.concatenate([outcomes for _, outcomes in _rounds(study, study.train[name], name)])


def _rounds(
    study: StudyModel, training: Training, name: str
) -> Iterator[tuple[tuple[np.ndarray, np.ndarray, np.ndarray], np.ndarray]]:
    """After each round its tables (see ``learn_program``), and the outcomes of the round's episodes."""
    levels = np.array(training.actions.levels_for(study.order))
    cells = (SPREADS * VOLUMES * MOMENTA * TIMES, levels.size)
    tables = np.zeros(cells), np.zeros(cells), np.zeros(cells, np.int64)
    numbers = np.array(
        [expected(study.order.shares), study.order.lot, expected(study.costs.temporary.coefficient),
         training.learning_rate, training.discount, training.epsilon]
    )  # fmt: skip
    for number in range(training.rounds):
        paths = program_paths(study, number * training.batch, training.batch)
        words, outcomes = watch(study, training, program_cuts(), name, number).words, np.zeros((training.batch, 2))
        learn_program(paths, words, levels, numbers, tables, outcomes)
        yield tables, outcomes


def program_paths(study: StudyModel, first: int, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """mid, spread, volume of the training phase, float64[e, t]."""
    output = alone(study, Twap(model="twap", name="twap"), TRAINING).steps(first, count)
    columns = {name: output.steps[j].reshape(count, -1) for j, name in enumerate(fields.STEP_COLUMNS)}
    return columns["mid"], columns["spread"], columns["volume"]

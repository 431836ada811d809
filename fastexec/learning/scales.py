"""By what a network's observations are scaled: mean and standard deviation of each feature in a pilot run of its own phase."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastexec.data.replay import windows_of
from fastexec.exact import plain_sum
from fastexec.kernels import fields
from fastexec.kernels.philox import PILOT
from fastexec.kernels.watch import observe_range
from fastexec.models.strategies import Twap
from fastexec.models.study import StudyModel
from fastexec.planning.expectation import expect
from fastexec.planning.given_paths import given_paths
from fastexec.planning.plan import known_after, plan_strategies, plan_study
from fastexec.planning.policies import Scaled, feature_number

_STEPS, _FEWEST, _AT_ONCE = 100_000, 200, fields.MOST_FEATURES
#: Steps that momentum looks back where nothing is said.
LOOK_BACK = 5


def scales_of(study: StudyModel, observation: Sequence[tuple[str, int]]) -> tuple[Scaled, ...]:
    """Of features (name, steps of momentum) their scales in a study: what a TWAP order observes over all its steps; sd 1 of one
    that does not vary. On replayed days it is their windows, from the first on. The same bits on any machine.
    """
    if not observation:
        return ()
    plan, strategies, paths = _pilot(study)
    count = max(_STEPS // study.order.steps, _FEWEST)
    if plan.switches[fields.SOURCE] == fields.GIVEN:
        count = min(count, paths.mid.shape[0])
    found = []
    for first in range(0, len(observation), _AT_ONCE):
        part = observation[first : first + _AT_ONCE]
        strategies.kinds[0, fields.FEATURES] = len(part)
        for j, (name, steps) in enumerate(part):
            strategies.features[0, j] = feature_number(name, study.signals), 1, 1, steps
        values = np.empty((len(part), count, study.order.steps))
        observe_range(np.uint64(study.seed), 0, count, plan, strategies, paths, values)
        found += [Scaled(name, *_moments(row.ravel()), steps) for (name, steps), row in zip(part, values, strict=True)]
    return tuple(found)


def _pilot(study: StudyModel) -> tuple[fields.Plan, fields.Strategies, fields.Paths]:
    """A study's market and costs in the pilot's phase, with a TWAP order in place of its strategies."""
    plan, _ = plan_study(study, PILOT)
    windows = None if study.real_days is None else windows_of(study, study.real_days)
    paths, groups = given_paths(study, None, windows, plan)
    only = study.model_copy(update={"strategies": (Twap(model="twap", name="twap"),)})
    strategies = plan_strategies(only, expect(study, windows), groups)
    if not known_after(study):
        strategies.kinds[0, fields.SEES_VOLUME] |= fields.SEES_STEP
    return plan, strategies, fields.no_paths() if paths is None else paths


def _moments(values: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation, 1 of values that are all one but for rounding."""
    mean = plain_sum(values) / values.size
    sd = float(np.sqrt(plain_sum((values - mean) * (values - mean)) / values.size))
    return mean, sd if sd > 1e-9 * abs(mean) and sd > 1e-300 else 1.0

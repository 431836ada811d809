"""By what a network's observations are scaled: mean and standard deviation of each feature in a pilot run of its own phase."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastexec.errors import InputError
from fastexec.exact import plain_sum
from fastexec.kernels.philox import PILOT
from fastexec.learning.rollout import alone
from fastexec.models.strategies import Twap
from fastexec.models.study import StudyModel
from fastexec.planning.plan import known_after
from fastexec.planning.policies import Cut, Scaled

_STEPS, _FEWEST, _AT_ONCE = 100_000, 200, 6
#: Steps that momentum looks back where nothing is said.
LOOK_BACK = 5


def scales_of(study: StudyModel, observation: Sequence[tuple[str, int]]) -> tuple[Scaled, ...]:
    """Of features (name, steps of momentum) their scales in a study: what a TWAP order observes over all its steps; sd 1 of one
    that does not vary. The same bits on any machine.

    Raises InputError where its market is of real days.
    """
    if not observation:
        return ()
    if study.synthetic is None:
        raise InputError(
            "observation: means and sds are found on a synthetic market, and the study's is of real days; give them"
        )
    count = max(_STEPS // study.order.steps, _FEWEST)
    found = []
    for first in range(0, len(observation), _AT_ONCE):
        cuts = [Cut(name, 1, np.zeros(0), steps) for name, steps in observation[first : first + _AT_ONCE]]
        pilot = alone(study, Twap(model="twap", name="twap"), PILOT)
        for cut, values in zip(cuts, pilot.observe(cuts, not known_after(study), 0, count), strict=True):
            mean, sd = _moments(values.ravel())
            found.append(Scaled(cut.name, mean, sd, cut.steps))
    return tuple(found)


def _moments(values: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation, 1 of values that are all one but for rounding."""
    mean = plain_sum(values) / values.size
    sd = float(np.sqrt(plain_sum((values - mean) * (values - mean)) / values.size))
    return mean, sd if sd > 1e-9 * abs(mean) and sd > 1e-300 else 1.0

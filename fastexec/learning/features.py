"""Edges between the bins of a training's features: given, or quantiles of a pilot run on a phase of its own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastexec.errors import InputError
from fastexec.kernels.philox import PILOT
from fastexec.learning.rollout import alone
from fastexec.models.agents import Feature, Training
from fastexec.models.features import declared
from fastexec.models.strategies import Twap
from fastexec.models.study import StudyModel
from fastexec.planning.plan import known_after
from fastexec.planning.policies import Cut, cut_of

_PILOT_STEPS = 400_000
MOST_CELLS = 40_000_000


def cuts_of(study: StudyModel, training: Training, name: str) -> tuple[Cut, ...]:
    """The features with their edges, inventory last.

    Raises InputError where a feature does not vary, or the table would be too large.
    """
    needed = [f for f in training.features if f.name != "inventory" and not f.edges and f.between is None]
    sample = _pilot(study, needed) if needed else {}
    cuts = []
    for feature in sorted(training.features, key=lambda f: f.name == "inventory"):
        edges = None
        if feature in needed:
            edges = _quantiles(sample[feature.name], feature.bins)
            if edges.size == 0:
                raise InputError(
                    f"train.{name}.features.{feature.name}: it does not vary in this market; leave it out, or give edges"
                )
        cuts.append(cut_of(feature, edges))
    cells = study.order.steps * int(np.prod([cut.bins for cut in cuts])) * len(training.actions.levels_for(study.order))
    if cells > MOST_CELLS:
        largest = max(cuts, key=lambda cut: cut.bins)
        raise InputError(
            f"train.{name}: a table of {cells:,} cells ({cells * 8 / 1e9:.1f} GB), more than {MOST_CELLS:,}; give "
            f"{largest.name} fewer than {largest.bins} bins"
        )
    return tuple(cuts)


def outside_of(study: StudyModel, training: Training) -> dict[str, int]:
    """How many values of a pilot run lie beyond the ends that a feature was given (``between``), by feature."""
    given = [feature for feature in training.features if feature.between is not None]
    sample = _pilot(study, given) if given else {}
    found: dict[str, int] = {}
    for feature in given:
        assert feature.between is not None
        values = sample[feature.name]
        low, high = feature.between
        found[feature.name] = int((values < low).sum() + (values > high).sum())
    return found


def _quantiles(values: np.ndarray, bins: int) -> np.ndarray:
    """Edges between bins that are met equally often, each once; none where all values are one."""
    if values.size == 0:
        return values
    edges = np.unique(np.quantile(values, np.arange(1, bins) / bins))
    return np.asarray(edges[edges < values.max()])


def _pilot(study: StudyModel, features: Sequence[Feature]) -> dict[str, np.ndarray]:
    """What a TWAP order observes over all its steps but those in which a feature cannot tell anything yet, flat, by name."""
    steps, sees_volume = study.order.steps, not known_after(study)
    count = max(_PILOT_STEPS // steps, 200)
    observed = [Cut(feature.name, 1, np.zeros(0), feature.steps) for feature in features]
    values = alone(study, Twap(model="twap", name="twap"), PILOT).observe(observed, sees_volume, 0, count)
    first = [declared(feature.name).first_told(sees_volume) for feature in features]
    return {f.name: values[j, :, first[j] :].ravel() for j, f in enumerate(features)}

"""Edges between the bins of a training's features: given, or quantiles of a pilot run on a phase of its own."""

from __future__ import annotations

import numpy as np

from fastexec.errors import InputError
from fastexec.kernels import fields
from fastexec.kernels.philox import PILOT
from fastexec.learning.rollout import alone
from fastexec.models.agents import Training
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
    sample = _pilot(study) if needed else {}
    cuts = []
    for feature in sorted(training.features, key=lambda f: f.name == "inventory"):
        edges = None
        if feature in needed:
            values = sample[feature.name] if feature.name != "momentum" else _momentum(sample["mid"], feature.steps)
            edges = np.unique(np.quantile(values, np.arange(1, feature.bins) / feature.bins))
            edges = edges[edges < values.max()]
            if edges.size == 0:
                raise InputError(
                    f"train.{name}.features.{feature.name}: it does not vary in this market; leave it out, or give edges"
                )
        cuts.append(cut_of(feature, edges))
    cells = study.order.steps * int(np.prod([cut.bins for cut in cuts])) * len(training.actions.levels)
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
    sample = _pilot(study) if given else {}
    found: dict[str, int] = {}
    for feature in given:
        assert feature.between is not None
        values = sample[feature.name] if feature.name != "momentum" else _momentum(sample["mid"], feature.steps)
        low, high = feature.between
        found[feature.name] = int((values < low).sum() + (values > high).sum())
    return found


def _pilot(study: StudyModel) -> dict[str, np.ndarray]:
    """What a TWAP order sees, over all its steps: features as the kernels measure them, flat; mid float64[e, t]."""
    steps = study.order.steps
    count = max(_PILOT_STEPS // steps, 200)
    output = alone(study, Twap(model="twap", name="twap"), PILOT).steps(0, count)
    columns = {name: output.steps[j].reshape(count, steps) for j, name in enumerate(fields.STEP_COLUMNS)}
    mid, volume = columns["mid"], columns["volume"]
    move = mid[:, 1:] / mid[:, :-1] - 1.0
    square = np.cumsum(move * move, axis=1)
    spent = columns["shares"] * np.abs(columns["price"] - mid)
    ordered = columns["shares"][:, :1] + columns["remaining"][:, :1]
    return {
        "mid": mid,
        "spread": columns["spread"].ravel(),
        "volume": (volume[:, :-1] if known_after(study) else volume).ravel(),
        "relative_volume": _relative(volume, known_after(study)),
        "volatility": np.sqrt(square / np.arange(1, steps)).ravel(),
        "shortfall": (1e4 * np.cumsum(np.nan_to_num(spent), axis=1) / (ordered * mid[:, :1]))[:, :-1].ravel(),
        "impact": (1e4 * columns["own_impact"] / mid[:, :1])[:, 1:].ravel(),
    }


def _relative(volume: np.ndarray, after: bool) -> np.ndarray:
    mean = np.cumsum(volume, axis=1) / np.arange(1, volume.shape[1] + 1)
    last = slice(None, -1) if after else slice(None)
    return np.asarray((volume / np.where(mean > 0.0, mean, 1.0))[:, last].ravel())


def _momentum(mid: np.ndarray, steps: int) -> np.ndarray:
    then = np.maximum(np.arange(mid.shape[1]) - steps, 0)
    return np.asarray((mid / mid[:, then] - 1.0)[:, 1:].ravel())

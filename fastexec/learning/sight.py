"""How a table sees the programme's states: the bins of each feature, and the state that is meant by their bins."""

from __future__ import annotations

import numpy as np

from fastexec.exact import power_of
from fastexec.kernels.fields import MOST_FEATURES
from fastexec.learning.axes import Axis, Joint
from fastexec.models.declarations import MarkovLaw
from fastexec.models.scalar import expected
from fastexec.models.study import StudyModel
from fastexec.planning.plan import known_after
from fastexec.planning.policies import Cut

_HAIR = 1e-9  # relative: products that differ by rounding alone are one value


def laws_of_market(study: StudyModel) -> tuple[MarkovLaw, MarkovLaw]:
    """The laws of spread and volume."""
    assert study.synthetic is not None
    spread, volume = study.synthetic.spread.law(), study.synthetic.volume.law()
    assert spread is not None
    assert volume is not None
    return spread, volume


def spread_times(study: StudyModel, joint: Joint) -> np.ndarray:
    """What the joint levels make of the spread, float64[e]."""
    assert study.synthetic is not None
    return np.asarray(
        joint.times.spread * power_of(joint.times.volatility, expected(study.synthetic.spread.volatility_exponent))
    )


def bins_of_spread(study: StudyModel, joint: Joint) -> np.ndarray:
    """The spreads that may be quoted, rising; one where the model has one level, which tells nothing."""
    return _values(laws_of_market(study)[0].levels, spread_times(study, joint))


def bins_of_volume(study: StudyModel, joint: Joint) -> np.ndarray:
    """The volumes that may be met, likewise."""
    return _values(laws_of_market(study)[1].levels, joint.times.volume)


def _values(levels: np.ndarray, times: np.ndarray) -> np.ndarray:
    if levels.size == 1:
        return levels
    values = np.unique(np.outer(levels, times))
    return values[np.concatenate(([True], np.diff(values) > _HAIR * values[1:]))]


def blurred(study: StudyModel, joint: Joint) -> bool:
    """Whether the last step's volume leaves open which level it was: its regime is seen no more."""
    levels = laws_of_market(study)[1].levels
    if levels.size == 1 or not known_after(study):
        return False
    products = np.outer(levels, joint.times.volume)
    alike = np.abs(products[:, :, None, None] - products[None, None]) <= _HAIR * products[:, :, None, None]
    other = np.arange(levels.size)[:, None] != np.arange(levels.size)[None, :]
    return bool((alike & other[:, None, :, None]).any())


def cuts_of_states(study: StudyModel, axes: list[Axis], joint: Joint, lots: int) -> tuple[Cut, ...]:
    """The features of a table that tells the states apart, inventory last."""
    cuts = [_cut("spread", bins_of_spread(study, joint)), _cut("volume", bins_of_volume(study, joint))]
    cuts += [_cut(axis.name, axis.shown) for axis in axes]
    if len(cuts) >= MOST_FEATURES:
        cuts = [cut for cut in cuts if cut.bins > 1]
    return (*cuts, Cut("inventory", lots + 1, np.zeros(0), 0))


def _cut(name: str, values: np.ndarray) -> Cut:
    return Cut(name, values.size, 0.5 * (values[1:] + values[:-1]), 0)


def states_of_codes(study: StudyModel, axes: list[Axis], joint: Joint) -> np.ndarray:
    """The state x = spread + S (volume + V joint) that each code of the bins stands for, int64[code]."""
    (spread, volume), met, count = laws_of_market(study), np.zeros(1, np.int64), 1
    for axis in axes:
        met = (axis.played[:, None] * count + met[None, :]).ravel()
        count *= axis.law.levels.size
    spreads = _levels_in(spread.levels, spread_times(study, joint)[met], bins_of_spread(study, joint))
    bins = bins_of_volume(study, joint)
    if known_after(study):  # of the last step, under whichever regime it had
        volumes = np.repeat(_levels_in_any(volume.levels, joint.times.volume, bins)[None], met.size, axis=0)
    else:
        volumes = _levels_in(volume.levels, joint.times.volume[met], bins)
    above = met[:, None] * volume.levels.size + volumes
    return np.asarray(above[:, :, None] * spread.levels.size + spreads[:, None, :]).ravel()


def _levels_in(levels: np.ndarray, times: np.ndarray, bins: np.ndarray) -> np.ndarray:
    """The level whose value is nearest to each bin's under each multiplier, int64[e, bin]."""
    return np.asarray(np.argmin(np.abs(levels[None, :, None] * times[:, None, None] - bins[None, None, :]), axis=1))


def _levels_in_any(levels: np.ndarray, times: np.ndarray, bins: np.ndarray) -> np.ndarray:
    """The level that has each bin's value under some multiplier, int64[bin]."""
    apart = np.abs(levels[:, None, None] * times[None, :, None] - bins[None, None, :])
    return np.asarray(np.argmin(apart.min(axis=1), axis=0))

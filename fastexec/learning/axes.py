"""What everybody knows of the market when a step begins, besides spread and volume: the regime, signals.

An axis of the programme's state: its levels, how they follow each other, and what each multiplies or tells.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastexec.learning.grids import BIN_VALUES, COARSEST, intervals_for, normal_grid, place_on
from fastexec.models.declarations import MarkovLaw
from fastexec.models.regimes import Regimes
from fastexec.models.scalar import bounds, expected
from fastexec.models.signals import Signal
from fastexec.models.study import StudyModel

#: Cells of the programme's tables, a number of 8 bytes each.
MOST_CELLS = 100_000_000


class Times(NamedTuple):
    """What each level multiplies, float64[level]."""

    volatility: np.ndarray
    spread: np.ndarray
    volume: np.ndarray
    impact: np.ndarray


class Axis(NamedTuple):
    """``law``: of its levels, whose values the feature ``name`` shows. told: how far each level moves the mean of the step's
    normal of the move, float64[level]; memory, known: lag-1 autocorrelation of that, and its share of the normal's variance.
    ``played`` int64[bin]: the level of each bin that a table is played in, the bins' values ``shown``. numerical: a grid
    stands for more values than it has.
    """

    name: str
    law: MarkovLaw
    times: Times
    told: np.ndarray
    memory: float
    known: float
    played: np.ndarray
    shown: np.ndarray
    numerical: bool


def axes_of(study: StudyModel, risk: bool = False, coarser: int = 1) -> list[Axis]:
    """Those that an order's expected cost depends on. ``risk``: so does its variance. ``coarser``: grids of AR(1) signals have
    so many times fewer intervals.
    """
    market = study.synthetic
    assert market is not None
    matters = risk or market.volatility_matters(study.costs.temporary)
    found, signals, regimes = list[Axis](), market.telling(study.costs.temporary, risk), market.regimes
    if regimes is not None and regimes.known and (regimes.scales_costs or (matters and regimes.scales_volatility)):
        found.append(_of_regimes(regimes))
    intervals = max((intervals_for(expected(s.memory)) for s in signals if s.law is None), default=0)
    while intervals > COARSEST and cells(study, [*found, *_of_signals(signals, intervals)]) > MOST_CELLS:
        intervals -= COARSEST
    return [*found, *_of_signals(signals, intervals // coarser)]


def cells(study: StudyModel, axes: list[Axis]) -> int:
    """How many numbers the programme's tables have."""
    market, lots = study.synthetic, round(expected(study.order.shares) / study.order.lot)
    assert market is not None
    laws = [market.spread.law(), market.volume.law(), *(axis.law for axis in axes)]
    states = int(np.prod([law.levels.size for law in laws if law is not None], dtype=np.int64))
    return study.order.steps * states * ((lots + 1) * (lots + 1) + 2 * states)


def _of_regimes(regimes: Regimes) -> Axis:
    law = regimes.law()
    assert law is not None
    times = Times(*(np.array(regimes.multipliers(kind)) for kind in Times._fields))
    return Axis("regime", law, times, 0.0 * law.levels, 0.0, 0.0, np.arange(law.levels.size), law.levels, False)


def _of_signals(signals: list[Signal], intervals: int) -> list[Axis]:
    return [_of_signal(signal, intervals) for signal in signals]


def _of_signal(signal: Signal, intervals: int) -> Axis:
    memory, correlation, law = bounds(signal.memory)[0], bounds(signal.correlation)[0], signal.law
    levels = normal_grid(memory, intervals) if law is None else law
    one, rho = np.ones(levels.levels.size), correlation if signal.foretells else 0.0
    played = np.arange(one.size) if law is not None else place_on(levels.levels, BIN_VALUES)
    shown = levels.levels if law is not None else BIN_VALUES
    times = Times(signal.volatility_at(levels.levels), one, one, one)
    return Axis(signal.name, levels, times, rho * levels.levels, memory, rho * rho, played, shown, law is None)


class Joint(NamedTuple):
    """All axes as one chain, the first one's level changing fastest: ``first`` float64[e], ``transition`` float64[e, e], and
    the products and sums of what the axes say, float64[e].
    """

    first: np.ndarray
    transition: np.ndarray
    times: Times
    told: np.ndarray


def joined(axes: list[Axis]) -> Joint:
    """The axes' chains are independent of each other; one state where there are none."""
    one = np.ones(1)
    found = Joint(one, np.ones((1, 1)), Times(one, one, one, one), np.zeros(1))
    for axis in axes:
        times = Times(*(np.kron(own, so_far) for own, so_far in zip(axis.times, found.times, strict=True)))
        told = (axis.told[:, None] + found.told[None, :]).ravel()
        first, moves = np.kron(axis.law.first, found.first), np.kron(axis.law.transition, found.transition)
        found = Joint(first, moves, times, told)
    return found

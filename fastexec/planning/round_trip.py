"""A search for round trips that make money: an impact model that has one invites every learner to exploit it.

Huberman and Stanzl (2004), Gatheral (2010): with permanent impact charged below half of its own, or transient impact that
is not linear, buying and selling back may gain from one's own impact alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastexec.exact import exp_of, plain_sum, power_of
from fastexec.models.scalar import expected
from fastexec.models.study import StudyModel
from fastexec.planning.expectation import Expectation

_MOST_SLICES = 12


@dataclass(frozen=True)
class RoundTrip:
    """Buy ``shares`` in ``buys`` equal slices, wait ``pause`` steps, sell them in ``sells``; ``gain`` in currency, from
    temporary, permanent and transient impact alone, ``net`` after spread and fees.
    """

    shares: float
    buys: int
    pause: int
    sells: int
    gain: float
    net: float


def find_round_trip(study: StudyModel, market: Expectation) -> RoundTrip | None:
    """The round trip within the order's size that gains most from impact alone; None where none of those tried does.

    Tried: equal slices, 1 to 12 on each side, pauses of 0 to 8 steps, five sizes from 1 % to all of the order; each
    cost parameter with a range at its mean.
    """
    best: RoundTrip | None = None
    shapes = _shapes(study.order.steps)
    unit = np.zeros((len(shapes), max(sum(shape) for shape in shapes) if shapes else 0))
    for row, (buys, sells, pause) in zip(unit, shapes, strict=True):
        row[:buys], row[buys + pause : buys + pause + sells] = 1.0 / buys, -1.0 / sells
    friction = plain_sum(market.half_spread) / market.half_spread.size + expected(study.costs.fees.per_share)
    for shares in market.shares * np.array([1.0, 0.5, 0.2, 0.05, 0.01]):
        gains = -impact_costs(shares * unit, study, market)
        for j in np.flatnonzero(gains > 1e-9 * shares * market.price):
            if best is None or gains[j] > best.gain:
                (buys, sells, pause), gain = shapes[j], float(gains[j])
                best = RoundTrip(float(shares), buys, pause, sells, gain, gain - 2.0 * float(shares) * friction)
    return best


def _shapes(steps: int) -> list[tuple[int, int, int]]:
    most = min(_MOST_SLICES, steps)
    return [
        (buys, sells, pause)
        for buys in range(1, most + 1)
        for sells in range(1, most + 1)
        for pause in (0, 1, 2, 4, 8)
        if buys + sells + pause <= steps
    ]


def impact_costs(slices: np.ndarray, study: StudyModel, market: Expectation) -> np.ndarray:
    """Currency paid to temporary, permanent and transient impact for rows of signed slices (float64[m, t], shares) on
    expected volumes, float64[m].
    """
    costs, size = study.costs, np.abs(slices)
    gamma, own = expected(costs.permanent.coefficient), expected(costs.permanent.own)
    before = np.add.accumulate(slices, axis=1) - slices
    paid = _temporary(size, study, market) + gamma * slices * (before + own * slices)
    k, keep = expected(costs.transient.coefficient), float(exp_of(np.array([-expected(costs.transient.resilience)]))[0])
    pushes = np.sign(slices) * k * power_of(size, expected(costs.transient.exponent))
    left, total = np.zeros(slices.shape[0]), np.zeros(slices.shape[0])
    for t in range(slices.shape[1]):
        total = total + paid[:, t] + slices[:, t] * (left + 0.5 * pushes[:, t])
        left = (left + pushes[:, t]) * keep
    return total


def _temporary(size: np.ndarray, study: StudyModel, market: Expectation) -> np.ndarray:
    terms, typical = study.costs.temporary.terms(), market.typical_inverse
    scaled = size * market.price * terms.power * power_of(size, terms.exponent) * typical
    return np.asarray(size * (terms.fixed + terms.linear * size) + scaled)

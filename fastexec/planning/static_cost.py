"""What a static schedule is expected to cost: the objective of ``static_optimum``, for any schedule, lots and risk included.

In shares of the order's value, the mean over episodes of (expected cost + risk aversion * variance of timing) / (Q S_0); what
no schedule changes (fees, permanent impact of the whole order) is left out. The mid's moves count as independent of spread and
volume. A step without volume trades nothing, and what it missed joins the next that has some: where chance decides which do,
each pair of successive steps with volume counts by its probability. Only transient impact is then that of the planned slices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fastexec.exact import exp_of, log_of, plain_sum, power_of
from fastexec.models.order import Order
from fastexec.models.scalar import Range, bounds, expected, nodes
from fastexec.models.study import StudyModel
from fastexec.planning.expectation import Expectation
from fastexec.planning.gaps import Gaps, gaps_of

_FEW_SIZES = 256


class Impact(NamedTuple):
    """Transient impact of one resilience and exponent: coefficient and exponent of a slice in shares; what a step leaves."""

    coefficient: float
    exponent: float
    keep: float


class End(NamedTuple):
    """What a share left at the end costs: linear; square: times shares left; raised[j]: times (shares left)^e_j. ``pushes``: it
    pays transient impact as one more slice does, not only what is left of earlier ones.
    """

    linear: float
    square: float
    raised: list[float]
    pushes: bool


@dataclass(frozen=True)
class ScheduleCost:
    """Arrays float64[t]; nothing here counts the size of the order yet, whose ``sizes`` and ``weights`` are of its range.

    linear: cost a share; scales float64[j, t] and ``exponents``: times (shares)^e_j; square: times shares of the slice;
    risk: times shares left squared after the step; end: of what is marked at the end, None where it is ignored.
    open: whether a step may have volume; ``gaps``: which do, None where no chance decides.
    """

    lot: float
    sizes: list[float]
    weights: list[float]
    open: np.ndarray
    linear: np.ndarray
    scales: np.ndarray
    exponents: list[float]
    square: float
    impacts: list[Impact]
    risk: np.ndarray
    end: End | None
    gaps: Gaps | None

    @property
    def fewest_lots(self) -> float:
        """Of the order at its smallest; infinite where fractions trade."""
        return float("inf") if self.lot == 0.0 else max(round(min(self.sizes) / self.lot), 1)

    def mean_power(self, exponent: float) -> float:
        """E[shares^exponent] of the order's sizes."""
        return plain_sum(power_of(np.array(self.sizes), exponent) * np.array(self.weights))

    def of(self, fractions: np.ndarray) -> np.ndarray:
        """The cost of each trajectory, float64[m, t + 1] -> float64[m]."""
        total = np.zeros(fractions.shape[0])
        for size, weight in zip(self.sizes, self.weights, strict=True):
            shares = size if self.lot == 0.0 else max(float(np.floor(size / self.lot + 0.5)), 1.0) * self.lot
            total = total + weight * self._of_size(self.played(fractions, shares), shares)
        return total

    def finishes(self, fractions: np.ndarray) -> np.ndarray:
        """Whether each trajectory leaves under 1 % behind the last step that may have volume, bool[m]."""
        return np.asarray(self.played(fractions, max(self.sizes))[:, -1] > 0.99)

    def played(self, fractions: np.ndarray, shares: float) -> np.ndarray:
        """The trajectories in whole lots. What is planned where there is never any volume is traded in the next step with some;
        behind the last of these it stays, and is marked.
        """
        if self.lot > 0.0:
            lots = shares / self.lot
            fractions = np.floor(fractions * lots + 0.5) / lots
        done = fractions.copy()
        for t in np.nonzero(~self.open)[0]:
            done[:, t + 1] = done[:, t]
        return done

    def _of_size(self, done: np.ndarray, shares: float) -> np.ndarray:
        slices, left = np.maximum(done[:, 1:] - done[:, :-1], 0.0), 1.0 - done
        scales = [row * _power(shares, e) for row, e in zip(self.scales, self.exponents, strict=True)]
        square, risk = self.square * shares, self.risk * shares
        rest = left[:, -1]
        total, outstanding = _transient(self._pushing(slices, rest), self.impacts, shares)
        if self.gaps is None:
            own = self.linear * slices + square * slices * slices + risk * left[:, 1:] * left[:, 1:]
            for scale, e in zip(scales, self.exponents, strict=True):
                own = own + scale * slices * power_of(slices, e)
            impact = 0.0 if self.end is None or self.end.pushes else rest * outstanding
            return np.asarray(total + _sum(own) + self._marked(rest, shares) + impact)
        return np.asarray(total + self._by_gaps(done, square, scales, risk, shares))

    def _pushing(self, slices: np.ndarray, rest: np.ndarray) -> np.ndarray:
        """The slices that meet transient impact and add to it: what is left is one more where it is valued as a trade."""
        return np.column_stack((slices, rest)) if self.end is not None and self.end.pushes else slices

    def _by_gaps(
        self, done: np.ndarray, square: float, scales: list[np.ndarray], risk: np.ndarray, shares: float
    ) -> np.ndarray:
        assert self.gaps is not None
        steps, total = self.open.size, np.zeros(done.shape[0])
        for lag, (chance, inverses, stays) in enumerate(
            zip(self.gaps.chance, self.gaps.inverses, self.gaps.stays, strict=True), 1
        ):
            ends = np.arange(lag, steps + 1)
            q, left = done[:, ends] - done[:, ends - lag], 1.0 - done[:, ends - lag]
            t = ends - 1
            own = self.linear[t] * q + square * q * q
            for scale, e, inverse in zip(scales, self.exponents, inverses[: len(scales)], strict=True):
                own = own + scale[t] * inverse[t] * q * power_of(q, e)
            total = total + _sum(chance[t] * own + stays[t] * risk[t] * left * left)
        left = 1.0 - done
        total = total + _sum(self.gaps.traded * risk * left[:, 1:] * left[:, 1:])
        return np.asarray(total + _sum(self.gaps.end * self._marked(left, shares)))

    def _marked(self, left: np.ndarray, shares: float) -> np.ndarray:
        """The cost of the share of the order that is left when its last volume has gone by, but for transient impact."""
        if self.end is None:
            return np.zeros(left.shape)
        marked = self.end.linear * left + self.end.square * shares * left * left
        for at_end, e in zip(self.end.raised, self.exponents, strict=True):
            marked = np.asarray(marked + at_end * _power(shares, e) * left * power_of(left, e))
        return np.asarray(marked)


def _power(x: float, exponent: float) -> float:
    return float(power_of(np.array([x]), exponent)[0])


def _sum(x: np.ndarray) -> np.ndarray:
    """Over the last axis, from left to right."""
    return np.asarray(np.add.accumulate(x, axis=-1)[..., -1])


def _transient(slices: np.ndarray, impacts: list[Impact], shares: float) -> tuple[np.ndarray, np.ndarray]:
    """What each row pays to transient impact, and how much of it is left behind the last step."""
    total, left = np.zeros(slices.shape[0]), np.zeros((slices.shape[0], len(impacts)))
    if not impacts:
        return total, total
    exponents = sorted({impact.exponent for impact in impacts})
    kind = [exponents.index(impact.exponent) for impact in impacts]
    powers = np.stack([_power(shares, e) * power_of(slices, e) for e in exponents], axis=2)
    coefficients, keep = np.array([impact.coefficient for impact in impacts]), np.array([x.keep for x in impacts])
    for t in range(slices.shape[1]):
        pushed = powers[:, t, kind] * coefficients
        total = total + slices[:, t] * _sum(left + 0.5 * pushed)
        left = (left + pushed) * keep
    return total, _sum(left)


def schedule_cost(study: StudyModel, market: Expectation, risk_aversion: float) -> ScheduleCost:
    """The objective of a study's static schedules in an expected market."""
    order, costs, temporary, relative = study.order, study.costs, study.costs.temporary.terms(), market.relative
    sign, per_price = 1.0 if order.side == "buy" else -1.0, market.relative.per_price
    gaps = gaps_of(study, market)
    scales = np.stack(
        [
            weight * temporary.power * relative.growth * (inverse if gaps is None else 1.0)
            for weight, inverse in zip(market.weights, market.inverses, strict=True)
        ]
    )
    used = 1 if temporary.power > 0.0 else 0
    gamma = expected(costs.permanent.coefficient) * per_price
    sizes, weights = _sizes(order)
    square = (expected(costs.permanent.own) - 0.5) * gamma + temporary.linear * per_price
    return ScheduleCost(
        lot=float(order.lot),
        sizes=sizes,
        weights=weights,
        open=market.traded > 0.0,
        linear=relative.half_spread + sign * relative.change,
        scales=scales[: used * len(scales)],
        exponents=market.exponents[: used * len(scales)],
        square=square,
        impacts=_impacts(study, per_price),
        risk=risk_aversion * relative.variance,
        end=_end(study, market, square, used),
        gaps=gaps,
    )


def _end(study: StudyModel, market: Expectation, square: float, used: int) -> End | None:
    """Of a share that is marked, at the mid after one more move and the last step's half spread. As a trade it pays what a
    slice pays; at the last quote neither temporary cost nor fee nor its own impact.
    """
    order, temporary, relative = study.order, study.costs.temporary.terms(), market.relative
    if order.rest == "leave":
        return None
    sign, per_price = 1.0 if order.side == "buy" else -1.0, relative.per_price
    move = relative.change[-1] - (relative.change[-2] if order.steps > 1 else 0.0)
    mid, slope = relative.change[-1] + move, order.mark_penalty_slope * per_price
    linear = relative.half_spread[-1] + sign * mid
    if order.rest == "trade":
        rates = [_power(1.0 / market.last_volume, e) for e in market.exponents]
        scales = [
            w * temporary.power * (1.0 + mid) * rate * last
            for w, rate, last in zip(market.weights, rates, market.last_impact, strict=True)
        ]
        return End(float(linear + order.mark_penalty * per_price), slope + square, scales[: used * len(scales)], True)
    saved = (expected(study.costs.fees.per_share) + temporary.fixed - order.mark_penalty) * per_price
    gamma = expected(study.costs.permanent.coefficient) * per_price
    return End(float(linear - saved), slope - 0.5 * gamma, [0.0] * (used * len(market.weights)), False)


def _sizes(order: Order) -> tuple[list[float], list[float]]:
    """Sizes of the order and their weights: of a range over few lots all that it rounds to, else quadrature's."""
    low, high = bounds(order.shares)
    lots = range(max(int(low / order.lot + 0.5), 1), int(high / order.lot + 0.5) + 1) if order.lot > 0.0 else range(0)
    if not isinstance(order.shares, Range) or not 0 < len(lots) <= _FEW_SIZES:
        return nodes(order.shares)
    edges = np.array([low, *[(k + 0.5) * order.lot for k in lots[:-1]], high])
    places = log_of(edges) if order.shares.scale == "log" else edges
    return [k * order.lot for k in lots], (np.diff(places) / (places[-1] - places[0])).tolist()


def _impacts(study: StudyModel, per_price: float) -> list[Impact]:
    transient = study.costs.transient
    if transient.is_off:
        return []
    coefficient = expected(transient.coefficient) * per_price
    ranges = sum(len(nodes(value)[0]) > 1 for value in (transient.exponent, transient.resilience))
    count = 12 if ranges < 2 else 4
    exponents, resiliences = (
        zip(*nodes(value, count), strict=True) for value in (transient.exponent, transient.resilience)
    )
    rates = list(resiliences)
    return [Impact(coefficient * w * v, d, float(exp_of(np.array([-r]))[0])) for d, w in exponents for r, v in rates]

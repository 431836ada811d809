"""Trajectories of the static strategies: cumulative fractions F_0 = 0 <= F_1 <= ... <= F_N = 1 of the order.

Plain arithmetic and the kernels' own functions only, so that the schedules have the same bits on every machine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastexec.errors import InputError
from fastexec.exact import exp_of, plain_sum, power_of
from fastexec.models.scalar import bounds, expected
from fastexec.models.strategies import AlmgrenChriss, Strategy
from fastexec.models.study import StudyModel
from fastexec.planning.best_schedule import COARSE, best_schedule
from fastexec.planning.expectation import Expectation
from fastexec.planning.static_cost import schedule_cost


def fractions(strategy: Strategy, study: StudyModel, market: Expectation) -> np.ndarray:
    """The trajectory of a strategy that does not look at the market, float64[t + 1]; TWAP's for those that do."""
    return _TRAJECTORIES[strategy.SCHEDULE](strategy, study, market)


def cumulate(weights: np.ndarray) -> np.ndarray:
    """Cumulative fractions of nonnegative weights; ends at exactly 1."""
    sums = np.concatenate(([0.0], np.add.accumulate(weights)))
    return np.asarray(sums / sums[-1])


def linear_slope(study: StudyModel, market: Expectation) -> float:
    """Currency a share for each share of a slice: the study's own linear temporary cost, or, under a power law, the linear
    one that costs as much at the TWAP rate.
    """
    terms, steps = study.costs.temporary.terms(), study.order.steps
    slice_ = market.shares / steps
    rate_cost = float(power_of(np.array([slice_]), terms.exponent)[0]) * market.typical_inverse
    return terms.linear + market.price * terms.power * rate_cost / slice_


def almgren_chriss(strategy: AlmgrenChriss, study: StudyModel, market: Expectation) -> np.ndarray:
    """Almgren and Chriss (2000), eq. 17 and, with a drift, eq. 26, by their recursion
    x_{j-1} - 2 cosh(kappa tau) x_j + x_{j+1} = -drift of step j / (2 eta~): no hyperbolic function, hence no cancellation for
    small kappa and no overflow for large, and the drift may differ from step to step.

    cosh(kappa tau) - 1 = lambda sigma^2 / (2 eta~), all in units of a step; eta~ = slope + (own - 1/2) gamma. Where a drift
    asks to trade the other way, or more than the order, it waits: slices lie between 0 and what is left.
    """
    steps = study.order.steps
    permanent = study.costs.permanent
    eta = linear_slope(study, market) + (expected(permanent.own) - 0.5) * expected(permanent.coefficient)
    if not eta > 0.0:
        raise InputError(
            f"strategies.{strategy.name}: almgren_chriss needs a temporary cost above half of the permanent one "
            f"(eta~ = {eta:.3g} currency a share and share); raise costs.temporary.coefficient"
        )
    variance = plain_sum(market.volatility * market.volatility) / steps
    twice_cosh = 2.0 + strategy.risk_aversion * variance / eta
    gain = (1.0 if study.order.side == "sell" else -1.0) * np.diff(market.drift) / (2.0 * eta * market.shares)
    ratios, more = np.zeros(steps + 1), np.zeros(steps + 1)  # x_j = ratio_j x_{j-1} + more_j; x_N = 0
    for j in range(steps - 1, 0, -1):
        ratios[j] = 1.0 / (twice_cosh - ratios[j + 1])
        more[j] = ratios[j] * (gain[j - 1] + more[j + 1])
    left = 1.0
    done = np.zeros(steps + 1)
    for j in range(1, steps + 1):
        left = left * ratios[j] + more[j]
        done[j] = 1.0 - left
    return np.maximum.accumulate(np.minimum(np.maximum(done, 0.0), 1.0))


def obizhaeva_wang(steps: int, resilience: float) -> np.ndarray:
    """Obizhaeva and Wang (2013), the exact discrete optimum: between equal first and last slices 1 - e^-resilience of them."""
    between = 1.0 - float(exp_of(np.array([-resilience]))[0])
    weights = np.full(steps, between)
    weights[0] = weights[-1] = 1.0
    return cumulate(weights)


def static_optimum(risk_aversion: float, study: StudyModel, market: Expectation) -> np.ndarray:
    """The trajectory of least expected cost + risk_aversion * variance of the timing cost, for the study's own costs."""
    return best_schedule(schedule_cost(study, market, risk_aversion), study.costs.convex)


def minimum_is_proven(study: StudyModel) -> bool:
    """Whether ``static_optimum`` is known to be the best static schedule (but for the rounding to lots), not only the best
    that was found. Of real days no law is known.
    """
    order, idle = study.order, study.market.declares().idle or study.synthetic is None
    idle = idle or (study.synthetic is not None and study.synthetic.noise.tradable)  # risk of the draws is not counted
    low, high = bounds(order.shares)
    mixed = bounds(study.costs.transient.resilience)[0] < bounds(study.costs.transient.resilience)[1]
    fine = low == high or low >= COARSE * order.steps * order.lot
    return study.costs.convex and not idle and fine and (study.costs.transient.is_off or not mixed)


def cheaper_than_optimum(
    study: StudyModel, market: Expectation, trajectories: np.ndarray | None = None
) -> list[tuple[str, str, float]]:
    """(schedule, static optimum, how much less it is expected to cost in bps) for each schedule of the study that is cheaper
    in the optimum's own objective and trades the order: none, unless the search missed one. ``trajectories``: float64[k, t + 1]
    of all strategies.
    """
    places = [k for k, s in enumerate(study.strategies) if s.KIND == "SCHEDULE" and s.policy() is None]
    blind, found = [study.strategies[k] for k in places], []
    if trajectories is None:
        tables = np.array([fractions(strategy, study, market) for strategy in blind])
    else:
        tables = trajectories[places]
    for k, best in enumerate(blind):
        if (risk_aversion := best.minimises_with()) is not None:
            cost = schedule_cost(study, market, risk_aversion)
            costs, whole = 1e4 * cost.of(tables), cost.finishes(tables)
            missed = [j for j in range(costs.size) if whole[j] and costs[j] < costs[k] - 1e-9 * abs(costs[k])]
            found += [(blind[j].name, best.name, float(costs[k] - costs[j])) for j in missed]
    return found


#: What strategies name as their SCHEDULE.
_TRAJECTORIES: dict[str, Callable[[Any, StudyModel, Expectation], np.ndarray]] = {
    "even": lambda strategy, study, market: np.arange(study.order.steps + 1) / study.order.steps,
    "at_once": lambda strategy, study, market: np.concatenate(([0.0], np.ones(study.order.steps))),
    "along_volume": lambda strategy, study, market: cumulate(
        market.volume if market.volume.any() else market.volume + 1.0
    ),
    "along_weights": lambda strategy, study, market: cumulate(np.asarray(strategy.weights, np.float64)),
    "almgren_chriss": almgren_chriss,
    "static_optimum": lambda strategy, study, market: static_optimum(strategy.risk_aversion, study, market),
    "obizhaeva_wang": lambda strategy, study, market: obizhaeva_wang(
        study.order.steps, expected(study.costs.transient.resilience)
    ),
}

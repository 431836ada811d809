"""Trajectories of the static strategies: cumulative fractions F_0 = 0 <= F_1 <= ... <= F_N = 1 of the order.

Plain arithmetic and the kernels' own functions only, so that the schedules have the same bits on every machine.
"""

from __future__ import annotations

import numpy as np

from fastexec.errors import InputError
from fastexec.kernels.trajectory import optimise
from fastexec.models.scalar import expected
from fastexec.models.strategies import AlmgrenChriss, ObizhaevaWang, Schedule, StaticOptimum, Strategy
from fastexec.models.study import StudyModel
from fastexec.planning.expectation import Expectation, exp_of, plain_sum, power_of, temporary_exponent


def fractions(strategy: Strategy, study: StudyModel, market: Expectation) -> np.ndarray:
    """The trajectory of a strategy that does not look at the market, float64[t + 1]; TWAP's for those that do."""
    steps = study.order.steps
    if strategy.model == "immediate":
        return np.concatenate(([0.0], np.ones(steps)))
    if strategy.model == "vwap":
        return cumulate(market.volume)
    if isinstance(strategy, Schedule):
        return cumulate(np.asarray(strategy.weights, np.float64))
    if isinstance(strategy, AlmgrenChriss):
        return almgren_chriss(strategy, study, market)
    if isinstance(strategy, StaticOptimum):
        return static_optimum(strategy.risk_aversion, study, market)
    if isinstance(strategy, ObizhaevaWang):
        return obizhaeva_wang(steps, expected(study.costs.transient.resilience))
    return np.arange(steps + 1) / steps


def cumulate(weights: np.ndarray) -> np.ndarray:
    """Cumulative fractions of nonnegative weights; ends at exactly 1."""
    sums = np.concatenate(([0.0], np.add.accumulate(weights)))
    return np.asarray(sums / sums[-1])


def linear_slope(study: StudyModel, market: Expectation) -> float:
    """Currency a share for each share of a slice: the study's own linear temporary cost, or, under a power law, the linear
    one that costs as much at the TWAP rate.
    """
    temporary = study.costs.temporary
    if temporary.model == "linear":
        return expected(temporary.coefficient)
    slice_ = market.shares / study.order.steps
    typical = plain_sum(market.inverse_volume) / study.order.steps
    rate_cost = float(power_of(np.array([slice_]), temporary_exponent(study))[0]) * typical
    return market.price * expected(temporary.coefficient) * rate_cost / slice_


def almgren_chriss(strategy: AlmgrenChriss, study: StudyModel, market: Expectation) -> np.ndarray:
    """Almgren and Chriss (2000), eq. 17, by its recursion x_{j+1} = 2 cosh(kappa tau) x_j - x_{j-1}: no hyperbolic
    function, hence no cancellation for small kappa and no overflow for large.

    cosh(kappa tau) - 1 = lambda sigma^2 / (2 eta~), all in units of a step; eta~ = slope + (own - 1/2) gamma.
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
    ratios = np.zeros(steps + 1)  # x_j / x_{j-1}; x_N = 0
    for j in range(steps - 1, 0, -1):
        ratios[j] = 1.0 / (twice_cosh - ratios[j + 1])
    left = 1.0
    done = np.zeros(steps + 1)
    for j in range(1, steps + 1):
        left = left * ratios[j]
        done[j] = 1.0 - left
    return done


def obizhaeva_wang(steps: int, resilience: float) -> np.ndarray:
    """Obizhaeva and Wang (2013), the exact discrete optimum: between equal first and last slices 1 - e^-resilience of them."""
    between = 1.0 - float(exp_of(np.array([-resilience]))[0])
    weights = np.full(steps, between)
    weights[0] = weights[-1] = 1.0
    return cumulate(weights)


def static_optimum(risk_aversion: float, study: StudyModel, market: Expectation) -> np.ndarray:
    """The trajectory that minimises expected cost + risk_aversion * variance of the timing cost, for the study's own costs."""
    steps, costs = study.order.steps, study.costs
    sign = 1.0 if study.order.side == "buy" else -1.0
    linear = costs.temporary.model == "linear"
    slope = expected(costs.temporary.coefficient)
    square = (expected(costs.permanent.own) - 0.5) * expected(costs.permanent.coefficient)
    terms = np.zeros((3, steps))
    terms[0] = market.half_spread + sign * market.drift
    terms[1] = 0.0 if linear else market.price * slope * market.inverse_volume
    terms[2] = risk_aversion * market.volatility * market.volatility
    transient = costs.transient
    constants = np.array(
        [
            temporary_exponent(study),
            square + (slope if linear else 0.0),
            expected(transient.coefficient),
            expected(transient.exponent),
            float(exp_of(np.array([-expected(transient.resilience)]))[0]),
        ]
    )
    # Only differences matter to the optimum, and a common level would drown them in rounding.
    terms[0] -= terms[0].min()
    slices = np.full(steps, market.shares / steps)
    optimise(slices, market.shares, terms, constants)
    return cumulate(np.maximum(slices, 0.0))

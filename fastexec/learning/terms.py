"""What a programme charges besides what the market asks: fees, lasting impact, penalties, risk, what is left at the end."""

from __future__ import annotations

import numpy as np

from fastexec.exact import power_of
from fastexec.models.scalar import expected
from fastexec.models.study import StudyModel
from fastexec.planning.expectation import expect, temporary_exponent


def end_temporary(study: StudyModel) -> float:
    """The temporary factor of what is left at the end, bps, the mid where it was at arrival: as a trade in a volume as large as
    the last step's is expected to be, else 0.
    """
    return raised_at_end(study) * float(expect(study)[0].last_impact[0])


def raised_at_end(study: StudyModel) -> float:
    """The same where conditions multiply nothing."""
    if study.order.rest != "trade":
        return 0.0
    (market, *_), temporary = expect(study), study.costs.temporary.terms()
    rate = power_of(np.array([market.shares / market.last_volume]), temporary.exponent)[0]
    return float(1e4 * temporary.power * rate)


def numbers_of(study: StudyModel) -> np.ndarray:
    """What costs without the market: see ``Problem.numbers``; bps of the order's value for shares of the order."""
    costs, order = study.costs, study.order
    (market, *_) = expect(study)
    to_bps = 1e4 / market.price
    temporary = costs.temporary.terms()
    return np.array(
        [
            expected(costs.permanent.coefficient) * market.shares * to_bps,
            expected(costs.permanent.own),
            (temporary.fixed + expected(costs.fees.per_share)) * to_bps,
            temporary.linear * market.shares * to_bps,
            order.mark_penalty * to_bps,
            order.mark_penalty_slope * market.shares * to_bps,
            1.0,
            temporary_exponent(study),
        ]
    )


def risk_of(study: StudyModel, risk_aversion: float) -> np.ndarray:
    """bps for each squared share of the order left in a step, float64[t]."""
    (market, *_) = expect(study)
    return np.asarray(risk_aversion * market.volatility * market.volatility * market.shares / market.price * 1e4)


def risk_in(study: StudyModel, risk_aversion: float, states: int) -> np.ndarray:
    """The same in each of so many market states, float64[t, x]."""
    return np.repeat(risk_of(study, risk_aversion)[:, None], states, axis=1)

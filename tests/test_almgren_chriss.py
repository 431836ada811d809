"""Almgren and Chriss (2000), "Optimal execution of portfolio transactions": their example, to the digits of the oracle.

The engine's order of events is the paper's: trade k fills at the price before shock k (eq. 2), own = 0.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from conftest import StudyModel
from fastexec.planning.expectation import expect
from fastexec.planning.schedules import fractions
from fastexec.simulation import prepare, simulate

X, STEPS, PRICE = 1_000_000.0, 5, 50.0
CASES = [
    (0.0, [800000, 600000, 400000, 200000], 662_500.0, 1_040_672.8593),
    (1e-7, [757882.39, 544564.31, 351939.68, 172688.75], 670_057.4600, 961_622.9023),
    (1e-6, [541955.55, 289854.22, 147897.49, 62141.80], 911_226.9863, 603_430.6688),
    (1e-5, [177868.31, 31636.20, 5621.63, 969.25], 1_845_211.2616, 171_712.4057),
]


def study(episodes=40_000, **strategies):
    return StudyModel.model_validate(
        {
            "seed": 20,
            "episodes": episodes,
            "order": {"shares": X, "steps": STEPS, "lot": 0, "step_seconds": 23_400.0},
            "market": {
                "initial_price": PRICE,
                "price": {"model": "arithmetic", "volatility": 0.95},
                "spread": {"model": "constant", "initial": 0.0},
                "volume": {"model": "constant", "mean": 5e6},
            },
            "costs": {
                "temporary": {"model": "linear", "fixed": 0.0625, "coefficient": 2.5e-6},
                "permanent": {"coefficient": 2.5e-7, "own": 0.0},
            },
            "strategies": [
                {"model": "almgren_chriss", "name": f"ac{j}", "risk_aversion": case[0]} for j, case in enumerate(CASES)
            ]
            + [{"model": "static_optimum", "name": f"so{j}", "risk_aversion": case[0]} for j, case in enumerate(CASES)]
            + [{"model": "immediate"}, {"model": "twap"}],
        }
    )


def currency(results, column):
    """Column in currency, float64[e, k]."""
    return results.episodes[column].reshape(-1, len(results.strategies)) * X * PRICE / 1e4


@pytest.mark.parametrize(("j", "case"), list(enumerate(CASES)))
@pytest.mark.parametrize("model", ["ac", "so"])
def test_trajectories_are_the_papers(j, case, model):
    s = study()
    strategy = next(x for x in s.strategies if x.name == f"{model}{j}")
    left = X * (1 - fractions(strategy, s, expect(s)[0]))
    np.testing.assert_allclose(left[1:5], case[1], atol=0.006)
    assert left[0] == X
    assert left[5] == pytest.approx(0.0, abs=1e-6)


def test_expected_cost_is_exact_without_noise():
    s = study(episodes=1)
    quiet = s.model_validate(
        s.model_dump() | {"market": s.market.model_dump() | {"price": {"model": "arithmetic", "volatility": 0.0}}}
    )
    # lambda is read with the volatility 0, so the schedules of the loud study are played as weights.
    weights = [np.diff(fractions(x, s, expect(s)[0])).tolist() for x in s.strategies]
    played = quiet.model_validate(
        quiet.model_dump()
        | {"strategies": [{"model": "schedule", "name": f"s{j}", "weights": w} for j, w in enumerate(weights)]}
    )
    cost = currency(simulate(played), "shortfall_bps")[0]
    expected = [case[2] for case in CASES] * 2 + [2_562_500.0, 662_500.0]
    np.testing.assert_allclose(cost, expected, rtol=1e-9)


@pytest.fixture(scope="module")
def results():
    return simulate(study())


@pytest.mark.parametrize(("j", "case"), list(enumerate(CASES)))
def test_monte_carlo_mean_variance_and_normality(results, j, case):
    cost = currency(results, "shortfall_bps")[:, j]
    n = cost.size
    assert abs(cost.mean() - case[2]) < 4 * case[3] / np.sqrt(n)
    assert abs(cost.var() / case[3] ** 2 - 1) < 4 * np.sqrt(2 / n)
    assert stats.kstest((cost - case[2]) / case[3], "norm").pvalue > 1e-4


def test_everything_in_step_one_has_no_variance(results):
    cost = currency(results, "shortfall_bps")[:, 8]
    np.testing.assert_allclose(cost, 2_562_500.0, rtol=1e-12)


def test_time_consistency():
    """Re-solving at t_k gives the same tail."""
    s = study()
    strategy = next(x for x in s.strategies if x.name == "ac2")
    whole = X * (1 - fractions(strategy, s, expect(s)[0]))
    order = s.order.model_dump() | {"shares": float(whole[2]), "steps": 3}
    rest = s.model_validate(s.model_dump() | {"order": order})
    tail = whole[2] * (1 - fractions(strategy, rest, expect(rest)[0]))
    np.testing.assert_allclose(tail, whole[2:], rtol=1e-12, atol=1e-4)


def test_risk_aversion_to_zero_is_twap_and_huge_is_immediate():
    s = study()
    market = expect(s)[0]
    strategy = s.strategies[0]
    calm = strategy.model_copy(update={"risk_aversion": 1e-16})
    np.testing.assert_allclose(fractions(calm, s, market), np.arange(6) / 5, atol=1e-9)
    hasty = strategy.model_copy(update={"risk_aversion": 1e9})
    np.testing.assert_allclose(fractions(hasty, s, market)[1:], 1.0, atol=1e-12)


def test_linear_market_is_declared_a_martingale():
    assert all(prepare(study(episodes=1)).control_variate)


def drifting(drift: float, side: str = "sell", risk_aversion: float = 1e-6) -> StudyModel:
    price = {"model": "arithmetic", "volatility": 0.95, "drift": drift}
    data = study().model_dump()
    data["order"]["side"] = side
    data["market"]["price"] = price
    data["strategies"] = [{"model": m, "risk_aversion": risk_aversion} for m in ("almgren_chriss", "static_optimum")]
    return StudyModel.model_validate(data)


def equation_26(alpha: float, risk_aversion: float = 1e-6) -> np.ndarray:
    """x_0 .. x_N of a sell programme; the paper's letters."""
    eta, tau, sigma, T = 2.5e-6 - 2.5e-7 / 2, 1.0, 0.95, 5.0
    kappa = np.arccosh(1 + risk_aversion * sigma**2 * tau**2 / (2 * eta)) / tau
    bar, t = alpha / (2 * risk_aversion * sigma**2), np.arange(6) * tau
    ahead, behind = np.sinh(kappa * (T - t)) / np.sinh(kappa * T), np.sinh(kappa * t) / np.sinh(kappa * T)
    return ahead * X + (1 - ahead - behind) * bar


@pytest.mark.parametrize(
    ("drift", "side"), [(0.02, "sell"), (0.1, "sell"), (-0.02, "sell"), (-0.02, "buy"), (0.05, "buy")]
)
def test_a_drift_is_equation_26(drift, side):
    """0.02 $ a day is the paper's example: its x-bar is 11,080 shares. An optimum that knows nothing of it agrees."""
    s = drifting(drift, side)
    (market,) = expect(s)
    exact = equation_26(drift if side == "sell" else -drift)
    for strategy in s.strategies:
        left = X * (1 - fractions(strategy, s, market))
        np.testing.assert_allclose(left, exact, atol=X * 2e-7, err_msg=strategy.name)
    if drift == 0.02 and side == "sell":
        assert 0.02 / (2 * 1e-6 * 0.95**2) == pytest.approx(11_080, abs=0.5)


@pytest.mark.parametrize(("drift", "side"), [(30.0, "sell"), (-30.0, "sell"), (-30.0, "buy"), (30.0, "buy")])
@pytest.mark.parametrize("risk_aversion", [0.0, 1e-6])
def test_a_drift_that_asks_for_more_than_the_order_waits_or_ends_early(drift, side, risk_aversion):
    s = drifting(drift, side, risk_aversion)
    found = fractions(s.strategies[0], s, expect(s)[0])
    assert (np.diff(found) >= 0.0).all()
    assert (found[0], found[-1]) == (0.0, 1.0)
    waits = (drift > 0) == (side == "sell")
    assert found[4] < 0.2 if waits else found[1] > 0.8

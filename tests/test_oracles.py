"""Published closed forms besides Almgren and Chriss (2000): each test cites its paper."""

from __future__ import annotations

import numpy as np
import pytest

from conftest import StudyModel, small_study
from fastexec.planning.expectation import expect
from fastexec.planning.round_trip import find_round_trip, impact_cost
from fastexec.planning.schedules import fractions, obizhaeva_wang
from fastexec.simulation import simulate

FLAT = {
    "price": {"model": "arithmetic", "volatility": 0.0},
    "spread": {"model": "constant", "initial": 0.0},
    "volume": {"model": "constant", "mean": 1e6},
}


def flat(shares, steps, costs, strategies, **order):
    return StudyModel.model_validate(
        {
            "episodes": 1,
            "order": {"shares": shares, "steps": steps, "lot": 0, "side": "buy", **order},
            "market": {"initial_price": 100.0, **FLAT},
            "costs": {"temporary": {"model": "linear"}, **costs},
            "strategies": strategies,
        }
    )


def cost_of(study, column="shortfall_bps"):
    """Currency, one for each strategy."""
    return simulate(study).episodes[column] * study.order.shares * study.market.initial_price / 1e4


@pytest.mark.parametrize(
    ("trades", "rho", "first", "between", "least", "equal"),
    [
        (6, 1.0, 36696.2110, 6651.8945, 333_702.6369, 352_441.8396),
        (11, 2.2314, 26315.9665, 5263.1185, 236_844.0728, 258_002.0743),
    ],
)
def test_obizhaeva_wang_2013_exact_discrete_form(trades, rho, first, between, least, equal):
    resilience = rho / (trades - 1)
    study = flat(
        1e5,
        trades,
        {"transient": {"coefficient": 1e-4, "resilience": resilience}},
        [{"model": "obizhaeva_wang"}, {"model": "twap"}, {"model": "static_optimum"}],
    )
    slices = 1e5 * np.diff(obizhaeva_wang(trades, resilience))
    a = np.exp(-resilience)
    outer = 1e5 / ((trades - 2) * (1 - a) + 2)
    np.testing.assert_allclose(slices, [outer, *[outer * (1 - a)] * (trades - 2), outer], rtol=1e-12)
    exact = 0.5 * 1e-4 * 1e10 * (1 + a) / ((trades - 2) * (1 - a) + 2)
    cost = cost_of(study)
    np.testing.assert_allclose(cost[[0, 2]], exact, rtol=1e-9)
    # The printed figures, to their digits.
    np.testing.assert_allclose([slices[0], slices[1], cost[0], cost[1]], [first, between, least, equal], rtol=1e-8)


@pytest.mark.parametrize(
    ("V", "theta", "sigma", "I", "J"),
    [
        (6.561e6, 1728e6, 1.57, 19.860, (32.22, 24.64, 18.42)),
        (1.929e6, 168e6, 2.26, 21.679, (42.93, 32.01, 23.06)),
    ],
    ids=["IBM", "DRI"],
)
def test_almgren_et_al_2005_ibm_and_dri(V, theta, sigma, I, J):  # noqa: E741, N803 - the paper's letters
    """Permanent I and realised J in bp for X = 10 % of V; with N slices and own = 0 the mean is J - I / (2 N)."""
    gamma, eta, beta, steps, price = 0.314, 0.142, 0.600, 50, 100.0
    X = 0.1 * V
    permanent = sigma * 100 * gamma * 0.1 * (theta / V) ** 0.25  # bp
    assert permanent == pytest.approx(I, abs=6e-4)
    for T, realised in zip((0.1, 0.2, 0.5), J, strict=True):
        study = StudyModel.model_validate(
            {
                "episodes": 1,
                "order": {"shares": X, "steps": steps, "lot": 0},
                "market": {
                    "initial_price": price,
                    "price": {"model": "arithmetic", "volatility": 0.0},
                    "spread": {"model": "constant", "initial": 0.0},
                    "volume": {"model": "constant", "mean": V * T / steps},
                },
                "costs": {
                    "temporary": {"model": "power", "coefficient": eta * sigma / 100, "exponent": beta},
                    "permanent": {"coefficient": permanent * 1e-4 * price / X, "own": 0.0},
                },
                "strategies": [{"model": "twap"}],
            }
        )
        shortfall = simulate(study).episodes["shortfall_bps"][0]
        assert shortfall == pytest.approx(realised - I / (2 * steps), abs=6e-3)


@pytest.mark.parametrize(("steps", "exact"), [(5, 0.002328959083413), (50, 0.003074530614248)])
def test_cartea_jaimungal_penalva_2015_discrete_lq_through_mark(steps, exact):
    """Cost sum k/dt n^2 + phi dt x_post^2 + alpha x_N^2 of the optimal slices; alpha through ``mark``, phi by hand."""
    k, phi, alpha, dt = 1e-3, 1e-2, 1e-1, 1.0 / steps
    P = [0.0] * (steps + 1)
    P[steps] = alpha
    for t in range(steps - 1, -1, -1):
        S = phi * dt + P[t + 1]
        P[t] = (k / dt) * S / (k / dt + S)
    assert P[0] == pytest.approx(exact, rel=1e-12)
    x, slices = 1.0, []
    for t in range(steps):
        S = phi * dt + P[t + 1]
        slices.append(S / (k / dt + S) * x)
        x -= slices[-1]
    # A schedule trades the whole order; what stays for the mark is sent in a last step without volume.
    weights = [*slices, x]
    study = StudyModel.model_validate(
        {
            "episodes": 1,
            "order": {
                "shares": 1,
                "steps": steps + 1,
                "lot": 0,
                "side": "buy",
                "at_horizon": "mark",
                "mark_price": "quote",
                "mark_penalty_slope": alpha,
            },
            "market": {"initial_price": 1.0, **FLAT},
            "costs": {"temporary": {"model": "linear", "coefficient": k / dt}},
            "strategies": [{"model": "schedule", "weights": weights}],
        }
    )
    from fastexec.data.paths import MarketPaths

    volume = np.ones((1, steps + 1))
    volume[0, -1] = 0.0
    paths = MarketPaths(np.ones((1, steps + 1)), np.zeros((1, steps + 1)), volume)
    result = simulate(study, paths=paths).episodes
    holdings = 1.0 - np.cumsum(slices)
    running = phi * dt * float(np.sum(holdings**2))
    assert result["shortfall_bps"][0] / 1e4 + running == pytest.approx(exact, rel=1e-12)
    assert result["residual_bps"][0] / 1e4 == pytest.approx(alpha * x * x, rel=1e-12)
    assert result["filled_shares"][0] == pytest.approx(1 - x, rel=1e-12)


def transient(exponent, resilience):
    return flat(
        1.0,
        20,
        {"transient": {"coefficient": 1.0, "exponent": exponent, "resilience": resilience}},
        [{"model": "twap"}],
    )


def test_gatheral_2010_square_root_impact_has_a_round_trip_that_pays():
    study = transient(0.5, -np.log(0.9))
    slices = np.array([1 / 7] * 7 + [-1.0])
    assert impact_cost(slices, study, expect(study)[0]) == pytest.approx(-0.2192, abs=5e-5)
    found = find_round_trip(study, expect(study)[0])
    assert found is not None
    assert found.gain >= 0.2192
    assert (found.shares, found.sells) == (1.0, 1)


@pytest.mark.parametrize("resilience", [0.1, 0.5, 2.0])
def test_linear_impact_with_exponential_decay_has_none(resilience):
    study = transient(1.0, resilience)
    assert find_round_trip(study, expect(study)[0]) is None


def test_permanent_impact_charged_below_half_pays_a_round_trip_and_half_does_not():
    cheap = flat(100.0, 10, {"permanent": {"coefficient": 0.01, "own": 0.0}}, [{"model": "twap"}])
    assert find_round_trip(cheap, expect(cheap)[0]) is not None
    fair = flat(100.0, 10, {"permanent": {"coefficient": 0.01, "own": 0.5}}, [{"model": "twap"}])
    assert find_round_trip(fair, expect(fair)[0]) is None


def test_static_optimum_beats_every_other_static_schedule_on_its_own_objective():
    study = small_study(order={"lot": 0})
    market = expect(study)[0]
    names = {s.name: s for s in study.strategies}
    optimum = fractions(names["static_optimum"], study, market)

    def objective(f):
        q = 1200 * np.diff(f)
        left = 1200 * (1 - f[1:])
        cost = impact_cost(q, study, market) - temporary_flat(q) + temporary_by_step(q)
        return cost + float(q @ market.half_spread) + 1e-4 * float(market.volatility**2 @ left**2)

    def temporary_flat(q):
        return float(np.sum(q * 100 * 0.002 * q**0.6 * market.inverse_volume.mean()))

    def temporary_by_step(q):
        return float(np.sum(q * 100 * 0.002 * q**0.6 * market.inverse_volume))

    best = objective(optimum)
    rng = np.random.default_rng(3)
    for name in ("twap", "vwap", "almgren_chriss"):
        assert best <= objective(fractions(names[name], study, market)) + 1e-9
    for _ in range(200):
        nearby = np.abs(np.diff(optimum) + rng.normal(0, 0.01, 12))
        assert best <= objective(np.concatenate(([0.0], np.cumsum(nearby / nearby.sum())))) + 1e-9

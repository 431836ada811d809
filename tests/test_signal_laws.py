"""Moments of moves, volumes and spreads under signals and regimes, against closed forms within 4 standard errors."""

from __future__ import annotations

import math

import numpy as np
import pytest

from conftest import small_study
from fastexec.models.signals import strength_of
from fastexec.simulation import simulate
from naive import signals as twin
from test_market import near, paths
from test_market_signals import signal

ARITHMETIC = {"model": "arithmetic", "volatility": 0.1}
#: A chain of two levels that leans to one side, of persistence .6: levels 3/4 and 1/4 of the time.
LEANING = {"levels": [0.0, 1.0], "transition": [[0.9, 0.1], [0.3, 0.7]]}


def moves(*signals, episodes=20_000, steps=12, **market):
    """In units of their volatility, float64[e, t]."""
    made = {"price": ARITHMETIC, **market, "signals": list(signals)}
    mid, *_ = paths(episodes, order={"steps": steps}, market=made)
    return np.diff(mid, axis=1) / 0.1


def means(sample, expected):
    """The mean over all steps; episodes are independent, steps are not."""
    near(sample.reshape(sample.shape[0], -1).mean(axis=1), expected)


# ---- signals of the move


@pytest.mark.parametrize(
    ("model", "skew", "kurtosis"),
    [
        ({"persistence": 0.8}, 0.0, 3.0),
        ({"persistence": 0.8, "levels": 2}, 0.0, 1.0),  # of x itself: +-1
        ({"persistence": 0.8, "levels": 3}, 0.0, 2.0),  # 0 and +-sqrt(2)
        (LEANING, 2.0 / math.sqrt(3.0), 7.0 / 3.0),  # (1 - 2 p) / sqrt(p q), (1 - 3 p q) / (p q)
    ],
    ids=["AR(1)", "two levels", "three", "leaning"],
)
def test_skew_and_kurtosis_of_a_predicted_move_are_those_of_the_sum(model, skew, kurtosis):
    """rho x + sqrt(1 - rho^2) z: the third and the fourth cumulant of x, times rho^3 and rho^4."""
    found = moves(signal("move", correlation=0.7, **model))
    means(found, 0.0)
    means(found**2, 1.0)
    means(found**3, 0.7**3 * skew)
    means(found**4, 3.0 + 0.7**4 * (kurtosis - 3.0))


@pytest.mark.parametrize("model", [{"persistence": 0.9}, {"persistence": 0.9, "levels": 9}, LEANING])
def test_moves_are_autocorrelated_as_their_signal_is(model):
    """At every lag rho^2 phi^lag."""
    found, phi = moves(signal("move", correlation=0.5, **model)), model.get("persistence", 0.6)
    for lag in (1, 2, 5, 11):
        means(found[:, lag:] * found[:, :-lag], 0.25 * phi**lag)


def momentum_correlation(rho, phi):
    """Of the sum of five moves with the next one."""
    together = sum(rho * rho * phi**k for k in range(1, 6))
    return together / math.sqrt(5.0 + 2.0 * sum((5 - k) * rho * rho * phi**k for k in range(1, 5)))


@pytest.mark.parametrize(("rho", "phi", "oracle"), [(0.1, 0.9, 0.016), (0.2, 0.97, 0.076)])
def test_momentum_correlates_with_the_next_move(rho, phi, oracle):
    """ORACLES 19: five steps with the next, .016 to .076."""
    assert momentum_correlation(rho, phi) == pytest.approx(oracle, abs=0.0005)
    found = moves(signal("move", correlation=rho, persistence=phi), steps=60)
    five = np.cumsum(found, axis=1)
    five = five[:, 4:-1] - np.column_stack((np.zeros(len(five)), five[:, :-6]))
    product = five * found[:, 5:]
    product = product / math.sqrt((five**2).mean())
    means(product, momentum_correlation(rho, phi))
    assert oracle > 6.0 * product.mean(axis=1).std() / math.sqrt(len(product))  # 0 would be told from it


def test_a_persistent_signal_raises_the_variance_of_an_episodes_move():
    """ORACLES 19: times 1.60 at .2 / .9 in 60 steps."""
    ratio = 1.0 + 2.0 * 0.04 * sum((1.0 - k / 60.0) * 0.9**k for k in range(1, 60))
    assert ratio == pytest.approx(1.60, abs=0.005)
    whole = moves(signal("move", correlation=0.2, persistence=0.9), steps=60).sum(axis=1)
    near(whole**2 / 60.0, ratio)


# ---- the mean of a geometric price


@pytest.mark.parametrize(
    "signals",
    [
        (signal("move", correlation=0.5, persistence=0.97, levels=9),),
        (
            signal("move", correlation=0.4, persistence=0.97),
            signal("move", "y", correlation=-0.4, persistence=0.95, levels=5),
        ),
        (
            signal("move", correlation=0.5, persistence=0.97),
            signal("volatility", "v", correlation=0.2, persistence=0.5),
        ),
    ],
    ids=["chain", "two", "beside a changing volatility"],
)
def test_a_geometric_price_keeps_its_mean_over_389_steps(signals):
    """Compensated as independent moves are it would rise by half of what signals add to the variance of its log."""
    study = small_study(
        episodes=40_000, order={"steps": 389}, strategies=[{"model": "immediate"}],
        market={"price": {"volatility": 0.001}, "signals": list(signals)},
    )  # fmt: skip
    last = simulate(study).markets["last_price"] / 100.0
    error = last.std() / 200.0
    told = [one for one in signals if one["predicts"] == "move"]
    naive = 1e-6 * sum(
        one["correlation"] ** 2 * (389 - k) * one["persistence"] ** k for one in told for k in range(1, 389)
    )
    assert naive > 7.0 * error
    assert abs(last.mean() - 1.0) < 4.0 * error


# ---- signals of the size of a move, of volume, of the spread


@pytest.mark.parametrize("persistence", [0.0, 0.9])
def test_a_move_whose_size_is_foretold_has_the_kurtosis_of_a_log_normal_volatility(persistence):
    """E f^4 = exp(4 k^2), E f^2 f'^2 = exp(4 k^2 phi): three times the one, and squares that go together."""
    found, k = moves(signal("volatility", correlation=0.25, persistence=persistence)), strength_of(0.25)
    means(found**2, 1.0)
    means(found**3, 0.0)
    means(found**4, 3.0 * math.exp(4.0 * k * k))
    assert 3.0 * math.exp(4.0 * k * k) - 3.0 > 0.4
    means(found[:, 1:] * found[:, :-1], 0.0)
    means(found[:, 1:] ** 2 * found[:, :-1] ** 2, math.exp(4.0 * k * k * persistence))


def test_of_a_chain_it_has_the_kurtosis_of_the_chains_levels():
    """Two levels: f^2 = 1 +- s, so E f^4 = 1 + s^2 and E f^2 f'^2 = 1 + s^2 phi; s by the correlation with |z| f."""
    found = moves(signal("volatility", correlation=0.3, persistence=0.8, levels=2))
    s = next(s for s in np.linspace(0.0, 1.0, 200_001) if of_two_levels(s) >= 0.3)
    means(found**4, 3.0 * (1.0 + s * s))
    means(found[:, 1:] ** 2 * found[:, :-1] ** 2, 1.0 + 0.8 * s * s)
    means(found**3, 0.0)


def of_two_levels(s):
    """The correlation of +-1 with |z| f."""
    high, low = math.sqrt(1.0 + s), math.sqrt(1.0 - s)
    absolute = twin.MEAN_ABSOLUTE
    return absolute * 0.5 * (high - low) / math.sqrt(1.0 - (absolute * 0.5 * (high + low)) ** 2)


def standard(values, mean, sd):
    """Of a log-normal of this mean, whose log has this sd."""
    return (np.log(values / mean) + 0.5 * sd * sd) / sd


def test_a_foretold_volume_stays_log_normal_and_goes_by_both_memories():
    """Its state y = kappa y + c (rho x + ...): Cov(y', y) = kappa + c^2 rho^2 phi / (1 - kappa phi), x there in every step."""
    kappa, rho, phi = 0.6, 0.5, 0.8
    volume = {"mean": 1000.0, "volatility": 0.5, "persistence": kappa, "day_volatility": 0.0, "floor": 0.0}
    _, _, found, _ = paths(
        20_000, market={"volume": volume, "signals": [signal("volume", correlation=rho, persistence=phi)]}
    )
    y = standard(found, 1000.0, 0.5)
    for power, moment in ((1, 0.0), (2, 1.0), (3, 0.0), (4, 3.0)):
        means(y**power, moment)
    c = twin.trim([(rho, phi)], kappa) * math.sqrt(1.0 - kappa**2)
    means(y[:, 1:] * y[:, :-1], kappa + c * c * rho * rho * phi / (1.0 - kappa * phi))


def test_a_foretold_spread_stays_log_normal_and_goes_by_both_memories():
    kappa, rho, phi = 0.8, -0.4, 0.9
    spread = {"mean": 0.0004, "reversion": 1.0 - kappa, "volatility": 0.2, "floor": 0.0}
    _, found, _, _ = paths(
        20_000, market={"spread": spread, "signals": [signal("spread", correlation=rho, persistence=phi)]}
    )
    y = standard(found, 0.0004, 0.2 / math.sqrt(1.0 - kappa**2))
    for power, moment in ((1, 0.0), (2, 1.0), (3, 0.0), (4, 3.0)):
        means(y**power, moment)
    c = twin.trim([(rho, phi)], kappa) * math.sqrt(1.0 - kappa**2)
    means(y[:, 1:] * y[:, :-1], kappa + c * c * rho * rho * phi / (1.0 - kappa * phi))


# ---- regimes, whose moves are a mixture


def test_moves_of_regimes_have_the_moments_of_their_mixture():
    """Stationary (3/4, 1/4), volatility 1 and 2: E f^2, 3 E f^4, and E f^2 f'^2 by the chain, whose memory is .6."""
    regimes = {"names": ["calm", "wild"], "transition": LEANING["transition"], "volatility": [1.0, 2.0]}
    found = moves(regimes=regimes)
    law, squares = np.array([0.75, 0.25]), np.array([1.0, 4.0])
    means(found**2, law @ squares)
    means(found**3, 0.0)
    means(found**4, 3.0 * (law @ squares**2))
    means(found[:, 1:] * found[:, :-1], 0.0)
    variance = law @ squares**2 - (law @ squares) ** 2
    for lag in (1, 4):
        means(found[:, lag:] ** 2 * found[:, :-lag] ** 2, (law @ squares) ** 2 + variance * 0.6**lag)

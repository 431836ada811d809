"""[market.variance]: its path against a naive twin, its law against closed forms, what it leaves as it is."""

from __future__ import annotations

import numpy as np
import pytest

from conftest import small_study
from fastexec.errors import InputError
from fastexec.models.variance import Variance
from fastexec.planning.expectation import expect
from fastexec.simulation import prepare
from fastexec.studies.study import Study
from naive import variance as twin
from test_control_variate import ALL, declared, scores
from test_market import correlation_near, near, paths

PERSISTENCE, SD, SIGMA = 0.9, 0.5, 0.002
VARIANCE = {"persistence": PERSISTENCE, "volatility": SD}
LOG_MEAN, LOG_VARIANCE = -0.635181, 1.233701  # of ln|z|


def log_moves(**market):
    """ln|move / sigma| of an arithmetic price, float64[e, t]: ln|z| + x - SD^2."""
    price = {"model": "arithmetic", "volatility": SIGMA}
    mid, *_ = paths(market={"price": price, "variance": VARIANCE} | market)
    return np.log(np.abs(np.diff(mid, axis=1)) / SIGMA)


@pytest.mark.parametrize("start", ["arrival", "moved"])
def test_a_moves_size_is_the_twins_factor_times_that_of_a_constant_volatility(start):
    price = {"model": "arithmetic", "volatility": 0.1, "diurnal": [2.0, 1.0], "start": start}
    ours, *_, study = paths(40, market={"price": price, "variance": VARIANCE})
    plain, *_ = paths(40, market={"price": price})
    factors = [twin.path(study.seed, e, 12, PERSISTENCE, SD) for e in range(40)]
    np.testing.assert_allclose(np.diff(ours, axis=1), np.array(factors) * np.diff(plain, axis=1), atol=1e-12)
    first = np.array(factors)[:, 0] if start == "moved" else np.ones(40)
    np.testing.assert_allclose(ours[:, 0] - 100.0, first * (plain[:, 0] - 100.0), atol=1e-12)


def test_the_log_of_a_move_has_the_mean_the_variance_and_the_memory_of_its_law():
    """ORACLES 19: fourth moments of moves are hopeless, logarithms are not."""
    logs = log_moves()
    near(logs, LOG_MEAN - SD * SD)
    near((logs - (LOG_MEAN - SD * SD)) ** 2, LOG_VARIANCE + SD * SD)
    for lag in (1, 5):
        product = (logs[:, lag:] - logs.mean()) * (logs[:, :-lag] - logs.mean())
        near(product.mean(axis=1), SD * SD * PERSISTENCE**lag)


def test_the_mean_square_is_kept_from_the_first_step_on():
    mid, *_ = paths(market={"price": {"model": "arithmetic", "volatility": SIGMA}, "variance": VARIANCE})
    near(np.diff(mid, axis=1) ** 2, SIGMA * SIGMA)


def test_kurtosis_of_a_light_set():
    """3 E[factor^4] = 3 exp(4 sd^2)."""
    light = {"persistence": 0.5, "volatility": 0.2}
    mid, *_ = paths(market={"price": {"model": "arithmetic", "volatility": SIGMA}, "variance": light})
    near((np.diff(mid, axis=1) / SIGMA) ** 4, 3.0 * np.exp(4.0 * 0.04))
    near((np.diff(mid, axis=1) / SIGMA) ** 3, 0.0)


def test_power_means_are_those_of_the_log_normal_law():
    model = Variance.model_validate(VARIANCE)
    x = SD * np.random.default_rng(1).standard_normal(200_000) - SD * SD
    for power in (-0.5, 0.7, 1.0, 2.0):
        near(np.exp(power * x), model.mean(power))
    assert model.mean(2.0) == pytest.approx(1.0, abs=1e-15)
    ranged = Variance.model_validate({"volatility": {"low": 0.2, "high": 0.6}})
    at = np.linspace(0.2, 0.6, 20_001)
    assert ranged.mean(1.0) == pytest.approx(np.exp(-0.5 * at * at).mean(), rel=1e-6)


@pytest.mark.parametrize("price", ["geometric", "arithmetic"])
def test_timing_keeps_its_mean_of_zero(price):
    volatility = 0.01 if price == "geometric" else 1.0
    market = {"price": {"model": price, "volatility": volatility}, "variance": VARIANCE}
    study = small_study(episodes=40_000, strategies=ALL, market=market)
    assert declared(study) == [True] * 4
    assert np.all(np.abs(scores(study)) < 4)


def test_schedules_expect_the_variance_that_moves_have():
    market = {"price": {"model": "arithmetic", "volatility": 0.1}, "variance": VARIANCE}
    study = small_study(strategies=[{"model": "twap"}], market=market)
    np.testing.assert_allclose(expect(study)[0].volatility, 0.1)


def test_volumes_and_spreads_are_those_without_it():
    ours, plain = paths(300, market={"variance": VARIANCE}), paths(300)
    np.testing.assert_array_equal(ours[1], plain[1])
    np.testing.assert_array_equal(ours[2], plain[2])
    assert (ours[0][:, 1:] != plain[0][:, 1:]).all()


def test_the_size_of_a_move_still_tells_of_its_volume():
    volume = {"volatility": 0.5, "persistence": 0.0, "day_volatility": 0.0, "floor": 0.0, "mean": 1000.0}
    mid, _, v, _ = paths(
        market={"price": {"model": "arithmetic", "volatility": 0.1}, "volume": volume, "variance": VARIANCE,
                "correlation": {"volume_absolute_return": 0.4}}
    )  # fmt: skip
    told = 0.4 * np.sqrt(1.0 - 2.0 / np.pi) * np.exp(-0.5 * SD * SD)  # Cov(|z| factor, z_v), sd of the move 1
    correlation_near(np.abs(np.diff(mid, axis=1)), np.log(v), told / np.sqrt(1.0 - 2.0 / np.pi * np.exp(-SD * SD)))


def test_every_episode_may_have_a_law_of_its_own():
    study = small_study(strategies=[{"model": "twap"}], market={"variance": {"volatility": {"low": 0.1, "high": 0.9}}})
    drawn = prepare(study).run(0, 200).markets["market.variance.volatility"]
    assert drawn.min() < 0.2
    assert drawn.max() > 0.8


def test_what_is_off_is_not_in_the_text():
    def text(variance):
        return Study.from_dict({"strategies": [{"model": "twap"}], "market": {"variance": variance}}).to_toml()

    assert "variance" not in text({})
    assert text({}) == text({"volatility": 0.0})
    assert "[market.variance]" in text({"volatility": 0.3})


@pytest.mark.parametrize(
    ("variance", "said"),
    [
        ({"volatility": -0.1}, "market.variance.volatility: must be at least 0"),
        ({"volatility": 2.5}, "market.variance.volatility: must be at most 2"),
        ({"volatility": "much"}, "market.variance.volatility: must be a number"),
        ({"persistence": 1.0}, "market.variance.persistence: must be at most 0.999999"),
        ({"persistence": -0.1}, "market.variance.persistence: must be at least 0"),
        ({"volatility": {"low": 0.5, "high": 0.1}}, "market.variance.volatility: low must be below high"),
        ({"sd": 0.1}, "market.variance.sd: unknown key"),
        (0.3, "market.variance: "),
    ],
)
def test_what_makes_no_sense_is_one_line(variance, said):
    with pytest.raises(InputError) as found:
        Study.from_dict({"strategies": [{"model": "twap"}], "market": {"variance": variance}})
    assert str(found.value).removeprefix("study: ").startswith(said)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("model", ["replay", "bootstrap"])
def test_real_days_have_their_own(model):
    market = {"model": model, "bars": "b.parquet", "symbol": "S", "variance": {"volatility": 0.3}}
    with pytest.raises(InputError, match=r"market.variance: real days have their own; leave \[market.variance\] out"):
        Study.from_dict({"strategies": [{"model": "twap"}], "market": market})

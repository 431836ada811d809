"""The price model ``merton``: its jumps against a naive twin, its moments, what it declares and what ``check`` doubts of it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from conftest import small_study
from fastexec.errors import InputError
from fastexec.models.price import MertonPrice
from fastexec.planning.expectation import expect
from fastexec.planning.schedules import fractions
from fastexec.runs.check import examine
from fastexec.simulation import prepare
from fastexec.studies.study import Study
from naive.jumps import factor, words_of

STEPS, EPISODES = 12, 300
GEOMETRIC = {"model": "geometric", "volatility": 0.004, "drift": 1e-4, "diurnal": [2.0, 1.0]}
JUMPS = {"rate": 0.4, "jump_mean": -0.02, "jump_volatility": 0.03}
MERTON = {**GEOMETRIC, **JUMPS, "model": "merton"}


def study(price, **changes):
    market = {"price": price, "correlation": {"price_volume": 0.3, "spread_volume": -0.2}}
    return small_study(**{"seed": 2**40 + 9, "strategies": [{"model": "twap"}], "market": market} | changes)


def mids(price, episodes=EPISODES, **changes):
    """float64[e, t], the mid at the end behind the others."""
    made = prepare(study(price, episodes=episodes, **changes))
    within = made.steps(0, episodes)["mid"].reshape(episodes, -1)
    return np.column_stack((within, made.run(0, episodes).markets["last_price"]))


@pytest.mark.parametrize("start", ["arrival", "moved"])
def test_moves_are_the_geometric_ones_times_the_twins_jumps(start):
    ours, plain = (mids({**price, "start": start}) for price in (MERTON, GEOMETRIC))
    steps = range(-1 if start == "moved" else 0, STEPS)
    twin = np.array([[factor(JUMPS, words_of(2**40 + 9, e, t)) for t in steps] for e in range(EPISODES)])
    if start == "arrival":
        twin = np.column_stack((np.ones(EPISODES), twin))
    np.testing.assert_allclose(ours / plain, np.cumprod(twin, axis=1), rtol=1e-12)
    assert np.unique(twin[:, 1]).size > EPISODES / 4


def test_every_episode_may_have_a_rate_of_its_own():
    made = prepare(study({**MERTON, "rate": {"low": 0.0, "high": 1.0}}))
    rates = made.run(0, 50).markets["market.price.rate"]
    ours, plain = (
        prepare(study(price)).steps(0, 50)["mid"].reshape(50, -1)
        for price in ({**MERTON, "rate": {"low": 0.0, "high": 1.0}}, GEOMETRIC)
    )
    twin = [
        [factor({**JUMPS, "rate": rates[e]}, words_of(2**40 + 9, e, t)) for t in range(STEPS - 1)] for e in range(50)
    ]
    np.testing.assert_allclose((ours / plain)[:, 1:], np.cumprod(twin, axis=1), rtol=1e-12)


def test_without_jumps_it_is_the_geometric_price_to_the_last_bit():
    quiet, plain = (prepare(study(price)).run(0, EPISODES) for price in ({**MERTON, "rate": 0.0}, GEOMETRIC))
    for name, column in plain.episodes.items():
        np.testing.assert_array_equal(quiet.episodes[name], column, err_msg=name)


def test_spreads_and_volumes_are_those_of_any_other_price():
    ours, plain = (prepare(study(price)).steps(0, EPISODES) for price in (MERTON, GEOMETRIC))
    for name in ("spread", "volume"):
        np.testing.assert_array_equal(ours[name], plain[name])


def test_the_number_of_jumps_is_poissons():
    """Each jump doubles the price, which does not move otherwise."""
    doubling = {"model": "merton", "volatility": 0.0, "rate": 1.0, "jump_mean": 1.0, "jump_volatility": 0.0}
    path = mids(doubling, 20_000)
    found = np.rint(np.log2(path[:, 1:] / path[:, :-1] * math.e)).astype(int).ravel()
    expected = np.array([math.exp(-1.0) / math.factorial(n) for n in range(7)]) * found.size
    counts = np.bincount(found)[:7]
    assert np.sum((counts - expected) ** 2 / expected) < 22.5  # chi-square of 6 degrees of freedom: 0.1 %
    assert found.max() > 6


def test_the_price_is_a_martingale_with_the_variance_of_its_parts():
    """In logarithms volatility^2 + rate (a^2 + s^2) a step, a = log(1 + mean) - s^2 / 2."""
    price = {"model": "merton", "volatility": 0.004, **JUMPS}
    made = prepare(study(price, episodes=100_000))
    growth = made.run(0, 100_000).markets["last_price"] / 100.0
    assert abs(growth.mean() - 1.0) < 4.0 * growth.std() / np.sqrt(growth.size)
    a, s = math.log(0.98) - 0.03**2 / 2.0, 0.03
    logs = np.log(growth)
    variance = STEPS * (0.004**2 + 0.4 * (a * a + s * s))
    squares = (logs - logs.mean()) ** 2
    assert abs(squares.mean() - variance) < 4.0 * squares.std() / np.sqrt(squares.size)
    assert abs(logs.mean() - STEPS * (0.4 * (a + 0.02) - 0.5 * 0.004**2)) < 4.0 * logs.std() / np.sqrt(logs.size)


def test_schedules_expect_the_jumps_variance():
    told = MertonPrice.model_validate(MERTON).moments(study(MERTON).setting)
    moves = np.diff(mids(MERTON, 100_000), axis=1)
    np.testing.assert_allclose(told.volatility, moves.std(axis=0), rtol=0.02)
    by = [{"model": "static_optimum", "risk_aversion": 1e-3}]
    own = 0.4 * (0.02**2 + 0.98**2 * (math.exp(0.03**2) - 1.0))
    as_one = {"model": "geometric", "volatility": math.sqrt(0.004**2 + own)}
    flat = {"model": "merton", "volatility": 0.004, **JUMPS}
    found = []
    for price in (flat, as_one, {"model": "geometric", "volatility": 0.004}):
        model = study(price, strategies=by)
        (expected,) = expect(model)
        found.append(fractions(model.strategies[0], model, expected))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-9)
    assert np.abs(found[0] - found[2]).max() > 0.05


def test_timing_is_declared_to_have_mean_zero_and_has():
    price = {"model": "merton", "volatility": 0.004, **JUMPS}
    strategies = [{"model": "twap"}, {"model": "pov", "rate": 0.15}, {"model": "random"}]
    made = prepare(study(price, episodes=40_000, strategies=strategies))
    assert made.control_variate == [True] * 3
    timing = made.run(0, 40_000).episodes["timing_bps"].reshape(-1, 3)
    assert np.all(np.abs(timing.mean(axis=0)) < 4.0 * timing.std(axis=0) / 200.0)
    assert prepare(study({**price, "drift": 0.001}, strategies=strategies)).control_variate == [False] * 3


def test_check_doubts_where_jumps_dominate():
    def doubts(**price):
        made = Study.from_dict({"episodes": 100, "order": {"shares": 1000, "steps": 20}, "strategies": [{"model": "twap"}],
                                "market": {"price": {"model": "merton", **price}}})  # fmt: skip
        return [text for text in examine(made).warnings if "jumps" in text]

    assert doubts(volatility=0.004, **JUMPS) == [
        "market.price.rate: jumps make 97% of the variance of a move, and an order meets 8 of them: means need many "
        "episodes, and risk is in the tail"
    ]
    assert doubts(volatility=0.004, rate=0.001, jump_volatility=0.01) == []
    assert doubts(volatility=0.0) == []


@pytest.mark.parametrize(
    ("key", "value"), [("rate", 1.5), ("rate", -0.1), ("jump_mean", -1.0), ("jump_volatility", -0.1)]
)
def test_what_makes_no_sense_is_refused(key, value):
    with pytest.raises(InputError, match=rf"market.price.{key}: must be at (most|least)"):
        Study.from_dict({"strategies": [{"model": "twap"}], "market": {"price": {"model": "merton", key: value}}})

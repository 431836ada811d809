"""[market.jumps]: against a naive twin, its moments, what it declares and what ``check`` doubts of it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from conftest import small_study
from fastexec.errors import InputError
from fastexec.planning.expectation import expect
from fastexec.planning.schedules import fractions
from fastexec.runs.check import examine
from fastexec.simulation import prepare
from fastexec.studies.study import Study
from naive.jumps import amount, draws_of, factor
from test_market import near

STEPS, EPISODES = 12, 300
GEOMETRIC = {"model": "geometric", "volatility": 0.004, "drift": 1e-4, "diurnal": [2.0, 1.0]}
ARITHMETIC = {"model": "arithmetic", "volatility": 0.4, "drift": 0.01, "diurnal": [2.0, 1.0]}
JUMPS = {"rate": 0.4, "mean": -0.02, "volatility": 0.03}
AMOUNTS = {"rate": 0.4, "mean": -2.0, "volatility": 3.0}
MERTON = (GEOMETRIC, JUMPS)
SPREADY = {"model": "mean_reverting", "mean": 0.001, "reversion": 0.2, "volatility": 0.3}


def study(made, **changes):
    """``made``: a price, or one and its jumps."""
    price, jumps = made if isinstance(made, tuple) else (made, {})
    market = {"price": price, "jumps": jumps, "correlation": {"price_volume": 0.3, "spread_volume": -0.2}}
    return small_study(**{"seed": 2**40 + 9, "strategies": [{"model": "twap"}], "market": market} | changes)


def mids(price, episodes=EPISODES, **changes):
    """float64[e, t], the mid at the end behind the others."""
    made = prepare(study(price, episodes=episodes, **changes))
    within = made.steps(0, episodes)["mid"].reshape(episodes, -1)
    return np.column_stack((within, made.run(0, episodes).markets["last_price"]))


@pytest.mark.parametrize("start", ["arrival", "moved"])
def test_moves_are_the_geometric_ones_times_the_twins_jumps(start):
    moving = {**GEOMETRIC, "start": start}
    ours, plain = (mids(made) for made in ((moving, JUMPS), moving))
    steps = range(-1 if start == "moved" else 0, STEPS)
    twin = np.array([[factor(JUMPS, draws_of(2**40 + 9, e, t)) for t in steps] for e in range(EPISODES)])
    if start == "arrival":
        twin = np.column_stack((np.ones(EPISODES), twin))
    np.testing.assert_allclose(ours / plain, np.cumprod(twin, axis=1), rtol=1e-12)
    assert np.unique(twin[:, 1]).size > EPISODES / 4


MOVED = {"name": "a", "predicts": "move", "correlation": 0.3, "levels": 3}
TOLD = [
    MOVED,
    *({"name": f"of_{name}", "predicts": name, "correlation": 0.3} for name in ("volatility", "volume", "spread")),
]
BESIDE = {
    "alone": {},
    "variance": {"variance": {"persistence": 0.9, "volatility": 0.4}},
    "noise": {"noise": {"sd": 0.001}},
    "regimes": {"regimes": {"names": ["a", "b"], "transition": [[0.9, 0.1], [0.2, 0.8]], "volatility": [1.0, 2.0]}},
    "constant volume": {"volume": {"model": "constant"}, "spread": {"model": "constant"}},
    "signals": {"signals": TOLD, "spread": SPREADY, "volume": {"model": "lognormal", "volatility": 0.4}},
    "signals and constant volume": {"signals": [MOVED], "volume": {"model": "constant"}},
    "chains": {"volume": {"model": "markov", "levels": [500.0, 2000.0], "transition": [[0.5, 0.5], [0.5, 0.5]]}},
}


@pytest.mark.parametrize("beside", list(BESIDE))
def test_the_same_jumps_whatever_else_moves(beside):
    ours, plain = (
        mids(GEOMETRIC, 50, seed=8, market={"price": GEOMETRIC, "jumps": jumps} | BESIDE[beside])
        for jumps in (JUMPS, {})
    )
    twin = np.array([[factor(JUMPS, draws_of(8, e, t)) for t in range(STEPS)] for e in range(50)])
    np.testing.assert_allclose((ours / plain)[:, 1:], np.cumprod(twin, axis=1), rtol=1e-12)


def test_jumps_are_independent_of_all_else_in_their_step():
    """Of the market's move, spread and volume, of the number in the move before, of what the day begins with."""
    price = {**GEOMETRIC, "start": "moved"}
    beside = {"volume": {"model": "lognormal", "volatility": 0.4, "day_volatility": 0.3}, "spread": SPREADY}
    made, plain = (
        prepare(study(price, episodes=20_000, market={"price": price, "jumps": jumps} | beside))
        for jumps in ({"rate": 1.0, "volatility": 0.05}, {})
    )
    found, without = made.steps(0, 20_000), plain.steps(0, 20_000)
    ours, theirs = (np.log(steps["mid"].reshape(20_000, -1)) for steps in (found, without))
    first = ours[:, 0] - theirs[:, 0]
    jumped = np.diff(ours - theirs, axis=1)
    moved = np.diff(theirs, axis=1)
    volume, spread = (np.log(without[name].reshape(20_000, -1)) for name in ("volume", "spread"))
    pairs = [(jumped, moved), (jumped, volume[:, :-1]), (jumped, spread[:, 1:]), (jumped[:, 1:], jumped[:, :-1]),
             (jumped[:, 1:] ** 2, jumped[:, :-1] ** 2), (first, theirs[:, 0]), (first, volume[:, 0]), (first, spread[:, 0]),
             (first**2, jumped[:, 0] ** 2), (first, jumped[:, 0])]  # fmt: skip
    for one, other in pairs:
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 4.0 / math.sqrt(one.size)


def test_every_episode_may_have_a_rate_of_its_own():
    drawn = (GEOMETRIC, {**JUMPS, "rate": {"low": 0.0, "high": 1.0}})
    made = prepare(study(drawn))
    rates = made.run(0, 50).markets["market.jumps.rate"]
    ours, plain = (prepare(study(price)).steps(0, 50)["mid"].reshape(50, -1) for price in (drawn, GEOMETRIC))
    twin = [
        [factor({**JUMPS, "rate": rates[e]}, draws_of(2**40 + 9, e, t)) for t in range(STEPS - 1)] for e in range(50)
    ]
    np.testing.assert_allclose((ours / plain)[:, 1:], np.cumprod(twin, axis=1), rtol=1e-12)


def test_amounts_are_added_to_arithmetic_moves():
    ours, plain = (mids(made) for made in ((ARITHMETIC, AMOUNTS), ARITHMETIC))
    twin = np.array([[amount(AMOUNTS, draws_of(2**40 + 9, e, t)) for t in range(STEPS)] for e in range(EPISODES)])
    np.testing.assert_allclose((ours - plain)[:, 1:], np.cumsum(twin, axis=1), atol=1e-9)


def test_realised_volatility_knows_the_jumps():
    made = prepare(study(MERTON, episodes=EPISODES))
    path = np.column_stack(
        (made.steps(0, EPISODES)["mid"].reshape(EPISODES, -1), made.run(0, EPISODES).markets["last_price"])
    )
    realised = np.sqrt(((path[:, 1:] / path[:, :-1] - 1.0) ** 2).mean(axis=1))
    np.testing.assert_allclose(made.run(0, EPISODES).markets["realised_volatility"], realised, rtol=1e-9)


def test_spreads_and_volumes_are_those_of_any_other_price():
    ours, plain = (prepare(study(price)).steps(0, EPISODES) for price in (MERTON, GEOMETRIC))
    for name in ("spread", "volume"):
        np.testing.assert_array_equal(ours[name], plain[name])


def test_the_number_of_jumps_is_poissons():
    """Each jump doubles the price, which does not move otherwise."""
    doubling = {"rate": 1.0, "mean": 1.0, "volatility": 0.0}
    path = mids(({"volatility": 0.0}, doubling), 20_000)
    found = np.rint(np.log2(path[:, 1:] / path[:, :-1] * math.e)).astype(int).ravel()
    expected = np.array([math.exp(-1.0) / math.factorial(n) for n in range(7)]) * found.size
    counts = np.bincount(found)[:7]
    assert np.sum((counts - expected) ** 2 / expected) < 22.5  # chi-square of 6 degrees of freedom: 0.1 %
    assert found.max() > 6


def test_the_price_is_a_martingale_with_the_variance_of_its_parts():
    """In logarithms volatility^2 + rate (a^2 + s^2) a step, a = log(1 + mean) - s^2 / 2."""
    made = prepare(study(({"volatility": 0.004}, JUMPS), episodes=100_000))
    growth = made.run(0, 100_000).markets["last_price"] / 100.0
    assert abs(growth.mean() - 1.0) < 4.0 * growth.std() / np.sqrt(growth.size)
    a, s = math.log(0.98) - 0.03**2 / 2.0, 0.03
    logs = np.log(growth)
    variance = STEPS * (0.004**2 + 0.4 * (a * a + s * s))
    squares = (logs - logs.mean()) ** 2
    assert abs(squares.mean() - variance) < 4.0 * squares.std() / np.sqrt(squares.size)
    assert abs(logs.mean() - STEPS * (0.4 * (a + 0.02) - 0.5 * 0.004**2)) < 4.0 * logs.std() / np.sqrt(logs.size)


#: In bp: of a move, and of jumps (ORACLES 19).
SIGMA, RATE, MEAN, OWN = 5.0, 0.02, -5.0, 15.0


@pytest.mark.parametrize("model", ["geometric", "arithmetic"])
def test_sd_skew_and_kurtosis_are_those_of_the_compound_formula(model):
    """Cumulants of a move: of its normal sigma^2, of its jumps rate E[J^k]."""
    unit = 1e-4 if model == "geometric" else 0.01
    jumps = {"rate": RATE, "mean": MEAN * unit, "volatility": OWN * unit}
    path = mids(({"model": model, "volatility": SIGMA * unit}, jumps), 40_000)
    moves = (np.diff(np.log(path), axis=1) if model == "geometric" else np.diff(path, axis=1)) / unit
    a = MEAN if model == "arithmetic" else (math.log(1.0 + MEAN * unit) - 0.5 * (OWN * unit) ** 2) / unit
    second = a**2 + OWN**2
    variance = SIGMA**2 + RATE * second
    third, fourth = RATE * (a**3 + 3 * a * OWN**2), RATE * (a**4 + 6 * a**2 * OWN**2 + 3 * OWN**4)
    centred = moves - moves.mean()
    near(centred**2, variance)
    near((centred / np.sqrt(variance)) ** 3, third / variance**1.5)
    near((centred / np.sqrt(variance)) ** 4, 3.0 + fourth / variance**2)


@pytest.mark.parametrize(("price", "jumps"), [(GEOMETRIC, JUMPS), (ARITHMETIC, AMOUNTS)])
def test_schedules_expect_the_jumps_variance(price, jumps):
    made = study((price, jumps))
    moves = np.diff(mids((price, jumps), 100_000), axis=1)
    np.testing.assert_allclose(expect(made)[0].volatility, moves.std(axis=0), rtol=0.02)


def test_schedules_go_by_it():
    by = [{"model": "static_optimum", "risk_aversion": 1e-3}]
    own = 0.4 * (0.02**2 + 0.98**2 * (math.exp(0.03**2) - 1.0))
    flat, as_one = {"volatility": 0.004}, {"volatility": math.sqrt(0.004**2 + own)}
    found = []
    for price in ((flat, JUMPS), as_one, flat):
        model = study(price, strategies=by)
        (expected,) = expect(model)
        found.append(fractions(model.strategies[0], model, expected))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-9)
    assert np.abs(found[0] - found[2]).max() > 0.05


@pytest.mark.parametrize(
    "made", [({"volatility": 0.004}, JUMPS), ({"model": "arithmetic", "volatility": 0.4}, AMOUNTS)]
)
def test_timing_is_declared_to_have_mean_zero_and_has(made):
    strategies = [{"model": "twap"}, {"model": "pov", "rate": 0.15}, {"model": "random"}]
    prepared = prepare(study(made, episodes=40_000, strategies=strategies))
    assert prepared.control_variate == [True] * 3
    timing = prepared.run(0, 40_000).episodes["timing_bps"].reshape(-1, 3)
    assert np.all(np.abs(timing.mean(axis=0)) < 4.0 * timing.std(axis=0) / 200.0)
    drifting = ({**made[0], "drift": 0.001}, made[1])
    assert prepare(study(drifting, strategies=strategies)).control_variate == [True] * 3


def of(price, jumps):
    return Study.from_dict({"episodes": 100, "order": {"shares": 1000, "steps": 20}, "strategies": [{"model": "twap"}],
                            "market": {"price": price, "jumps": jumps}})  # fmt: skip


def test_check_doubts_where_jumps_dominate():
    def doubts(own, **jumps):
        return [text for text in examine(of({"volatility": own}, jumps)).warnings if "jumps" in text]

    assert doubts(0.004, **JUMPS) == [
        "market.jumps.rate: jumps make 97% of the variance of a move, and an order meets 8 of them: means need many "
        "episodes, and risk is in the tail"
    ]
    assert doubts(0.004, rate=0.001, volatility=0.01) == []
    assert doubts(0.0) == []


def test_check_doubts_where_a_jump_may_take_the_price_below_zero():
    price = {"model": "arithmetic", "volatility": 0.1}
    below = [text for text in examine(of(price, {"rate": 0.1, "volatility": 30.0})).warnings if "below 0" in text]
    assert len(below) == 1
    assert below[0].startswith("market.jumps: a jump may take the price below 0")
    assert not [text for text in examine(of(price, {"rate": 0.1, "volatility": 0.5})).warnings if "below 0" in text]


@pytest.mark.parametrize(
    ("jumps", "said"),
    [
        ({"rate": 1.5}, "rate: must be at most 1"),
        ({"rate": -0.1}, "rate: must be at least 0"),
        ({"rate": 0.1, "mean": -1.0}, "jumps.mean must lie between -0.9 and 1"),
        ({"rate": 0.1, "mean": {"low": 0.0, "high": 2.0}}, "jumps.mean must lie between -0.9 and 1"),
        ({"rate": 0.1, "volatility": 1.5}, "jumps.volatility must be at most 1"),
        ({"rate": 0.1, "volatility": -0.1}, "volatility: must be at least 0"),
        ({"rate": "often"}, "rate: must be a number"),
        ({"jump_mean": 0.1}, "jump_mean: unknown key"),
    ],
)
def test_what_makes_no_sense_is_refused(jumps, said):
    with pytest.raises(InputError) as found:
        of({}, jumps)
    assert said in str(found.value)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("model", ["replay", "bootstrap"])
def test_real_days_have_their_own(model):
    market = {"model": model, "bars": "b.parquet", "symbol": "S", "jumps": {"rate": 0.1}}
    with pytest.raises(InputError, match=r"market.jumps: real days have their own; leave \[market.jumps\] out"):
        Study.from_dict({"strategies": [{"model": "twap"}], "market": market})

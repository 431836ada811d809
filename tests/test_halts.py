"""[market.halts]: a naive twin, the law of their length, reopening, timing, what schedules expect, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from conftest import small_study
from fastexec.errors import InputError
from fastexec.learning.unknown import why_unknown
from fastexec.planning.expectation import expect
from fastexec.planning.static_cost import schedule_cost
from fastexec.runs.check import examine
from fastexec.simulation import prepare, simulate
from fastexec.studies.study import Study
from naive import halts as twin
from test_control_variate import ALL, declared, scores
from test_market import near, paths

RATE, LENGTH = 0.1, 4.0
HALTS = {"rate": RATE, "length": LENGTH}
PRICES = {
    "geometric": {"volatility": 0.002},
    "arithmetic": {"model": "arithmetic", "volatility": 0.2},
    "moved": {"volatility": 0.002, "start": "moved"},
}


def halted_of(study, episodes):
    """bool[e, t + 1]"""
    return np.array([twin.path(study.seed, e, study.order.steps, RATE, LENGTH) for e in range(episodes)])


@pytest.mark.parametrize("jumps", [{}, {"rate": 0.3, "volatility": 0.02}])
@pytest.mark.parametrize("price", list(PRICES))
def test_the_price_stands_in_a_halt_and_reopens_where_it_would_be_without_it(price, jumps):
    market = {"price": PRICES[price], "jumps": jumps}
    (mid, spread, volume, study), plain = paths(200, market={**market, "halts": HALTS}), paths(200, market=market)
    halted = halted_of(study, 200)
    np.testing.assert_array_equal(mid, [twin.seen(mids, stops) for mids, stops in zip(plain[0], halted, strict=True)])
    np.testing.assert_array_equal(volume, np.where(halted[:, :-1], 0.0, plain[2]))
    np.testing.assert_array_equal(spread, plain[1])
    after = halted[:, :-1] & ~halted[:, 1:]
    np.testing.assert_array_equal(mid[:, 1:][after], plain[0][:, 1:][after])
    realised = prepare(study).run(0, 200).markets["realised_volatility"]
    np.testing.assert_allclose(realised, np.sqrt(((mid[:, 1:] / mid[:, :-1] - 1.0) ** 2).mean(axis=1)), rtol=1e-9)


def test_how_often_and_how_long():
    study = paths(2, market={"halts": HALTS})[3]
    halted = halted_of(study, 4_000)
    ends = RATE + 1.0 / LENGTH
    wanted = RATE / ends * (1.0 - (1.0 - ends) ** np.arange(1, 14))
    near(halted.astype(float), wanted)
    np.testing.assert_allclose(1.0 - study.market.halts.open_steps(12), wanted[:-1], rtol=1e-12)
    run = twin.path(3, 0, 200_000, RATE, LENGTH)
    lengths = np.diff(np.flatnonzero(np.diff(np.concatenate(([0], np.array(run, int), [0])))))[::2]
    near(lengths.astype(float), LENGTH)
    near((lengths == 1).astype(float), 1.0 / LENGTH)


@pytest.mark.parametrize("known", [{}, {"correlation": {"price_volume": 0.5}}])
@pytest.mark.parametrize("horizon", ["complete", "mark"])
def test_timing_keeps_its_mean_of_zero(horizon, known):
    market = {"price": {"volatility": 0.01}, "halts": HALTS, **known}
    study = small_study(episodes=40_000, strategies=ALL, order={"at_horizon": horizon}, market=market)
    assert declared(study) == [True] * 4
    assert np.all(np.abs(scores(study)) < 4)


def test_nobody_trades_in_one_and_an_order_that_ends_in_one_is_marked():
    study = small_study(episodes=400, strategies=ALL, market={"halts": HALTS})
    steps, halted = prepare(study).steps(0, 400), halted_of(study, 400)
    shares = steps["shares"].reshape(400, 4, 12)
    assert not shares[np.repeat(halted[:, None, :-1], 4, axis=1)].any()
    filled = simulate(study).episodes["filled_shares"].reshape(400, 4)[:, 0]
    np.testing.assert_array_equal(filled < 1200.0, halted[:, 11])


FREE = {"temporary": {"coefficient": 0.01, "exponent": 0.4}, "permanent": {"coefficient": 0.0}, "fees": {"per_share": 0.0},
        "transient": {"coefficient": 0.0}}  # fmt: skip
VOLUMES = {
    "constant": {"model": "constant", "mean": 900.0},
    "lognormal": {"mean": 900.0, "floor": 100.0, "persistence": 0.0, "day_volatility": 0.0},
    "cosine": {"model": "cosine", "mean": 300.0, "amplitude": 0.5, "noise": 150.0},
    "markov": {"model": "markov", "levels": [0.0, 1500.0], "transition": [[0.5, 0.5], [0.2, 0.8]]},
}


@pytest.mark.parametrize("volume", list(VOLUMES))
def test_schedules_expect_what_catching_up_behind_halts_costs(volume):
    market = {"halts": HALTS, "volume": VOLUMES[volume], "price": {"volatility": 0.001}}
    order = {"lot": 0, "at_horizon": "mark", "mark_price": "quote"}
    study = small_study(
        episodes=40_000, market=market, costs=FREE, order=order,
        strategies=[{"model": "twap"}, {"model": "static_optimum"}],
    )  # fmt: skip
    found = simulate(study).episodes
    paid = (found["spread_bps"] + found["temporary_bps"] + found["residual_bps"]).reshape(-1, 2)
    near(paid, 1e4 * schedule_cost(study, expect(study)[0], 0.0).of(prepare(study).arrays[1].fractions[:, 0]))


def test_check_says_how_many_orders_end_in_one_and_that_no_optimum_is_known():
    study = Study.from_dict({"episodes": 50, "order": {"steps": 12}, "strategies": [{"model": "twap"}],
                             "market": {"halts": HALTS}})  # fmt: skip
    said = [
        line for line in examine(study).warnings if line.startswith("market.halts: 0.28 of all orders end in a halt")
    ]
    assert len(said) == 1
    chains = {"spread": {"model": "constant"}, "volume": {"model": "constant"}, "halts": HALTS}
    known = Study.from_dict({"order": {"shares": 100}, "strategies": [{"model": "twap"}], "market": chains})
    assert why_unknown(known) == "market.halts changes what trading costs from step to step"


@pytest.mark.parametrize(
    ("halts", "said"),
    [
        ({"rate": -0.1}, "market.halts.rate: must be at least 0"),
        ({"rate": 0.6}, "market.halts.rate: must be at most 0.5"),
        ({"rate": "rare"}, "market.halts.rate: must be a number"),
        ({"rate": 0.1, "length": 0.5}, "market.halts.length: must be at least 1"),
        ({"rate": 0.1, "length": {"low": 0.1, "high": 3.0}}, "market.halts.length: must be at least 1"),
        ({"length": 1e7}, "market.halts.length: must be at most 1e+06"),
        ({"steps": 3}, "market.halts.steps: unknown key"),
    ],
)
def test_what_makes_no_sense_is_one_line(halts, said):
    with pytest.raises(InputError) as found:
        Study.from_dict({"strategies": [{"model": "twap"}], "market": {"halts": halts}})
    assert said in str(found.value)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("model", ["replay", "bootstrap"])
def test_real_days_have_their_own(model):
    market = {"model": model, "bars": "b.parquet", "symbol": "S", "halts": HALTS}
    with pytest.raises(InputError, match="market.halts: real days have their own"):
        Study.from_dict({"strategies": [{"model": "twap"}], "market": market})

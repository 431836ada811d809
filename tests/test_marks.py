"""What is left at the end costs what trading it does, and POV pays the spread that stands where it fills; both against a plain
Monte Carlo program that shares no code (``naive/marks.py``).
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from fastexec.analysis.comparison import compare
from fastexec.data.bars import read_bars
from fastexec.data.paths import MarketPaths
from fastexec.data.replay import replay_windows
from fastexec.errors import InputError
from fastexec.learning.optimum import solve_optimum
from fastexec.learning.unknown import why_unknown
from fastexec.models.study import StudyModel
from fastexec.runs.check import examine
from fastexec.runs.run import run
from fastexec.simulation import prepare, simulate
from fastexec.studies.study import Study
from naive.marks import pov_costs

FREE = {"temporary": {"coefficient": 0.0}}
TEMPORARY = {
    "power": {"coefficient": 0.0035, "exponent": 0.6},
    "root": {"coefficient": 0.004, "exponent": 0.5},
    "proportional": {"coefficient": 0.004, "exponent": 1.0},
    "linear": {"model": "linear", "fixed": 0.01, "coefficient": 2e-6},
}
TRANSIENT = {
    "off": {"coefficient": 0.0},
    "linear": {"coefficient": 2e-6, "resilience": 0.4},
    "power": {"coefficient": 1e-4, "exponent": 0.6, "resilience": 0.2},
}
SPREADS = {
    "constant": {"model": "constant", "initial": 0.001},
    "walk": {"model": "random_walk", "initial": 0.0006, "volatility": 0.0003},
    "reverting": {"mean": 0.001, "reversion": 1.0, "volatility": 0.6},
    "slow": {"mean": 0.001, "reversion": 0.2, "volatility": 0.4, "floor": 0.0005},
    "chain": {
        "model": "markov",
        "levels": [0.0004, 0.003],
        "transition": [[0.8, 0.2], [0.4, 0.6]],
        "initial": [0.5, 0.5],
    },
}
EPISODES = 40_000


def study(order=None, spread=None, costs=None, strategies=None, **market):
    volume = {"mean": 10_000.0, "volatility": 0.7, "persistence": 0.0, "day_volatility": 0.0, "floor": 0.0}
    return StudyModel.model_validate(
        {
            "episodes": EPISODES,
            "order": {"shares": 20_000, "steps": 20, "lot": 0, "at_horizon": "mark"} | (order or {}),
            "market": {"spread": spread or SPREADS["reverting"], "volume": volume} | market,
            "costs": costs or FREE,
            "strategies": strategies or [{"model": "pov", "rate": 0.04}],
        }
    )


def agrees(model, **own):
    """The engine's means and the plain program's, each within 4.5 standard errors of their difference."""
    ours, rate = simulate(model).episodes, model.strategies[0].rate
    theirs = pov_costs(model.model_dump(), rate, EPISODES, 11)
    total = ours["shortfall_bps"] - ours["timing_bps"]
    for mine, other in ((ours["spread_bps"], "spread"), (ours["residual_bps"], "residual"), (total, "all")):
        error = np.hypot(mine.std(), theirs[other].std()) / np.sqrt(EPISODES)
        assert abs(mine.mean() - theirs[other].mean()) < 4.5 * error + 1e-9, other
    return theirs


# ---- the rest


@pytest.mark.parametrize(("temporary", "transient"), list(product(TEMPORARY, TRANSIENT)))
def test_the_rest_costs_what_trading_it_does(temporary, transient):
    """Half the order is left; under every model of impact."""
    costs = {"temporary": TEMPORARY[temporary], "transient": TRANSIENT[transient], "fees": {"per_share": 0.003},
             "permanent": {"coefficient": 1e-6, "own": 0.3}}  # fmt: skip
    theirs = agrees(study({"mark_penalty": 0.02, "mark_penalty_slope": 1e-7}, costs=costs))
    assert theirs["residual"].mean() > 3.0


IDLE = {
    "mk": ({"steps": 30}, {"temporary": {"coefficient": 0.0035}}, {}),
    "a buyer, linear impact": ({"side": "buy", "steps": 12}, {"temporary": TEMPORARY["linear"]}, {}),
    "transient impact, few steps": ({"steps": 5}, {"temporary": {"coefficient": 0.001}, "transient": TRANSIENT["power"]}, {}),
    "permanent impact and fees, arithmetic": (
        {"steps": 10},
        {"temporary": {"coefficient": 0.003, "exponent": 1.0}, "permanent": {"coefficient": 2e-6, "own": 1.0},
         "fees": {"per_share": 0.01}},
        {"price": {"model": "arithmetic", "volatility": 0.03}},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", list(IDLE))
def test_doing_nothing_is_never_cheap(name):
    order, costs, market = IDLE[name]
    strategies = [{"model": "twap"}, {"model": "pov", "name": "nothing", "rate": 1e-9}]
    rows = simulate(study({"lot": 1, **order}, costs=costs, strategies=strategies, **market), episodes=4_000).episodes
    costs_of = (rows["shortfall_bps"] - rows["timing_bps"]).reshape(-1, 2)
    gap = costs_of[:, 1] - costs_of[:, 0]
    assert not rows["filled_shares"][1::2].any()
    assert gap.mean() > 5.0 * gap.std() / np.sqrt(gap.size)
    quoted = study({"lot": 1, "mark_price": "quote", **order}, costs=costs, strategies=strategies, **market)
    rows = simulate(quoted, episodes=4_000).episodes
    costs_of = (rows["shortfall_bps"] - rows["timing_bps"]).reshape(-1, 2)
    assert costs_of[:, 1].mean() < costs_of[:, 0].mean()  # what the name of the price warns of


def test_who_values_at_the_quote_is_told(tmp_path):
    """By check, by the table of a run and by its report; and nobody is told so otherwise."""
    for price, wanted in (("quote", True), ("trade", False)):
        text = (
            f'episodes = 200\n[order]\nshares = 20_000\nsteps = 6\nat_horizon = "mark"\nmark_price = "{price}"\n'
            '[[strategies]]\nmodel = "twap"\n[[strategies]]\nmodel = "pov"\nrate = 0.0001\n'
        )
        (tmp_path / f"{price}.toml").write_text(text)
        loaded = Study.load(tmp_path / f"{price}.toml")
        run(loaded, out=tmp_path / price)
        told = compare(tmp_path / price)
        assert ("mark_price = quote" in " ".join(told.notes)) == wanted
        assert ("mark_price = quote" in " ".join(examine(loaded).warnings)) == wanted


def test_the_value_of_a_rest_is_that_of_one_step_more():
    """Where nothing is drawn but the price, no way to leave shares beats the best schedule that has one step more."""
    flat = {"spread": SPREADS["constant"], "volume": {"model": "constant", "mean": 10_000.0}}
    many = [
        {"model": "random", "name": f"r{j}", "actions": {"set": "multiples", "levels": [0.9 + 0.01 * j]}}
        for j in range(10)
    ]
    costs = {"temporary": {"coefficient": 0.0035}}
    rows = simulate(study({"steps": 10}, costs=costs, strategies=many, **flat), episodes=2_000).episodes
    leaving = (rows["shortfall_bps"] - rows["timing_bps"]).reshape(-1, 10).mean(axis=0)
    longer = study({"steps": 11}, costs=costs, strategies=[{"model": "static_optimum"}], **flat)
    rows = simulate(longer, episodes=2_000).episodes
    best = (rows["shortfall_bps"] - rows["timing_bps"]).mean()
    assert leaving.min() > best - 1e-3
    assert leaving.min() < best + 0.05  # 0.91 of an even slice in each step: just the schedule of eleven


def test_the_expected_volume_of_real_days_is_that_of_the_other_days(tmp_path):
    """A window's rest is traded in what the other days trade at the time of its last step."""
    from test_bootstrap import STEPS, bars as bars_of

    path = bars_of.__wrapped__(_Folder(tmp_path))
    data = {"order": {"shares": 1_000, "steps": STEPS, "at_horizon": "mark", "lot": 0},
            "market": {"model": "replay", "bars": str(path), "symbol": "S"}, "costs": {"temporary": TEMPORARY["power"]},
            "strategies": [{"model": "pov", "rate": 1e-12}]}  # fmt: skip
    windows = replay_windows(read_bars(path, "S"), STEPS, STEPS)
    volume, start = windows.paths.volume[:, -1], windows.start_second
    rows = simulate(StudyModel.model_validate(data)).episodes
    for e in range(6):
        others = [volume[j] for j in range(6) if start[j] == start[e] and windows.day[j] != windows.day[e]]
        mid, arrival = windows.paths.last_mid[e], windows.paths.arrival[e]
        a_share = mid * (windows.paths.last_spread[e] / 2 + 0.0035 * (1_000 / np.mean(others)) ** 0.6)
        assert rows["residual_bps"][e] == pytest.approx(1e4 * a_share / arrival, rel=1e-9)


class _Folder:
    def __init__(self, path):
        self.path = path

    def mktemp(self, name):
        (self.path / name).mkdir()
        return self.path / name


# ---- POV's quote


CORRELATIONS = {
    "none": {}, "sp": {"spread_volume": 0.6}, "with the price": {"price_spread": -0.5, "spread_volume": 0.3},
    "with all": {"price_spread": 0.4, "price_volume": 0.3, "spread_volume": -0.5},
}  # fmt: skip


@pytest.mark.parametrize(("spread", "correlation"), [
    *((spread, "with all") for spread in SPREADS if spread != "chain"), ("reverting", "sp"), ("slow", "none"),
    *(pytest.param("chain", one, marks=pytest.mark.slow) for one in ("with all", "with the price")),
])  # fmt: skip
def test_pov_pays_the_spread_where_it_fills(spread, correlation):
    agrees(study(spread=SPREADS[spread], correlation=CORRELATIONS[correlation]))


def test_a_wide_spread_beside_a_large_volume_is_paid_by_who_follows_it():
    """sp: the mean spread of 10 bps is met 1.25 times as wide; seen before 5.0 bps, which is the spread of the step's start."""
    found = agrees(study(correlation={"spread_volume": 0.6}, order={"steps": 40, "shares": 10_000}))
    paid = found["spread"].mean()
    done = simulate(study(correlation={"spread_volume": 0.6}, order={"steps": 40, "shares": 10_000})).episodes
    assert paid / done["completion"].mean() > 6.0


def test_who_sees_the_volume_before_trades_at_the_quote_before():
    volume = {
        "mean": 10_000.0,
        "volatility": 0.7,
        "persistence": 0.0,
        "day_volatility": 0.0,
        "floor": 0.0,
        "known": "during",
    }
    agrees(study(correlation={"spread_volume": 0.6}, volume=volume))


@pytest.mark.parametrize("last", [None, [0.05, 0.0]])
def test_given_paths_have_a_spread_at_their_end(last):
    mid = np.array([[100.0, 101.0, 102.0], [50.0, 50.0, 50.0]])
    spread = np.array([[0.01, 0.02, 0.03], [0.0, 0.0, 0.04]])
    paths = MarketPaths(mid, spread, np.full((2, 3), 1_000.0), last_mid=[104.0, 50.0], last_spread=last)
    model = study({"shares": 300, "steps": 3}, strategies=[{"model": "pov", "rate": 0.1}, {"model": "twap"}])
    rows = simulate(model, paths=paths).episodes["spread_bps"].reshape(2, 2)
    end = spread[:, -1] if last is None else np.array(last)
    later = np.column_stack((mid[:, 1:] * spread[:, 1:], [104.0, 50.0] * end))
    np.testing.assert_allclose(rows[:, 0], 1e4 * later.mean(axis=1) / 2.0 / mid[:, 0], rtol=1e-12)
    np.testing.assert_allclose(rows[:, 1], 1e4 * (mid * spread).mean(axis=1) / 2.0 / mid[:, 0], rtol=1e-12)


def test_a_spread_at_the_end_is_checked():
    one = np.ones((2, 3))
    with pytest.raises(InputError, match=r"paths.last_spread has shape \(3,\); it must be \(2,\)"):
        MarketPaths(one, one, one, last_spread=[0.1, 0.1, 0.1])
    with pytest.raises(InputError, match=r"paths.last_spread\[1\] is -0.1; it must be 0 or more"):
        MarketPaths(one, one, one, last_spread=[0.1, -0.1])


# ---- the optimum


BEAT = {
    "episodes": 10_000,
    "order": {"shares": 100, "steps": 3, "lot": 100},
    "market": {
        "price": {"volatility": 0.2},
        "spread": {
            "model": "markov",
            "levels": [0.0001, 0.01],
            "transition": [[0.999, 0.001], [0.4, 0.6]],
            "initial": [0, 1],
        },
        "volume": {"model": "markov", "levels": [0.0, 10_000.0], "transition": [[0.5, 0.5], [0.5, 0.5]]},
    },
    "costs": {"temporary": {"coefficient": 0.0}},
    "strategies": [{"model": "optimum"}],
}


@pytest.mark.parametrize(("horizon", "price"), list(product(["complete", "mark"], ["trade", "quote"])))
def test_no_optimum_is_known_where_a_penalty_in_currency_meets_costs_that_scale(horizon, price):
    model = StudyModel.model_validate(
        BEAT | {"order": BEAT["order"] | {"at_horizon": horizon, "mark_price": price, "mark_penalty": 0.4}}
    )
    assert "order.mark_penalty" in why_unknown(model)
    with pytest.raises(InputError, match="no optimum is known"):
        prepare(model)


@pytest.mark.parametrize("price", ["trade", "quote"])
def test_the_optimum_of_one_lot_by_hand(price):
    """Trade or wait, in three steps half of which have no volume; the rest at the spread of the end, or of the last step."""
    model = StudyModel.model_validate(BEAT | {"order": BEAT["order"] | {"at_horizon": "mark", "mark_price": price}})
    half, moves = np.array([0.5, 50.0]), np.array([[0.999, 0.001], [0.4, 0.6]])
    value = moves @ half if price == "trade" else half
    value = np.minimum(0.5 * half + 0.5 * value, value)
    for _ in range(2):
        value = np.minimum(0.5 * half + 0.5 * moves @ value, moves @ value)
    assert solve_optimum(model).expected_bps == pytest.approx(value[1], rel=1e-12)
    rows = simulate(model).episodes
    cost = rows["shortfall_bps"] - rows["timing_bps"]
    assert abs(cost.mean() - value[1]) < 4.5 * cost.std() / np.sqrt(cost.size)

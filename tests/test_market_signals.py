"""[[market.signals]]: their law, what they predict, the price under them, agents that see them, bad input."""

from __future__ import annotations

import functools
import math

import numpy as np
import pyarrow.parquet as pq
import pytest

import fastexec as fx
from conftest import small_study
from fastexec.data.paths import MarketPaths
from fastexec.errors import InputError
from fastexec.learning.training import train
from fastexec.models.signals import rouwenhorst, strength_of
from fastexec.runs.check import examine
from fastexec.simulation import prepare, simulate
from fastexec.studies.study import Study
from naive import signals as twin
from test_control_variate import ALL, EPISODES, declared, scores

N = 20_000
STEPS = 12


def signal(predicts, name="x", **keys):
    return {"name": name, "predicts": predicts, "correlation": 0.3, **keys}


def walked(*signals, episodes=N, **market):
    """mid float64[e, t + 1], spread, volume and each signal float64[e, t]."""
    study = small_study(episodes=episodes, strategies=[{"model": "twap"}], market={**market, "signals": list(signals)})
    prepared = prepare(study)
    steps = {name: x.reshape(episodes, -1) for name, x in prepared.steps(0, episodes).items() if x.dtype == float}
    mid = np.column_stack((steps["mid"], prepared.run(0, episodes).markets["last_price"]))
    return mid, steps["spread"], steps["volume"], [steps[f"signal_{one['name']}"] for one in signals], study


def near(found, wanted, size):
    assert abs(found - wanted) < 5.0 / math.sqrt(size), (found, wanted)


def correlation(a, b):
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def test_values_are_the_twins_and_no_signal_moves_another():
    (x,), study = walked(signal("move", persistence=0.8), episodes=40)[3:]
    np.testing.assert_allclose(x, [twin.path(study.seed, e, STEPS, "x", 0.8) for e in range(40)], rtol=1e-9, atol=1e-9)
    first = signal("volatility", name="first", levels=5)
    both = walked(first, signal("move", persistence=0.8), episodes=40)[3]
    np.testing.assert_array_equal(both[1], x)
    np.testing.assert_array_equal(both[0], walked(first, episodes=40)[3][0])


@pytest.mark.parametrize("predicts", ["move", "volatility", "volume", "spread"])
def test_a_signal_without_correlation_changes_no_market(predicts):
    ours, plain = walked(signal(predicts, correlation=0.0), episodes=60), walked(episodes=60)
    for one, other in zip(ours[:3], plain[:3], strict=True):
        np.testing.assert_array_equal(one, other)
    assert declared(ours[4]) == [True]
    assert "timing_expected_bps" not in simulate(ours[4]).episodes


@pytest.mark.parametrize(
    "model", [{"persistence": 0.9}, {"persistence": 0.6, "levels": 2}, {"persistence": 0.9, "levels": 9}]
)
@pytest.mark.parametrize("price", [{"volatility": 0.004}, {"model": "arithmetic", "volatility": 0.4}])
def test_it_has_unit_variance_its_persistence_and_its_correlation_with_the_move(model, price):
    mid, _, _, (x,), _ = walked(signal("move", **model), price=price)
    moves = np.diff(mid, axis=1) if "model" in price else np.diff(np.log(mid), axis=1)
    near(x.std(axis=0).mean(), 1.0, N)
    near((x[:, 1:] * x[:, :-1]).mean(axis=0).max(), model["persistence"], N / 5)
    near(correlation(x, moves), 0.3, x.size)
    near(moves.std() / (price["volatility"]), 1.0, x.size)
    # A persistent signal makes moves correlate, and nothing but that: rho^2 phi.
    near(correlation(moves[:, 1:], moves[:, :-1]), 0.09 * model["persistence"], x.size / 3)
    rest = moves / price["volatility"] - 0.3 * x
    near(correlation(rest[:, :-1], x[:, 1:]), 0.0, x.size / 3)


@pytest.mark.parametrize("model", [{"persistence": 0.9}, {"persistence": 0.5, "levels": 3}])
def test_it_correlates_with_the_size_of_a_move_and_keeps_its_variance(model):
    mid, _, _, (x,), _ = walked(signal("volatility", correlation=0.4, **model), price={"volatility": 0.004})
    moves = np.diff(np.log(mid), axis=1) + 0.5 * 0.004**2
    near(correlation(x, np.abs(moves)), 0.4, x.size / 6)
    near(correlation(x, moves), 0.0, x.size / 3)
    assert (moves**2).mean() == pytest.approx(0.004**2, rel=0.02)


def test_it_predicts_volume_and_the_next_spread_whose_laws_stay():
    volume = {"mean": 1000.0, "volatility": 0.5, "persistence": 0.6}
    spread = {"mean": 0.0004, "reversion": 0.2, "volatility": 0.2}
    two = signal("volume", correlation=0.5, persistence=0.8), signal("spread", "y", correlation=-0.4, persistence=0.9)
    (_, spreads, volumes, (x, y), _), plain = (
        walked(*two, volume=volume, spread=spread),
        walked(volume=volume, spread=spread),
    )
    log_v, log_s = np.log(volumes), np.log(spreads)
    for t in (0, 5, STEPS - 1):  # stationary from the first step on
        near(log_v[:, t].std(), np.log(plain[2])[:, t].std(), N / 2)
        near(volumes[:, t].mean() / 1000.0, 1.0, N / 2)
        near(spreads[:, t].mean() / 0.0004, 1.0, N / 2)
    near(log_s.std(), np.log(plain[1]).std(), N)
    fresh = twin.trim([(0.5, 0.8)], 0.6) * math.sqrt(1.0 - 0.6**2)
    innovations = (log_v[:, 1:] - 0.6 * log_v[:, :-1]) / (0.5 * fresh)
    near(correlation(x[:, 1:], innovations), 0.5, x.size / 3)
    near(correlation(y[:, :-1], log_s[:, 1:] - 0.8 * log_s[:, :-1]), -0.4, x.size / 3)


def test_a_geometric_price_keeps_its_mean_over_389_steps():
    """Compensated as independent moves are, it would rise by exp(v^2 rho^2 sum phi^k): here by 29 bp, eight standard errors."""
    study = small_study(
        episodes=40_000,
        order={"steps": 389},
        strategies=[{"model": "immediate"}],
        market={"price": {"volatility": 0.001}, "signals": [signal("move", correlation=0.5, persistence=0.97)]},
    )
    last = simulate(study).markets["last_price"] / 100.0
    error = last.std() / 200.0
    naive = 1e-6 * 0.25 * sum((389 - k) * 0.97**k for k in range(1, 389))
    assert naive > 7.0 * error
    assert abs(last.mean() - 1.0) < 4.0 * error


MARKETS = {
    "move": ({"price": {"volatility": 0.01}, "signals": [signal("move")]}, {}),
    "chain": ({"price": {"model": "arithmetic", "volatility": 1.0, "start": "moved"},
               "signals": [signal("move", levels=3, persistence=0.5)]}, {"at_horizon": "mark"}),
    "all": ({"price": {"volatility": 0.01, "drift": 1e-4}, "halts": {"rate": 0.1, "length": 2.0},
             "variance": {"volatility": 0.4}, "noise": {"sd": 0.001, "tradable": True},
             "signals": [signal("move"), signal("move", "y", levels=3), signal("volatility", "z"), signal("volume", "v")],
             "correlation": {"price_volume": 0.4, "spread_volume": 0.2}}, {"side": "buy"}),
    "spread": ({"signals": [signal("spread"), signal("volume", "v")], "correlation": {"price_spread": 0.4}}, {}),
}  # fmt: skip


@pytest.mark.parametrize("name", list(MARKETS))
def test_the_unexpected_part_is_declared_and_has_mean_zero(name):
    market, order = MARKETS[name]
    study = small_study(episodes=EPISODES, strategies=ALL, market=market, order=order)
    assert declared(study) == [True] * 4
    assert np.all(np.abs(scores(study)) < 4)


def test_pov_that_sees_a_volume_which_knows_the_move_is_not_declared():
    market = {**MARKETS["move"][0], "volume": {"known": "during"}, "correlation": {"price_volume": 0.5}}
    study = small_study(episodes=EPISODES, strategies=ALL, market=market)
    assert declared(study) == [True, False, True, True]
    assert abs(scores(study)[1]) > 8


# ---- ORACLES 19: a chain x = +-1 that stays with probability .8; what is left pays .3 x a lot and step


@functools.cache
def exact(x, steps, left):
    """Least cost of ``left`` lots in so many steps, a slice q costs q (1 + q / 4)."""
    if steps == 0:
        return 0.0 if left == 0 else math.inf
    return min(
        q * (1.0 + 0.25 * q) + 0.3 * x * (left - q)
        + sum(p * exact(y, steps - 1, left - q) for y, p in ((x, 0.8), (-x, 0.2)))
        for q in range(left + 1)
    )  # fmt: skip


def oracle(rule="backward", **training):
    return Study.from_dict(
        {
            "seed": 4,
            "episodes": 20_000,
            "order": {"side": "buy", "shares": 6, "steps": 6, "lot": 1},
            "market": {
                "initial_price": 1000.0,
                "price": {"model": "arithmetic", "volatility": 1.0},
                "spread": {"model": "constant", "initial": 0.0},
                "volume": {"model": "constant", "mean": 1000.0},
                "signals": [signal("move", levels=2, persistence=0.6)],
            },
            "costs": {"temporary": {"model": "linear", "fixed": 1.0, "coefficient": 0.25}},
            "strategies": [{"model": "twap"}, {"name": "agent", "model": "qtable", "train": "a"}],
            "train": {
                "a": {
                    "rule": rule,
                    "rounds": 1,
                    "batch": 65_536,
                    "actions": {"set": "lots", "levels": list(range(7))},
                    "features": [{"name": "inventory", "bins": 7}, {"name": "x", "edges": [0.0]}],
                    **training,
                }
            },
        }
    )


def test_an_agent_that_sees_the_signal_finds_the_oracles_optimum():
    assert exact(-1, 6, 6) == pytest.approx(4.13920, abs=5e-6)
    assert exact(1, 6, 6) == pytest.approx(9.56416, abs=5e-6)
    study = oracle()
    prepared = prepare(study)
    results, steps = prepared.run(0, N), prepared.steps(0, N)
    first = steps["signal_x"].reshape(N, 2, 6)[:, 0, 0]
    cost = results.episodes["shortfall_bps"] - results.episodes["timing_unexpected_bps"]
    money = cost.reshape(N, 2) * 6_000.0 / 1e4
    near(money[:, 0].mean(), 7.5, N / 10)  # blind: 6 lots at 1.25, whatever is foretold of the rest
    for x in (-1.0, 1.0):
        some = money[first == x, 1]
        assert abs(some.mean() - exact(int(x), 6, 6)) < 4.0 * some.std() / math.sqrt(some.size) + 0.01
    kept = train(study, "a")
    assert kept.curve[-1]["training_bps"] * 0.6 == pytest.approx(0.5 * (4.13920 + 9.56416), abs=0.05)


# ---- its parts by themselves


@pytest.mark.parametrize(("levels", "persistence"), [(2, 0.6), (5, 0.9), (9, 0.0)])
def test_a_chain_is_rouwenhorsts(levels, persistence):
    law, (places, matrix) = rouwenhorst(levels, persistence), twin.rouwenhorst(levels, persistence)
    np.testing.assert_allclose(law.levels, places, atol=1e-12)
    np.testing.assert_allclose(law.transition, matrix, atol=1e-12)
    np.testing.assert_allclose(law.first @ law.transition, law.first, atol=1e-12)
    np.testing.assert_allclose(law.transition @ law.levels, persistence * law.levels, atol=1e-12)
    assert law.first @ law.levels**2 == pytest.approx(1.0)


def test_a_listed_chain_is_scaled_and_knows_its_persistence():
    listed = signal("move", levels=[0.0, 1.0, 2.0], transition=[[0.8, 0.2, 0.0], [0.1, 0.8, 0.1], [0.0, 0.2, 0.8]])
    *_, (x,), study = walked(listed)
    assert study.market.signals[0].memory == pytest.approx(0.8)
    near(x.std(), 1.0, x.size / 10)
    near((x[:, 1:] * x[:, :-1]).mean(), 0.8, x.size / 10)


@pytest.mark.parametrize("wanted", [-0.5, 0.02, 0.56])
def test_the_strength_gives_the_correlation_with_the_size_of_a_move(wanted):
    assert twin.correlation_with_size(strength_of(wanted)) == pytest.approx(wanted, abs=1e-7)


def test_dotted_keys_ranges_and_columns(tmp_path):
    study = Study.from_dict(
        {
            "episodes": 40,
            "order": {"shares": 1_000, "steps": 6},
            "market": {"signals": [signal("move", name="spy"), signal("volatility", "fear")]},
            "strategies": [{"model": "twap"}],
            "output": {"steps": 2},
        }
    )
    assert study.changed({"market.signals.spy.correlation": 0.1}).market.signals[0].correlation == 0.1
    with pytest.raises(
        InputError, match=r"^market.signals.sky.correlation: no signal of that name; did you mean 'spy'"
    ):
        study.changed({"market.signals.sky.correlation": 0.1})
    ranged = study.changed({"market.signals.spy.correlation": {"low": 0.0, "high": 0.2}})
    fx.run(ranged, out=tmp_path / "r")
    drawn = pq.read_table(tmp_path / "r" / "markets")["market.signals.spy.correlation"].to_numpy()
    assert 0.0 <= drawn.min() < drawn.max() <= 0.2
    steps = pq.read_table(tmp_path / "r" / "steps")
    assert steps.schema.names[-2:] == ["signal_spy", "signal_fear"]
    assert fx.verify(tmp_path / "r", sample=1)
    assert Study.load(tmp_path / "r" / "study.toml").identity() == ranged.identity()


def test_check_says_where_round_trips_pay():
    def said(**keys):
        made = Study.from_dict({"episodes": 50, "market": {"price": {"volatility": 0.0005}, "spread": {"mean": 0.0008},
                                "signals": [signal("move", **keys)]}, "strategies": [{"model": "twap"}]})  # fmt: skip
        return [line for line in examine(made).warnings if line.startswith("market.signals")]

    assert said(correlation=0.05, persistence=0.9) == []  # 2.5 bps against 4
    assert "foretells a move of 5 bps" in said(correlation=0.1, persistence=0.9)[0]


def test_given_paths_carry_no_signal():
    shape = (5, 12)
    given = MarketPaths(np.full(shape, 100.0), np.full(shape, 0.0004), np.full(shape, 900.0))
    with pytest.raises(InputError, match=r"^paths: given paths carry no signals; leave market.signals out$"):
        simulate(small_study(episodes=5, market={"signals": [signal("move")]}), paths=given)

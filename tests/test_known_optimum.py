"""When an optimum is known, when a numerical one, when none and why; and what is said of it."""

from __future__ import annotations

import numpy as np
import pytest

import fastexec as fx
from fastexec.data.paths import MarketPaths
from fastexec.errors import InputError
from fastexec.learning.axes import axes_of
from fastexec.learning.optimum import solve_optimum
from fastexec.learning.unknown import why_unknown
from fastexec.runs.check import examine
from fastexec.simulation import prepare, simulate
from foresight import CHAINS, GEOMETRIC, REGIMES, STILL, THREE, in_currency, study_of
from test_market_signals import signal


def said(study):
    return dict(examine(study).known)["optimum"]


def test_check_says_what_is_exact_what_numerical_and_what_is_of_no_matter():
    few = {"episodes": 50, "strategies": [{"model": "twap"}]}
    assert said(study_of({**STILL, "signals": [THREE]}, **few)).startswith("known: ")
    told = said(study_of({**STILL, "signals": [signal("move", persistence=0.9)]}, **few))
    assert told.startswith("numerical: ")
    assert "on 105 values of x (half as many change it by " in told
    assert told.endswith(" bps), played in 31 bins")
    still = {**STILL, "variance": {"volatility": 0.5}, "regimes": {**REGIMES, "known": False, "spread": [], "volume": [],
             "impact": [], "volatility": [0.5, 2.0]}, "signals": [signal("volatility", "fear")]}  # fmt: skip
    told = said(study_of(still, **few))
    assert told.startswith("known: ")
    assert told.endswith("; market.variance, market.regimes, market.signals.fear change no expected cost")


def test_a_numerical_one_is_called_so_wherever_it_is_named(tmp_path):
    study = study_of({**STILL, "signals": [signal("move", persistence=0.9)]}, order={"steps": 20, "shares": 1000},
                     strategies=[{"model": "twap"}, {"model": "optimum"}, {"name": "agent", "model": "qtable", "train": "a"}],
                     train={"a": {"rounds": 1, "batch": 2_048, "features": [{"name": "inventory", "bins": 11}, {"name": "x"}],
                                  "actions": {"set": "lots", "levels": list(range(11))}}})  # fmt: skip
    fx.run(study, out=tmp_path / "r")
    found = fx.compare(tmp_path / "r")
    assert [
        note
        for note in found.notes
        if note.startswith("optimum is a numerical optimum, no exact one: on 105 values of x")
    ]
    assert found.numerical
    fx.report(tmp_path / "r", out=tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text("utf-8")
    assert "The numerical optimum (optimum) saved" in page
    assert "is a numerical optimum, no exact one" in page
    assert "exact optimum" not in page


@pytest.mark.parametrize(
    ("study", "reason"),
    [
        (lambda: study_of({**STILL, "regimes": {**REGIMES, "known": False}}), "set market.regimes.known = true"),
        (lambda: study_of({**STILL, "variance": {"volatility": 0.5}}, costs={"temporary": {"volatility_exponent": 1.0}}),
         "market.variance changes what trading costs from step to step, and nobody sees it"),
        (lambda: study_of({**STILL, "variance": {"volatility": 0.5}, "signals": [THREE]}),
         "market.variance changes what signals foretell"),
        (lambda: study_of({**STILL, "halts": {"rate": 0.1}}), "market.halts changes what trading costs"),
        (lambda: study_of({**STILL, "noise": {"sd": 0.001, "tradable": True}}), "market.noise is tradable"),
        (lambda: study_of({**STILL, "price": {"model": "arithmetic", "volatility": 0.1}, "signals": [THREE]}),
         "set market.price.model = geometric"),
        (lambda: in_currency({"price": GEOMETRIC, "signals": [THREE]}), "set market.price.model = arithmetic"),
        (lambda: study_of({**STILL, "signals": [THREE, signal("volatility", "fear", levels=3)]}),
         "market.signals.fear changes the volatility"),
        (lambda: study_of({**STILL, "signals": [THREE], "regimes": {**REGIMES, "volatility": [1.0, 2.0]}}),
         "market.regimes changes the volatility"),
        (lambda: study_of({**CHAINS, "volume": {**CHAINS["volume"], "levels": [500.0, 1200.0]}, "regimes": REGIMES}),
         "look alike"),
        (lambda: study_of({**STILL, "signals": [signal("move", name, levels=9, correlation=0.1) for name in "abcd"]}),
         "cells, more than 100,000,000; give signals fewer levels"),
        (lambda: study_of({**CHAINS, "regimes": REGIMES, "signals": [signal("move", n, levels=2) for n in "abc"]}),
         "it depends on 7 features, more than the 6 of a table"),
        (lambda: study_of({**STILL, "signals": [signal("move", correlation={"low": 0.1, "high": 0.2})]}),
         "is drawn for each episode"),
    ],
)  # fmt: skip
def test_why_none_is_known(study, reason):
    assert reason in why_unknown(study())
    with pytest.raises(InputError, match="no optimum is known"):
        prepare(study())


@pytest.mark.parametrize("model", ["optimum", "qtable"])
def test_who_sees_the_regime_does_not_play_given_paths(model):
    """They carry none: the first one would be seen in every step."""
    agent = {"name": "agent", "model": model} | ({"train": "a"} if model == "qtable" else {})
    features = [{"name": "inventory", "bins": 5}, {"name": "regime", "edges": [0.5]}]
    study = study_of({**STILL, "regimes": REGIMES}, episodes=3, strategies=[{"model": "twap"}, agent],
                     train={"a": {"features": features, "rounds": 1, "batch": 64}})  # fmt: skip
    paths = MarketPaths(np.full((3, 5), 50.0), np.full((3, 5), 0.002), np.full((3, 5), 700.0))
    with pytest.raises(InputError, match=r"^strategies.agent: it sees the regime, and given paths carry none$"):
        simulate(study, paths=paths)


def test_a_grid_is_as_fine_as_there_is_room_for():
    """Two AR(1) signals: fewer values of each."""
    one = study_of({**STILL, "signals": [signal("move", persistence=0.999)]})
    two = study_of({**STILL, "signals": [signal("move", persistence=0.999), signal("move", "y")]})
    (fine,), coarse = axes_of(one), axes_of(two)
    assert fine.law.levels.size == 521
    assert [axis.law.levels.size for axis in coarse] == [53, 53]
    assert why_unknown(two) is None
    assert abs(solve_optimum(one).halved_bps) < 0.05

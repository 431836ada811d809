"""[[market.signals]]: what makes no sense is refused in one line."""

from __future__ import annotations

import pytest

from fastexec.errors import InputError
from fastexec.studies.study import Study
from test_market_signals import signal

MATRIX = [[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.0, 0.5, 0.5]]


@pytest.mark.parametrize(
    ("market", "said"),
    [
        ({"signals": [signal("move", name=f"x{j}") for j in range(5)]}, "market: signals: there are 5; at most 4"),
        ({"signals": [signal("move"), signal("spread")]}, "market: signals: 'x' are names of two"),
        ({"signals": [signal("move", "spread")]}, "'spread' is a feature or a column already"),
        ({"signals": [signal("move", "own_impact")]}, "'own_impact' is a feature or a column already"),
        ({"signals": [signal("weather")]}, "market.signals.x.predicts: must be 'move', 'volatility'"),
        ({"signals": [signal("move", correlation=1.2)]}, "market.signals.x.correlation: must be at most 1"),
        ({"signals": [signal("volatility", correlation=0.6)]}, "at most 0.569 is attainable, not 0.6"),
        ({"signals": [signal("volatility", correlation=0.9, levels=2)]}, "is attainable, not 0.9"),
        ({"signals": [signal("move", correlation=0.8), signal("move", "y", correlation=0.7)]}, "cannot all be"),
        ({"signals": [signal("volume", correlation=0.9)], "correlation": {"price_volume": 0.6}}, "cannot all be"),
        ({"signals": [signal("volume")], "volume": {"model": "constant"}}, "of model constant cannot be predicted"),
        ({"signals": [signal("spread")], "spread": {"model": "random_walk"}}, "cannot be predicted; set mean_reverting"),
        ({"signals": [signal("volume", levels=3)]}, "a chain predicts a move or its size"),
        ({"signals": [signal("move", levels=3, persistence={"low": 0.1, "high": 0.5})]}, "that of a chain is one number"),
        ({"signals": [signal("move", persistence=1.0)]}, "market.signals.x.persistence: must be at most 0.999"),
        ({"signals": [signal("move", levels=40)]}, "market.signals.x.levels: must be at most 32, not 40"),
        ({"signals": [signal("move", levels=1)]}, "market.signals.x.levels: must be at least 2, not 1"),
        ({"signals": [signal("move", levels="a")]}, "market.signals.x.levels: must be a whole number, not 'a'"),
        ({"signals": [signal("move", levels=[1])]}, "market.signals.x.levels: must have at least 2 values, not 1"),
        ({"signals": [signal("move", transition=MATRIX)]}, "transition: it needs levels"),
        ({"signals": [signal("move", levels=[0, 1], transition=MATRIX)]}, "must be a matrix of 2 rows and 2 columns"),
        ({"signals": [signal("move", levels=[0, 1, 9], transition=MATRIX)]}, "the mean of the next level must be a share"),
        ({"signals": [signal("move", levels=[0, 2, 1], transition=MATRIX)]}, "they must rise"),
        ({"signals": [signal("move", levels=[0, 1], transition=[[0.5, 0.4], [0.5, 0.5]])]}, "adds up to 0.9"),
        ({"signals": [{"predicts": "move", "correlation": 0.1}]}, "name: is missing"),
        ({"signals": [signal("move", halflife=3)]}, "market.signals.x.halflife: unknown key"),
        ({"signals": {"name": "x"}}, "market.signals: must be a list"),
        ({"signals": [signal("move", column="index")]}, "market.signals.x.column: only bars of real days have columns"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_one_line(market, said):
    with pytest.raises(InputError) as found:
        Study.from_dict({"strategies": [{"model": "twap"}], "market": market})
    assert said in str(found.value)
    assert "\n" not in str(found.value)


def test_an_agent_sees_only_signals_that_there_are():
    features = [{"name": "inventory"}, {"name": "weathr"}]
    keys = {"strategies": [{"model": "twap"}], "train": {"a": {"features": features}}}
    with pytest.raises(InputError, match=r"train.a.features.weathr: no feature and no signal; did you mean 'weather'"):
        Study.from_dict({**keys, "market": {"signals": [signal("move", "weather")]}})

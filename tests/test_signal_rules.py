"""``follow_signal``: which costs it counts, what ``check`` says of it, its control variate, what is refused in one line."""

from __future__ import annotations

import numpy as np
import pytest

from conftest import small_study
from fastexec.errors import InputError
from fastexec.planning.expectation import expect
from fastexec.planning.follow_signal import slopes
from fastexec.runs.check import examine
from fastexec.simulation import prepare
from fastexec.studies.study import Study
from test_control_variate import EPISODES, declared, scores
from test_follow_signal import WEAK, linear
from test_market_signals import MARKETS, signal


def test_a_power_law_is_replaced_along_the_volume_and_permanent_impact_counts_as_it_differs():
    volume = {"model": "constant", "mean": 1000.0}
    study = small_study(
        market={"volume": volume, "signals": [signal("move")]}, strategies=[{"model": "follow_signal"}],
        costs={"temporary": {"coefficient": 0.002, "exponent": 0.6}, "permanent": {"coefficient": 1e-6, "own": 0.2}},
    )  # fmt: skip
    k = slopes(study, expect(study)[0])
    np.testing.assert_allclose(k, 100.0 * 0.002 * 0.1**0.6 / 100.0 - 0.3e-6, rtol=1e-12)
    coarse = slopes(study.changed({"order.lot": 400}), expect(study.changed({"order.lot": 400}))[0])
    np.testing.assert_allclose(coarse, 100.0 * 0.002 * 0.4**0.6 / 400.0 - 0.3e-6, rtol=1e-12)
    curved = study.changed(
        {"market.volume": {"mean": 1000.0, "volatility": 0.0, "day_volatility": 0.0, "curve": [2.0, 1.0]}}
    )
    market = expect(curved)[0]
    even = 1200.0 * market.volume / market.volume.sum()
    np.testing.assert_allclose(
        slopes(curved, market), 100.0 * 0.002 * (even / market.volume) ** 0.6 / even - 0.3e-6, rtol=1e-9
    )


@pytest.mark.parametrize("side", ["buy", "sell"])
@pytest.mark.parametrize("drift", [0.0, 0.002, -0.002])
def test_where_nothing_is_foretold_it_is_almgren_and_chriss(drift, side):
    """Their closed form with drift (eq. 26), risk aversion and a permanent impact of which a trade pays a third."""
    study = small_study(
        episodes=3, order={"side": side, "shares": 48_000, "lot": 0},
        market={"price": {"model": "arithmetic", "volatility": 0.05, "drift": drift}, "spread": {"model": "constant"},
                "volume": {"model": "constant"}, "signals": [signal("move", correlation=0.0)]},
        costs={"temporary": {"model": "linear", "coefficient": 1e-5}, "permanent": {"coefficient": 3e-6, "own": 0.3}},
        strategies=[{"model": model, "risk_aversion": 1e-3} for model in ("follow_signal", "almgren_chriss")],
    )  # fmt: skip
    shares = prepare(study).steps(0, 3)["shares"].reshape(3, 2, 12)
    np.testing.assert_allclose(shares[:, 0], shares[:, 1], rtol=1e-9, atol=1e-6)
    assert shares[0, 0, 0] > 1.2 * 4_000.0


def test_check_says_what_it_follows_and_which_cost_it_counts():
    def said(study):
        (text,) = [text for label, text in examine(study.changed({"episodes": 50})).known if label == "follow_signal"]
        return text

    assert said(linear(WEAK)) == (
        "follows x, slices between 0 and what is left (no cheaper rule without these bounds): a linear temporary cost of 1e-05 "
        "currency a share and share"
    )
    heuristic = said(small_study(market={"signals": [signal("move")]}, strategies=[{"model": "follow_signal"}]))
    assert "(a heuristic)" in heuristic
    assert "which equals the study's power law at slices along the expected volume" in heuristic
    assert heuristic.endswith("; transient impact is not counted")


def test_the_unexpected_part_is_declared_and_has_mean_zero():
    following = [{"model": "follow_signal"}, {"model": "follow_signal", "name": "slow", "risk_aversion": 1e-4}]
    for name in ("move", "chain", "all"):
        market, order = MARKETS[name]
        study = small_study(episodes=EPISODES, strategies=following, market=market, order=order)
        assert declared(study) == [True, True]
        assert np.all(np.abs(scores(study)) < 4.0)


MOVED = {"signals": [signal("move", "spy"), signal("volume", "busy")]}
DAYS = {"symbol": "S", "bars": "b.parquet"}


@pytest.mark.parametrize(
    ("market", "keys", "said"),
    [
        ({}, {}, "strategies.a.model: the market has no signal that predicts the move; add one of predicts"),
        ({"signals": [signal("spread")]}, {}, "strategies.a.model: the market has no signal that predicts the move"),
        (
            MOVED,
            {"signals": ["sky"]},
            "strategies.a.signals: no signal 'sky' that predicts the move; did you mean 'spy'?",
        ),
        (MOVED, {"signals": ["busy"]}, "strategies.a.signals: no signal 'busy' that predicts the move; there are spy"),
        (MOVED, {"signals": ["spy", "spy"]}, "strategies.a.signals: 'spy' is named twice; name it once"),
        (MOVED, {"signals": "spy"}, "strategies.a.signals: must be a list"),
        (MOVED, {"risk_aversion": -1.0}, "strategies.a.risk_aversion: must be at least 0"),
        (MOVED, {"signal": "spy"}, "strategies.a.signal: unknown key; did you mean 'signals'?"),
        ({"model": "replay", **DAYS}, {}, "strategies.a.model: of real days no signal's law is known"),
        ({"model": "bootstrap", **DAYS}, {}, "strategies.a.model: of real days no signal's law is known"),
    ],
)
def test_what_it_cannot_follow_is_one_line(market, keys, said):
    with pytest.raises(InputError) as found:
        Study.from_dict({"strategies": [{"model": "follow_signal", "name": "a", **keys}], "market": market})
    assert said in str(found.value)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("temporary", [{"coefficient": 0.0}, {"model": "linear", "fixed": 0.01}])
def test_a_cost_that_does_not_rise_with_the_slice_is_one_line(temporary):
    study = small_study(
        market={"signals": [signal("move")]}, strategies=[{"model": "follow_signal"}], costs={"temporary": temporary}
    )
    with pytest.raises(InputError, match="follow_signal needs a temporary cost that rises with the slice") as found:
        prepare(study.changed({"costs.permanent.coefficient": 0.0}))
    assert "\n" not in str(found.value)

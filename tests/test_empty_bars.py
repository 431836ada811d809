"""Bars without a trade: an order may cross the quote that stands, so that a vanished slice is no look-ahead; halts stop all."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from fastexec.calibration.panel import session_of
from fastexec.data.bars import read_bars
from fastexec.data.replay import Wanted, replay_windows
from fastexec.errors import InputError
from fastexec.models.actions import Actions
from fastexec.models.study import StudyModel
from fastexec.planning.policies import Cut, TablePolicy
from fastexec.runs.check import examine
from fastexec.simulation import prepare, simulate
from fastexec.studies.study import Study
from naive.execution import execute
from naive.real_days import windows as naive_windows
from real_days import halted, some_days, write

COSTS = {"temporary": {"coefficient": 0.01, "exponent": 0.6}, "permanent": {"coefficient": 1e-6}}
STRATEGIES = [{"model": "twap"}, {"model": "vwap"}, {"model": "pov", "rate": 0.1}, {"model": "immediate"}]


def study_of(path: Path, steps: int, market=None, strategies=STRATEGIES, **order) -> StudyModel:
    return StudyModel.model_validate(
        {
            "order": {"shares": 2_000, "steps": steps, "side": "buy", **order},
            "market": {"model": "replay", "bars": str(path), "symbol": "S", **(market or {})},
            "costs": COSTS,
            "strategies": strategies,
        }
    )


def fractions_of(model: str, expected: list[float]) -> list[float]:
    weights = {"vwap": expected, "immediate": [1.0] + [0.0] * (len(expected) - 1)}.get(model, [1.0] * len(expected))
    return [sum(weights[:t]) / sum(weights) for t in range(len(weights) + 1)]


def check_against_twin(study: StudyModel, days, **asked) -> None:
    """Every column of every strategy in every window, to 1e-11."""
    resolved = json.loads(study.model_dump_json())
    found, steps = simulate(study), study.order.steps
    wanted = naive_windows(days, steps, **asked)
    assert found.markets["day"].tolist() == [window.day for window in wanted]
    for e, window in enumerate(wanted):
        for k, strategy in enumerate(resolved["strategies"]):
            pov = strategy["model"] == "pov"
            twin = execute(
                window.path,
                resolved["order"],
                resolved["costs"],
                strategy if pov else {"model": "schedule"},
                "after",
                None if pov else fractions_of(strategy["model"], window.expected),
                last_volume=[volume for volume in window.expected if volume > 0.0][-1],
            )
            for name, value in twin.items():
                ours = found.episodes[name][e * len(STRATEGIES) + k]
                np.testing.assert_allclose(
                    ours, value, rtol=1e-11, atol=1e-9, err_msg=f"{e} {strategy['model']} {name}"
                )


@pytest.mark.parametrize("rule", ["complete", "mark", "leave"])
@pytest.mark.parametrize("empty", [0.0, 0.4, 0.95])
def test_replayed_costs_with_empty_bars_are_the_twins(tmp_path, empty, rule):
    days = some_days(1, [25] * 4, empty)
    study = study_of(write(days, tmp_path / "b.parquet"), 8, at_horizon=rule, lot=0)
    check_against_twin(study, days)


@pytest.mark.parametrize("side", ["buy", "sell"])
@pytest.mark.parametrize("at", [[9], [1, 2, 3], [8, 16], list(range(10, 24))])
def test_halts_stop_everybody(tmp_path, at, side):
    days = some_days(2, [25] * 4, 0.3)
    days[20131008] = halted(days[20131008], at)
    study = study_of(write(days, tmp_path / "b.parquet"), 8, lot=0, side=side)
    check_against_twin(study, days)


def test_a_flag_halts_a_bar_whatever_its_quote(tmp_path):
    days = some_days(3, [20] * 3)
    flags = [bar.day == 20131008 and bar.second == 34_200 + 60 * 5 for day in days.values() for bar in day]
    path = write(days, tmp_path / "b.parquet", halted=flags)
    found = prepare(study_of(path, 6)).steps(0, 9)
    shares = found["shares"].reshape(9, 4, 6)[3]  # the first window of the second day: bars 1 to 6
    assert (shares[:, 4:] == 0.0).all()  # bar 5 is halted, bar 6 begins without a quote
    assert (shares[[0, 1, 2], :4] > 0.0).all()
    assert found["volume"].reshape(9, 4, 6)[3, 0, 4] == days[20131008][5].volume > 0.0  # it traded before the halt
    assert simulate(study_of(path, 6)).episodes["residual_bps"].reshape(9, 4)[3, 0] > 0.0  # marked at the last quote
    plain = simulate(study_of(write(days, tmp_path / "c.parquet", halted=[False] * 60), 6))
    same = simulate(study_of(write(days, tmp_path / "d.parquet"), 6))
    np.testing.assert_array_equal(plain.episodes["shortfall_bps"], same.episodes["shortfall_bps"])


def test_flags_that_are_none(tmp_path):
    days = some_days(3, [20] * 3)
    with pytest.raises(InputError, match="column halted holds 7; it must be true or false") as caught:
        read_bars(write(days, tmp_path / "b.parquet", halted=[0] * 59 + [7]), "S")
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="column halted is of type string; it must hold true and false"):
        read_bars(write(days, tmp_path / "c.parquet", halted=["no"] * 60), "S")


def test_a_bar_with_volume_and_no_quote_is_no_halt(tmp_path):
    days = some_days(4, [20] * 3)
    days[20131008][5] = days[20131008][5]._replace(bid=None, ask=None)
    with pytest.raises(InputError, match="1 of 20 bars have no positive bid and ask, the first at 09:35:00"):
        replay_windows(read_bars(write(days, tmp_path / "b.parquet"), "S"), 5, 5)


def test_no_window_begins_in_a_halt_and_all_of_it_is_said(tmp_path):
    days = some_days(5, [21] * 3)
    days[20131008] = halted(days[20131008], [10, 11])
    days[20131009][3] = days[20131009][3]._replace(volume=0.0)
    windows = replay_windows(read_bars(write(days, tmp_path / "b.parquet"), "S"), 10, 10)
    assert windows.day.tolist() == [20131007, 20131007, 20131008, 20131009, 20131009]
    assert windows.warnings == (
        "windows that would begin where no quote stands: 1, left out",
        "bars that are halted, or begin without a quote: 1; nobody trades in them",
        "bars with quotes and no volume: 1; orders may cross there, their impact by the volume that other days lead to expect",
    )
    days = {day: halted(bars, range(21)) if day == 20131008 else bars for day, bars in days.items()}
    windows = replay_windows(read_bars(write(days, tmp_path / "c.parquet"), "S"), 10, 10)
    assert windows.day.tolist() == [20131007, 20131007, 20131009, 20131009]
    assert windows.warnings[0] == "too short for a window and left out: 20131008"
    with pytest.raises(InputError, match="no quote stands where any of the 2 windows would begin"):
        replay_windows(read_bars(tmp_path / "c.parquet", "S"), 10, 10, Wanted(days=(20131008,)))


def test_the_rate_in_an_empty_bar_is_by_other_days_never_by_one_share_or_none(tmp_path):
    days = some_days(6, [12] * 3, 0.5)
    for day in (20131007, 20131009):
        days[day][4] = days[day][4]._replace(volume=0.0)  # at that time nothing ever traded on the other days
    days[20131008][4] = days[20131008][4]._replace(volume=0.0)
    bars = read_bars(write(days, tmp_path / "b.parquet"), "S")
    for wanted in (Wanted(), Wanted(curve_days=(20131007, 20131008, 20131009)), Wanted(leave_own=False)):
        windows = replay_windows(bars, 11, 11, wanted)
        for e, window in enumerate(naive_windows(days, 11)):
            np.testing.assert_allclose(windows.rate_volume[e], window.path.met, rtol=1e-14)
            assert windows.rate_volume[e].min() > 100.0
            np.testing.assert_array_equal(windows.paths.volume[e], window.path.volume)
    alone = replay_windows(bars, 11, 11, Wanted(days=(20131008,), curve_days=(20131008,)))
    empty = alone.paths.volume == 0.0
    np.testing.assert_allclose(alone.rate_volume[empty], alone.paths.volume.mean())


def martingale(seed: int, count: int) -> dict:
    """Days whose volume knows the coming move: none where the price falls."""
    rng = np.random.default_rng(seed)
    days = some_days(seed, [11] * count)
    for day, bars in days.items():
        moves = 0.05 * rng.choice([-1.0, 1.0], len(bars))
        mids = 50.0 + moves.cumsum()
        days[day] = [
            bar._replace(bid=mid - 0.01, ask=mid + 0.01, volume=1_000.0 if move > 0.0 else 0.0)
            for bar, mid, move in zip(bars, mids.tolist(), moves.tolist(), strict=True)
        ]
    return days


LATE = {"model": "schedule", "weights": [0.0] * 5 + [1.0] * 5}
RANDOM = {"model": "random"}


@pytest.mark.parametrize("strategy", [{"model": "twap"}, {"model": "vwap"}, LATE, RANDOM], ids=lambda s: s["model"])
@pytest.mark.parametrize("side", ["buy", "sell"])
@pytest.mark.parametrize(
    "market", [{}, {"model": "bootstrap", "block": 3.0, "initial_price": 50.0}], ids=["replay", "boot"]
)
def test_a_volume_that_knows_the_move_pays_nobody(tmp_path, strategy, side, market):
    """The price is a martingale, so no timing gains: slices that vanished where nothing traded gained 5 bps and more."""
    count = 2_000
    path = write(martingale(7, count), tmp_path / "b.parquet")
    timing = simulate(study_of(path, 10, market, [strategy], side=side, lot=0)).episodes["timing_bps"]
    assert timing.std() > 5.0
    error = timing.std() * np.sqrt(
        1.0 / timing.size + (1.0 / count if market else 0.0)
    )  # a bootstrap draws from the days
    assert abs(timing.mean()) < 4.0 * error


def test_pov_does_not_trade_where_nothing_does(tmp_path):
    days = martingale(8, 50)
    study = study_of(write(days, tmp_path / "b.parquet"), 10, strategies=[{"model": "pov", "rate": 0.1}], shares=50_000)
    found = prepare(study).steps(0, 50)
    own = np.delete(np.arange(500), np.arange(9, 500, 10))  # the last step completes the order
    assert (found["volume"] == 0.0).any()
    np.testing.assert_allclose(found["shares"][own], 0.1 * found["volume"][own])


def test_shares_bought_where_the_market_traded_nothing_are_no_share_of_its_volume(tmp_path):
    days = some_days(9, [6] * 3)
    days[20131007] = [bar._replace(volume=0.0) for bar in days[20131007]]
    found = simulate(study_of(write(days, tmp_path / "b.parquet"), 5, strategies=[{"model": "twap"}]))
    assert np.isnan(found.episodes["participation"]).tolist() == [True, False, False]
    assert np.isnan(found.episodes["vwap_slippage_bps"]).tolist() == [True, False, False]
    assert (found.episodes["max_participation"] > 0.0).all()
    assert found.to_arrow()["participation"].null_count == 1


def test_an_agent_sees_what_traded_not_what_it_may_trade_against(tmp_path):
    """It trades a lot where something traded in the step before; in an empty bar it may trade, and there it sees 0."""
    path = write(some_days(10, [21] * 4, 0.5), tmp_path / "b.parquet")
    features = [{"name": "volume", "edges": [0.5]}, {"name": "inventory", "bins": 2}]
    base = study_of(path, 10, at_horizon="leave", lot=10).model_dump()
    agent = {"strategies": [{"model": "qtable", "name": "q", "train": "a"}], "train": {"a": {"features": features}}}
    for known, shift in (("after", 1), ("during", 0)):
        study = StudyModel.model_validate(base | agent | {"market": base["market"] | {"known": known}})
        cuts = (Cut("volume", 2, np.array([0.5]), 0), Cut("inventory", 2, np.zeros(0), 0))
        actions = Actions(set="lots", levels=(0.0, 1.0))
        table = np.tile(np.array([0, 1, 0, 1], np.uint16), (10, 1))
        prepared = prepare(study, policies={"q": TablePolicy(cuts, actions, table, np.zeros(11))})
        found = prepared.steps(0, 8)
        shares, volume = (found[name].reshape(8, 10) for name in ("shares", "volume"))
        assert (volume == 0.0).any()
        seen = volume[:, : 10 - shift] > 0.0
        np.testing.assert_array_equal(shares[:, shift:], 10.0 * seen)


def test_bootstrapped_halts_stop_everybody_and_move_no_price_to_nowhere(tmp_path):
    days = some_days(12, [21] * 4)
    days[20131008] = halted(days[20131008], [5, 6])
    path = write(days, tmp_path / "b.parquet")
    study = study_of(path, 10, {"model": "bootstrap", "block": 2.0}, lot=0).changed({"episodes": 500})
    found = prepare(study).steps(0, 500)
    stopped = found["volume"] == 0.0
    assert stopped.any()
    assert (found["shares"][stopped] == 0.0).all()
    assert np.isfinite(found["mid"]).all()


def test_calibration_takes_halted_bars_for_missing(tmp_path):
    days = some_days(13, [61] * 3)
    days[20131008] = halted(days[20131008], [20])
    panel = session_of(read_bars(write(days, tmp_path / "b.parquet"), "S")).panel
    missing = np.isnan(panel.volume)
    assert missing.sum() == 1
    assert missing[1, 19]
    assert np.isnan(panel.move).sum() == 2  # into it and out of it


@pytest.mark.parametrize(
    ("volume", "why"),
    [
        ({"model": "cosine", "noise": 5_000.0}, "market.volume.floor is 0"),
        (
            {"model": "markov", "levels": [0.0, 9.0], "transition": [[0.5, 0.5], [0.5, 0.5]]},
            "a level of market.volume is 0",
        ),
        ({"model": "cosine", "noise": 5_000.0, "floor": 1.0}, None),
        ({"model": "markov", "levels": [1.0, 9.0], "transition": [[0.5, 0.5], [0.5, 0.5]]}, None),
        ({"model": "lognormal"}, None),
    ],
)
def test_check_says_where_fills_of_a_synthetic_market_know_the_volume(volume, why):
    said = examine(Study.from_dict({"market": {"volume": volume}, "strategies": [{"model": "twap"}]})).warnings
    line = (
        f"{why}: some steps have no volume, and nobody trades in them, so fills know a step's volume before it is over"
    )
    assert [text for text in said if "no volume" in text] == ([] if why is None else [line])

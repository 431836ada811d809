"""What a further column of bars tells of coming moves: correlations by horizon against closed forms, and their errors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import fastexec as fx
from fastexec.calibration.calibrate import calibrate
from fastexec.calibration.panel import session_of
from fastexec.calibration.predictive import HORIZONS, predictive, predictive_lines
from fastexec.cli.calibrate import calibrate as calibrate_verb
from fastexec.cli.tables import show_calibration
from fastexec.data.bars import Bars
from fastexec.errors import InputError
from test_market_files import frame, written

DAYS, STEPS = 10, 60


def right(correlation: float, persistence: float, horizon: int) -> float:
    """Of an AR(1) x of variance 1 with the sum of moves c x + sqrt(1 - c^2) z over the next steps."""
    told = correlation * sum(persistence**j for j in range(horizon))
    twice = 2 * sum((horizon - k) * correlation**2 * persistence**k for k in range(1, horizon))
    return told / float(np.sqrt(horizon + twice))


def bars_of(values: np.ndarray, moves: np.ndarray, **more: np.ndarray) -> Bars:
    """A bar before the first move of each day, and one at the end of each; ``values`` stand when a move begins."""
    days, steps = moves.shape
    mid = 100.0 * np.exp(np.column_stack((np.zeros(days), np.cumsum(moves, axis=1))))
    last = np.column_stack((values, np.zeros(days)))
    count = days * (steps + 1)
    second = np.tile(34_200 + 60 * np.arange(steps + 1), days).astype(np.int32)
    return Bars(
        "made", "S", "", np.repeat(np.arange(20240301, 20240301 + days), steps + 1).astype(np.int32), second,
        mid.ravel() * 0.9999, mid.ravel() * 1.0001, np.full(count, 100.0), 0.01, signals={"x": last.ravel()} | more,
    )  # fmt: skip


def drawn(rng: np.random.Generator, correlation: float, persistence: float) -> tuple[np.ndarray, np.ndarray]:
    x = np.empty((DAYS, STEPS))
    x[:, 0] = rng.standard_normal(DAYS)
    for t in range(1, STEPS):
        x[:, t] = persistence * x[:, t - 1] + np.sqrt(1.0 - persistence**2) * rng.standard_normal(DAYS)
    tails = rng.standard_t(5, x.shape) / np.sqrt(5.0 / 3.0)
    days = np.exp(0.3 * rng.standard_normal((DAYS, 1)))
    return x, 1e-3 * (correlation * x + days * np.sqrt(1.0 - correlation**2) * tails)


def measured(values: np.ndarray, moves: np.ndarray) -> dict[int, dict[str, float]]:
    bars = bars_of(values, moves)
    session = session_of(bars)
    return {row["horizon"]: row for row in predictive(bars, session, session.days).to_pylist()}


@pytest.mark.parametrize(("correlation", "persistence"), [(0.0, 0.9), (0.1, 0.9), (0.2, 0.5)])
def test_correlations_by_horizon_and_the_coverage_of_their_errors(correlation: float, persistence: float) -> None:
    rng, sets = np.random.default_rng(11), 100
    found = [measured(*drawn(rng, correlation, persistence)) for _ in range(sets)]
    for horizon in HORIZONS:
        true = right(correlation, persistence, horizon)
        own = np.array([one[horizon]["correlation"] for one in found])
        error = np.array([one[horizon]["standard_error"] for one in found])
        assert abs(own.mean() - true) < 4.0 * own.std(ddof=1) / np.sqrt(sets) + 0.02 * horizon / STEPS
        assert np.mean(np.abs(own - true) < 1.96 * error) >= 0.88  # 0.95 less three standard errors
        assert error.mean() == pytest.approx(own.std(ddof=1), rel=0.25)
        assert found[0][horizon]["pairs"] == DAYS * (STEPS - horizon + 1)
    assert np.mean([one[1]["persistence"] for one in found]) == pytest.approx(persistence, abs=0.04)


def test_a_value_is_that_of_the_bar_before_and_no_move_crosses_a_night() -> None:
    rng = np.random.default_rng(1)
    moves = 1e-3 * rng.standard_normal((4, 30))
    knows = measured(moves, moves)  # when a step begins, its own move
    assert knows[1]["correlation"] == pytest.approx(1.0, abs=1e-6)
    late = np.column_stack((np.full(4, np.nan), moves[:, :-1]))
    assert abs(measured(late, moves)[1]["correlation"]) < 0.3
    assert measured(late, moves)[1]["pairs"] == 4 * 29
    by_hand = np.array([moves[d, t : t + 5].sum() for d in range(4) for t in range(26)])
    told = np.corrcoef(moves[:, :26].ravel(), by_hand)[0, 1]
    assert knows[5]["correlation"] == pytest.approx(told, abs=0.02)


def test_the_error_is_that_of_the_products_of_single_moves() -> None:
    """Hodrick (1992), by hand: each move times the values that stood before it within the horizon."""
    rng = np.random.default_rng(2)
    x, moves = drawn(rng, 0.1, 0.8)
    found, horizon = measured(x, moves), 5
    c, total, size = x - x.mean(), 0.0, [0.0, 0.0]
    for d in range(DAYS):
        for t in range(STEPS):
            held = sum(c[d, s] for s in range(max(0, t - horizon + 1), t + 1) if s <= STEPS - horizon)
            total += (held * (moves[d, t] - moves.mean())) ** 2
    ahead = np.array([[moves[d, t : t + horizon].sum() for t in range(STEPS - horizon + 1)] for d in range(DAYS)])
    size = (c[:, : STEPS - horizon + 1] ** 2).sum() * ((ahead - ahead.mean()) ** 2).sum()
    assert found[horizon]["standard_error"] == pytest.approx(np.sqrt(total / size), rel=1e-9)


# ---- from files


def with_column(path: Path, **columns: object) -> Path:
    rng = np.random.default_rng(3)
    table = frame()
    return written(path, table.assign(**({"imbalance": rng.standard_normal(len(table))} | columns)))


@pytest.mark.slow
def test_a_column_of_the_file_is_measured_and_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = with_column(tmp_path / "b.parquet")
    found = calibrate(fx.read_bars(path, "ZZZ", signals=["imbalance", "volume"]), episodes=100)
    assert found.signals["signal"].to_pylist() == ["imbalance"] * 5 + ["volume"] * 5  # a column of ours too
    assert f"# {predictive_lines(found.signals)[0]}" in found.to_toml()
    words = [str(path), "--symbol", "ZZZ", "--episodes", "100", "--signal", "imbalance"]
    shown = CliRunner().invoke(calibrate_verb, words, catch_exceptions=False).output
    assert "imbalance" in shown
    assert "20 steps" in shown
    show_calibration(found, "json")
    told = json.loads(capsys.readouterr().out)["signals"]
    assert [row["horizon"] for row in told] == [*HORIZONS, *HORIZONS]


def test_a_csv_and_absent_bars(tmp_path: Path) -> None:
    table = frame()
    table["imbalance"] = np.arange(len(table), dtype=float)
    table.to_csv(tmp_path / "b.csv", index=False)
    assert fx.read_bars(tmp_path / "b.csv", "ZZZ", signals=["imbalance"]).signals["imbalance"].tolist() == list(
        range(len(table))
    )
    table.drop(index=[5]).to_csv(tmp_path / "c.csv", index=False)
    filled = fx.read_bars(tmp_path / "c.csv", "ZZZ", signals=["imbalance"], fill=True).signals["imbalance"]
    assert filled[:8].tolist() == [0, 1, 2, 3, 4, 4, 6, 7]  # the value before stands


@pytest.mark.parametrize(
    ("columns", "name", "said"),
    [
        ({}, "imbalanse", "no column 'imbalanse', given for .*; did you mean 'imbalance'[?] there are "),
        (
            {},
            "date",
            "column 'date', given for signals, is the bars' own date, which tells nothing of a market; name another",
        ),
        ({"imbalance": "up"}, "imbalance", "must hold numbers"),
        ({"imbalance": 2.5}, "imbalance", "column 'imbalance' never varies"),
        ({"imbalance": np.nan}, "imbalance", "has 0 values with a move behind; at least 30"),
    ],
)
def test_columns_that_tell_nothing_are_one_line(
    tmp_path: Path, columns: dict[str, object], name: str, said: str
) -> None:
    path = with_column(tmp_path / "b.parquet", **columns)
    with pytest.raises(InputError, match=said) as caught:
        calibrate(fx.read_bars(path, "ZZZ", signals=[name]), episodes=100)
    assert "\n" not in str(caught.value)


def test_a_window_shorter_than_a_horizon_leaves_it_out(tmp_path: Path) -> None:
    path = with_column(tmp_path / "b.parquet")
    session = session_of(bars := fx.read_bars(path, "ZZZ", signals=["imbalance"]), (34_200, 34_200 + 900))
    assert predictive(bars, session, session.days)["horizon"].to_pylist() == [1, 2, 5]


def test_rows_out_of_order_in_a_folder_keep_their_values(tmp_path: Path) -> None:
    table = frame().assign(imbalance=np.arange(240.0))
    (tmp_path / "d").mkdir()
    for j, part in enumerate((table[120:], table[:120])):
        written(tmp_path / "d" / f"{j}.parquet", pd.DataFrame(part))
    assert fx.read_bars(tmp_path / "d", "ZZZ", signals=["imbalance"]).signals["imbalance"].tolist() == list(range(240))

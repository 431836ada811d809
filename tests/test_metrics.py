"""Savings by other metrics than the mean shortfall, against numpy on the rows; what they need and what they say."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy import stats

import fastexec as fx
from commands import typed
from conftest import data_file, small_study
from fastexec.errors import InputError
from fastexec.runs.run import run
from fastexec.statistics.metrics import Metric, metric_of
from fastexec.statistics.paired import sharper
from fastexec.studies.study import Study

EPISODES, AVERSION = 1500, 1e-3


def made(place, **changes):
    run(Study.model_validate(small_study(**changes).model_dump()), out=place, chunk=512)
    return place


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Orders of different sizes; nobody uses the control variate, so that plain numpy can be compared with."""
    order = {"shares": {"low": 600, "high": 1800}, "at_horizon": "leave"}
    return made(tmp_path_factory.mktemp("metrics") / "r", episodes=EPISODES, order=order)


@pytest.fixture(scope="module")
def rows(folder):
    """Columns of episodes [e, k] and the orders' values [e]."""
    names = ["shortfall_bps", "vwap_slippage_bps", "arrival_price"]
    table = pq.read_table(folder / "episodes", columns=names).to_pandas()
    found = {name: table[name].to_numpy().reshape(EPISODES, -1) for name in names}
    shares = pq.read_table(folder / "markets", columns=["order_shares"])["order_shares"].to_numpy()
    return found | {"value": shares * found["arrival_price"][:, 0]}


def values_of(metric, rows):
    """What each strategy comes to, float64[k], in the metric's unit."""
    cost = rows["shortfall_bps"]
    if metric == "vwap":
        return rows["vwap_slippage_bps"].mean(axis=0)
    if metric == "cvar95":
        return np.sort(cost, axis=0)[-EPISODES // 20 :].mean(axis=0)
    money = cost * rows["value"][:, None] / 1e4
    return money.mean(axis=0) + AVERSION * money.var(axis=0, ddof=1)


@pytest.mark.parametrize("metric", ["vwap", "cvar95", f"risk:{AVERSION}"])
def test_savings_are_numpys(folder, rows, metric):
    found = fx.compare(folder, metric=metric)
    wanted = values_of(metric.partition(":")[0] if metric.startswith("risk") else metric, rows)
    names = [strategy.name for strategy in Study.load(folder / "study.toml").strategies]
    for row in found.table.to_pylist():
        saving = wanted[0] - wanted[names.index(row["strategy"])]
        got = row["saving_money"] if metric.startswith("risk") else row["saving_bps"]
        assert got == pytest.approx(saving, rel=1e-6, abs=1e-9)
        assert row["metric"] == metric_of(metric).name
        assert row["ci_low_bps"] <= row["saving_bps"] <= row["ci_high_bps"]
        assert (row["win_rate"] is None) == (metric != "vwap")
        assert row["optimum_bps"] is None


def test_the_interval_of_vwap_is_a_paired_t(folder, rows):
    row = next(r for r in fx.compare(folder, metric="vwap").table.to_pylist() if r["strategy"] == "pov10")
    slippage = rows["vwap_slippage_bps"]
    low, high = stats.ttest_1samp(slippage[:, 0] - slippage[:, 2], 0).confidence_interval(0.95)
    assert (row["ci_low_bps"], row["ci_high_bps"]) == pytest.approx((low, high), rel=1e-6)


@pytest.mark.parametrize("metric", ["cvar95", f"risk:{AVERSION}"])
def test_errors_are_those_of_a_bootstrap(folder, rows, metric):
    """Whole episodes drawn again: neither scores nor their first-order argument."""
    generator, found = np.random.default_rng(1), []
    for _ in range(400):
        drawn = generator.integers(0, EPISODES, EPISODES)
        own = {name: values[drawn] for name, values in rows.items()}
        values = values_of("cvar95" if metric == "cvar95" else "risk", own)
        found.append((values[0] - values[2]) * (1.0 if metric == "cvar95" else 1e4 / rows["value"].mean()))
    row = next(r for r in fx.compare(folder, metric=metric).table.to_pylist() if r["strategy"] == "pov10")
    assert row["standard_error_bps"] == pytest.approx(np.std(found, ddof=1), rel=0.15)


def test_metrics_go_with_conditions_days_and_the_control_variate(folder, tmp_path):
    halves = fx.compare(folder, metric="cvar95", by="order_shares:2")
    assert sum(row["episodes"] for row in halves.table.to_pylist() if row["strategy"] == "pov10") == EPISODES
    assert len(halves.summaries) == 2
    calm = made(tmp_path / "calm", episodes=600)
    row = fx.compare(calm, metric="risk:0").table.to_pylist()[0]
    plain = fx.compare(calm).table.to_pylist()[0]
    assert sharper(row)[0] == pytest.approx(sharper(plain)[0], rel=1e-9), "without aversion it is the mean"
    assert row["saving_cv_bps"] is not None


def test_days_stay_the_clusters(tmp_path):
    data_file("us_bars_1min.parquet")
    market = {"model": "replay", "bars": str(data_file("us_bars_1min.parquet")), "symbol": "IBM"}
    order = {"shares": 1200, "steps": 12, "step_seconds": 60.0}
    strategies = [{"model": "twap"}, {"model": "vwap"}]
    run(Study.from_dict({"order": order, "market": market, "strategies": strategies}), out=tmp_path / "r")
    slippage = pq.read_table(tmp_path / "r" / "episodes", columns=["vwap_slippage_bps"]).to_pandas().to_numpy()
    days = pq.read_table(tmp_path / "r" / "markets", columns=["day"])["day"].to_numpy()
    d = slippage.reshape(-1, 2) @ np.array([1.0, -1.0])
    sums = np.array([(d[days == day] - d.mean()).sum() for day in np.unique(days)])
    row = fx.compare(tmp_path / "r", metric="vwap").table.to_pylist()[0]
    wanted = np.sqrt(sums.size / (sums.size - 1) * (sums**2).sum()) / d.size
    assert row["standard_error_bps"] == pytest.approx(wanted, rel=1e-9)


def test_episodes_without_a_value_are_left_out_and_said(tmp_path):
    waits = {"model": "schedule", "name": "late", "weights": [0.0] * 11 + [1.0]}
    volume = {"model": "markov", "levels": [0.0, 1000.0], "transition": [[0.5, 0.5], [0.5, 0.5]]}
    place = made(
        tmp_path / "r",
        market={"volume": volume},
        strategies=[{"model": "twap"}, waits],
        costs={"transient": {"coefficient": 0.0}},
    )
    slippage = pq.read_table(place / "episodes", columns=["vwap_slippage_bps"])["vwap_slippage_bps"].to_numpy()
    whole = np.isfinite(slippage.reshape(600, 2)).all(axis=1)
    assert 100 < whole.sum() < 500
    found = fx.compare(place, metric="vwap")
    assert found.table["episodes"].to_pylist() == [whole.sum()]
    assert any(note.startswith(f"{600 - whole.sum()} episodes are left out") for note in found.notes)
    assert found.table["saving_cv_bps"].to_pylist() == [None], "who traded is no longer independent of the moves"


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        ("cost", "metric='cost': is none of shortfall, vwap, risk:LAMBDA and cvar95"),
        ("risk", "metric='risk': behind risk: stands the risk aversion"),
        ("risk:-1", "metric='risk:-1': behind risk: stands the risk aversion"),
        ("risk:nan", "metric='risk:nan': behind risk: stands the risk aversion"),
    ],
)
def test_what_is_no_metric(folder, metric, message):
    with pytest.raises(InputError) as caught:
        fx.compare(folder, metric=metric)
    assert str(caught.value).startswith(message)


def test_without_rows_there_is_no_metric(tmp_path):
    made(tmp_path / "r", episodes=100, output={"rows": "none"})
    status, out, error = typed("compare", "r", "--metric", "cvar95", cwd=tmp_path)
    assert (status, out, error.count("\n")) == (2, "", 1)
    assert "--metric cvar95: r holds no rows (output.rows = none); run the study with rows = all" in error


def test_few_episodes_are_said(tmp_path):
    place = made(tmp_path / "r", episodes=200)
    assert any(note.startswith("200 episodes are few for cvar95") for note in fx.compare(place, metric="cvar95").notes)
    assert metric_of("risk:1e-3") == Metric("risk", 1e-3)

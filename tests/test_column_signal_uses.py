"""[[market.signals]] of real days: joined days, who sees them, runs that are verified and replayed."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import fastexec as fx
from column_days import STEPS, X, changed, columned, keys_of, study
from fastexec.data.blocks import blocks_of, other_days
from fastexec.errors import FastexecError, InputError
from fastexec.learning.agent import agent_table
from fastexec.learning.training import train
from fastexec.models.see import lacking
from fastexec.runs.check import examine
from fastexec.simulation import prepare, simulate
from real_days import OPEN


def followed(windows, volume):
    """Which window each step comes from, int64[e, t]; volumes tell the windows apart."""
    match = volume[:, None, :] == windows.paths.volume[None]
    assert (match.sum(axis=1) == 1).all()
    return match.argmax(axis=1)


@pytest.mark.parametrize("block", [1.0, 3.0, 50.0])
def test_rows_travel_together_and_the_share_of_seams_is_said(tmp_path, block):
    rng = np.random.default_rng(8)
    path, _ = columned(tmp_path / "b.parquet", 9, (16, 11, 16, 16), other=rng.permutation(59) * 1.0)
    table = pq.read_table(path).to_pandas().assign(volume=1_000.0 + rng.permutation(59))
    table.to_parquet(path)
    joined = study(path, "bootstrap", [X, {"name": "y", "column": "other"}], block=block).changed({"episodes": 4_000})
    prepared = prepare(joined)
    steps = {name: x.reshape(4_000, 2, STEPS)[:, 0] for name, x in prepared.steps(0, 4_000).items() if x.dtype == float}
    row, t = followed(prepared.windows, steps["volume"]), np.arange(STEPS)
    for j, name in enumerate(("x", "y")):
        np.testing.assert_array_equal(steps[f"signal_{name}"], prepared.windows.signals[j][row, t])
    moves = prepared.windows.paths.mid[row[:, :-1], t[1:]] / prepared.windows.paths.mid[row[:, :-1], t[:-1]]
    np.testing.assert_allclose(steps["mid"][:, 1:] / steps["mid"][:, :-1], moves, rtol=1e-12)
    seams = float((row[:, 1:] != row[:, :-1]).mean())
    told = [line for line in prepared.warnings if "on another day than the step before" in line]
    assert told == [line for line in examine(joined).warnings if line in told]
    if block >= STEPS:
        assert (seams, told) == (0.0, [])
        return
    wanted = other_days(blocks_of(prepared.windows)) / block
    assert abs(seams - wanted) < 4.0 * (wanted * (1.0 - wanted) / (4_000 * (STEPS - 1))) ** 0.5
    assert told[0].startswith(f"market.signals: {wanted * (STEPS - 1) / STEPS:.1%} of the steps begin on another day")
    assert f"of forecasts over 5 steps {1.0 - (1.0 - wanted) ** 4:.0%} are cut" in told[0]


@pytest.mark.parametrize("model", ["replay", "bootstrap"])
def test_a_signal_changes_nothing_but_what_is_seen(tmp_path, model):
    path, _ = columned(tmp_path / "b.parquet")
    days = {"days": [20131008, 20131009, 20131010]}
    block = {} if model == "replay" else {"block": 2.0}
    with_one, without = (simulate(study(path, model, some, **days, **block)) for some in ([X], []))
    for name, column in without.episodes.items():
        np.testing.assert_array_equal(with_one.episodes[name], column, err_msg=name)
    assert list(with_one.episodes) == list(without.episodes)  # timing is not split
    prepared = prepare(study(path, model, [X], **days, **block))
    assert prepared.control_variate == [False, False]
    assert not any("another day" in line for line in prepare(study(path, model, [], **days, **block)).warnings)


# ---- who sees them


SHOWN = '''
import fastexec as fx


@fx.strategy("x", row=0.0)
def shown(orders, see, params, step, steps):
    """10 shares and a row."""
    for i in range(orders.shape[1]):
        value = see[int(params[0]), i]
        orders[fx.orders.SHARES, i] = 10.0 + value if value == value else 1.0
'''


@pytest.mark.parametrize("model", ["replay", "bootstrap"])
def test_own_strategies_see_them(tmp_path, model):
    path, _ = columned(tmp_path / "b.parquet", other=np.random.default_rng(3).normal(size=64))
    (tmp_path / "own.py").write_text(SHOWN)
    keys = keys_of(path, model, [X, {"name": "y", "column": "other"}])
    asked = [{"model": "x", "name": f"s{j}", "row": fx.see.SIGNAL + j} for j in range(3)]
    order = {"shares": 1e4, "steps": STEPS, "lot": 0, "at_horizon": "leave"}
    own = fx.Study.from_dict({**keys, "order": order, "plugins": ["own.py"], "strategies": asked}, folder=tmp_path)
    prepared = prepare(own)
    steps = prepared.steps(0, prepared.episodes)
    shares = steps["shares"].reshape(-1, 3, STEPS)
    for j, name in enumerate("xy"):
        seen = steps[f"signal_{name}"].reshape(-1, 3, STEPS)[:, j]
        np.testing.assert_allclose(shares[:, j], np.maximum(10.0 + seen, 0.0), atol=1e-12)
    np.testing.assert_array_equal(shares[:, 2], 1.0)
    assert "SIGNAL + 2" in lacking(own)
    assert "SIGNAL + 1" not in lacking(own)


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """A folder with an agent that was trained in a market whose signal tells of its moves, and days of that market as bars."""
    folder = tmp_path_factory.mktemp("learned")
    features = [{"name": "inventory", "bins": 11}, {"name": "x", "bins": 5}]
    market = {
        "price": {"volatility": 0.001},
        "spread": {"model": "constant", "initial": 1e-4},
        "volume": {"mean": 1000.0, "volatility": 0.2},
        "signals": [{"name": "x", "predicts": "move", "correlation": 0.4, "persistence": 0.7}],
    }
    keys = {
        "order": {"shares": 300, "steps": 10, "lot": 0},
        "costs": {"temporary": {"coefficient": 0.001}},
        "strategies": [{"model": "twap"}, {"name": "agent", "model": "qtable", "train": "a"}],
    }
    training = {
        "rounds": 1,
        "batch": 16_384,
        "actions": {"set": "multiples", "levels": [0.0, 1.0, 2.0]},
        "features": features,
    }
    made = fx.Study.from_dict({**keys, "seed": 5, "episodes": 400, "market": market, "train": {"a": training}})
    pq.write_table(agent_table(train(made, "a")), folder / "agent.parquet")
    prepared = prepare(made.changed({"order.steps": 41, "train": {}, "strategies": [{"model": "twap"}]}))
    steps = {name: x.reshape(400, 41) for name, x in prepared.steps(0, 400).items() if x.dtype == float}
    days = pd.bdate_range("2024-01-02", periods=400).strftime("%Y%m%d").astype(int)
    table = pa.table(
        {
            # What a bar's end shows is what its next step begins with.
            "symbol": ["S"] * 400 * 41, "date": np.repeat(days, 41), "sec": np.tile(OPEN + 60 * np.arange(41), 400),
            "volume": np.roll(steps["volume"], 1, axis=1).ravel(), "index": steps["signal_x"].ravel(),
            "bid_px_1": (steps["mid"] * (1 - 5e-5)).ravel(), "ask_px_1": (steps["mid"] * (1 + 5e-5)).ravel(),
        }
    )  # fmt: skip
    pq.write_table(table, folder / "b.parquet")
    strategies = [{"model": "twap"}, {"name": "agent", "model": "qtable", "agent": "agent.parquet"}]
    return made, fx.Study.from_dict(
        {**keys, "strategies": strategies,
         "market": {"model": "replay", "bars": "b.parquet", "symbol": "S", "signals": [X]}}, folder=folder,
    )  # fmt: skip


def test_an_agent_uses_on_real_days_what_it_learned_of_the_signal(learned):
    """It saves there what it saves in the market that the days were made by; not from a column that tells nothing."""
    made, replayed = learned
    savings = []
    for one in (made.changed({"episodes": 4_000}), replayed, replayed.changed({"market.signals.x.column": "volume"})):
        costs = simulate(one).episodes["shortfall_bps"].reshape(-1, 2)
        saving = costs[:, 0] - costs[:, 1]
        savings.append((saving.mean(), saving.std() / saving.size**0.5))
    (here, error), (there, other), (blind, third) = savings
    assert here > 10.0 * error
    assert abs(here - there) < 4.0 * np.hypot(error, other)
    assert blind < there - 4.0 * np.hypot(other, third)


def test_no_agent_is_trained_on_real_days_and_what_would_be_right_is_said(tmp_path):
    path, _ = columned(tmp_path / "b.parquet")
    features = [{"name": "inventory"}, {"name": "x", "bins": 3}]
    keys = {**keys_of(path), "train": {"a": {"features": features}}}
    said = "calibrate one to the real days with [[market.signals]] of the same names"
    with pytest.raises(InputError, match=re.escape(said)):
        train(fx.Study.from_dict(keys), "a")
    keys["train"]["a"]["features"][1]["name"] = "xx"
    with pytest.raises(InputError, match=r"train.a.features.xx: no feature and no signal; did you mean 'x'"):
        fx.Study.from_dict(keys)


# ---- runs


def test_runs_are_verified_and_replayed_with_their_columns(tmp_path):
    path, _ = columned(tmp_path / "b.parquet")
    kept = study(path, "bootstrap", block=2.0).changed({"output": {"steps": 30}})
    fx.run(kept, out=tmp_path / "r")
    assert fx.verify(tmp_path / "r", sample=1).faults == []
    assert "of the steps begin on another day than the step before" in fx.report(tmp_path / "r").read_text()
    steps = pq.read_table(tmp_path / "r" / "steps").to_pandas()
    again = fx.replay(tmp_path / "r", episode=7).to_pandas()
    pd.testing.assert_frame_equal(again.reset_index(drop=True), steps[steps.episode == 7].reset_index(drop=True))
    assert steps["signal_x"].std() > 0.1
    changed(path, path, 60, lambda x: x + 1.0)  # nothing but the column
    with pytest.raises(FastexecError, match=r"b\.parquet"):
        fx.replay(tmp_path / "r", episode=7)


def test_a_study_is_written_read_and_changed_by_its_signals_names(tmp_path):
    path, _ = columned(tmp_path / "b.parquet", other=np.arange(64.0))
    written = study(path).to_toml()
    assert '{ name = "x", column = "index" }' in written
    assert fx.Study.from_toml(written).to_toml() == written
    assert "signals" not in study(path, signals=[]).to_toml()
    other = study(path).changed({"market.signals.x.column": "other"})
    assert prepare(other).inputs == prepare(study(path)).inputs
    assert other.market.signal_columns == ("other",)
    assert not np.array_equal(prepare(other).windows.signals, prepare(study(path)).windows.signals)

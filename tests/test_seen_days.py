"""An agent trained on a market fitted to the days that it is then replayed on: a line says so."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest

from conftest import data_file
from fastexec.calibration.calibrate import calibrate
from fastexec.data.bars import read_bars
from fastexec.errors import InputError
from fastexec.runs.agents import save_agent, train_one
from fastexec.runs.check import examine
from fastexec.runs.run import run
from fastexec.simulation import prepare
from fastexec.studies.study import Study
from real_days import some_days, write

FITTED = {"symbol": "S", "days": [20131007, 20131009]}
TRAIN = {"batch": 64, "rounds": 1, "features": [{"name": "inventory", "bins": 3}]}
LINE = (
    "qtable: its agent was trained on a market fitted to {} of the {} days that it meets here ({}): what it saves on them is "
    "no test"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("seen")
    write(some_days(21, [21] * 4), place / "b.parquet")
    order = {"shares": 100, "steps": 5}
    batched = TRAIN | {"rule": "batched"}
    ways = {
        "fitted": ({"fitted": FITTED}, batched),
        "free": ({}, TRAIN),
        "after": ({}, batched | {"start": "fitted.parquet"}),
    }
    for name, (market, train) in ways.items():
        data = {
            "order": order,
            "market": market,
            "train": {"a": train},
            "strategies": [{"model": "qtable", "train": "a"}],
        }
        save_agent(train_one(Study.from_dict(data, folder=place), None, 1, None), place / f"{name}.parquet")
    return place


def replayed(folder, agent, **market):
    return Study.from_dict(
        {
            "order": {"shares": 100, "steps": 5},
            "market": {"model": "replay", "bars": "b.parquet", "symbol": "S", **market},
            "strategies": [{"model": "twap"}, {"model": "qtable", "agent": f"{agent}.parquet"}],
        },
        folder=folder,
    )


@pytest.mark.parametrize(
    ("agent", "market", "said"),
    [
        ("fitted", {}, (2, 4, "20131007 to 20131009")),
        ("fitted", {"days": [20131009, 20131010]}, (1, 2, "20131009")),
        ("fitted", {"model": "bootstrap"}, (2, 4, "20131007 to 20131009")),
        ("after", {}, (2, 4, "20131007 to 20131009")),
        ("fitted", {"days": [20131008, 20131010]}, None),
        ("free", {}, None),
    ],
)
def test_days_that_an_agent_has_seen_are_told(folder, agent, market, said):
    lines = [line for line in prepare(replayed(folder, agent, **market)).warnings if "agent" in line]
    assert lines == ([] if said is None else [LINE.format(*said)])


def test_check_and_run_say_it(folder, tmp_path):
    study, line = replayed(folder, "fitted"), LINE.format(2, 4, "20131007 to 20131009")
    assert line in examine(study).warnings
    assert line in run(study, out=tmp_path / "r").warnings


def test_another_symbol_is_another_market(folder, tmp_path):
    days = some_days(22, [21] * 3)
    table = pq.read_table(write(days, tmp_path / "b.parquet"))
    pq.write_table(table.set_column(0, "symbol", [["T"] * table.num_rows]), tmp_path / "b.parquet")
    (tmp_path / "fitted.parquet").write_bytes((folder / "fitted.parquet").read_bytes())
    assert not [line for line in prepare(replayed(tmp_path, "fitted", symbol="T")).warnings if "agent" in line]


@pytest.mark.parametrize("fitted", [5, {"symbol": "S"}, {"symbol": "S", "days": ["x"]}, {"symbol": "S", "days": []}])
def test_an_agent_whose_days_are_none_is_refused(folder, tmp_path, fitted):
    table = pq.read_table(folder / "fitted.parquet")
    meta = json.loads(table.schema.metadata[b"fastexec.agent"])
    meta["training"]["market"]["fitted"] = fitted
    pq.write_table(table.replace_schema_metadata({b"fastexec.agent": json.dumps(meta)}), tmp_path / "bad.parquet")
    (tmp_path / "b.parquet").write_bytes((folder / "b.parquet").read_bytes())
    with pytest.raises(InputError, match="is no agent of fastexec") as caught:
        prepare(replayed(tmp_path, "bad"))
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_a_calibrated_market_carries_its_days():
    found = calibrate(read_bars(data_file("us_bars_1min.parquet"), "IBM"), until=20131008, episodes=500)
    study = Study.from_toml(found.to_toml() + "[order]\nsteps = 388\n[[strategies]]\nmodel = 'twap'\n")
    assert study.market.fitted.symbol == "IBM"
    assert study.market.fitted.days == (20131004, 20131007, 20131008)
    assert Study.from_toml(study.to_toml()) == study


@pytest.mark.parametrize(
    ("name", "symbol"),
    [("large_cap_ibm", "IBM"), ("large_cap_aig", "AIG"), ("large_tick_bac", "BAC"), ("crypto_btc", "coinbase:BTCUSD")],
)
def test_calibrated_presets_carry_their_days(name, symbol):
    fitted = Study.preset(name).market.fitted
    assert (fitted.symbol, len(fitted.days)) == (symbol, 5)

"""[[market.signals]] of real days: what a step knows of a column of the bars, and by what it is scaled."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import fastexec as fx
from column_days import STEPS, X, changed, columned, keys_of, shown, study
from conftest import data_file
from fastexec.errors import InputError
from fastexec.runs.check import examine
from fastexec.simulation import prepare
from naive.column_signals import scaled
from real_days import OPEN


@pytest.mark.parametrize(
    ("market", "missing", "steps_of"),
    [
        ({}, 0.0, lambda length: range(1, length)),
        ({"stride": 2}, 0.4, lambda length: range(1, length)),
        ({"times": "09:33-09:41"}, 0.3, lambda length: range(3, 11)),
        ({"days": [20131009, 20131010], "stride": 1}, 0.2, lambda length: range(1, length)),
        ({"curve_days": "earlier", "known": "during"}, 0.0, lambda length: range(1, length)),
    ],
)
def test_values_are_those_of_a_plain_loop_over_the_bars(tmp_path, market, missing, steps_of):
    path, values = columned(tmp_path / "b.parquet", missing=missing, lengths=(16, 12, 16, 15))
    found, places = shown(prepare(study(path, **market)))
    wanted = scaled(values, lambda day: steps_of(len(values[day])))
    assert {day for day, _ in places} == set(market.get("days", list(wanted)))
    for row, (day, first) in zip(found, places, strict=True):
        np.testing.assert_allclose(row, [wanted[day][first + t] for t in range(STEPS)], rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("model", ["replay", "bootstrap"])
def test_what_comes_later_changes_nothing_of_what_was_known(tmp_path, model):
    """Bars from one on hold something else: every step up to that bar's own keeps its bits, the next one knows it."""
    path, _ = columned(tmp_path / "b.parquet")
    block = {} if model == "replay" else {"block": 100.0}
    before = prepare(study(path, model, stride=1, **block)).windows
    for place in (16, 20, 31, 33, 47, 50, 63):
        other = changed(path, tmp_path / "c.parquet", place, lambda x: 3.0 * x + 7.0)
        after = prepare(study(other, model, stride=1, **block)).windows
        np.testing.assert_array_equal(after.day, before.day)
        day, bar = np.unique(before.day).searchsorted(before.day) + 1, (before.start_second - OPEN) // 60
        rows = (16 * day + bar)[:, None] + np.arange(STEPS)  # of the steps' own bars
        same = after.signals[0] == before.signals[0]
        assert same[rows <= place].all()
        assert not same[(rows > place) & (rows // 16 == place // 16)].any()
        assert place == 16 or (rows <= place).any()


def test_the_mean_and_the_scale_are_those_of_earlier_days(tmp_path):
    """Of a second day the first one's; what the day itself holds changes neither."""
    path, values = columned(tmp_path / "b.parquet", lengths=(16, 16))
    (first, second), signals = values.values(), prepare(study(path)).windows.signals[0]
    known = first[:-1]
    np.testing.assert_allclose(signals[0], (np.array(second[:STEPS]) - np.mean(known)) / np.std(known), rtol=1e-9)
    shifted = changed(path, tmp_path / "c.parquet", 16, lambda x: x + 50.0)
    np.testing.assert_allclose(
        prepare(study(shifted)).windows.signals[0] - signals, 50.0 / np.std(known), rtol=1e-9, atol=0.0
    )


def test_the_first_day_is_left_out_and_days_without_a_scale(tmp_path):
    """A column of one value a day has none before the third."""
    path, _ = columned(tmp_path / "b.parquet", daily=np.repeat([3.0, 5.0, 2.0, 4.0], 16))
    prepared = prepare(study(path))
    assert sorted(set(prepared.windows.day.tolist())) == [20131008, 20131009, 20131010]
    line = "left out, for the days before them have nothing to scale market.signals by: 20131007"
    assert line in examine(study(path)).warnings
    found, places = shown(prepare(study(path, signals=[X, {"name": "d", "column": "daily"}])), "d")
    assert {day for day, _ in places} == {20131009, 20131010}
    np.testing.assert_allclose(found[0], (2.0 - 4.0) / 1.0)
    with pytest.raises(
        InputError, match="the days before 20131007 have nothing to scale market.signals by; replay later"
    ):
        prepare(study(path, days=[20131007]))


def test_a_value_that_is_missing_is_the_days_last(tmp_path):
    path, values = columned(tmp_path / "b.parquet", missing=0.5)
    prepared = prepare(study(path))
    missing = sum(
        values[day][first + t - 1] is None
        for day, first in zip(
            *(x.tolist() for x in (prepared.windows.day, (prepared.windows.start_second - OPEN) // 60)), strict=True
        )
        for t in range(STEPS)
    )
    line = f"column 'index' has no value in the bar before {missing} steps of 45: the last of the day stands in"
    assert missing > 5
    assert line in prepared.warnings


@pytest.mark.parametrize("gone", [range(16, 17), range(16, 32)])
def test_nothing_is_carried_over_a_night(tmp_path, gone):
    path, _ = columned(tmp_path / "b.parquet")
    table = pq.read_table(path).to_pandas()
    table.loc[table.index.isin(gone), "index"] = np.nan
    table.to_parquet(path)
    said = "day 20131008: column 'index' has no value yet when the step of 09:31:00 begins; fill it, or begin later by"
    with pytest.raises(InputError, match=re.escape(said)):
        prepare(study(path))
    if len(gone) == 1:
        assert prepare(study(path, times="09:32-09:45")).episodes == 2 * 3


def test_a_level_that_wanders_is_doubted(tmp_path):
    path, _ = columned(tmp_path / "b.parquet", level=np.arange(64) * 1.0 + np.sin(np.arange(64.0)))
    line = re.compile(r"column 'level' lies beyond 4 sd of its earlier days in \d+% of the steps: a level that wanders")
    assert any(line.match(said) for said in prepare(study(path, signals=[{"name": "l", "column": "level"}])).warnings)
    assert not any("beyond" in said for said in prepare(study(path)).warnings)


def test_a_csv_of_numbered_columns_and_absent_bars(tmp_path):
    """A bar that is put in knows what the one before knew."""
    path, values = columned(tmp_path / "b.parquet")
    table = pq.read_table(path).to_pandas()
    table["index"] = table["index"].map(lambda x: f"{x:.3f}".replace(".", ","))
    for name in ("volume", "bid_px_1", "ask_px_1"):
        table[name] = table[name].map(lambda x: f"{x:.5f}".replace(".", ","))
    table[table.index != 20].to_csv(tmp_path / "b.csv", sep=";", index=False)
    wanted = {day: [round(x, 3) for x in own] for day, own in values.items()}
    wanted[20131008][4] = wanted[20131008][3]
    found, places = shown(prepare(study(tmp_path / "b.csv", signals=[{**X, "column": "7"}], decimal=",", fill=True)))
    naive = scaled(wanted, lambda day: range(1, 16))
    for row, (day, first) in zip(found, places, strict=True):
        np.testing.assert_allclose(row, [naive[day][first + t] for t in range(STEPS)], rtol=1e-9)


def test_an_index_beside_a_share_of_real_days(tmp_path):
    bars = pd.read_parquet(data_file("us_bars_1min.parquet"))
    own, index = (bars[bars.symbol == symbol] for symbol in ("IBM", "SPY"))
    both = own.merge(index[["date", "sec", "close"]].rename(columns={"close": "spy"}), on=["date", "sec"], how="left")
    both["spy_move"] = np.log(both["spy"]).groupby(both["date"]).diff().fillna(0.0)
    both.to_parquet(tmp_path / "ibm.parquet")
    signals = [{"name": "market", "column": "spy_move"}]
    keys = keys_of(tmp_path / "ibm.parquet", signals=signals)
    keys["market"]["symbol"] = "IBM"
    found, _ = shown(prepare(fx.Study.from_dict(keys)), "market")
    assert found.size > 4 * 350
    assert abs(found.mean()) < 0.2
    assert 0.6 < found.std() < 1.6

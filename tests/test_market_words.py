"""[market] of a replay and a bootstrap reads files by the words of calibrate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import fastexec as fx
from fastexec.data.replay import windows_of
from fastexec.errors import FastexecError
from test_market_files import frame, refused, written
from vendors import UTC_SECONDS, columns, csv, parquet


def study_of(path: Path, model: str, **keys: Any) -> fx.Study:
    market = {"model": model, "bars": str(path), "symbol": "ZZZ"} | keys
    many = {} if model == "replay" else {"episodes": 20}
    return fx.Study.from_dict(
        many | {"order": {"steps": 5, "shares": 10}, "market": market, "strategies": [{"model": "twap"}]}
    )


@pytest.mark.parametrize("model", ["replay", "bootstrap"])
def test_a_study_reads_files_as_calibrate_does(tmp_path: Path, model: str) -> None:
    utc = [pd.Timestamp(second, unit="s").strftime("%d.%m.%Y %H:%M Z") for second in UTC_SECONDS]
    comma = {name: [x.replace(".", ",") for x in columns()[name]] for name in ("bid", "ask")}
    path = csv(tmp_path / "b.csv", columns(time=None, Zeit=utc, **comma), separator=";")
    words: dict[str, Any] = {
        "columns": {"time": "Zeit"}, "zone": "America/New_York", "time_format": "%d.%m.%Y %H:%M%z", "decimal": ","
    }  # fmt: skip
    for word in ("zone", "time_format", "decimal", "columns"):
        given = {key: value for key, value in words.items() if key != word}
        line = refused(fx.simulate, study_of(path, model, **given))
        assert f"market.{word}" in line
        assert "--" not in line
    plain = fx.simulate(study_of(parquet(tmp_path / "b.parquet"), model)).to_pandas()
    found = fx.simulate(study_of(path, model, **words)).to_pandas()
    pd.testing.assert_frame_equal(found, plain)


@pytest.mark.parametrize("model", ["replay", "bootstrap"])
def test_a_study_fills_and_leaves_out_as_calibrate_does(tmp_path: Path, model: str) -> None:
    table = frame()
    table.loc[100, ["bid_px_1", "ask_px_1"]] = [5.01, 5.03]
    path = written(tmp_path / "b.parquet", table[table.index % 5 != 3])
    assert "market.drop_outliers = true leaves it out" in refused(fx.simulate, study_of(path, model))
    study = study_of(path, model, drop_outliers=True)
    assert "a window of 5 steps needs 6 bars" in refused(fx.simulate, study)
    study = study_of(path, model, drop_outliers=True, fill=True)
    assert windows_of(study, study.market).day.size == 4 * 11
    fx.simulate(study)


def test_a_study_takes_a_spread(tmp_path: Path) -> None:
    path = csv(tmp_path / "b.csv", columns(bid=None, ask=None, close=columns()["bid"]))
    assert "market.spread = 5" in refused(fx.simulate, study_of(path, "replay"))
    study = study_of(path, "replay", spread=8.0)
    windows = windows_of(study, study.market)
    np.testing.assert_allclose(windows.paths.spread, 8e-4, rtol=1e-10)
    assert any("a spread of 8 bps, as given" in line for line in windows.warnings)


@pytest.mark.parametrize(
    ("key", "value"),
    [("spread", 0.0), ("spread", -2.0), ("zone", "Mars"), ("decimal", "point"), ("columns", {"price": "x"})],
)
def test_words_of_a_study_that_can_be_none(tmp_path: Path, key: str, value: Any) -> None:
    path = csv(tmp_path / "b.csv")
    with pytest.raises(FastexecError, match=rf"market\.{key}|column 'price'"):
        fx.simulate(study_of(path, "replay", **{key: value}))


def test_what_is_not_said_is_not_written(tmp_path: Path) -> None:
    study = study_of(tmp_path / "b.csv", "replay")
    for word in ("columns", "zone", "time_format", "decimal", "thousands", "fill", "spread", "drop_outliers"):
        assert f"\n{word} = " not in study.to_toml()
        assert f"[market.{word}]" not in study.to_toml()

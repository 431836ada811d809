"""A whole study out of a calibration: it loads and runs, whatever the volume and the symbol's name."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

import fastexec as fx
from fastexec.cli.calibrate import calibrate as calibrate_verb
from test_market_files import frame, written


@pytest.mark.parametrize("scale", [1.0, *(pytest.param(one, marks=pytest.mark.slow) for one in (1e-3, 1e4))])
def test_calibrate_writes_a_whole_study(tmp_path: Path, scale: float) -> None:
    table = frame()
    table["volume"] *= scale
    path = written(tmp_path / "b.parquet", table.assign(symbol="a:B c"))
    words = ["calibrate", str(path), "--symbol", "a:B c", "--episodes", "100", "--study", str(tmp_path / "s.toml")]
    assert CliRunner().invoke(calibrate_verb, words[1:]).exit_code == 0
    study = fx.Study.load(tmp_path / "s.toml")
    assert (study.order.steps, study.order.step_seconds) == (59, 60.0)
    volume = study.market.volume.mean * 59
    assert study.order.shares == pytest.approx(0.05 * volume, rel=0.1)
    costs = fx.simulate(study, episodes=200).to_pandas()
    assert costs.loc[costs["strategy"] != "pov", "completion"].min() == 1.0
    assert costs.loc[costs["strategy"] == "pov", "completion"].mean() > 0.9
    assert set(costs["strategy"]) == {"twap", "vwap", "pov", "almgren_chriss"}
    again = CliRunner().invoke(calibrate_verb, words[1:])
    assert str(again.exception).endswith("is there already; name another file, or --overwrite")

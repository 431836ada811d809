"""The worked studies and the mini-project's script at tiny sizes: sentences with intervals, pictures that show something."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from conftest import ROOT

pytestmark = pytest.mark.processes

INTERVAL = re.compile(r"[+-]\d+\.\d\d bps \[[+-]\d+\.\d\d, [+-]\d+\.\d\d\]")


@pytest.fixture
def script(monkeypatch):
    """A script as a module, by name."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    return importlib.import_module


def is_drawn(path: Path) -> bool:
    picture = imread(path)
    return picture.shape[0] > 500 and np.unique(picture.reshape(-1, picture.shape[2]), axis=0).shape[0] > 50


@pytest.mark.parametrize("name", ["pov_or_vwap", "wait_for_tight_spread", "wrong_impact"])
def test_a_story_ends_in_a_sentence_with_intervals_and_a_picture(script, name, tmp_path, capsys):
    script(name).main(["--episodes", "300", "--out", str(tmp_path)])
    said, drawn = capsys.readouterr().out.splitlines()
    assert len(INTERVAL.findall(said)) >= 3
    assert drawn == f"drawn: {tmp_path / name}.png"
    assert is_drawn(tmp_path / f"{name}.png")


def test_the_right_plan_loses_nothing_and_every_other_something(script, tmp_path, monkeypatch):
    story, shown = script("wrong_impact"), {}
    monkeypatch.setattr(story, "draw", lambda path, lines, *_, **__: shown.update(lines))
    story.main(["--episodes", "4000", "--out", str(tmp_path)])
    losses = {(label[-3:], x): saving for label, points in shown.items() for x, saving in points}
    assert losses["0.6", 1.0] == (0.0, 0.0, 0.0)
    assert all(saving.low > 0.0 for (exponent, x), saving in losses.items() if exponent == "0.6" and x != 1.0)
    assert losses["0.6", 0.125].low > losses["0.6", 8.0].high


def test_the_mini_project_prints_two_tables_and_draws_six_panels(script, tmp_path, capsys):
    script("mini_project").main(["--episodes", "100", "--out", str(tmp_path)])
    lines = capsys.readouterr().out.splitlines()
    assert len([line for line in lines if re.match(r" +\d+ to +\d+ +-[\d,]+ +[\d.]+$", line)]) == 10
    rows = {words[0]: words[1:] for words in map(str.split, lines) if words and words[0] in ("twap", "pov10", "agent")}
    assert float(rows["pov10"][2]) < 55.0 < float(rows["agent"][2])
    assert float(rows["pov10"][0].replace(",", "")) < float(rows["twap"][0].replace(",", ""))
    assert is_drawn(tmp_path / "adaptive_execution_rl.png")


@pytest.mark.parametrize("name", ["pov_or_vwap", "wait_for_tight_spread", "wrong_impact", "mini_project"])
@pytest.mark.parametrize("words", [["--episodes", "0"], ["--episodes", "-3"], ["--episodes", "1e3"], ["--folder", "x"]])
def test_wrong_words_are_refused(script, name, words, capsys):
    with pytest.raises(SystemExit) as ended:
        script(name).main(words)
    assert ended.value.code == 2
    assert words[0] in capsys.readouterr().err


def test_smoothing_is_the_mean_of_the_last_twenty():
    from fastexec.analysis.program_panels import smoothed

    values = np.arange(50.0)
    assert smoothed(values)[:3].tolist() == [0.0, 0.5, 1.0]
    assert smoothed(values)[49] == values[30:].mean()

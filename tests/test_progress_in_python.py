"""How far a run is, in a notebook: a bar where one can be drawn, else few lines, and nothing of a short run."""

from __future__ import annotations

import importlib.util

import pytest

import fastexec as fx
from conftest import SMALL
from fastexec.runs import pace

STUDY = fx.Study.from_dict({**SMALL, "episodes": 400})


@pytest.fixture
def notebook(monkeypatch):
    monkeypatch.setattr(pace, "in_notebook", lambda: True)
    monkeypatch.setattr(pace, "LINE_EVERY", 0.0)
    return monkeypatch


def test_without_widgets_a_notebook_gets_lines_and_no_warning(notebook, tmp_path, capsys):
    notebook.setattr(importlib.util, "find_spec", lambda name: None)
    fx.run(STUDY, out=tmp_path / "r", chunk=50, threads=1)
    lines = capsys.readouterr().err.splitlines()
    assert 1 <= len(lines) <= 8
    assert all("of 400 episodes, " in line for line in lines)
    notebook.setattr(pace, "LINE_EVERY", 10.0)
    fx.run(STUDY, out=tmp_path / "short", chunk=50)
    fx.run(STUDY, out=tmp_path / "quiet", chunk=50, progress=False)
    assert capsys.readouterr() == ("", "")


def test_a_script_hears_nothing_unless_it_asks(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(pace, "LINE_EVERY", 0.0)
    assert not pace.in_notebook()
    fx.run(STUDY, out=tmp_path / "r", chunk=100)
    assert capsys.readouterr() == ("", "")
    fx.run(STUDY, out=tmp_path / "asked", chunk=100, progress=True)
    assert "of 400 episodes" in capsys.readouterr().err
    told = []
    fx.run(STUDY, out=tmp_path / "own", chunk=100, progress=told.append)
    assert [now.done for now in told] == [100, 200, 300, 400]
    with pytest.raises(fx.InputError, match="progress: must be True, False or a function, not 'yes'"):
        fx.run(STUDY, out=tmp_path / "none", progress="yes")
    assert not (tmp_path / "none").exists()


def test_in_a_terminal_there_is_a_bar(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(pace, "_has_bar", lambda: True)
    result = fx.run(STUDY, out=tmp_path / "r", chunk=100, progress=True)
    assert result.summary["episodes"][0].as_py() == 400

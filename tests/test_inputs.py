"""Input files of results are found again from anywhere, and only the right ones are taken."""

from __future__ import annotations

import json
import shutil

import pyarrow.parquet as pq
import pytest

from commands import typed
from fastexec.errors import InputError, RefusedError
from fastexec.learning.agent import agent_table
from fastexec.learning.training import train
from fastexec.place import Place
from fastexec.runs import store
from fastexec.runs.replay import replay_episode
from fastexec.runs.run import run
from fastexec.runs.verify import verify
from fastexec.studies.study import Study
from manifests import TRAIN
from test_nothing_mixed import other_agent
from test_run import assert_same_files

BASE = """
name = "mine"
episodes = 600
[order]
shares = 1200
steps = 12
[costs.temporary]
coefficient = 0.002
[[strategies]]
model = "twap"
[[strategies]]
model = "qtable"
agent = "agents/ag.parquet"
"""


@pytest.fixture
def place(tmp_path):
    """A study in a folder with its agent in another one beside it."""
    home = tmp_path / "sub"
    (home / "agents").mkdir(parents=True)
    (home / "a.toml").write_text(BASE)
    without = BASE[: BASE.rindex("[[strategies]]")]
    study = Study.from_toml(without).changed({"train": {"a": TRAIN}})
    pq.write_table(agent_table(train(study, "a")), home / "agents" / "ag.parquet")
    return tmp_path


def test_verify_replay_and_resume_find_a_relative_input_from_anywhere(place, monkeypatch):
    monkeypatch.chdir(place)
    assert typed("run", "sub/a.toml", "--out", "res", "--quiet", cwd=place)[0] == 0
    (place / "elsewhere").mkdir()
    monkeypatch.chdir(place / "elsewhere")
    assert verify(str(place / "res"), sample=2).faults == []
    assert replay_episode(place / "res", 7).num_rows == 24
    shutil.copy(place / "sub" / "a.toml", place / "elsewhere")
    run(Study.load("a.toml", ["episodes=900"]), out=place / "res", resume=True)
    monkeypatch.chdir(place)
    run(Study.load("sub/a.toml", ["episodes=900"]), out=place / "again")
    assert_same_files(place / "again", place / "res")
    noted = json.loads((place / "res" / "run.json").read_text())["base"]
    assert str(place / "sub") in noted


def test_nothing_of_it_is_in_footers_or_identity(place, monkeypatch):
    monkeypatch.chdir(place)
    run(Study.load("sub/a.toml"), out="one")
    shutil.move(place / "sub", place / "moved")
    run(Study.load("moved/a.toml"), out="two")
    assert_same_files(place / "one", place / "two")
    footer = store.read_footer(Place.of("one") / "summary.parquet")
    assert list(footer["inputs"]) == ["agents/ag.parquet"]
    assert str(place) not in json.dumps(footer)


def test_elsewhere_the_folder_is_named_and_only_the_right_file_is_taken(place, monkeypatch):
    monkeypatch.chdir(place)
    run(Study.load("sub/a.toml"), out="res")
    shutil.move(place / "sub" / "agents", place / "data")
    with pytest.raises(InputError, match=r"agents/ag\.parquet: there is no such file .* name its folder by data"):
        replay_episode("res", 3)
    assert replay_episode("res", 3, data="data").num_rows == 24
    assert typed("verify", "res", "--sample", 1, "--data", "data", cwd=place)[:1] == (0,)
    assert verify("res").faults == []  # no input is needed
    with pytest.raises(InputError, match="data='nowhere': is no folder"):
        replay_episode("res", 3, data="nowhere")
    (place / "sub" / "agents").mkdir()
    shutil.copy(place / "data" / "ag.parquet", place / "sub" / "agents")
    other_agent(place / "sub" / "agents" / "ag.parquet")  # beside the study another, but the right one is named
    assert replay_episode("res", 3, data="data").num_rows == 24
    with pytest.raises(RefusedError, match=r"agents/ag\.parquet: has changed since"):
        replay_episode("res", 3)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "no json", '{"base": 3}', '{"base": [3, "relative", "/nowhere"]}', "[" * 99_999, '{"base": "/tmp"}'],
)
def test_a_record_that_says_nothing_useful_is_no_obstacle(place, monkeypatch, text):
    monkeypatch.chdir(place)
    run(Study.load("sub/a.toml"), out="res")
    (place / "res" / "run.json").write_text(text)
    shutil.copytree(place / "sub" / "agents", place / "agents")
    assert replay_episode("res", 3).num_rows == 24

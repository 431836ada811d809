"""Studies of own strategies run as all others: on workers, in shards, swept; the results keep what they need."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from fastexec.errors import InputError
from fastexec.runs.merge import merge
from fastexec.runs.replay import replay_episode
from fastexec.runs.run import run
from fastexec.runs.verify import verify
from fastexec.simulation import prepare
from fastexec.studies.study import Study
from test_own_strategies import PATIENT, STUDY, load
from test_run import assert_same_files


@pytest.fixture
def place(tmp_path):
    (tmp_path / "own.py").write_text(PATIENT)
    (tmp_path / "mine.toml").write_text(STUDY)
    return tmp_path


@pytest.mark.processes
def test_worker_processes_find_the_file_and_write_the_same(place, monkeypatch):
    """Beside the study, and one that only the current folder holds."""
    run(load(place), out=place / "threads", chunk=100)
    run(load(place), out=place / "workers", chunk=100, workers=2)
    assert_same_files(place / "threads", place / "workers")
    (place / "elsewhere").mkdir()
    (place / "elsewhere" / "bare.toml").write_text(STUDY.replace('plugins = ["own.py"]\n', ""))
    monkeypatch.chdir(place)
    run(Study.load(Path("elsewhere/bare.toml"), plugins=["own.py"]), out=place / "named", chunk=100, workers=1)
    assert (place / "named" / "plugins" / "own.py").read_text() == PATIENT


def test_results_verify_and_need_their_own_copy_only(place):
    run(load(place), out=place / "whole", chunk=100)
    (place / "own.py").unlink()
    found = verify(str(place / "whole"), 2)
    assert (found.faults, found.simulated) == ([], 2)


def test_shards_of_it_join_without_its_code(place):
    run(load(place), out=place / "whole", chunk=100)
    run(load(place), out=place / "a", chunk=100, episodes=200)
    run(load(place), out=place / "b", chunk=100, first_episode=200)
    (place / "own.py").unlink()
    merge([place / "a", place / "b"], place / "joined")
    assert_same_files(place / "whole", place / "joined")


def test_results_run_anew_into_their_own_folder_keep_the_only_copy(place):
    run(load(place), out=place / "r")
    (place / "own.py").unlink()
    again = Study.load(place / "r" / "study.toml", ["seed=4"])
    run(again, out=place / "r", overwrite=True)
    assert (place / "r" / "plugins" / "own.py").read_text() == PATIENT
    assert replay_episode(place / "r", 7).num_rows == 36


def test_its_parameters_are_swept_as_if_each_were_run_alone(place):
    swept = load(place, "sweep.strategies.patient.tight=[0.0002, 0.0004]", "sweep.order.shares=[600, 1200]")
    run(swept, out=place / "r")
    assert pq.read_table(place / "r" / "scenarios.parquet")["strategies.patient.tight"].to_pylist() == [
        2e-4,
        2e-4,
        4e-4,
        4e-4,
    ]
    one = pq.read_table(place / "r" / "episodes" / "scenario=tight_0.0002__shares_600" / "part-000000000000.parquet")
    alone = prepare(load(place, "strategies.patient.tight=0.0002", "order.shares=600")).run(0, 400)
    np.testing.assert_array_equal(one["shortfall_bps"].to_numpy(), alone.episodes["shortfall_bps"])
    (place / "own.py").unlink()
    assert verify(str(place / "r"), 4).faults == []
    assert replay_episode(place / "r", 3, scenario="tight_0.0004__shares_1200").num_rows == 36


@pytest.mark.parametrize(("key", "said"), [
    ("strategies.patient.tigth", "unknown key; did you mean 'tight'?"),
    ("strategies.waits.model", "every scenario has the same strategies"),
    ("strategies.waits.source", "every scenario has the same strategies"),
    ("plugins", "every scenario has the same strategies"),
])  # fmt: skip
def test_what_of_it_cannot_be_swept(place, key, said):
    with pytest.raises(InputError, match=re.escape(said)):
        load(place, f'sweep.{key}=["a", "b"]')

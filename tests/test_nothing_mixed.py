"""A run that goes on never mixes rows of two kinds, and what is a stranger's in its folder stays."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

import fastexec as fx
from fastexec.errors import FastexecError, InputError, RefusedError
from fastexec.learning.agent import agent_table
from fastexec.learning.agent_file import read_agent
from fastexec.place import Place
from fastexec.runs import executors, store
from fastexec.runs.replay import replay_episode
from fastexec.runs.status import status
from fastexec.runs.verify import verify
from fastexec.runs.work import work
from manifests import learned
from test_run import assert_same_files


@pytest.mark.parametrize("table", ["markets", "episodes", "steps"])
def test_resume_recomputes_a_part_that_contradicts_the_manifest(tmp_path, table):
    """The part is whole, signed as before, with right checksums: only the manifest tells that it is another."""
    fx.run(learned(), out=tmp_path / "r", chunk=500)
    shutil.copytree(tmp_path / "r", tmp_path / "whole")
    place = Place.of(tmp_path / "r" / table / "part-000000000000.parquet")
    rows, footer = store.read_table(place), store.read_footer(place)
    column = {"markets": "last_price", "episodes": "completion", "steps": "price"}[table]
    values = rows[column].to_numpy().copy()
    values[1] *= 1.5
    store.write_table(
        place, rows.set_column(rows.column_names.index(column), rows.schema.field(column), [values]), footer
    )
    fx.run(learned(), out=tmp_path / "r", resume=True)
    assert_same_files(tmp_path / "whole", tmp_path / "r")
    assert verify(str(tmp_path / "r")).faults == []


def test_an_extended_run_that_is_killed_still_knows_what_it_held(tmp_path, monkeypatch):
    fx.run(learned(episodes=1000), out=tmp_path / "r", chunk=500)
    fx.run(learned(episodes=2000), out=tmp_path / "whole", chunk=500)

    def failing(job, task):
        if task.first == 1500:
            raise RuntimeError("killed")
        return work(job, task)

    monkeypatch.setattr(executors, "work", failing)
    with pytest.raises(FastexecError, match="killed"):
        fx.run(learned(episodes=2000), out=tmp_path / "r", resume=True, threads=1)
    monkeypatch.setattr(executors, "work", work)
    assert status(str(tmp_path / "r")).state == "incomplete"
    with pytest.raises(InputError, match="its run is not complete"):
        fx.compare(tmp_path / "r")
    place = Place.of(tmp_path / "r" / "episodes" / "part-000000000000.parquet")
    rows, footer = store.read_table(place), store.read_footer(place)
    store.write_table(place, rows.set_column(3, rows.schema.field(3), [np.zeros(len(rows))]), footer)
    fx.run(learned(episodes=2000), out=tmp_path / "r", resume=True)
    assert_same_files(tmp_path / "whole", tmp_path / "r")


def other_agent(path):
    """An agent of the same training with another table, whole and readable."""
    agent = read_agent(path)
    pq.write_table(
        agent_table(replace(agent, learned=agent.learned._replace(best=np.zeros_like(agent.learned.best)))), path
    )


@pytest.mark.parametrize("complete", [True, False])
@pytest.mark.parametrize("damage", [other_agent, lambda path: path.write_bytes(path.read_bytes()[:-40])])
def test_rows_are_never_made_by_two_agents(tmp_path, complete, damage):
    folder = tmp_path / "r"
    fx.run(learned(), out=folder, chunk=500)
    (folder / "episodes" / "part-000000001000.parquet").unlink()
    if not complete:
        (folder / "manifest.parquet").unlink()
    damage(folder / "agents" / "a.parquet")
    with pytest.raises(RefusedError, match=r"agents/a\.parquet") as caught:
        fx.run(learned(), out=folder, resume=True)
    assert "\n" not in str(caught.value)
    assert not (folder / "episodes" / "part-000000001000.parquet").exists()
    with pytest.raises(FastexecError, match=r"agents/a\.parquet"):
        replay_episode(folder, 3)
    (folder / "agents" / "a.parquet").unlink()
    fx.run(learned(), out=folder, resume=True)  # trained again, to the same table
    assert verify(str(folder), sample=3).faults == []
    damage(folder / "agents" / "a.parquet")
    fx.run(learned(), out=folder, overwrite=True)
    assert verify(str(folder), sample=3).faults == []


def test_a_changed_study_file_of_results_is_refused_by_name(tmp_path):
    fx.run(learned(), out=tmp_path / "r", chunk=500)
    path = tmp_path / "r" / "study.toml"
    path.write_text(path.read_text() + "# a note\n")
    with pytest.raises(RefusedError, match=r"study\.toml: has .*; put it back"):
        fx.run(learned(), out=tmp_path / "r", resume=True)


def test_only_the_stores_own_leftovers_go(tmp_path):
    """``--resume`` deleted a stranger's notes/thesis.tmp."""
    fx.run(learned(), out=tmp_path / "r", chunk=500)
    strange = ["notes/thesis.tmp", "thesis.tmp", "markets/mine.tmp", "agents/notes.txt.0123456789ab.tmp", "x.tmp/inner"]
    for name in strange:
        (tmp_path / "r" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "r" / name).write_text("mine")
    own = ["study.toml.0123456789ab.tmp", "markets/part-000000000000.parquet.0123456789ab.tmp"]
    for name in own:
        (tmp_path / "r" / name).write_text("half")
    (tmp_path / "r" / "episodes" / "part-000000000500.parquet.0123456789ab.tmp").mkdir()
    fx.run(learned(), out=tmp_path / "r", resume=True)
    assert all((tmp_path / "r" / name).read_text() == "mine" for name in strange)
    assert not any((tmp_path / "r" / name).exists() for name in own)
    (tmp_path / "r" / "agents" / "mine.parquet").write_text("mine")
    (tmp_path / "r" / "episodes" / "part-mine.parquet").write_text("mine")
    fx.run(learned(seed=9), out=tmp_path / "r", overwrite=True)
    assert all((tmp_path / "r" / name).read_text() == "mine" for name in [*strange, "agents/mine.parquet"])
    assert (tmp_path / "r" / "episodes" / "part-mine.parquet").read_text() == "mine"


def test_nothing_is_written_through_a_link_inside_a_folder_and_a_folder_may_be_one(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "linked").symlink_to(tmp_path / "real")
    fx.run(learned(), out=tmp_path / "linked", chunk=500)
    assert verify(str(tmp_path / "linked")).faults == []
    shutil.copytree(tmp_path / "real", tmp_path / "whole")
    for name in ("episodes", "summary.parquet", "markets/part-000000000000.parquet", "agents", "agents/a.parquet"):
        folder = tmp_path / "r"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(tmp_path / "whole", folder)
        target = tmp_path / "elsewhere" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        os.rename(folder / name, target)
        (folder / name).symlink_to(target)
        before = {p: p.read_bytes() for p in (tmp_path / "elsewhere").rglob("*") if p.is_file()}
        for options in ({"resume": True}, {"overwrite": True}):
            with pytest.raises(RefusedError, match=f"{name}: is a link") as caught:
                fx.run(learned(seed=9), out=folder, **options)
            assert "\n" not in str(caught.value)
        assert before == {p: p.read_bytes() for p in (tmp_path / "elsewhere").rglob("*") if p.is_file()}
        shutil.rmtree(tmp_path / "elsewhere")


def test_a_lock_that_is_a_link_is_refused(tmp_path):
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / ".lock").symlink_to(tmp_path / "victim")
    with pytest.raises(RefusedError, match=r"\.lock: is a link"):
        fx.run(learned(), out=tmp_path / "r")
    assert not (tmp_path / "victim").exists()

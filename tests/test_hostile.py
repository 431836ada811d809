"""What a hostile reading of the whole found: pipes and devices, files of the reader's, wild plugins, forged manifests."""

from __future__ import annotations

import os
import shutil
import signal
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import fastexec as fx
from commands import typed
from conftest import SMALL
from fastexec.errors import FastexecError, InputError, RefusedError
from fastexec.models.trust import is_recorded
from fastexec.place import Place
from fastexec.runs import manifest, store
from fastexec.runs.manifest import Entry
from fastexec.runs.merge import merge
from fastexec.runs.replay import replay_episode
from fastexec.runs.verify import verify
from fastexec.studies.study import Study
from manifests import LEARNED, learned, listed_anew

WILD = """
import fastexec as fx

@fx.strategy("wild", beyond=0)
def wild(shares, remaining, mid, spread, last_volume, params, step, steps):
    for i in range(shares.size):
        shares[i] = remaining[i] / (steps - step)
    if step == 2:
        shares[shares.size + int(params[0])] = 123456.0
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    base = tmp_path_factory.mktemp("hostile")
    fx.run(learned(), out=base / "r", chunk=500)
    return base / "r"


@pytest.mark.parametrize("beyond", [0, 300, 5_000, 10**9, -(10**9)])
def test_a_plugin_cannot_write_outside_its_arrays(tmp_path, beyond):
    (tmp_path / "wild.py").write_text(WILD)
    study = {**SMALL, "episodes": 200, "plugins": ["wild.py"], "strategies": [{"model": "wild", "beyond": beyond}]}
    with pytest.raises(FastexecError, match="strategy 'wild', episode 0, step 2: .*an index lies outside its arrays"):
        fx.run(Study.from_dict(study, folder=tmp_path), out=tmp_path / "r")
    assert not (tmp_path / "r" / "study.toml").exists()


VERBS = {
    "status": ["status", "r"], "compare": ["compare", "r"], "verify": ["verify", "r"], "merge": ["merge", "r", "--out", "m"],
    "replay": ["replay", "r", "--episode", 3],
}  # fmt: skip


PIPES = ["manifest.parquet", "summary.parquet", "comparison.parquet", "study.toml", "run.json", ".lock"]


@pytest.mark.parametrize("name", [*PIPES, "episodes/part-000000000500.parquet", "agents/a.parquet"])
def test_a_pipe_in_place_of_a_file_is_not_waited_for(made, tmp_path, name):
    shutil.copytree(made, tmp_path / "r")
    (tmp_path / "r" / name).unlink()
    os.mkfifo(tmp_path / "r" / name)
    if name == ".lock":
        (tmp_path / "r" / "manifest.parquet").unlink()
    for words in VERBS.values():
        signal.alarm(60)  # who waits for a writer waits for ever
        ended, _, error = typed(*words, cwd=tmp_path)
        signal.alarm(0)
        assert ended in (0, 1, 2, 3)
        assert error.count("\n") == (ended != 0), (words, error)
        assert "fault of fastexec itself" not in error
    with pytest.raises(FastexecError):
        fx.run(learned(episodes=2000), out=tmp_path / "r", resume=True)
    assert (tmp_path / "r" / name).is_fifo()


def test_what_is_no_regular_file_is_never_replaced(made, tmp_path):
    os.mkfifo(tmp_path / "pipe.html")
    (tmp_path / "link.html").symlink_to(tmp_path / "nowhere")
    for name in ("pipe.html", "link.html"):
        ended, _, error = typed("report", made, "--out", tmp_path / name, cwd=tmp_path)
        assert (ended, error.count("\n")) == (2, 1)
    assert (tmp_path / "pipe.html").is_fifo()
    assert (tmp_path / "link.html").is_symlink()


def test_no_file_of_the_readers_is_copied_into_what_is_merged(made, tmp_path):
    shutil.copytree(made, tmp_path / "r")
    (tmp_path / "secret").write_text("secret")
    text = (tmp_path / "r" / "study.toml").read_text()
    first, rest = text.split('name = "small"\n', 1)
    for named in (str(tmp_path / "secret"), "../secret", str(tmp_path / "secret.py")):
        (tmp_path / "secret.py").write_text("secret")
        (tmp_path / "r" / "study.toml").write_text(f'{first}name = "small"\nplugins = ["{named}"]\n{rest}')
        listed_anew(tmp_path / "r")
        shutil.rmtree(tmp_path / "m", ignore_errors=True)
        merge([tmp_path / "r"], tmp_path / "m")
        assert not any("secret" in path.name for path in (tmp_path / "m").rglob("*"))


@pytest.mark.parametrize("rows", ["none", "all"])
def test_a_sweep_with_agents_is_shown_again_extended_and_replayed(tmp_path, rows):
    study = learned(output={"rows": rows}, sweep={"order.shares": [600, 1200]})
    fx.run(study, out=tmp_path / "r", chunk=4096)
    assert fx.run(study, out=tmp_path / "r").finished_before
    assert verify(str(tmp_path / "r")).faults == []
    for scenario in ("shares_600", "shares_1200"):
        assert replay_episode(tmp_path / "r", 3, scenario=scenario).num_rows == 24
    fx.run(study.changed({"episodes": 5000}), out=tmp_path / "r", resume=True)
    assert verify(str(tmp_path / "r")).faults == []


def test_rows_of_other_kernels_are_computed_again_and_never_joined(made, tmp_path, monkeypatch):
    shutil.copytree(made, tmp_path / "r")
    (tmp_path / "r" / "episodes" / "part-000000001000.parquet").unlink()
    for name in ("markets", "episodes", "steps"):
        part = Place.of(tmp_path / "r" / name / "part-000000000000.parquet")
        store.write_table(part, store.read_table(part), store.read_footer(part) | {"kernels": "0" * 64})
    (tmp_path / "r" / "manifest.parquet").unlink()
    fx.run(learned(), out=tmp_path / "r", resume=True)
    parts = (tmp_path / "r").rglob("part-*.parquet")
    assert len({store.read_footer(Place.of(part))["kernels"] for part in parts}) == 1
    assert verify(str(tmp_path / "r"), sample=3).faults == []


def seal(folder, changes, said=()):
    place = Place.of(folder)
    known = manifest.read(place)
    manifest.write(place, replace(known, files=known.files | changes, **dict(said)))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"x" * 5000: Entry("0" * 64, 1, None)}, {}),
        ({"notes/mine.txt": Entry("0" * 64, 1, None)}, {}),
        ({"agents/../../x.parquet": Entry("0" * 64, 1, None)}, {}),
        ({"run.json": Entry("no hex", 1, None)}, {}),
        ({"run.json": Entry("0" * 64, -1, None)}, {}),
        ({}, {"episodes": 10**30}),
        ({}, {"first": -7}),
        ({}, {"identity": 5}),
    ],
)
def test_a_sealed_manifest_is_held_to_its_schema(made, tmp_path, changes, said):
    shutil.copytree(made, tmp_path / "r")
    seal(tmp_path / "r", changes, said)
    with pytest.raises(InputError, match="is damaged, or no manifest"):
        manifest.read(Place.of(tmp_path / "r"))
    ended, out, error = typed("status", "r", cwd=tmp_path)
    assert (ended, error) == (0, "")
    assert "complete" in out


def test_a_manifest_of_another_study_makes_nothing_complete(made, tmp_path):
    shutil.copytree(made, tmp_path / "r")
    seal(tmp_path / "r", {}, {"identity": "1" * 64})
    assert "incomplete" in typed("status", "r", cwd=tmp_path)[1]
    with pytest.raises(InputError, match=r"study\.toml is not the study"):
        merge([tmp_path / "r"], tmp_path / "m")


def test_lists_count_too_where_a_file_says_more_than_it_can_hold(made, tmp_path):
    shutil.copytree(made, tmp_path / "r")
    place = Place.of(tmp_path / "r" / "summary.parquet")
    table, footer = store.read_table(place), store.read_footer(place)
    long = pa.ListArray.from_arrays(
        np.array([0, 40_000_000, 80_000_000], np.int32), pa.array(np.zeros(80_000_000, np.int64))
    )
    store.write_table(
        place, table.set_column(table.column_names.index("wins"), table.schema.field("wins"), [long]), footer
    )
    listed_anew(tmp_path / "r")
    with pytest.raises(InputError, match="it says that .* bytes hold 2 rows of"):
        fx.compare(tmp_path / "r")
    assert pq.read_metadata(tmp_path / "r" / "summary.parquet").num_rows == 2


def test_other_output_is_not_the_same_run(made, tmp_path):
    shutil.copytree(made, tmp_path / "r")
    with pytest.raises(RefusedError, match="was run with another output; resume=True"):
        fx.run(learned(output={"steps": 9}), out=tmp_path / "r")
    fx.run(learned(output={"steps": 9}), out=tmp_path / "r", resume=True)
    assert pq.read_table(tmp_path / "r" / "steps")["episode"].to_numpy().max() == 8


@pytest.mark.processes
def test_code_of_results_runs_for_no_verb_and_is_never_called_the_users(tmp_path, monkeypatch):
    plain = WILD.replace("if step == 2", "if step == 99")
    (tmp_path / "wild.py").write_text(plain)
    study = {**SMALL, "episodes": 200, "plugins": ["wild.py"], "strategies": [{"model": "twap"}, {"model": "wild"}]}
    fx.run(Study.from_dict(study, folder=tmp_path), out=tmp_path / "theirs")
    (tmp_path / "wild.py").unlink()
    digest = store.read_study(Place.of(tmp_path / "theirs")).strategies[1].source
    monkeypatch.setenv("FASTEXEC_STATE_DIR", str(tmp_path / "state"))
    for words in (["check", "theirs/study.toml"], ["run", "theirs/study.toml", "--out", "mine"],
                  ["run", "theirs/study.toml", "--out", "theirs"]):  # fmt: skip
        ended, _, error = typed(*words, cwd=tmp_path)
        assert (ended, error.count("\n")) == (2, 1)
        assert "wild.py (SHA-256" in error
    assert not is_recorded(digest)
    assert typed("run", "theirs/study.toml", "--out", "mine", "--trust", "--quiet", cwd=tmp_path)[0] == 0
    assert not is_recorded(digest)


@pytest.mark.parametrize("values", [
    {"episodes": 0}, {"episodes": -1}, {"episodes": 2.5}, {"episodes": "x"}, {"episodes": True}, {"episodes": 10**18},
    {"seed": -1}, {"seed": 2**64}, {"seed": 1.5}, {"threads": 0}, {"threads": -3}, {"threads": "a"}, {"threads": 2.5},
    {"threads": 10**6}, {"paths": {}}, {"paths": (1, 2, 3)},
])  # fmt: skip
def test_simulate_refuses_what_it_cannot_take_in_one_line(values):
    with pytest.raises(InputError) as caught:
        fx.simulate(Study.from_dict({**LEARNED, "strategies": [{"model": "twap"}], "train": {}}), **values)
    assert "\n" not in str(caught.value)

"""What a person's own runs record, and how code is found, read and run where only that record vouches for it."""

from __future__ import annotations

import pickle
import shutil
import sys
from pathlib import Path

import pytest

from fastexec.errors import FastexecError, InputError
from fastexec.models.plugin_code import import_text, read_module
from fastexec.models.plugin_files import registered
from fastexec.models.trust import Trust, is_recorded, record
from fastexec.place import Place
from fastexec.runs.replay import replay_episode
from fastexec.runs.run import run
from fastexec.runs.store import read_study
from fastexec.runs.verify import verify
from fastexec.simulation import prepare
from fastexec.studies.study import Study
from foreign_results import MARKED, OTHER, STUDY, forget, from_module, has_run, module, say

pytestmark = pytest.mark.processes


def test_own_runs_and_trainings_are_recorded_and_replayed_unasked(here, monkeypatch):
    (here / "own.py").write_text(MARKED)
    (here / "mine.toml").write_text(STUDY)
    run(Study.load(here / "mine.toml"), out=here / "own_run")
    source = read_study(Place.of(here / "own_run")).strategies[1].source
    assert is_recorded(source)
    assert [path.name for path in (here / "state" / "plugins").iterdir()] == [source]
    assert (here / "state").stat().st_mode & 0o777 == 0o700
    forget()
    assert replay_episode(here / "own_run", 7).num_rows == 36
    assert verify(str(here / "own_run"), 2).faults == []
    assert replay_episode(here / "r", 7).num_rows == 36
    monkeypatch.setenv("FASTEXEC_STATE_DIR", str(here / "another"))
    with pytest.raises(InputError, match="is not run"):
        replay_episode(here / "own_run", 7)
    assert replay_episode(here / "own_run", 7, trust=True).num_rows == 36


def test_a_training_records_too(here, capsys):
    (here / "own.py").write_text(MARKED)
    training = "[train.a]\nrounds = 1\nbatch = 512\n"
    (here / "mine.toml").write_text(STUDY + training)
    status, _, error = say(capsys, "train", "mine.toml", "--out", "agent.parquet")
    assert (status, error) == (0, "")
    assert is_recorded(Study.load(here / "mine.toml").strategies[1].source)


def test_resuming_what_is_trusted_records_nothing(here, capsys):
    status, _, error = say(
        capsys, "run", "r/study.toml", "--out", "r", "--resume", "--trust", "--set", "episodes=800", "--quiet"
    )
    assert (status, error, has_run(here)) == (0, "", True)
    assert not is_recorded(read_study(Place.of(here / "r")).strategies[1].source)


@pytest.mark.parametrize("name", ["evil", "pack.evil"])
def test_own_modules_are_recorded_and_run_from_the_text_that_was_asked_about(here, name, tmp_path_factory):
    from_module(here, name, source=True)
    home = tmp_path_factory.mktemp("own")
    (home / "mine.toml").write_text(STUDY.replace("own.py", name))
    run(Study.load(home / "mine.toml"), out=home / "o")
    forget()
    shutil.rmtree(here / "r")
    (here / "marker").unlink()
    assert replay_episode(home / "o", 7).num_rows == 36
    assert has_run(here)
    forget()
    path = here.joinpath(*name.split(".")).with_suffix(".py")
    path.write_text(OTHER.replace("patient", "impatient"))
    with pytest.raises(InputError, match="is not run"):
        replay_episode(home / "o", 7)


def test_a_file_changed_after_it_was_asked_about_does_not_run(here):
    (here / "evil.py").write_text("asked = True\n")
    texts = read_module("evil")
    (here / "evil.py").write_text(MARKED)
    assert import_text("evil", texts).asked
    assert not has_run(here)


def test_to_find_a_module_no_package_is_imported(here):
    module(here, "pack.evil")
    assert [text.name for text in read_module("pack.evil")] == ["pack", "pack.evil"]
    for name in ("nowhere", "pack.nowhere", "..", "a..b", "os/path", "_json", "zlib", "pack.evil.inner"):
        with pytest.raises(LookupError):
            read_module(name, running=True)
    assert not has_run(here)
    assert "pack" not in sys.modules


def test_prepare_of_results_read_without_trust_names_file_and_options(here):
    study = read_study(Place.of(here / "r"))
    for same in (
        study,
        study.changed({"seed": 4}),
        study.with_overrides(["seed=4"]),
        study.model_copy(),
        study.scenarios()[0].study,
    ):
        with pytest.raises(InputError, match=r"own\.py \(SHA-256 .*is not run.*plugins=\['own\.py'\].*trust=True"):
            prepare(same)
    swept = study.with_overrides(["sweep.order.shares=[600, 1200]"])
    with pytest.raises(InputError, match="is not run"):
        prepare(swept.scenarios()[1].study)
    assert not has_run(here)


def test_a_pickled_study_runs_what_it_meant_and_nothing_else(here):
    (here / "own.py").write_text(MARKED)
    (here / "mine.toml").write_text(STUDY)
    sent, read = pickle.dumps(Study.load(here / "mine.toml")), pickle.dumps(read_study(Place.of(here / "r")))
    assert prepare(pickle.loads(sent)).strategies == ["twap", "patient", "waits"]
    with pytest.raises(InputError, match="is not run"):
        prepare(pickle.loads(read))
    forget()
    (here / "marker").unlink()
    (here / "own.py").write_text(OTHER)
    with pytest.raises(FastexecError, match="no plugin at hand registers 'patient'"):
        prepare(pickle.loads(sent))
    assert not has_run(here)


@pytest.mark.parametrize("entry", ["a\nb.py", "\x1b[2J.py", "a\0b", "a\0b.py"])
def test_plugins_of_strange_names_are_one_harmless_line(here, entry):
    for trust in (Trust.OWN, Trust.of((), False)):
        with pytest.raises(InputError) as caught:
            registered([entry], lambda name: [Path(name)], trust)
        assert str(caught.value).isprintable()


def test_a_state_folder_where_others_may_write_counts_for_nothing(here):
    record(["0" * 64])
    assert is_recorded("0" * 64)
    for folder in (here / "state", here / "state" / "plugins"):
        folder.chmod(0o777)
        with pytest.warns(UserWarning, match="can be written by others; chmod go-w"):
            assert not is_recorded("0" * 64)
        with pytest.warns(UserWarning, match="can be written by others"):
            record(["1" * 64])
        folder.chmod(0o700)
    assert not is_recorded("1" * 64)


def test_a_record_that_cannot_be_written_fails_no_run(here, monkeypatch):
    (here / "file").write_text("")
    monkeypatch.setenv("FASTEXEC_STATE_DIR", str(here / "file"))
    with pytest.warns(UserWarning, match="is not used: it cannot be written"):
        record(["0" * 64])
    assert not is_recorded("0" * 64)
    monkeypatch.setenv("FASTEXEC_STATE_DIR", "relative")
    with pytest.warns(UserWarning, match="is no absolute path"):
        record(["0" * 64])
    assert not (here / "relative").exists()


def test_the_record_lies_where_the_state_of_programs_lies(here, monkeypatch):
    monkeypatch.delenv("FASTEXEC_STATE_DIR")
    monkeypatch.setenv("HOME", str(here / "home"))
    monkeypatch.setenv("XDG_STATE_HOME", str(here / "xdg"))
    record(["0" * 64])
    assert (here / "xdg" / "fastexec" / "plugins" / ("0" * 64)).is_file()
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    record(["1" * 64, "../../x", "2" * 63])
    assert [path.name for path in (here / "home/.local/state/fastexec/plugins").iterdir()] == ["1" * 64]
    assert not is_recorded("../../x")

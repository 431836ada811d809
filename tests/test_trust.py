"""Code that a folder of results brings or names runs only where its reader vouches for it."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import fastexec as fx
from conftest import ROOT
from fastexec.cli import cli
from fastexec.errors import FastexecError, InputError
from fastexec.exits import statuses
from fastexec.models.plugin_code import import_text, read_module
from fastexec.models.plugin_files import registered
from fastexec.models.plugins import FILE_MODULE, registry
from fastexec.models.trust import Trust, is_recorded, record
from fastexec.simulation import prepare
from fastexec.studies.place import Place
from fastexec.studies.replay import replay_episode
from fastexec.studies.run import run
from fastexec.studies.store import read_study
from fastexec.studies.study import Study
from fastexec.studies.verify import verify
from test_own_strategies import PATIENT, STUDY

MARKED = PATIENT + "\n\nimport os, pathlib\n\npathlib.Path(os.environ['FASTEXEC_TEST_MARKER']).touch()\n"
OTHER = MARKED + "\n# other bytes\n"


@pytest.fixture(scope="session")
def foreign(tmp_path_factory):
    """A finished run of somebody else: another process, another state folder."""
    home = tmp_path_factory.mktemp("foreign")
    (home / "own.py").write_text(MARKED)
    (home / "mine.toml").write_text(STUDY)
    subprocess.run(
        [sys.executable, "-m", "fastexec", "run", "mine.toml", "--out", "r", "--quiet"], cwd=home, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "FASTEXEC_STATE_DIR": str(home / "state"),
             "FASTEXEC_TEST_MARKER": str(home / "marker")},
    )  # fmt: skip
    assert (home / "marker").exists()
    return home / "r"


@pytest.fixture
def here(tmp_path, foreign, monkeypatch):
    """The reader's folder, which is the current one and importable, with a copy of the results in it."""
    shutil.copytree(foreign, tmp_path / "r")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path / "r")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("FASTEXEC_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("FASTEXEC_TEST_MARKER", str(tmp_path / "marker"))
    forget()
    yield tmp_path
    forget()


def forget():
    """As in a new process."""
    for name in [name for name in registry if name.startswith((FILE_MODULE, "evil", "pack"))]:
        del registry[name]
    for name in [name for name in sys.modules if name.startswith((FILE_MODULE, "evil", "pack"))]:
        del sys.modules[name]


def say(capsys, *words):
    """The command line in this process: (status, standard output, standard error)."""
    with pytest.raises(SystemExit) as ended, statuses(False):
        with cli.make_context("fastexec", list(map(str, words))) as context:
            cli.invoke(context)
    out, error = capsys.readouterr()
    return ended.value.code, out, error


def has_run(place):
    return (place / "marker").exists()


def rewrite(place, plugins=None, source=True, head=True):
    """study.toml with other plugins, without the SHA-256s of its code, or without the line that a run writes first."""
    lines = (place / "r" / "study.toml").read_text().splitlines()
    found = [line for line in lines if (source or not line.startswith("source")) and (head or not line.startswith("#"))]
    text = "\n".join(found) + "\n"
    if plugins is not None:
        start, end = text.index("plugins = "), text.index("]", text.index("plugins = ")) + 1
        text = f"{text[:start]}plugins = {plugins}{text[end:]}"
    (place / "r" / "study.toml").write_text(text)


def module(place, name, text=MARKED):
    """A module in the results and in the current folder; packages around it that mark too."""
    for home in (place / "r", place):
        path = home.joinpath(*name.split(".")).with_suffix(".py")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        if "." in name:
            (path.parent / "__init__.py").write_text(MARKED)


def unneeded(place):
    rewrite(place, '["own.py", "more.py"]')
    (place / "r" / "plugins" / "more.py").write_text(OTHER)


def absolute(place, source):
    (place / "evil.py").write_text(MARKED)
    rewrite(place, f'["{place / "evil.py"}"]', source)


def from_module(place, name, source):
    module(place, name)
    rewrite(place, f'["{name}"]', source)


def in_the_way(place):
    """Beside the study a file of the same name as the copy, and one in the current folder."""
    for home in (place, place / "r"):
        (home / "own.py").write_text(OTHER)
    rewrite(place, source=False)


ATTACKS = {
    "as it is": lambda place: None,
    "no source": lambda place: rewrite(place, source=False),
    "no head": lambda place: rewrite(place, source=False, head=False),
    "other bytes": lambda place: (place / "r" / "plugins" / "own.py").write_text(OTHER),
    "other bytes, no source": lambda place: (rewrite(place, source=False), ATTACKS["other bytes"](place)),
    "module": lambda place: from_module(place, "evil", source=False),
    "module of a source": lambda place: from_module(place, "evil", source=True),
    "dotted module": lambda place: from_module(place, "pack.evil", source=False),
    "dotted module of a source": lambda place: from_module(place, "pack.evil", source=True),
    "absolute path": lambda place: absolute(place, source=False),
    "absolute path of a source": lambda place: absolute(place, source=True),
    "unneeded": unneeded,
    "in the way": in_the_way,
}
READERS = [
    ["compare", "r"], ["report", "r", "--out", "report.html"], ["status", "r"], ["merge", "r", "--out", "m", "--quiet"],
    ["show", "r/study.toml"], ["verify", "r"],
]  # fmt: skip
RUNNERS = [
    ["replay", "r", "--episode", 3], ["verify", "r", "--sample", 1],
    ["run", "r/study.toml", "--out", "r", "--resume", "--set", "episodes=800"], ["run", "r/study.toml", "--resume"],
]  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_runs_because_a_folder_of_results_says_so(here, capsys, attack):
    ATTACKS[attack](here)
    for words in [*READERS, *RUNNERS]:
        status, _, error = say(capsys, *words)
        assert not has_run(here), words
        assert status in ((0, 2, 3) if words in READERS else (2, 3)), (words, error)
        assert error.count("\n") <= 1, words
        assert "fault of fastexec" not in error, words


def test_a_study_resumed_into_its_own_folder_is_that_folders_even_without_results(here, capsys):
    (here / "theirs" / "plugins").mkdir(parents=True)
    (here / "theirs" / "plugins" / "own.py").write_text(MARKED)
    (here / "theirs" / "study.toml").write_text(STUDY)
    for out in ("theirs", "link"):
        (here / "link").unlink(missing_ok=True)
        (here / "link").symlink_to(here / "theirs")
        status, _, error = say(capsys, "run", "theirs/study.toml", "--out", out, "--resume")
        assert (status, has_run(here)) == (2, False)
        assert "own.py" in error


def test_resuming_from_python_a_study_of_the_folder_is_no_own_run(here):
    with pytest.raises(InputError, match="is not run"):
        run(Study.load(here / "r" / "study.toml", ["episodes=800"]), out=here / "r", resume=True)
    assert not has_run(here)
    run(Study.load(here / "r" / "study.toml", ["episodes=800"]), out=here / "r", resume=True, trust=True)
    assert has_run(here)


def test_results_as_they_are_can_be_compared_reported_and_looked_at_without_the_code(here, capsys):
    for words in (["compare", "r"], ["report", "r", "--out", "report.html"], ["status", "r"]):
        status, out, error = say(capsys, *words)
        assert (status, error) == (0, ""), words
        assert out
    assert not has_run(here)


@pytest.mark.parametrize("words", RUNNERS[:3])
def test_a_refusal_names_the_code_and_what_would_let_it_run(here, capsys, words):
    digest = read_study(Place.of(here / "r")).strategies[1].source
    status, _, error = say(capsys, *words)
    assert status == 2
    assert f"own.py (SHA-256 {digest[:12]}...): is not run" in error
    assert "--plugin own.py" in error
    assert "--trust" in error


@pytest.mark.parametrize("words", RUNNERS[:3])
@pytest.mark.parametrize("way", ["named", "recorded", "trusted"])
def test_what_the_reader_vouches_for_runs(here, capsys, words, way):
    (here / "mine").mkdir()
    (here / "mine" / "own.py").write_text(MARKED)
    if way == "recorded":
        record([read_study(Place.of(here / "r")).strategies[1].source])
    more = {"named": ["--plugin", "mine/own.py"], "recorded": [], "trusted": ["--trust"]}[way]
    status, out, error = say(capsys, *words, *more)
    assert (status, error) == (0, "")
    assert out
    assert has_run(here)


@pytest.mark.parametrize(
    "attack", ["other bytes", "other bytes, no source", "module", "dotted module", "absolute path"]
)
def test_what_was_recorded_vouches_for_nothing_else(here, capsys, attack):
    ATTACKS[attack](here)
    for path in here.rglob("*.py"):
        path.write_text(path.read_text() + "\n# never recorded\n")
    record(
        [fx.Study.load(here / "r" / "study.toml", trust=Trust.NOTHING).strategies[1].source]
        if attack == "other bytes"
        else []
    )
    for words in RUNNERS:
        status, _, error = say(capsys, *words)
        assert (status, error.count("\n")) in ((2, 1), (3, 1)), words
    assert not has_run(here)


def test_a_file_that_is_named_is_just_that_file(here, capsys):
    """Files of the same name among the results do not take its place."""
    (here / "own.py").write_text(PATIENT)
    in_results = ("r/own.py", "r/plugins/own.py")
    for name in in_results:
        (here / name).write_text(OTHER)
    status, _, error = say(capsys, "replay", "r", "--episode", 3, "--plugin", "own.py")
    assert status == 3
    assert "own.py: has changed since 'patient' was resolved from it" in error
    assert not has_run(here)
    (here / "own.py").unlink()
    status, _, error = say(capsys, "replay", "r", "--episode", 3, "--plugin", "own.py")
    assert (status, has_run(here)) == (2, False)
    assert "there is no such plugin file" in error


def test_a_module_within_the_results_does_not_run_even_where_its_text_is_recorded(here, capsys):
    from_module(here, "evil", source=True)
    record([read_study(Place.of(here / "r")).strategies[1].source])
    (here / "evil.py").unlink()
    status, _, error = say(capsys, "replay", "r", "--episode", 3)
    assert (status, has_run(here)) == (2, False)
    assert "within the results" in error


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
        study.changed(seed=4),
        study.with_overrides(["seed=4"]),
        study.model_copy(),
        study.scenarios()[0].study,
    ):
        with pytest.raises(InputError, match=r"own\.py \(SHA-256 .*is not run.*--plugin own\.py.*--trust"):
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

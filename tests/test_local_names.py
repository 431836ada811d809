"""Names that are hard to print, and paths that can be none: any local name works, the others end in one line, status 2."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from conftest import data_file
from fastexec.cli.main import main
from fastexec.errors import FastexecError, InputError
from fastexec.files import commit, open_local
from fastexec.place import Place
from fastexec.printing import harmless
from fastexec.studies.study import Study
from test_cli import STUDY
from test_run import assert_same_files
from test_terminal import AGENT

pytestmark = pytest.mark.processes

BYTES = os.fsdecode(b"r\xfc")
NAMES = [
    BYTES,
    "q?x",
    "q#x",
    "q%20x",
    "a b",
    "a\nb",
    "größe",
    "🙂",
    "~x",
    " ",
    "-x",
    "[red]",
    "a*b",
    "x//y@z",
    "s3:",
    "\x1b[2J",
]
LONG = "x" * 300
PLUGIN = """
import fastexec

@fastexec.strategy("mine")
def mine(shares, remaining, mid, spread, last_volume, params, step, steps):
    for i in range(len(shares)):
        shares[i] = remaining[i] / (steps - step)
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A folder with studies and finished results."""
    folder = tmp_path_factory.mktemp("names")
    (folder / "tiny.toml").write_text(STUDY)
    (folder / "agent.toml").write_text(STUDY + AGENT)
    (folder / "mine.toml").write_text(STUDY + '[[strategies]]\nmodel = "mine"\n')
    (folder / "own.py").write_text(PLUGIN)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("signal.signal", lambda *_: None)
        with pytest.raises(SystemExit) as ended:
            main(["run", "tiny.toml", "--out", "r", "--quiet"])
    assert ended.value.code == 0
    return folder


@pytest.fixture
def fastexec(whole, tmp_path, monkeypatch, capsys):
    """Run the command in this process in a copy of the folder: (status, standard output, standard error)."""
    shutil.copytree(whole, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    monkeypatch.setattr("signal.signal", lambda *_: None)  # pytest keeps its own handler of Ctrl-C

    def run(*words):
        with pytest.raises(SystemExit) as ended:
            main(list(map(str, words)))
        return (ended.value.code, *capsys.readouterr())

    return run


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_results_may_lie_in_a_folder_of_any_name(fastexec, name):
    assert fastexec("run", "tiny.toml", "--out", name, "--quiet") == (0, "", "")
    os.symlink(name, "plain")  # which pyarrow can read by its name
    assert_same_files(Path("r"), Path("plain"))
    shown = harmless(name)
    assert fastexec("report", "--", name) == (0, f"report: {shown}/report.html\n", "")
    assert fastexec("verify", "--sample", "1", "--", name)[1].startswith(f"{shown}: all is well: 1 chunk ")
    assert fastexec("status", "--", name)[1].startswith("tiny: complete\n300 of 300 episodes")
    assert fastexec("run", "tiny.toml", "--out", name, "--resume", "--quiet") == (0, "", "")
    assert fastexec("merge", "--out", "m", "--quiet", "--", name) == (0, "", "")
    for words in (["compare"], ["replay", "--episode", "3"]):
        assert fastexec(*words, "--", name) == fastexec(*words, "r")
    status, out, error = fastexec("run", "tiny.toml", "--out", name)
    assert (status, error) == (0, "")
    assert f"/{shown.strip()}\n".replace("//", "/") in out


@pytest.mark.parametrize("name", [BYTES, "a?b", "~x", "\u202e"], ids=ascii)
def test_files_that_are_read_and_written_may_have_any_name(fastexec, name):
    shown = harmless(name)
    shutil.copy("tiny.toml", f"{name}.toml")
    assert fastexec("run", f"{name}.toml", "--out", "other", "--quiet") == (0, "", "")
    assert_same_files(Path("r"), Path("other"))
    assert fastexec("train", "agent.toml", "--out", f"{name}.parquet")[1].startswith(f"trained: {shown}.parquet\n")
    assert fastexec("show", f"{name}.parquet")[1].startswith("agent agent: rule")
    assert fastexec("report", "r", "--out", f"{name}.html") == (0, f"report: {shown}.html\n", "")
    os.mkdir(f"{name}.d")
    shutil.copy("mine.toml", f"{name}.d/study.toml")
    shutil.copy("own.py", f"{name}.d/own.py")
    shutil.copy("own.py", f"{name}.py")
    # what cannot be shown as it is cannot be kept in a study either
    assert fastexec("schema", "--plugin", f"{name}.py")[0] == (0 if name.isprintable() else 2)
    assert fastexec("check", f"{name}.d/study.toml", "--plugin", "own.py")[0] == 0


def test_bars_may_have_any_name(fastexec):
    shutil.copy(data_file("us_bars_1min.parquet"), f"{BYTES}.parquet")
    words = ["calibrate", f"{BYTES}.parquet", "--symbol", "IBM", "--episodes", 200, "--out", f"{BYTES}.toml"]
    status, out, error = fastexec(*words)
    assert (status, error) == (0, "")
    assert out.startswith("calibrated on r\\xfc.parquet, IBM")
    with open(f"{BYTES}.toml", encoding="utf-8") as written:
        assert written.readline().startswith("# calibrated on r\\xfc.parquet, IBM")
    assert not [name for name in os.listdir() if name.endswith(".tmp")]
    os.rename(f"{BYTES}.parquet", "a\nb = 1.parquet")
    assert fastexec("calibrate", "a\nb = 1.parquet", *words[2:], "--overwrite")[0] == 0
    with open(f"{BYTES}.toml", encoding="utf-8") as written:
        assert all(line.startswith(("#", "[", "\n")) or " = " in line for line in written)
        written.seek(0)
        assert "a\\nb = 1.parquet" in written.readline()


@pytest.mark.parametrize("words", [
    ["check", "mine.toml", "--plugin", f"{BYTES}.py"], ["run", "tiny.toml", "--set", f"name={BYTES}"],
    ["train", "agent.toml", "--out", "a.parquet", "--set", f"{BYTES}=1"], ["run", "tiny.toml", "--set", f"market.bars={BYTES}"],
], ids=ascii)  # fmt: skip
def test_what_is_kept_in_the_study_is_text(fastexec, words):
    """study.toml is UTF-8: what cannot stand there is refused before anything is written."""
    before = sorted(os.listdir())
    status, out, error = fastexec(*words)
    assert (status, out) == (2, "")
    assert "r\\xfc" in error
    assert "is no UTF-8 text, as a study is" in error
    assert error.count("\n") == 1
    assert sorted(os.listdir()) == before


IMPOSSIBLE = [LONG, f"tiny.toml/{LONG}", "tiny.toml/below", "loop", "loop/below", "a\0b"]
VERBS = [
    ["run", "tiny.toml", "--quiet", "--out", ...],
    ["run", ...],
    ["check", ...],
    ["compare", ...],
    ["report", ...],
    ["report", "r", "--out", ...],
    ["report", "r", "--figures", ...],
    ["replay", ..., "--episode", "1"],
    ["verify", ...],
    ["status", ...],
    ["merge", ..., "--out", "m"],
    ["merge", "r", "--out", ...],
    ["show", ...],
    ["train", "agent.toml", "--out", ...],
    ["calibrate", ..., "--symbol", "X"],
    ["check", "mine.toml", "--plugin", ...],
]


@pytest.mark.parametrize("path", IMPOSSIBLE, ids=lambda path: ascii(path)[:24])
def test_a_path_that_can_be_none_is_the_users(fastexec, path):
    """A name too long, a folder that is a file, links in a circle, NUL: one line, status 2, nothing written."""
    os.symlink("loop", "loop")
    before = sorted(os.listdir())
    for verb in VERBS:
        status, out, error = fastexec(*(path if word is ... else word for word in verb))
        assert (status, out) == (2, ""), (verb, out, error)
        assert error.count("\n") == 1, (verb, error)
        assert "fault" not in error, (verb, error)
    assert sorted(os.listdir()) == before


def test_joining_and_printing_local_paths():
    assert str(Place.of("q?x") / "report.html") == "q?x/report.html"
    assert (Place.of("q?x") / "a" / "b").path == "q?x/a/b"
    assert str(Place.of("x//y@z") / "a") == "x//y@z/a"
    for impossible in (LONG, "a\0b"):
        with pytest.raises(InputError, match="is no path"):
            Place.of(impossible)


def test_a_place_of_any_name_is_written_read_listed_and_removed(tmp_path):
    folder = Place.of(tmp_path) / BYTES
    for name in NAMES[1:3] + [BYTES]:
        (folder / name).write(name.encode(errors="surrogateescape"))
    assert [place.name for place in folder.children()] == sorted(NAMES[1:3] + [BYTES])
    with (folder / BYTES).open() as stream:
        assert stream.read() == b"r\xfc"
    assert (folder / "q?x").read_text() == "q?x"
    assert folder.is_folder()
    (folder / BYTES).remove()
    assert not (folder / BYTES).is_file()
    assert os.listdir(os.fsencode(tmp_path)) == [b"r\xfc"]


def test_a_name_too_long_to_be_written_is_the_users_and_a_full_disk_is_not(tmp_path, monkeypatch):
    place = Place.of(tmp_path) / ("y" * 250)  # itself possible, but not with the ending of a file half-written
    with pytest.raises(InputError, match="cannot be written \\(File name too long\\)"):
        place.write(b"")

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FastexecError, match="No space left") as caught:
        (Place.of(tmp_path) / "z").write(b"")
    assert caught.value.exit_status == 1
    assert list(tmp_path.iterdir()) == []


def test_local_files_are_read_without_their_name_being_changed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    commit(tmp_path / "~x", b"PAR1")
    with open_local("~x") as stream:
        assert stream.read() == b"PAR1"
    with pytest.raises(FileNotFoundError):
        open_local("absent")


def test_studies_load_from_any_name(tmp_path):
    path = tmp_path / f"{BYTES}.toml"
    path.write_text(STUDY)
    assert Study.load(path).name == "tiny"
    with pytest.raises(InputError, match="cannot be read"):
        Study.load(tmp_path / LONG)

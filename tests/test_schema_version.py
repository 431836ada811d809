"""Results of another version of the schema: one line that says so, whatever is asked of them, and they stay as they are."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

import fastexec as fx
from fastexec.cli import main
from fastexec.columns import SCHEMA_VERSION
from fastexec.studies import job, provenance, store
from fastexec.studies.place import Place
from fastexec.studies.study import Study
from test_cli import STUDY, tree

VERBS = (
    ["compare", "r"], ["report", "r"], ["replay", "r", "--episode", "3"], ["verify", "r"], ["status", "r"],
    ["merge", "r", "--out", "m"],
)  # fmt: skip


def said(capfd, words):
    """The status that a command ends with, and what it prints."""
    capfd.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(words)
    return ended.value.code, "".join(capfd.readouterr())


@pytest.fixture(scope="module", params=[1, SCHEMA_VERSION + 1])
def made(request, tmp_path_factory):
    """A folder as another version wrote it; the first did not say so in study.toml."""
    folder = tmp_path_factory.mktemp("schema")
    (folder / "tiny.toml").write_text(STUDY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(provenance, "SCHEMA_VERSION", request.param)
        patch.setattr(job, "SCHEMA_VERSION", request.param)
        if request.param == 1:
            head = job.Job.head
            patch.setattr(job.Job, "head", lambda self: head(self).removesuffix(", schema = 1"))
        fx.run(Study.load(folder / "tiny.toml"), out=folder / "r")
    return folder, request.param


@pytest.fixture
def changed(made, tmp_path, monkeypatch):
    folder, version = made
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return version


@pytest.mark.parametrize("words", VERBS, ids=[words[0] for words in VERBS])
def test_a_folder_of_another_version_is_refused_in_one_line(changed, words, tmp_path, capfd):
    before = tree(tmp_path)
    status, text = said(capfd, words)
    assert status == 2, text
    (line,) = text.splitlines()
    assert re.search(rf"was written by version {changed} of the results' schema, .* run it again", line)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("words", [["--resume"], []])
def test_a_run_does_not_go_on_in_one(changed, words, tmp_path, capfd):
    before = tree(tmp_path)
    status, text = said(capfd, ["run", "tiny.toml", "--out", "r", "--quiet", *words])
    assert status == 3, text
    assert f"was written by version {changed}" in text
    assert "choose another --out" in text
    assert tree(tmp_path) == before


def test_a_file_of_another_version_is_not_read_as_one_of_ours(changed):
    for path in Path("r").rglob("*.parquet"):
        if path.name != "manifest.parquet":
            with pytest.raises(fx.InputError, match=rf"{path}: was written by version {changed} of the results"):
                store.read_footer(Place.of(path))
    with pytest.raises(fx.InputError, match=f"was written by version {changed}"):
        fx.compare("r")

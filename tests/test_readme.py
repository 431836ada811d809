"""The README runs: every study, strategy, program and command in it, in the order in which a newcomer meets them."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from fastexec.columns import data_dictionary

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"`([\w.]+\.(?:py|toml))`")


def blocks(text):
    """(language, content, the file that the sentence before it names, if any), in order."""
    for found in FENCE.finditer(text):
        before = text[: found.start()].rstrip().rpartition("\n\n")[2]
        names = FILE.findall(before)
        yield found[1], found[2], names[-1] if names and before.endswith(":") else None


def run(words, place):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "100"}
    return subprocess.run(words, cwd=place, env=environment, text=True, capture_output=True, check=False)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """(what was run, its exit status, what it said) of each program and command; files are written as they come."""
    place, done = tmp_path_factory.mktemp("readme"), []
    for language, content, name in blocks(README):
        if name is not None:
            (place / name).write_text(content, "utf-8")
        elif language == "python":
            ended = run([sys.executable, "-c", content], place)
            done.append((content, ended.returncode, ended.stdout + ended.stderr))
        elif language == "console":
            for line in content.splitlines():
                command = shlex.split(line.removeprefix("$ "), comments=True)
                assert command[0] == "fastexec", line
                ended = run([sys.executable, "-m", *command], place)
                done.append((line, ended.returncode, ended.stdout + ended.stderr))
    return done


def test_every_block_of_code_runs(outcomes):
    assert [(what, said) for what, status, said in outcomes if status != 0] == []


def test_there_is_something_to_run(outcomes):
    assert len(outcomes) >= 10
    assert any("agent" in said and "twap" in said for _, _, said in outcomes)


def test_no_block_is_of_a_language_that_nobody_runs():
    assert {language for language, _, _ in blocks(README)} <= {"toml", "python", "console", "text"}


def test_the_columns_are_those_of_the_schema():
    """Generated: paste `fastexec.columns.data_dictionary()` behind the heading."""
    assert README.rstrip().endswith(data_dictionary().rstrip())


def test_the_picture_is_there():
    for path in re.findall(r"!\[[^]]*\]\(([^)]+)\)", README):
        assert (ROOT / path).is_file(), path

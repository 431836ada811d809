"""The README runs: every study, strategy, program and command in it, in the order in which a newcomer meets them."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

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


def steps(section):
    """What a section has run: (what it is, the words of a command or None, the file to write or None, its content)."""
    for language, content, name in blocks(section):
        if name is not None:
            yield name, None, content
        elif language == "python":
            yield content, [sys.executable, "-c", content], None
        elif language == "console":
            for line in content.splitlines():
                command = shlex.split(line.removeprefix("$ "), comments=True)
                assert command[0] == "fastexec", line
                yield line, [sys.executable, "-m", *command], None


SECTIONS = {text.splitlines()[0]: list(steps(text)) for text in re.split(r"^## ", README, flags=re.MULTILINE)}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """One folder for all: a section goes on with what those before it have made."""
    return tmp_path_factory.mktemp("readme")


@pytest.fixture(scope="module")
def outcomes():
    """What every section said so far."""
    return {}


@pytest.mark.parametrize("title", [title for title, found in SECTIONS.items() if found])
def test_every_block_of_code_runs(title, place, outcomes):
    """In the order of the page: a section may need what those before it have made."""
    for what, words, content in SECTIONS[title]:
        if words is None:
            (place / what).write_text(content, "utf-8")
            continue
        ended = run(words, place)
        outcomes[what] = ended.stdout + ended.stderr
        assert ended.returncode == 0, f"{what}\n{outcomes[what]}"


def test_there_is_something_to_run(outcomes):
    """And no block is torn by the cut into sections."""
    assert sum(SECTIONS.values(), []) == list(steps(README))
    assert sum(words is not None for _, words, _ in steps(README)) >= 10
    assert any("agent" in said and "twap" in said for said in outcomes.values())


def test_no_block_is_of_a_language_that_nobody_runs():
    assert {language for language, _, _ in blocks(README)} <= {"toml", "python", "console", "text"}


def test_pictures_and_linked_pages_are_there():
    linked = re.findall(r"\]\(([^)#]+)\)", README)
    assert len(linked) > 5
    for path in linked:
        assert (ROOT / path).is_file(), path


def test_the_front_page_stays_one():
    assert len(README.splitlines()) <= 250

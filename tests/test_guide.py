"""The handbook runs: every block of every topic, in order, each topic in a folder of its own; and how it is shown."""

from __future__ import annotations

import os
import re

import pytest

from blocks import LANGUAGES, agrees, blocks, steps, take
from commands import typed
from conftest import ROOT
from fastexec.errors import InputError
from test_terminal import CODES, in_terminal

FOLDER = ROOT / "fastexec" / "guide"
TOPICS = sorted(path.stem for path in FOLDER.glob("*.md"))


@pytest.mark.processes
@pytest.mark.parametrize("topic", TOPICS)
def test_every_block_of_a_topic_runs(topic, tmp_path):
    done = list(steps((FOLDER / f"{topic}.md").read_text("utf-8")))
    assert any(step.words for step in done)
    for step in done:
        take(step, tmp_path)


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_begins_with_its_title_and_fits_a_page(topic):
    text = (FOLDER / f"{topic}.md").read_text("utf-8")
    assert re.match(r"# [^\n:]+: [^\n]+\n\n", text)
    assert re.fullmatch(r"[a-z-]+", topic)
    assert max(len(line) for line in text.splitlines() if not line.startswith("|")) <= 128
    assert {language for language, _, _ in blocks(text)} <= LANGUAGES


def test_topics_are_listed_and_shown_as_they_are_written(tmp_path):
    status, out, error = typed("guide", cwd=tmp_path)
    assert (status, error) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == ["topic", *TOPICS]
    for topic in TOPICS:
        status, out, error = typed("guide", topic, cwd=tmp_path)
        assert (status, out, error) == (0, (FOLDER / f"{topic}.md").read_text("utf-8"), "")


def test_an_unknown_topic_is_answered_with_the_nearest(tmp_path):
    status, out, error = typed("guide", "reproducability", cwd=tmp_path)
    assert (status, out) == (2, "")
    assert error == "fastexec: guide reproducability: no such topic; did you mean 'reproducibility'?\n"
    assert "topics are first-study, " in typed("guide", "xyz", cwd=tmp_path)[2]


def test_on_a_terminal_it_is_laid_out_and_paged(tmp_path):
    pager = tmp_path / "pager"
    pager.write_text("#!/bin/sh\necho paged\ncat\n")
    pager.chmod(0o755)
    text = CODES.sub("", in_terminal(80, "guide", "first-study", cwd=tmp_path, PAGER=str(pager)))
    assert text.startswith("paged\n")
    assert "```" not in text
    assert "fastexec new mine" in text
    text = in_terminal(80, "guide", cwd=tmp_path, PAGER=str(pager))
    assert not text.startswith("paged"), "what the terminal holds needs no pager"


@pytest.mark.parametrize(("shown", "said", "same"), [
    ("a  b\n", "a b\n", True), ("a\n", "a\nb\n", False), ("a\n...\n", "a\nb\nc\n", True), ("...\nc\n", "a\nb\nc\n", True),
    ("a ... c\n", "a b b c\n", True), ("a ... c\n", "a b\nc\n", False), ("b\n", "a\n", False), ("a.b\n", "axb\n", False),
])  # fmt: skip
def test_what_a_page_shows_is_compared(shown, said, same):
    assert agrees(shown, said) == same


@pytest.mark.parametrize("page", [
    "```console\n$ fastexec nothing\n```\n", "```python\n1 / 0\n```\n", "```toml\n[order]\nshres = 1\n```\n",
    "```console\n$ fastexec presets show large_cap\nanother text\n```\n", "`a.toml`:\n\n```toml\n[order]\nshres = 1\n```\n",
])  # fmt: skip
def test_a_block_that_fails_is_told(page, tmp_path):
    *before, step = steps(page)
    for one in before:
        take(one, tmp_path)
    with pytest.raises((AssertionError, InputError), match=r"no command|ZeroDivision|shres|another text"):
        take(step, tmp_path)


def test_every_file_of_the_folder_is_a_topic():
    assert sorted(os.listdir(FOLDER)) == [f"{topic}.md" for topic in TOPICS]

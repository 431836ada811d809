"""The README runs: every study, strategy, program and command in it, in the order in which a newcomer meets them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from blocks import LANGUAGES, blocks, steps, take

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
SECTIONS = {text.splitlines()[0]: list(steps(text)) for text in re.split(r"^## ", README, flags=re.MULTILINE)}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """One folder for all: a section goes on with what those before it have made."""
    return tmp_path_factory.mktemp("readme")


@pytest.fixture(scope="module")
def outcomes():
    """What every section said so far."""
    return {}


@pytest.mark.processes
@pytest.mark.parametrize("title", [title for title, found in SECTIONS.items() if found])
def test_every_block_of_code_runs(title, place, outcomes):
    """In the order of the page: a section may need what those before it have made."""
    for step in SECTIONS[title]:
        outcomes[step.what] = take(step, place)


@pytest.mark.processes
def test_there_is_something_to_run(outcomes):
    """And no block is torn by the cut into sections."""
    assert sum(SECTIONS.values(), []) == list(steps(README))
    assert sum(bool(step.words) for step in steps(README)) >= 7
    assert any("agent" in said and "twap" in said for said in outcomes.values())


def test_no_block_is_of_a_language_that_nobody_runs():
    assert {language for language, _, _ in blocks(README)} <= LANGUAGES


def test_pictures_and_linked_pages_are_there():
    linked = re.findall(r"\]\(([^)#]+)\)", README)
    assert len(linked) > 5
    for path in linked:
        assert (ROOT / path).is_file(), path


def test_the_front_page_stays_one():
    assert len(README.splitlines()) <= 250

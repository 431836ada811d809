"""CONTRIBUTING speaks of this tree: its files are there, and so are the names that it gives beside them."""

from __future__ import annotations

import re

import pytest

from conftest import ROOT

PAGE = (ROOT / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")
PATH = re.compile(r"(?:fastexec|tests|scripts|bench)/[\w/]+\.(?:py|md)")


@pytest.mark.parametrize("path", sorted(set(PATH.findall(PAGE))))
def test_a_file_that_it_names_is_there(path):
    assert (ROOT / path).is_file()


@pytest.mark.parametrize(("path", "names"), re.findall(rf"`({PATH.pattern})` \(((?:`\w+`(?:, )?)+)\)", PAGE))
def test_a_name_that_it_gives_beside_a_file_stands_there(path, names):
    text = (ROOT / path).read_text(encoding="utf-8")
    assert [name for name in re.findall(r"\w+", names) if not re.search(rf"\b{name}\b", text)] == []


@pytest.mark.parametrize(("path", "name"), re.findall(rf"^  ({PATH.pattern}) +(\w+):? ", PAGE, re.MULTILINE))
def test_what_a_diff_changes_first_stands_in_its_file(path, name):
    text = (ROOT / path).read_text(encoding="utf-8")
    if name not in ("and", "the"):  # "and into the union ..."
        assert re.search(rf"\b{name}\b", text)


def test_it_has_a_recipe_with_a_diff_for_each_kind_of_addition():
    recipes = re.findall(r"^### ([^\n]+)\n(.*?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL)
    assert [title for title, _ in recipes] == ["A price model", "A cost part", "A strategy", "A feature", "A column"]
    assert all("```diff\n" in text and "\n+ " in text for _, text in recipes)

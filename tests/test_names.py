"""One pattern for every name: what becomes a file or folder is never a path."""

from __future__ import annotations

import pytest
import tomli_w

import fastexec as fx
from commands import typed
from conftest import SMALL
from fastexec.errors import InputError
from fastexec.models.names import is_name
from fastexec.studies.study import Study
from test_cli import tree

BAD = [
    "../../x",
    "a/b",
    "a\\b",
    "a\nb",
    "x\n",
    "",
    ".",
    "..",
    ".x",
    "x" * 65,
    "x ",
    "a b",
    "1+1",
    "50%",
    "a=b",
    "ü",
    "a\0",
    "\x1b[2J",
]
FINE = ["x", "X-1_a.b", "-", "_", "0", "x" * 64, "con"]
TWAP = {"model": "twap"}
PLACES = {
    "study": lambda name: {"name": name},
    "strategy": lambda name: {"strategies": [{**TWAP, "name": name}]},
    "own strategy": lambda name: {"strategies": [{"model": name, "source": "0" * 64}]},
    "own strategy without source": lambda name: {"strategies": [{"model": name}]},
    "section": lambda name: {"train": {name: {}}},
    "agent": lambda name: {"strategies": [{"model": "qtable", "train": name}]},
    "blind twin": lambda name: {"strategies": [{"model": "blind_twin", "of": name}]},
    "scenario": lambda name: {"sweep": {"list": [{"name": name, "order.shares": 600}]}},
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("place", PLACES)
def test_what_is_no_name_is_refused_in_one_line_that_shows_it_harmlessly(place, name):
    with pytest.raises(InputError) as caught:
        Study.from_dict({**SMALL, **PLACES[place](name)})
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", FINE)
def test_names_of_the_pattern_are_taken_everywhere(name):
    study = Study.from_dict({**SMALL, "name": name, "strategies": [{**TWAP, "name": name}], "train": {name: {}}})
    assert Study.from_toml(study.to_toml()) == study
    assert is_name(name)


def test_a_path_as_the_name_of_a_section_writes_nothing(tmp_path):
    study = {
        **SMALL,
        "train": {"../../x": {"rounds": 1}},
        "strategies": [TWAP, {"model": "qtable", "train": "../../x"}],
    }
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "study.toml").write_text(tomli_w.dumps(study))
    before = tree(tmp_path)
    for words in (
        ["run", "study.toml", "--out", "a/b"],
        ["train", "study.toml", "--out", "agent.parquet"],
        ["check", "study.toml"],
    ):
        status, out, error = typed(*words, cwd=tmp_path / "in")
        assert (status, out, error.count("\n")) == (2, "", 1)
        assert (
            "train: must be a name of letters, digits and . _ -, at most 64, not beginning with a dot, not '../../x'"
            in error
        )
    assert tree(tmp_path) == before


def test_sections_that_differ_by_case_only_would_share_a_file():
    with pytest.raises(InputError, match=r"key .Fast. of train and key .fast. of train differ by case only"):
        Study.from_dict({**SMALL, "train": {"Fast": {}, "slow": {}, "fast": {}}})


@pytest.mark.parametrize("name", [*BAD, 5, None])
def test_functions_are_registered_by_names_of_the_same_pattern(name):
    with pytest.raises(InputError, match="is no name") as caught:
        fx.strategy(name)
    assert str(caught.value).isprintable()

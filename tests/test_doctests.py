"""Every public function shows itself in an example that runs, in the order in which one would try them."""

from __future__ import annotations

import doctest
import inspect

import pytest

import fastexec as fx
import real_days

#: First what others read the files of.
ORDER = ["run", "replay", "verify", "report", "train", "show"]
FUNCTIONS = [name for name in fx.__all__ if inspect.isfunction(getattr(fx, name))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("doctests")
    real_days.write(real_days.some_days(1, [60] * 6), place / "bars.parquet")
    return place


def examples(thing, name):
    return doctest.DocTestFinder(recurse=False).find(thing, name, globs={"fx": fx})[0]


@pytest.mark.parametrize(
    "name", [*ORDER, *(name for name in FUNCTIONS if name not in ORDER), "Study.changed", "Network.from_layers"]
)
def test_the_example_of(name, folder, monkeypatch):
    monkeypatch.chdir(folder)
    thing = fx
    for part in name.split("."):
        thing = getattr(thing, part)
    found = examples(thing, name)
    assert found.examples, f"{name} has no example"
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    told: list[str] = []
    runner.run(found, out=told.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(told)


def test_types_ship_with_the_package():
    from pathlib import Path

    assert (Path(fx.__file__).parent / "py.typed").is_file()

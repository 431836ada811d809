"""CONTRIBUTING speaks of this tree: its files are there, and so are the names that it gives beside them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys

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
    if name not in ("and", "above"):  # "and into the union ..."
        assert re.search(rf"\b{name}\b", text)


def test_it_has_a_recipe_with_a_diff_for_each_kind_of_addition():
    recipes = re.findall(r"^### ([^\n]+)\n(.*?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL)
    assert [title for title, _ in recipes] == ["A price model", "A cost part", "A strategy", "A feature", "A column"]
    assert all("```diff\n" in text and "\n+ " in text for _, text in recipes)


def added(recipe: str) -> list[tuple[str, str]]:
    """(file, the lines added to it) for each place of a recipe's diff."""
    (diff,) = re.findall(r"```diff\n(.*?)```", recipe, re.DOTALL)
    found: list[tuple[str, list[str]]] = []
    for line in diff.splitlines():
        if line.startswith("+"):
            found[-1][1].append(line[2:])
        else:
            found.append((line.split()[0], []))
    return [(path, "\n".join(lines) + "\n") for path, lines in found]


def put(path, before, text):
    found = path.read_text(encoding="utf-8")
    assert found.count(before) == 1
    path.write_text(found.replace(before, text + before), encoding="utf-8")


SEEN = """
import json
from fastexec.simulation import prepare
from fastexec.studies.study import Study
from fastexec.studies.study_schema import schema_text
price = {"model": "relative", "volatility": 0.01, "skew": {"low": 0.002, "high": 0.003}}
study = Study.from_dict({"episodes": 40, "order": {"shares": 100, "steps": 3}, "strategies": [{"model": "twap"}],
                         "market": {"price": price, "volume": {"model": "constant"}, "spread": {"model": "constant"}}})
made = prepare(study)
markets = made.run(0, 40).markets
print(json.dumps({"cv": made.control_variate, "columns": list(markets), "last": markets["last_price"].tolist(),
                  "explained": "skew = 0.0    # weight" in schema_text(), "drawn": made.drawn}))
"""


def test_the_recipe_for_a_price_model_works_as_it_stands(tmp_path):
    shutil.copytree(ROOT / "fastexec", tmp_path / "fastexec", ignore=shutil.ignore_patterns("__pycache__"))
    (recipe,) = re.findall(r"^### A price model\n(.*?)(?=^###)", PAGE, re.MULTILINE | re.DOTALL)
    (model, declared), *stages = added(recipe)
    kernel = "fastexec/kernels/price.py"
    assert (model, [path for path, _ in stages]) == ("fastexec/models/price.py", [kernel] * 3)
    constants, stage, entry = (text for _, text in stages)
    put(tmp_path / model, "Price = Annotated[\n", declared + "\n\n")
    put(tmp_path / model, "GeometricPrice | ArithmeticPrice", "RelativePrice | ")
    put(tmp_path / kernel, "@bound\n@chained\ndef geometric(", constants + "\n\n")
    put(tmp_path / kernel, "#: By the number of the model.\nPRICES", stage + "\n\n")
    put(tmp_path / kernel, "    f.ARITHMETIC: arithmetic,\n", entry)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "NUMBA_DISABLE_JIT": "1"}
    command = [sys.executable, "-P", "-W", "ignore", "-c", SEEN]
    ended = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert ended.returncode == 0, ended.stderr
    seen = json.loads(ended.stdout)
    assert (seen["cv"], seen["explained"], seen["drawn"]) == ([True], True, ["market.price.skew"])
    assert len(set(seen["last"])) == 40

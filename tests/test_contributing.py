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


@pytest.mark.parametrize("title", ["A price model", "A cost part", "A strategy", "A feature"])
def test_an_addition_touches_two_files_of_the_package(title):
    (recipe,) = re.findall(rf"^### {title}\n(.*?)(?=^###)", PAGE, re.MULTILINE | re.DOTALL)
    assert len({path for path, _ in added(recipe)}) == 2


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


def recipe_for(title, tmp_path):
    """What it adds, and a copy of the package to add it to."""
    shutil.copytree(ROOT / "fastexec", tmp_path / "fastexec", ignore=shutil.ignore_patterns("__pycache__"))
    (recipe,) = re.findall(rf"^### {title}\n(.*?)(?=^###)", PAGE, re.MULTILINE | re.DOTALL)
    return added(recipe)


def seen_there(code, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "NUMBA_DISABLE_JIT": "1"}
    command = [sys.executable, "-P", "-W", "ignore", "-c", code]
    ended = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


OBSERVED = """
import json
import numpy as np
from fastexec.kernels.philox import PILOT
from fastexec.learning.rollout import alone
from fastexec.models.strategies import Twap
from fastexec.planning.policies import Cut
from fastexec.studies.study import Study
from fastexec.studies.study_schema import schema_text
study = Study.from_dict({"order": {"shares": 100, "steps": 4}, "strategies": [{"model": "twap"}], "episodes": 9})
runs = alone(study, Twap(model="twap", name="twap"), PILOT)
(seen,) = runs.observe([Cut("traded_volume", 1, np.zeros(0), 5)], False, 0, 30)
volume = runs.steps(0, 30).steps[2].reshape(30, 4)
before = np.column_stack((np.zeros(30), np.cumsum(volume, axis=1)[:, :-1]))
print(json.dumps({"off": float(np.abs(seen - before).max()), "most": float(seen.max()),
                  "explained": "traded_volume: of the market so far" in schema_text()}))
"""


def test_the_recipe_for_a_feature_works_as_it_stands(tmp_path):
    (model, declared), (kernel, name), (_, branch) = recipe_for("A feature", tmp_path)
    put(tmp_path / model, "}  # fmt: skip\n\n#: Of a signal", declared)
    text = (tmp_path / kernel).read_text(encoding="utf-8")
    (last, count) = re.search(r"LAST_FEATURE = (\w+)\n", text)[1], int(re.search(r"= range\((\d+)\)", text)[1])
    text = text.replace(f" {last}) = range({count})", f" {last}, {name.strip()}) = range({count + 1})")
    (tmp_path / kernel).write_text(text.replace(f"LAST_FEATURE = {last}", f"LAST_FEATURE = {name.strip()}"), "utf-8")
    put(
        tmp_path / kernel,
        "    else:\n        for i in range(LANES):\n            b[f.VALUE + i] = b[f.IMPACT",
        indented(branch),
    )
    seen = seen_there(OBSERVED, tmp_path)
    assert seen["off"] < 1e-6
    assert seen["most"] > 1.0
    assert seen["explained"]


def indented(text):
    return "".join(f"    {line}\n" for line in text.splitlines())


def test_the_recipe_for_a_price_model_works_as_it_stands(tmp_path):
    (model, declared), *stages = recipe_for("A price model", tmp_path)
    kernel = "fastexec/kernels/price.py"
    assert (model, [path for path, _ in stages]) == ("fastexec/models/price.py", [kernel] * 3)
    constants, stage, entry = (text for _, text in stages)
    put(tmp_path / model, "Price = Annotated[\n", declared + "\n\n")
    put(tmp_path / model, "GeometricPrice | ArithmeticPrice", "RelativePrice | ")
    put(tmp_path / kernel, "@bound\n@chained\ndef geometric(", constants + "\n\n")
    put(tmp_path / kernel, "#: By the number of the model.\nPRICES", stage + "\n\n")
    put(tmp_path / kernel, "    f.ARITHMETIC: arithmetic,\n", entry)
    seen = seen_there(SEEN, tmp_path)
    assert (seen["cv"], seen["explained"], seen["drawn"]) == ([True], True, ["market.price.skew"])
    assert len(set(seen["last"])) == 40


CHARGED = """
import json
import numpy as np
from fastexec.kernels.fields import STEP_COLUMNS
from fastexec.simulation import prepare
from fastexec.statistics.moments import summarise
from fastexec.studies.study import Study
from fastexec.statistics.summary import SummaryAccumulator
def study(**costs):
    return Study.from_dict({"episodes": 60, "order": {"shares": 100, "steps": 3}, "costs": costs,
                            "strategies": [{"model": "twap"}, {"model": "pov", "rate": 0.01}]})
with_, without = prepare(study(markup={"rate": {"low": 0.001, "high": 0.002}})), prepare(study())
ours, plain, steps = with_.run(0, 60), without.run(0, 60), with_.steps(0, 60)
rate = np.repeat(ours.markets["costs.markup.rate"], 2)
value = (steps["shares"] * steps["mid"]).reshape(120, 3).sum(axis=1) / (100 * ours.episodes["arrival_price"])
lower = np.nan_to_num(without.steps(0, 60)["price"] - steps["price"])
summary = SummaryAccumulator(["a", "b"], ["twap", "pov"], parts=with_.study.cost_parts)
summary.add(summarise(0, ours))
of = lambda results, name: results.episodes[name]
print(json.dumps({
    "further": [name for name in ours.episodes if name not in plain.episodes],
    "parquet": ours.to_arrow().column_names,
    "summary": [name for name in summary.table([True, True]).column_names if name.startswith("markup")],
    "none": [name for name in plain.to_arrow().column_names if name.startswith("markup")],
    "off": [*np.abs(of(ours, "markup_bps") - 1e4 * rate * value),
            *np.abs(of(ours, "shortfall_bps") - of(plain, "shortfall_bps") - of(ours, "markup_bps")),
            *np.abs(lower - np.where(steps["shares"] > 0, np.repeat(rate, 3) * steps["mid"], 0.0)),
            *np.abs(of(plain, "average_price") - of(ours, "average_price")
                    - 100 * of(ours, "markup_bps") / 1e4 * of(ours, "arrival_price") / of(ours, "filled_shares"))],
    "mean": [float(of(ours, "markup_bps")[::2].mean()), summary.table([True, True])["markup_mean_bps"][0].as_py()],
    "same": all((of(ours, name) == of(plain, name)).all() for name in ("spread_bps", "timing_bps", "filled_shares")),
}))
"""


def test_the_recipe_for_a_cost_part_works_as_it_stands(tmp_path):
    (model, part), (_, section), (_, key), (kernel, charge), (_, entry) = recipe_for("A cost part", tmp_path)
    assert (model, kernel) == ("fastexec/models/costs.py", "fastexec/kernels/parts.py")
    put(tmp_path / model, "}\n#: Those that every study has.", part)
    put(tmp_path / model, "class Costs(Model):", section + "\n\n")
    put(tmp_path / model, "    fees: Fees = ", key)
    put(tmp_path / kernel, "#: By the number of the part, which", charge + "\n\n")
    put(tmp_path / kernel, "}\n\n\ndef outcome(", entry)
    seen = seen_there(CHARGED, tmp_path)
    assert seen["further"] == ["markup_bps"]
    assert seen["parquet"][seen["parquet"].index("residual_bps") + 1 :][0] == "markup_bps"
    assert {"markup_mean_bps", "markup_sd_bps", "markup_p95_bps"} <= set(seen["summary"])
    assert seen["none"] == []
    assert max(seen["off"]) < 1e-9
    assert abs(seen["mean"][0] - seen["mean"][1]) < 1e-9
    assert seen["mean"][0] > 10.0
    assert seen["same"]

"""One place for a concept: no module leads back to itself, and nobody asks for a model's name what the model declares."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import get_args

import pytest

from fastexec.models._base import Model
from fastexec.models.study import StudyModel
from fastexec.models.tree import models_below
from test_architecture import PACKAGE, ROOT, imported, parse, sources, where

MOST_PLACES = 10  # outside models/ that ask for a model's name


def modules_imported(path: Path, modules: dict[str, Path]) -> set[str]:
    """The modules of the package that one imports, wherever in the file, for type checking only too; not the front door, which
    names them all.
    """
    found = set()
    for name in imported(parse(path)):
        while name and name not in modules:
            name = name.rpartition(".")[0]
        found |= {name} - {"", "fastexec"}
    return found


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """The sets of modules that lead to each other: their strongly connected components of more than one."""
    reach = {}
    for start in graph:
        seen, left = set(), [start]
        while left:
            for following in graph[left.pop()] - seen:
                seen.add(following)
                left.append(following)
        reach[start] = seen
    loops = {frozenset(b for b in reach[a] if a in reach[b]) for a in graph if a in reach[a]}
    return sorted(sorted(loop) for loop in loops)


def test_no_module_leads_back_to_itself() -> None:
    names = {path: ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in sources(PACKAGE)}
    modules = {name.removesuffix(".__init__"): path for path, name in names.items()}
    assert circles({name: modules_imported(path, modules) - {name} for name, path in modules.items()}) == []
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == [["b", "c"]]


def model_names() -> tuple[set[str], set[str]]:
    """The names of all models that a study may name, and the classes behind them with what they are made of."""
    sections = [section for section in models_below(StudyModel) if "model" in section.model_fields]
    names = {name for section in sections for name in get_args(section.model_fields["model"].annotation)}
    return names, {base.__name__ for section in sections for base in section.__mro__[: -len(Model.__mro__)]}


def asks_for_a_model(node: ast.AST, names: set[str], classes: set[str]) -> bool:
    """Tell whether code compares with a model's name, asks for its class, or has a table by models' names."""

    def is_name(part: ast.AST | None) -> bool:
        if isinstance(part, ast.Tuple | ast.List | ast.Set):
            return any(map(is_name, part.elts))
        return isinstance(part, ast.Constant) and part.value in names

    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        return any(is_name(side) or (isinstance(side, ast.Attribute) and side.attr == "model") for side in sides)
    if isinstance(node, ast.Call) and ast.unparse(node.func) in ("isinstance", "issubclass"):
        return any(ast.unparse(part).rpartition(".")[2] in classes for part in ast.walk(node.args[1]))
    if isinstance(node, ast.Dict):
        return sum(map(is_name, node.keys)) > 1
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return len(node.elts) > 1 and all(map(is_name, node.elts))
    if isinstance(node, ast.MatchValue):
        return is_name(node.value)
    return isinstance(node, ast.MatchClass) and ast.unparse(node.cls) in classes


def test_few_places_ask_for_a_models_name() -> None:
    """Whoever wants to know something of a model asks what it declares; whether a training rate is "constant" counts too."""
    names, classes = model_names()
    assert {"geometric", "pov", "power", "replay"} <= names
    assert {"GeometricPrice", "Chain", "Own", "SyntheticMarket"} <= classes
    found = [
        f"{where(path, node)}: {ast.unparse(node)[:90]}"
        for path in sources(PACKAGE)
        if PACKAGE / "models" not in path.parents
        for node in ast.walk(parse(path))
        if asks_for_a_model(node, names, classes)
    ]
    assert len(found) < MOST_PLACES, "\n".join(found)


@pytest.mark.parametrize(
    "code",
    ["m.model == 'x'", "row['model'] != 'pov'", "m.model in KNOWN", "m in ('pov', 'other')", "isinstance(s, a.Pov)",
     "isinstance(s, (Pov, int))", "{'pov': 1, 'twap': 2}", "('pov', 'twap')"],
)  # fmt: skip
def test_a_place_that_asks_for_a_models_name_is_found(code: str) -> None:
    assert any(asks_for_a_model(node, *model_names()) for node in ast.walk(ast.parse(code)))

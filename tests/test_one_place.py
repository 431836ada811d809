"""One place for a concept: no module leads back to itself, and nobody asks for a model's name what the model declares."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import get_args

import pytest

from fastexec.kernels import fields
from fastexec.models._base import Model
from fastexec.models.costs import Costs, LinearTemporary, PowerTemporary
from fastexec.models.declarations import Knowledge, Slot
from fastexec.models.market import SyntheticMarket
from fastexec.models.price import ArithmeticPrice, GeometricPrice
from fastexec.models.scalar import Range
from fastexec.models.spread import ConstantSpread, MarkovSpread, MeanRevertingSpread, RandomWalkSpread
from fastexec.models.strategies import Pov, Twap
from fastexec.models.study import StudyModel
from fastexec.models.tree import members, models_below
from fastexec.models.volume import ConstantVolume, CosineVolume, LognormalVolume, MarkovVolume
from fastexec.planning.names import number, slot
from fastexec.planning.schedules import _TRAJECTORIES
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


def undeclared(study: type[StudyModel]) -> list[str]:
    """The strategies of a study, and the models of its market and costs, that do not say themselves what they declare."""
    fields = study.model_fields
    strategies = members(fields["strategies"].annotation)
    parts = [
        model for key in ("market", "costs") for top in members(fields[key].annotation) for model in models_below(top)
    ]
    lacking = [model for model in strategies if "DECLARES" not in vars(model)]
    lacking += [model for model in parts if model not in (Range, Costs) and "declares" not in vars(model)]
    return [model.__name__ for model in lacking]


class Unthought(GeometricPrice):
    """A price that does not say whether it is a martingale; that its base does is not enough."""


class UnthoughtStrategy(Twap):
    """A strategy that does not say what its slices follow."""


class UnthoughtMarket(SyntheticMarket):
    """A market with such a price."""

    price: Unthought

    def declares(self) -> Knowledge:
        return super().declares()


class UnthoughtStudy(StudyModel):
    """A study of both."""

    market: UnthoughtMarket
    strategies: tuple[UnthoughtStrategy | Pov, ...]


def test_every_model_says_itself_what_it_declares() -> None:
    assert undeclared(StudyModel) == []
    assert undeclared(UnthoughtStudy) == ["UnthoughtStrategy", "Unthought"]


PRICES = (GeometricPrice(), ArithmeticPrice(model="arithmetic"))
CHAIN = {"model": "markov", "levels": (0.1, 0.2), "transition": ((0.5, 0.5), (0.5, 0.5))}
SPREADS = (ConstantSpread(model="constant"), RandomWalkSpread(model="random_walk"), MeanRevertingSpread(),
           MarkovSpread(**CHAIN))  # fmt: skip
VOLUMES = (ConstantVolume(model="constant"), CosineVolume(model="cosine"), LognormalVolume(), MarkovVolume(**CHAIN))
TEMPORARIES = (
    PowerTemporary(),
    PowerTemporary(exponent=0.5),
    PowerTemporary(exponent=1.0),
    LinearTemporary(model="linear"),
)


@pytest.mark.parametrize("role", [PRICES, SPREADS, VOLUMES, TEMPORARIES])
def test_each_model_of_a_role_has_a_kind_of_its_own_in_the_kernels(role: tuple[Model, ...]) -> None:
    kinds = set()
    for section in role:
        ((switch, kind),) = [(name, value) for name, value in section.switches().items() if isinstance(value, str)]
        kinds.add((number(switch), number(kind)))
        assert 0 <= number(switch) < fields.SWITCHES
        assert all(0 <= number(name) < 4 for name in section.curves(5))
    assert len(kinds) == len(role)
    assert len({switch for switch, _ in kinds}) == 1


def test_every_parameter_that_a_key_feeds_is_one_of_the_kernels() -> None:
    """Those of ``fields`` are all fed; one of a kernel file lies among the further slots; no model feeds one twice."""
    fed = set()
    for model in models_below(StudyModel):
        marks = [mark.name for key in model.model_fields.values() for mark in key.metadata if isinstance(mark, Slot)]
        names = list(dict.fromkeys(name.format(number=j) for name in marks for j in range(fields.MOST_SIGNALS)))
        slots = [slot(name) for name in names]
        assert len(set(slots)) == len(slots)
        for name, at in zip(names, slots, strict=True):
            assert (fields.PARAMETERS[at] == name) if "." not in name else further(fields.PARAMETERS[at])
        fed |= set(names)
    assert {name for name in fed if "." not in name} == {name for name in fields.PARAMETERS if not further(name)}


def further(parameter: str) -> bool:
    """Of a slot that models of a role share, which has no name in ``fields``; each signal has its own."""
    return parameter[-1].isdigit() and not parameter.startswith("signal_")


@pytest.mark.parametrize("model", members(StudyModel.model_fields["strategies"].annotation))
def test_each_strategy_names_a_way_of_deciding_and_a_trajectory(model: type[Twap]) -> None:
    assert 0 <= number(model.KIND) <= fields.NETWORK
    assert model.SCHEDULE in _TRAJECTORIES

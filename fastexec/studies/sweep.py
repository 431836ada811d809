"""A sweep expanded into its scenarios, each a study of its own as if it were run alone.

A scenario's study has the swept study's name and seed, so all scenarios meet the same random numbers, and its rows and its
identity are those of the same study without a sweep and with the values written in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel

from fastexec.columns import Column, build, repeated, schema
from fastexec.errors import InputError
from fastexec.models._base import unknown_key
from fastexec.models.market import ReplayMarket
from fastexec.models.strategies import RESERVED
from fastexec.models.sweep import Sweep, Tied, inline, is_scenario_name
from fastexec.planning.parameters import ranges

if TYPE_CHECKING:
    import pyarrow as pa

    from fastexec.studies.study import Study

MOST_UNASKED = 1_000
_LONGEST_NAME = 120


@dataclass(frozen=True)
class Swept:
    """One study of a sweep. ``name``: None where the study has no sweep; ``values``: of the swept keys, as validated."""

    name: str | None
    study: Study
    values: dict[str, Any] = field(default_factory=dict)


def swept_studies(study: Study, report: Callable[[int, int], None] | None = None) -> list[Swept]:
    """The scenarios in order, validated; the study itself where nothing is swept.

    report: called with the number of each, from 1, and how many there are.
    Raises InputError, one line, naming the scenario that is no valid study, or whose tables would have other columns.
    """
    if study.sweep is None:
        return [Swept(None, study)]
    base = study.model_dump(exclude={"sweep"})
    found: list[Swept] = []
    for number, (name, (_, values)) in enumerate(zip(names_of(study.sweep), study.sweep.points(), strict=True), 1):
        if report is not None:
            report(number, study.sweep.count)
        place = f"[sweep] scenario {name}"
        data = base
        for key, value in values.items():
            data = _with(data, key, _path(key, data, place), value, place)
        alone = type(study).from_dict(data, place, study._folder, study._trust)._placed_as(study)
        found.append(Swept(name, alone, {key: value_at(alone, key) for key in values}))
    _require_same_columns(found)
    return found


def require_few(study: Study, asked: bool) -> None:
    """InputError where a study has more than 1,000 scenarios and nobody said that he means it."""
    if study.sweep is not None and study.sweep.count > MOST_UNASKED and not asked:
        raise InputError(
            f"[sweep] asks for {study.sweep.count:,} scenarios, more than {MOST_UNASKED:,}; sweep fewer values, or --yes"
        )


def scenario_named(study: Study, name: str | None) -> Swept:
    """The scenario of a name; InputError where it is not there, or none is named in a sweep."""
    scenarios = swept_studies(study)
    names = [scenario.name for scenario in scenarios if scenario.name is not None]
    if not names:
        if name is not None:
            raise InputError(f"--scenario {name}: the study has no sweep; leave --scenario out")
        return scenarios[0]
    if name not in names:
        near = get_close_matches(name or "", names, 1)
        some = f"{', '.join(names[:6])}{f' and {len(names) - 6} more (scenarios.parquet)' if len(names) > 6 else ''}"
        hint = f"did you mean {near[0]}?" if near else f"scenarios are {some}"
        said = f"--scenario {name}: no scenario of that name" if name else "--scenario: the study has a sweep; name one"
        raise InputError(f"{said}; {hint}")
    return scenarios[names.index(name)]


def names_of(sweep: Sweep) -> list[str]:
    """A name for each scenario: its name in the list, and LABEL_VALUE of each other key, joined by two underscores.

    LABEL is the shortest end of the key that no other swept key has. A name depends on keys and values alone, so adding
    values renames nobody; only where names would be too long or alike, scenarios are numbered: s0000, s0001, ...
    """
    labels = labels_of(sweep.keys)
    numbers = {key: {repr(v): j for j, v in enumerate(values, 1)} for key, values in sweep.grid.items()}
    names = [_name(scenario, values, labels, numbers) for scenario, values in sweep.points()]
    alike = len({name.casefold() for name in names}) < len(names)
    if alike or not all(len(name) <= _LONGEST_NAME and is_scenario_name(name) for name in names):
        return [f"s{j:04d}" for j in range(len(names))]
    return names


def labels_of(keys: list[str]) -> dict[str, str]:
    """The shortest end of each dotted key that is no other's."""
    parts = {key: key.split(".") for key in keys}
    found = {}
    for key, own in parts.items():
        ends = (own[-n:] for n in range(1, len(own) + 1))
        alone = (end for end in ends if sum(p[-len(end) :] == end for p in parts.values()) == 1)
        found[key] = ".".join(next(alone, own))  # whole where it is itself the end of another
    return found


def _name(scenario: Tied, values: dict[str, Any], labels: dict[str, str], numbers: dict[str, dict[str, int]]) -> str:
    words = [scenario.name] if scenario.name else []
    for key, value in values.items():
        if key in numbers or not scenario.name:
            words.append(f"{_safe(labels[key])}_{_worded(value, numbers.get(key, {}))}")
    return "__".join(words)


def _worded(value: Any, numbers: dict[str, int]) -> str:
    """A number or text as it stands; a list or table by its place among the values of its key."""
    if isinstance(value, (list, tuple, dict)):
        return str(numbers.get(repr(value), 0))
    return _safe(repr(value).removesuffix(".0").replace("e+", "e") if isinstance(value, float) else str(value))


def _safe(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text)


def _path(key: str, data: dict[str, Any], place: str) -> list[str]:
    """The key's parts; a strategy's name, which may have dots, is one of them."""
    if key.startswith("train.") and (name := key.split(".")[1]) not in data["train"]:
        raise InputError(f"{place}: {key}: no section [train.{name}]; there are {', '.join(data['train']) or 'none'}")
    if not key.startswith("strategies."):
        return key.split(".")
    rest = key.removeprefix("strategies.")
    names = [strategy["name"] for strategy in data["strategies"]]
    fitting = [name for name in names if rest.startswith(f"{name}.")]
    if not fitting:
        near = get_close_matches(rest.rpartition(".")[0], names, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names)}"
        raise InputError(f"{place}: {key}: no strategy of that name; {hint}")
    name = max(fitting, key=len)
    parts = rest.removeprefix(f"{name}.").split(".")
    own = next(strategy for strategy in data["strategies"] if strategy["name"] == name)
    if (
        "source" in own and parts[0] not in own
    ):  # an own strategy's parameters: known by the file that it was resolved from
        raise InputError(f"{place}: {key}: {unknown_key(parts[0], [k for k in own if k not in RESERVED])}")
    return ["strategies", name, *parts]


def _with(data: Any, key: str, path: list[str], value: Any, place: str) -> Any:
    """``data`` with the value at a path; what lies beside the path is shared, not copied."""
    part, rest = path[0], path[1:]
    if isinstance(data, (list, tuple)):
        return [_with(item, key, rest, value, place) if item["name"] == part else item for item in data]
    if not isinstance(data, dict):
        raise InputError(f"{place}: {key}: {part!r} lies in no section of the study; see `fastexec schema`")
    return {**data, part: _with(data.get(part) or {}, key, rest, value, place) if rest else value}


def value_at(study: Study, key: str) -> Any:
    """The validated value behind a swept key; sections and ranges as tables, lists as lists."""
    here: Any = study
    names = {"strategies": [{"name": strategy.name} for strategy in study.strategies], "train": study.train}
    for part in _path(key, names, ""):
        if isinstance(here, tuple):
            here = next(item for item in here if item.name == part)
        else:
            here = here[part] if isinstance(here, dict) else getattr(here, part)
    return _plain(here)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(exclude_none=True)
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _require_same_columns(scenarios: list[Swept]) -> None:
    """Partitions are read as one table, so their columns must be the same."""
    first = scenarios[0]
    columns = _own_columns(first.study)
    for scenario in scenarios[1:]:
        other = _own_columns(scenario.study)
        if other != columns:
            odd = sorted(columns ^ other)[0]
            raise InputError(
                f"[sweep]: {odd} is drawn for each episode in one of the scenarios {first.name} and {scenario.name} only, "
                "and their tables would have other columns; give it a range in all of them, or in none"
            )


def _own_columns(study: Study) -> set[str]:
    """Columns of the tables that not every study has."""
    return {*ranges(study)[2], *(["day"] if isinstance(study.market, ReplayMarket) else [])}


def scenarios_table(scenarios: Sequence[Swept]) -> pa.Table:
    """The `scenarios` table: the name, then a column for each swept key.

    A key's values are truth values, whole numbers, numbers, texts or lists of numbers; sections, ranges and what is mixed
    stand there as text, in TOML.
    """
    values: dict[str, list[Any]] = {"scenario": [scenario.name for scenario in scenarios]}
    further = []
    for key in scenarios[0].values:
        column = [scenario.values[key] for scenario in scenarios]
        kind = _natural(column)
        further.append(Column(key, kind, "", f"The scenario's {key}."))
        values[key] = [v if isinstance(v, str) else inline(v) for v in column] if kind == "text" else column
    return build("scenarios", values, further)


def stacked(tables: Mapping[str | None, pa.Table]) -> pa.Table:
    """Summaries or comparisons by scenario as one table, with a column `scenario`; the only one of no name as it is."""
    import pyarrow as pa

    names = [name for name in tables if name is not None]
    if not names:
        return tables[None]
    field = schema("scenarios").field("scenario")
    rows = [len(tables[name]) for name in names]
    column = repeated(names, np.repeat(np.arange(len(names)), rows))
    return (
        pa.concat_tables([tables[name] for name in names])
        .unify_dictionaries()
        .combine_chunks()
        .add_column(0, field, column)
    )


def _natural(values: Sequence[Any]) -> str:
    kinds = {type(value) for value in values}
    if kinds == {list}:
        return "list<float64>" if {type(x) for value in values for x in value} <= {int, float} else "text"
    if kinds <= {int, float}:
        return "int64" if kinds == {int} else "float64"
    return "bool" if kinds == {bool} else "text"

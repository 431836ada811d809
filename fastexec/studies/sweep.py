"""A sweep as names and nested keys of its scenarios; what a study makes of them stands in ``studies.study``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from fastexec.errors import InputError, in_study, option, said
from fastexec.models.changes import inside, names_in, path_of, with_value, without_following
from fastexec.models.study import StudyModel
from fastexec.models.sweep import Sweep, Tied, is_scenario_name

MOST_UNASKED = 1_000
_LONGEST_NAME = 120


def written_out(study: StudyModel, sweep: Sweep) -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """Yield (name, what errors call it, nested keys, swept values) of each scenario, in order.

    InputError where a swept key is none of the study.
    """
    base = without_following(study, study.model_dump(exclude={"sweep"}), sweep.keys)
    for name, (_, values) in zip(names_of(sweep), sweep.points(), strict=True):
        place, data = f"{in_study('[sweep]', 'sweep')} scenario {name}", base
        for key, value in values.items():
            data = with_value(data, key, path_of(key, data, f"{place}: "), value, f"{place}: ")
        yield name, place, data, values


def require_few(study: StudyModel, asked: bool) -> None:
    """InputError where a study has more than 1,000 scenarios and nobody said that he means it."""
    if study.sweep is not None and study.sweep.count > MOST_UNASKED and not asked:
        raise InputError(
            f"{said('[sweep]', 'sweep')} asks for {study.sweep.count:,} scenarios, more than {MOST_UNASKED:,}; sweep fewer "
            f"values, or {option('yes')}"
        )


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


def value_at(study: StudyModel, key: str) -> Any:
    """The validated value behind a swept key; sections and ranges as tables, lists as lists."""
    here: Any = study
    for part in path_of(key, names_in(study), ""):
        here = inside(here, part)
    return _plain(here)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(exclude_none=True)
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def require_same_columns(scenarios: Mapping[str, StudyModel]) -> None:
    """InputError unless the tables of all have the same columns: partitions are read as one table."""
    (first, study), *others = scenarios.items()
    columns = _own_columns(study)
    for name, other in others:
        if odd := sorted(columns ^ _own_columns(other)):
            raise InputError(
                f"[sweep]: {odd[0]} is drawn for each episode in one of the scenarios {first} and {name} only, "
                "and their tables would have other columns; give it a range in all of them, or in none"
            )


def _own_columns(study: StudyModel) -> set[str]:
    """Columns of the tables that not every study has."""
    from fastexec.planning.parameters import ranges  # Numba takes a second to import, and most studies sweep nothing

    return {*ranges(study)[2], *(["day"] if study.market.in_windows else [])}

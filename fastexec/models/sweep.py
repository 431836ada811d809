"""One study becomes many: a grid over keys, and a list of scenarios whose values belong together.

    [sweep]
    "order.shares" = [5_000, 20_000]           # a grid: every value with every value of the other keys, the last key fastest

    [[sweep.list]]                             # scenarios whose values are tied; all of them set the same keys
    name = "calm"                              # optional
    "market.price.volatility" = 0.0003
    "market.spread.mean" = 0.0002

With both, each scenario of the list meets the whole grid.
"""

from __future__ import annotations

import re
from itertools import product
from math import prod
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_serializer, model_validator
from pydantic_core import PydanticCustomError

from fastexec.errors import in_study
from fastexec.models.names import CHARACTERS, LONGEST, is_name
from fastexec.wording import did_you_mean

MOST_SCENARIOS = 100_000
_SECTIONS = ("order", "market", "costs", "train", "strategies")
_SAME_COLUMNS = "the tables of its scenarios would have other columns; make it a study of its own"
_FIXED = {
    "name": "it names the study; [[sweep.list]] scenarios have names of their own",
    "seed": "every scenario meets the same random numbers",
    "episodes": "every scenario has the same episodes",
    "output": "every scenario writes the same tables",
    "sweep": "a sweep holds no sweep",
    "plugins": "every scenario has the same strategies",
    "market.model": _SAME_COLUMNS,
    "costs.rule": _SAME_COLUMNS,
}
#: Readers of partitioned files guess types from names: these would become dates, numbers or nothing.
_NOT_NAMES = set("epoch inf infinity nan none null now today true false yesterday tomorrow".split())
_SCENARIO = re.compile(f"[A-Za-z]{CHARACTERS}*")


class Tied(BaseModel):
    """A scenario of the list: values of several keys that belong together."""

    model_config = ConfigDict(frozen=True, strict=True)

    name: str | None = None
    values: dict[str, Any]


class Sweep(BaseModel):
    """What is swept; read from, and written as, the section [sweep].

    grid: values of each key. tied: the list of scenarios, which is the first axis of the product where there is one.
    """

    model_config = ConfigDict(frozen=True, strict=True)

    grid: dict[str, Annotated[tuple[Any, ...], Field(strict=False)]]
    tied: Annotated[tuple[Tied, ...], Field(strict=False)] = ()

    @model_validator(mode="before")
    @classmethod
    def _read(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        grid = {key: values for key, values in data.items() if key != "list"}
        for key, values in grid.items():
            _check_key(key, values)
            _check_values(key, values)
        tied = _tied(data["list"]) if "list" in data else []
        _check_together([*grid, *(tied[0]["values"] if tied else ())])
        found = {"grid": grid, "tied": tied}
        if (count := _count(grid, tied)) > MOST_SCENARIOS:
            raise _error("", f"asks for {count:,} scenarios; at most {MOST_SCENARIOS:,} make one study")
        return found

    @model_serializer
    def _written(self) -> dict[str, Any]:
        found: dict[str, Any] = {key: list(values) for key, values in self.grid.items()}
        if self.tied:
            found["list"] = [{**({"name": t.name} if t.name else {}), **t.values} for t in self.tied]
        return found

    @property
    def keys(self) -> list[str]:
        """The swept keys: those of the list, then those of the grid."""
        return [*(self.tied[0].values if self.tied else ()), *self.grid]

    @property
    def count(self) -> int:
        """The number of scenarios."""
        return _count(self.grid, self.tied)

    def points(self) -> list[tuple[Tied, dict[str, Any]]]:
        """(scenario of the list, values of all keys) for each scenario, in order: the list first, the last key fastest."""
        tied = self.tied or (Tied(values={}),)
        points = [dict(zip(self.grid, values, strict=True)) for values in product(*self.grid.values())]
        return [(scenario, scenario.values | point) for scenario in tied for point in points]

    def to_toml(self) -> str:
        """The section as TOML, every value on its key's line, so that the order of the keys survives."""
        lines = ["[sweep]", *(f"{inline(key)} = {inline(values)}" for key, values in self.grid.items())]
        for scenario in self.tied:
            lines += ["", "[[sweep.list]]", *([f"name = {inline(scenario.name)}"] if scenario.name else [])]
            lines += [f"{inline(key)} = {inline(value)}" for key, value in scenario.values.items()]
        return "\n".join([*lines, ""])


def inline(value: Any) -> str:
    """A value as TOML in one line."""
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(inline, value))}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{inline(key)} = {inline(item)}' for key, item in value.items())} }}"
    import tomli_w

    return tomli_w.dumps({"v": value}).removeprefix("v = ").rstrip("\n")


def _count(grid: Any, tied: Any) -> int:
    return prod(len(values) for values in grid.values()) * max(len(tied), 1) if grid or tied else 0


def _check_key(key: Any, value: Any) -> None:
    if not isinstance(key, str):
        raise _error(str(key), "is no key; write a text such as 'order.shares'")
    section = key.partition(".")[0]
    fixed = next((why for k, why in _FIXED.items() if key == k or key.startswith(f"{k}.")), None)
    if fixed is not None:
        raise _error(key, f"cannot be swept: {fixed}")
    if section not in _SECTIONS:
        raise _error(key, f"unknown key; {did_you_mean(section, _SECTIONS, 'a swept key lies in')}")
    if section == key:
        inner = key
        while isinstance(value, dict) and value:
            step, value = next(iter(value.items()))
            inner = f"{inner}.{step}"
        inner = inner if inner != key else f"{key}.KEY"
        raise _error(key, f'is a whole section; write the key to sweep in full and in quotes: "{inner}" = ...')
    if section == "strategies":
        if key.count(".") < 2:
            raise _error(key, 'is a whole strategy; sweep a key of it, as in "strategies.pov10.rate"')
        if key.endswith((".model", ".name", ".source")):
            how = in_study("add another [[strategies]] section", "add another to strategies")
            raise _error(key, f"cannot be swept: every scenario has the same strategies; {how}")


def _check_values(key: str, values: Any) -> None:
    if not isinstance(values, (list, tuple)):
        raise _error(key, f"must be a list of values such as [1, 2], not {_shown(values)}")
    if not values:
        raise _error(key, "the list is empty; give at least one value, or leave the key out")
    seen = set()
    for value in values:
        if _hashed(value) in seen:
            raise _error(key, f"{_shown(value)} stands there twice; give each value once")
        seen.add(_hashed(value))


def _tied(items: Any) -> list[dict[str, Any]]:
    if not isinstance(items, (list, tuple)) or not all(isinstance(item, dict) for item in items):
        raise _error("list", "must be tables; write [[sweep.list]] for each scenario")
    if not items:
        raise _error("list", "the list is empty; give at least one [[sweep.list]], or leave it out")
    found: list[dict[str, Any]] = []
    names: set[str] = set()
    seen = set()
    for j, item in enumerate(items, 1):
        values = {key: value for key, value in item.items() if key != "name"}
        if "name" in item:
            _check_name(item["name"], j, names)
            names.add(item["name"].casefold())
        for key, value in values.items():
            _check_key(key, value)
        if not values:
            raise _error(f"list[{j}]", "sets no key; give it the values of a scenario")
        if found:
            _check_same_keys(j, found[0]["values"], values)
            values = {key: values[key] for key in found[0]["values"]}
        if (values_ := tuple(map(_hashed, values.values()))) in seen:
            raise _error(f"list[{j}]", "has the values of an earlier scenario; give each once")
        seen.add(values_)
        found.append({"name": item.get("name"), "values": values})
    return found


def _check_same_keys(number: int, first: dict[str, Any], values: dict[str, Any]) -> None:
    if odd := [key for key in first if key not in values]:
        raise _error(
            f"list[{number}]", f"does not set {odd[0]}, as list[1] does; scenarios of a list set the same keys"
        )
    if odd := [key for key in values if key not in first]:
        raise _error(f"list[{number}]", f"sets {odd[0]}, list[1] does not; scenarios of a list set the same keys")


def _check_name(name: Any, number: int, others: set[str]) -> None:
    place = f"list[{number}].name"
    if not is_name(name) or not is_scenario_name(name):
        raise _error(
            place,
            f"must be of letters, digits and . _ -, at most {LONGEST}, and begin with a letter (it names folders, whose "
            f"readers guess types), not {_shown(name)}",
        )
    if name.casefold() in others:
        raise _error(place, f"two scenarios are named {name!r}; give one another name")


def is_scenario_name(text: str) -> bool:
    """Whether a scenario may be called so, whatever its length: no path, and a text for every reader of partitioned files."""
    return _SCENARIO.fullmatch(text) is not None and text.casefold() not in _NOT_NAMES


def _check_together(keys: list[str]) -> None:
    known: set[str] = set()
    for key in keys:
        if key in known:
            raise _error(key, "is swept by the grid and by the list; leave it out of one")
        known.add(key)
    for key in keys:
        parts = key.split(".")
        for end in range(1, len(parts)):
            if (whole := ".".join(parts[:end])) in known:
                raise _error(key, f"lies within {whole}, which is swept as a whole; sweep one of the two")


def _hashed(value: Any) -> Any:
    """The value, or for lists and tables its text: what tells two values apart."""
    return repr(value) if isinstance(value, (list, tuple, dict)) else value


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _error(key: str, text: str) -> PydanticCustomError:
    return PydanticCustomError("sweep", "{text}", {"text": text, **({"key": key} if key else {})})

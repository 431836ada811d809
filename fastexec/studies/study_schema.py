"""The study file explained: every section, model and key with its default and meaning, from the models themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from fastexec.models.plugins import OwnStrategy
from fastexec.models.scalar import Range
from fastexec.models.strategies import Own
from fastexec.models.study import StudyModel
from fastexec.models.sweep import Sweep
from fastexec.models.tree import members
from fastexec.studies.sweep import MOST_UNASKED

_HEAD = """\
# The study file (TOML). Units: a step; spreads as a fraction of the mid; volumes in shares; money in currency.
# A number of [order] shares, [market] and [costs] may be a range, drawn for each episode:
#     volatility = { low = 0.0003, high = 0.001, scale = "log" }      (scale: linear by default)
# A curve is a list of any length, interpolated linearly at the steps' midpoints and scaled to mean 1.
"""
_SWEEP = f"""\
[sweep]    # One study becomes many: every value with every value of the other keys, the last key fastest.
"market.price.volatility" = [0.0003, 0.0005, 0.001]    # any key of order, market, costs, train or strategies.NAME, in quotes
"order.shares" = [5_000, 20_000]                       # --set order.shares=... wins: the key is swept no longer
[[sweep.list]]    # Or scenarios whose values are tied; all set the same keys. With [sweep], each meets the whole grid.
name = "calm"                                          # optional
"market.spread.mean" = 0.0002
"market.volume.mean" = 50_000
# Every scenario has the study's seed, so all meet the same random numbers. Scenarios are named by their values:
# volatility_0.0003__shares_5000, behind the name in the list; see scenarios.parquet. At most {MOST_UNASKED:,} without --yes."""


def schema_text(own: Iterable[OwnStrategy] = (), study: type[StudyModel] = StudyModel) -> str:
    """Every key of a study with default and one-line meaning, as commented TOML; ``own``: strategies to explain too."""
    behind: dict[type[BaseModel], list[str]] = {Own: [line for strategy in own for line in _own(strategy)]}
    return "\n".join([_HEAD, *_keys(study), *_sections(study, "", behind), "", _SWEEP, ""])


def _sections(model: type[BaseModel], place: str, behind: dict[type[BaseModel], list[str]]) -> Iterator[str]:
    """The sections that a model's keys hold, each with those below it; ``behind``: lines that follow a model's own."""
    fields = sorted(model.model_fields.items(), key=lambda item: _is_many(item[1]))  # lists and tables of sections last
    for name, field in fields:
        held, there = _held(field), f"{place}{name}{'.NAME' if get_origin(field.annotation) is dict else ''}"
        head = f"[[{there}]]" if get_origin(field.annotation) is tuple else f"[{there}]"
        for section in held:
            yield from ("", f"{head}{_doc(section, field)}", *_keys(section), *behind.get(section, []))
            if _is_many(field):
                yield from _sections(section, f"{there}.", behind)
        if not _is_many(field):
            for section in held:
                yield from _sections(section, f"{there}.", behind)


def _held(field: FieldInfo) -> list[type[BaseModel]]:
    """The sections that a key may hold; a range is a value, and the section [sweep] is explained by itself."""
    return [section for section in members(field.annotation) if section not in (Range, Sweep)]


def _is_many(field: FieldInfo) -> bool:
    return get_origin(field.annotation) in (tuple, dict)


def _doc(model: type[BaseModel], field: FieldInfo) -> str:
    """What the model is, or where it may be left out what it is to the key."""
    meaning = (field.default is None and field.description) or model.__doc__ or model.__name__
    return f"    # {meaning.strip().splitlines()[0]}"


def _own(strategy: OwnStrategy) -> list[str]:
    head = f"[[strategies]]    # {strategy.summary or 'own strategy'} ({strategy.file})"
    return ["", head, f'model = "{strategy.name}"', *(f"{key} = {value}" for key, value in strategy.parameters.items())]


def _keys(model: type[BaseModel]) -> list[str]:
    """``key = default    # meaning`` for each key that is no section of its own; the model first."""
    fields = sorted(model.model_fields.items(), key=lambda item: (item[0] != "model", item[0] == "name"))
    lines = []
    for name, field in fields:
        if _held(field) or name == "sweep":
            continue
        choices = get_args(field.annotation) if name == "model" else ()
        default = choices[0] if choices else field.get_default(call_default_factory=True)
        meaning = f"    # {field.description}" if field.description else ""
        lines.append(f"{name} = {_shown(default)}{meaning}")
    return lines


def _shown(value: Any) -> str:
    if value is PydanticUndefined or value is None or value == "":
        return "..."
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    return str(list(value)) if isinstance(value, tuple) else f"{value}"

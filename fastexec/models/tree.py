"""A study as a tree of sections, walked without knowing any of them by name."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, Tag

from fastexec.models._base import Model
from fastexec.models.declarations import Slot


def sections_of(study: BaseModel, place: str = "") -> Iterator[tuple[str, Model]]:
    """Yield (dotted place, section) of the sections of a study that there is one of: not its strategies and its training."""
    for name in type(study).model_fields:
        section = getattr(study, name)
        if isinstance(section, Model):
            there = f"{place}.{name}" if place else name
            yield there, section
            yield from sections_of(section, there)
        elif isinstance(section, tuple) and section and isinstance(section[0], Model) and section[0].LISTED:
            there = f"{place}.{name}" if place else name
            yield from ((f"{there}.{one.name}", one) for one in section)


def keys_of(section: Model) -> Iterator[tuple[str, Slot, Any]]:
    """Yield (key, parameter, value) of the keys of a section that feed a parameter of the kernels."""
    for key, field in type(section).model_fields.items():
        for mark in field.metadata:
            if isinstance(mark, Slot):
                name = mark.name.format(number=getattr(section, "number", 0))
                yield key, Slot(name), getattr(section, mark.of or key)


def members(annotation: Any) -> list[type[BaseModel]]:
    """The models that a key may hold: of a union all of them, of a list or table those of its items."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return list(dict.fromkeys(model for inner in get_args(annotation) for model in members(inner)))


def models_below(model: type[BaseModel]) -> list[type[BaseModel]]:
    """A model and all that its keys may hold, at any depth."""
    found: dict[type[BaseModel], None] = {}
    left = [model]
    while left:
        if (first := left.pop(0)) not in found:
            found[first] = None
            left += [inner for field in first.model_fields.values() for inner in members(field.annotation)]
    return list(found)


@cache
def tags_below(model: type[BaseModel]) -> frozenset[str]:
    """What validation adds to the place of an error in a study: the tags of unions, and the names of models."""
    found: set[str] = set()
    for section in models_below(model):
        for name, field in section.model_fields.items():
            found |= set(_tags([field.annotation, *field.metadata]))
            if name == "model" and get_origin(field.annotation) is Literal:
                found |= set(get_args(field.annotation))
    return frozenset(found)


def _tags(parts: Any) -> Iterator[str]:
    for part in parts:
        if isinstance(part, Tag):
            yield part.tag
        elif get_origin(part) in (Annotated, Union, UnionType, tuple, dict):
            yield from _tags(part.__metadata__ if get_origin(part) is Annotated else ())
            yield from _tags(get_args(part))

"""A validation's many errors as the one line that a person reads."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError

from fastexec.errors import in_study, option
from fastexec.models.names import quoted, shown
from fastexec.models.strategies import BUILT_IN
from fastexec.models.tree import tags_below
from fastexec.wording import did_you_mean, nearest

#: What a number must be, and by which name the validation's context has the limit.
_LIMITS = {
    "greater_than_equal": ("must be at least", "ge"),
    "greater_than": ("must be above", "gt"),
    "less_than_equal": ("must be at most", "le"),
    "less_than": ("must be below", "lt"),
}
_ORDER = {"unknown_key": 0, "union_tag_invalid": 1, "missing": 3}


def one_line(error: ValidationError, data: dict[str, Any], model: type[BaseModel]) -> str:
    """Unknown keys first, then the first error, and how many more there are; ``model``: what ``data`` were to be."""
    errors = sorted(error.errors(), key=lambda e: _ORDER.get(e["type"], 2))
    more = f" (+{len(errors) - 1} more)" if len(errors) > 1 else ""
    first = errors[0]
    place = _place(first["loc"], data, tags_below(model), first.get("ctx", {}).get("key"))
    return f"{place}{_said(first)}{more}"


def _place(location: tuple[int | str, ...], data: dict[str, Any], tags: frozenset[str], key: object = None) -> str:
    """``strategies.pov10.rate``: the dotted key, without the tags that validation adds; strategies by name."""
    names: list[str] = []
    here: Any = data
    for part in location:
        if isinstance(part, int):
            label = here[part].get("name") if _is_table(here, part) else None
            names[-1] = f"{names[-1]}.{shown(label)}" if label else f"{names[-1]}[{part + 1}]"
            here = here[part] if isinstance(here, (list, tuple)) and part < len(here) else None
        elif isinstance(here, dict) and part in here:
            names.append(shown(part))
            here = here[part]
        elif part == "[key]":
            names.pop()  # a key that is no name is said in the message
        elif part not in tags:
            names.append(shown(part))
    if key is not None:
        names.append(shown(key))
    return f"{'.'.join(names)}: " if names else ""


def _is_table(here: Any, part: int) -> bool:
    return isinstance(here, (list, tuple)) and part < len(here) and isinstance(here[part], dict)


def _own_model() -> str:
    words = (
        f"one of a plugin (plugins = [...], {option('plugin', 'FILE')})",
        "one that fastexec.strategy registers, here or in plugins",
    )
    return in_study(*words)


def _said(error: Any) -> str:
    kind, context, value = error["type"], error.get("ctx", {}), error.get("input")
    if kind == "union_tag_invalid":
        known = [tag.strip(" '") for tag in context["expected_tags"].split(",")]
        near, hint = nearest(context["tag"], known), did_you_mean(context["tag"], known, "it is one of")
        own = f", or {_own_model()}" if BUILT_IN[0] in known and not near else ""
        return f"unknown model {quoted(context['tag'])}; {hint}{own}"
    if kind == "union_tag_not_found":
        return "model is missing; name one (see `fastexec schema`)"
    if kind == "missing":
        return "is missing; it has no default"
    if kind == "string_pattern_mismatch":
        return f"must be 64 hexadecimal digits (a SHA-256), not {quoted(value)}"
    if kind == "string_too_short":
        return "must not be empty"
    table = in_study("must be a table", "must be a dict")
    plain = {
        "float_type": "must be a number",
        "int_type": "must be a whole number",
        "string_type": "must be a text",
        "bool_type": in_study("must be true or false", "must be True or False"),
        "finite_number": "must be a finite number",
        "tuple_type": "must be a list",
        "model_type": table,
        "dict_type": table,
    }
    shown = f", not {value!r}" if isinstance(value, (str, int, float, bool)) else ""
    if kind in plain:
        return plain[kind] + shown
    if kind in _LIMITS:
        words, bound = _LIMITS[kind]
        return f"{words} {context[bound]:g}{shown}"
    if kind in ("too_short", "too_long"):
        words = "at least" if kind == "too_short" else "at most"
        bound = context["min_length" if kind == "too_short" else "max_length"]
        return f"must have {words} {bound} values, not {context['actual_length']}"
    text = str(error["msg"]).replace("Input should be", "must be")
    return text + (shown if kind.startswith(("limit", "literal", "string_")) else "")

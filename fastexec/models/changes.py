"""Values written into a study's nested keys, by dotted keys such as ``order.shares`` or ``strategies.pov10.rate``."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from fastexec.errors import InputError, in_study
from fastexec.models._base import unknown_key
from fastexec.models.strategies import RESERVED


def with_values(data: dict[str, Any], values: Any) -> dict[str, Any]:
    """``data``, a whole study's, with each value at its key; a swept key that is set is swept no longer.

    Raises InputError where ``values`` is no mapping of texts, or a key names a strategy that is not there.
    """
    if not isinstance(values, Mapping):
        raise InputError(f'changes: must be a dict such as {{"order.shares": 9000}}, not {type(values).__name__}')
    for key, value in values.items():
        if not isinstance(key, str) or not key:
            raise InputError(f"changes: {key!r} is no key; write for example order.shares")
        if key.startswith("sweep."):
            sweep = dict(data.get("sweep") or {})
            data = {**data, "sweep": sweep | {key.removeprefix("sweep."): value}}
            continue
        data = with_value(data, key, path_of(key, data, ""), value, "")
        if key != "sweep" and isinstance(data.get("sweep"), dict):
            data = {**data, "sweep": without_key(data["sweep"], key, key)}
    return data


def without_key(sweep: dict[str, Any], key: str, what: str) -> dict[str, Any] | None:
    """The section [sweep] without a key that was set; None where nothing is left. InputError, of ``what`` was asked, where it
    sweeps a section in which the key lies.
    """
    items = sweep.get("list")
    tied = (
        [dict(item) if isinstance(item, dict) else item for item in items] if isinstance(items, (list, tuple)) else []
    )
    kept = {name: value for name, value in sweep.items() if name != "list"}
    for section in (kept, *(item for item in tied if isinstance(item, dict))):
        section.pop(key, None)
        for swept in section:
            if key.startswith(f"{swept}."):
                raise InputError(f"{what}: the sweep sets {swept} as a whole; set {swept} or sweep.{swept}")
    if any(set(item) - {"name"} for item in tied if isinstance(item, dict)):
        kept["list"] = tied
    return kept or None


def path_of(key: str, data: Mapping[str, Any], place: str) -> list[str]:
    """The key's parts; a strategy's name, which may have dots, is one of them. ``place``: what errors begin with."""
    if key.startswith("train.") and (name := key.split(".")[1]) not in data["train"]:
        what = in_study(f"section [train.{name}]", f"key {name!r} of train")
        raise InputError(f"{place}{key}: no {what}; there are {', '.join(data['train']) or 'none'}")
    if not key.startswith("strategies."):
        return key.split(".")
    rest = key.removeprefix("strategies.")
    names = [strategy["name"] for strategy in data["strategies"]]
    fitting = [name for name in names if rest.startswith(f"{name}.")]
    if not fitting:
        near = get_close_matches(rest.rpartition(".")[0], names, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names)}"
        raise InputError(f"{place}{key}: no strategy of that name; {hint}")
    name = max(fitting, key=len)
    parts = rest.removeprefix(f"{name}.").split(".")
    own = next(strategy for strategy in data["strategies"] if strategy["name"] == name)
    if (
        "source" in own and parts[0] not in own
    ):  # an own strategy's parameters: known by the file that it was resolved from
        raise InputError(f"{place}{key}: {unknown_key(parts[0], [k for k in own if k not in RESERVED])}")
    return ["strategies", name, *parts]


def with_value(data: Any, key: str, path: list[str], value: Any, place: str) -> Any:
    """``data`` with the value at a path; what lies beside the path is shared, not copied."""
    part, rest = path[0], path[1:]
    if isinstance(data, (list, tuple)):
        return [with_value(item, key, rest, value, place) if item["name"] == part else item for item in data]
    if not isinstance(data, dict):
        raise InputError(f"{place}{key}: {part!r} lies in no section of the study; see `fastexec schema`")
    return {**data, part: with_value(data.get(part) or {}, key, rest, value, place) if rest else value}

"""Values written into a study's nested keys, by dotted keys such as ``order.shares`` or ``strategies.pov10.rate``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fastexec.errors import InputError, in_study
from fastexec.models._base import Model, unknown_key
from fastexec.models.strategies import RESERVED
from fastexec.wording import did_you_mean


def with_values(study: Any, values: Any) -> dict[str, Any]:
    """A study's nested keys with each value at its key; defaults that depend on one of them follow it, and a swept key that is
    set is swept no longer.

    Raises InputError where ``values`` is no mapping of texts, or a key names a strategy that is not there.
    """
    if not isinstance(values, Mapping):
        raise InputError(f'changes: must be a dict such as {{"order.shares": 9000}}, not {type(values).__name__}')
    if (odd := [key for key in values if not isinstance(key, str) or not key]) != []:
        raise InputError(f"changes: {odd[0]!r} is no key; write for example order.shares")
    data = without_following(study, study.model_dump(), values)
    for key, value in values.items():
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
        raise InputError(f"{place}{key}: no {what}; {did_you_mean(name, data['train'])}")
    if key.startswith("market.signals.") and (names := [item["name"] for item in signals_in(data)]):
        return ["market", "signals", *_named(key, key.removeprefix("market.signals."), names, "signal", place)]
    if not key.startswith("strategies."):
        return key.split(".")
    rest = key.removeprefix("strategies.")
    names = [strategy["name"] for strategy in data["strategies"]]
    name, *parts = _named(key, rest, names, "strategy", place)
    own = next(strategy for strategy in data["strategies"] if strategy["name"] == name)
    if (
        "source" in own and parts[0] not in own
    ):  # an own strategy's parameters: known by the file that it was resolved from
        raise InputError(f"{place}{key}: {unknown_key(parts[0], [k for k in own if k not in RESERVED])}")
    return ["strategies", name, *parts]


def _named(key: str, rest: str, names: list[str], what: str, place: str) -> list[str]:
    """The name that ``rest`` begins with, and the parts behind it."""
    fitting = [name for name in names if rest.startswith(f"{name}.")]
    if not fitting:
        raise InputError(f"{place}{key}: no {what} of that name; {did_you_mean(rest.rpartition('.')[0], names)}")
    name = max(fitting, key=len)
    return [name, *rest.removeprefix(f"{name}.").split(".")]


def signals_in(data: Mapping[str, Any]) -> list[Any]:
    """The signals among a study's nested keys."""
    market = data.get("market")
    return list(market.get("signals") or ()) if isinstance(market, dict) else []


def with_value(data: Any, key: str, path: list[str], value: Any, place: str) -> Any:
    """``data`` with the value at a path; what lies beside the path is shared, not copied."""
    part, rest = path[0], path[1:]
    if isinstance(data, (list, tuple)):
        return [with_value(item, key, rest, value, place) if item["name"] == part else item for item in data]
    if not isinstance(data, dict):
        raise InputError(f"{place}{key}: {part!r} lies in no section of the study; see `fastexec schema`")
    return {**data, part: with_value(data.get(part) or {}, key, rest, value, place) if rest else value}


def without_following(study: Any, data: dict[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """A study's nested keys without those that were not set and whose defaults may change with one of the dotted ``keys``."""
    names = names_in(study)
    for key in keys:
        try:
            path = path_of(key, names, "")
        except InputError:
            continue  # said by whoever sets it
        for parents in (path[:-1], path[:-2]) if path[-1] == "model" else (path[:-1],):
            section: Any = study
            for part in parents:
                section = inside(section, part)
            for name in section.following(path[len(parents)]) if isinstance(section, Model) else ():
                data = _less(data, [*parents, name])
    return data


def names_in(study: Any) -> dict[str, Any]:
    """What ``path_of`` needs of a study."""
    signals = [{"name": name} for name in study.signals]
    strategies = [{"name": strategy.name} for strategy in study.strategies]
    return {"strategies": strategies, "train": study.train, "market": {"signals": signals}}


def inside(here: Any, part: str) -> Any:
    """What a part of a section's path leads to; None where there is nothing."""
    if isinstance(here, tuple):
        return next((item for item in here if item.name == part), None)
    return here.get(part) if isinstance(here, dict) else getattr(here, part, None)


def _less(data: Any, path: list[str]) -> Any:
    """``data`` without the key at a path; what lies beside the path is shared, not copied."""
    part, rest = path[0], path[1:]
    if isinstance(data, (list, tuple)):
        return [_less(item, rest) if item["name"] == part else item for item in data]
    if not isinstance(data, dict) or part not in data:
        return data
    if not rest:
        return {key: value for key, value in data.items() if key != part}
    return {**data, part: _less(data[part], rest)}

"""The files and modules that a study names as `plugins`, and its own strategies resolved by what these register.

A file stands alone and is run once for each content, so that its SHA-256 says all about what its strategies do.
"""

from __future__ import annotations

import hashlib
import importlib
import sys
import traceback
from collections.abc import Callable, Iterable
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic_core import PydanticCustomError

from fastexec.errors import FastexecError, InputError, RefusedError
from fastexec.models._base import unknown_key
from fastexec.models.plugins import FILE_MODULE, OwnStrategy, first_line, loading, registry
from fastexec.models.strategies import BUILT_IN, RESERVED, Own

#: Folder, in one of results, of the copies of plugin files.
KEPT = "plugins"


def is_file(entry: str) -> bool:
    """Whether an entry of `plugins` is a file; otherwise it is the name of a module."""
    return entry.endswith(".py") or "/" in entry or "\\" in entry


def registered(entries: Iterable[str], find: Callable[[str], Path]) -> dict[str, OwnStrategy]:
    """The strategies at hand, by name: of the files and modules ``entries``, then of this process itself.

    ``find`` says where a file is. Raises InputError where one is missing, fails, registers nothing, or two register one name.
    """
    found: dict[str, OwnStrategy] = {}
    files: set[str] = set()
    for entry in entries:
        if (file := Path(entry).name) in files:
            raise InputError(f"plugins: two are named {file}; rename one, or name it once")
        files.add(file)
        brought = _of_file(entry, find(entry)) if is_file(entry) else _of_module(entry)
        if not brought:
            raise InputError(f'{entry}: registers no strategy; decorate a function with @fastexec.strategy("name")')
        for name, own in brought.items():
            if found.get(name, own) != own:
                raise InputError(f"plugins: both {found[name].file} and {entry} register {name!r}; rename one")
            found[name] = own
    return {**_of_process(), **found}


def _of_process() -> dict[str, OwnStrategy]:
    modules = [known for module, known in registry.items() if not module.startswith(FILE_MODULE)]
    return {name: own for known in modules for name, own in known.items()}


def _of_file(entry: str, path: Path) -> dict[str, OwnStrategy]:
    try:
        if not path.is_file():
            raise InputError(
                f"{entry}: there is no such plugin file beside the study or in the current folder; name it by --plugin"
            )
        text = path.read_bytes()
        text.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise InputError(f"{entry}: cannot be read ({reason})") from None
    digest = hashlib.sha256(text).hexdigest()
    module = f"{FILE_MODULE}{digest}"
    if module not in registry:
        _run(module, entry, path, text)
    return {name: replace(own, file=entry) for name, own in registry[module].items()}


def _run(name: str, entry: str, path: Path, text: bytes) -> None:
    """Run a file's text as a module of its own; what it registers is kept where it ran to its end."""
    module = ModuleType(name)
    module.__file__ = str(path)
    token = loading.set((entry, name.removeprefix(FILE_MODULE)))
    registry[name], sys.modules[name] = {}, module
    try:
        exec(compile(text, str(path), "exec"), module.__dict__)
    except BaseException as error:
        del registry[name], sys.modules[name]
        if isinstance(error, KeyboardInterrupt):
            raise
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
        place = entry if line is None else f"{entry}, line {line}"
        if isinstance(error, FastexecError):
            raise InputError(str(error) if str(error).startswith(entry) else f"{place}: {error}") from None
        raise InputError(f"{place}: the plugin cannot be run: {type(error).__name__}: {first_line(error)}") from error
    finally:
        loading.reset(token)


def _of_module(entry: str) -> dict[str, OwnStrategy]:
    try:
        module = importlib.import_module(entry)
    except Exception as error:
        raise InputError(
            f"{entry}: cannot be imported ({first_line(error)}); a file is named with its ending: {entry}.py"
        ) from error
    inside = [known for name, known in registry.items() if f"{name}.".startswith(f"{module.__name__}.")]
    return {name: own for known in inside for name, own in known.items()}


def find_beside(name: str, folder: Path | None) -> Path:
    """A file that a study names: beside the study file, else from the current folder."""
    given = Path(name)
    beside = given if folder is None else folder / given
    return beside if beside.exists() else given


def find_plugin(name: str, folder: Path | None) -> Path:
    """As ``find_beside``; where the study is that of results, the copy kept with them before the current folder's."""
    given = Path(name)
    places = [] if folder is None else [folder / given, folder / KEPT / given.name]
    return next((place for place in places if place.is_file()), given)


def joined(entries: list[str], given: list[str]) -> list[str]:
    """The plugins of a study and those of the command line: one of the same file name takes the other's place."""
    names = {Path(entry).name for entry in given}
    return [*(entry for entry in entries if Path(entry).name not in names), *given]


def fill_in(data: dict[str, Any], find: Callable[[str], Path]) -> dict[str, Any]:
    """Raw keys of a study with its own strategies resolved: parameters complete and in order, ``source`` filled in.

    Those that have a ``source`` are resolved, and need no code at hand to be read.
    """
    items, entries = data.get("strategies"), data.get("plugins", ())
    if not isinstance(items, (list, tuple)) or not any(map(_is_unresolved, items)):
        return data
    named = [entry for entry in entries if isinstance(entry, str)] if isinstance(entries, (list, tuple)) else []
    known = registered(named, find)
    return {**data, "strategies": [_filled_in(item, known) if _is_unresolved(item) else item for item in items]}


def _is_unresolved(item: Any) -> bool:
    return (
        isinstance(item, dict)
        and isinstance(model := item.get("model"), str)
        and not (model in BUILT_IN or "source" in item)
    )


def _filled_in(item: dict[str, Any], known: dict[str, OwnStrategy]) -> dict[str, Any]:
    model = item["model"]
    place = f"strategies.{item.get('name', model)}"
    if model not in known:
        if not known:
            return item  # refused as any unknown model
        near = get_close_matches(model, [*known, *BUILT_IN], 1)
        hint = f"did you mean {near[0]!r}?" if near else f"own strategies at hand are {', '.join(known)}"
        raise _error(f"{place}: unknown model {model!r}; {hint}")
    own = known[model]
    for key in item:
        if key not in own.parameters and key not in RESERVED:
            raise _error(f"{place}.{key}: {unknown_key(key, [*own.parameters, 'name'])}")
    parameters = {key: item.get(key, default) for key, default in own.parameters.items()}
    return {"name": item.get("name", model), "model": model, "source": own.sha256, **parameters}


def require_source(strategy: Own, known: dict[str, OwnStrategy]) -> OwnStrategy:
    """The function that a resolved strategy means."""
    own = known.get(strategy.model)
    place = f"strategies.{strategy.name}"
    if own is None:
        raise InputError(
            f"{place}: no plugin at hand registers {strategy.model!r}; give --plugin FILE, the one of SHA-256 "
            f"{strategy.source[:12]}..."
        )
    if own.sha256 != strategy.source:
        raise RefusedError(
            f"{own.file}: has changed since {strategy.name!r} was resolved from it (SHA-256 {strategy.source[:12]}..., now "
            f"{own.sha256[:12]}...); put it back, or use the study without source = ..."
        )
    if set(own.parameters) != set(strategy.parameters):
        raise InputError(
            f"{place}: has the keys {', '.join(strategy.parameters)}; {own.file} wants {', '.join(own.parameters)}"
        )
    return own


def _error(text: str) -> PydanticCustomError:
    return PydanticCustomError("study", "{text}", {"text": text})

"""What the functions of a file or module use besides their arguments, as it stands at a moment: to notice a change.

Numba freezes globals as it compiles, and a file's SHA-256 says nothing of what a process did to them afterwards.
"""

from __future__ import annotations

import ast
import dis
import hashlib
import inspect
import linecache
from collections.abc import Callable, Iterator, Mapping
from types import CodeType, FunctionType, ModuleType
from typing import Any, TypeAlias

import numpy as np

from fastexec.models.captured_values import LIBRARIES, value_text
from fastexec.models.function_text import uses_of

#: (module, name) -> a function's code, or what tells a value from others.
Values: TypeAlias = dict[tuple[str, str], CodeType | str]


def values_of(function: Callable[..., None]) -> Values:
    """The numbers, texts, arrays and functions that a function uses, and that these use, by module and name."""
    found: Values = {}
    seen: set[CodeType] = set()
    left = [function] if isinstance(function, FunctionType) else []
    while left:
        current = left.pop()
        if current.__code__ in seen:
            continue
        seen.add(current.__code__)
        home = str(current.__globals__.get("__name__", ""))
        for name, value in _uses(current):
            inner = _plain(value)
            if inner is not None:
                found[home, name] = inner.__code__
                left.append(inner)
            elif (text := _told(value)) is not None:
                found[home, name] = text
    return found


def settled_values_of(function: FunctionType) -> Values:
    """Likewise while its module still runs: without those that the rest of its text may change."""
    try:
        lines, first = inspect.getsourcelines(function)
        tree = ast.parse("".join(linecache.getlines(function.__code__.co_filename)))
    except (OSError, TypeError, SyntaxError):
        return {}
    end, home = first + len(lines), str(function.__globals__.get("__name__", ""))
    later = [node for node in tree.body if node.lineno >= end and not isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    again = {part.id for node in later for part in ast.walk(node) if isinstance(part, ast.Name)}
    if again & {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}:
        return {}  # a function of its own may change anything
    return {
        (module, name): value
        for (module, name), value in values_of(function).items()
        if module == home and name.partition(".")[0] not in again
    }


def changed(then: Mapping[tuple[str, str], Any], function: Callable[..., None]) -> list[str]:
    """The names whose values are no longer those of ``then``."""
    now = values_of(function)
    return sorted({name for (home, name), value in then.items() if now.get((home, name)) != value})


def _uses(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """Names and what they stand for; of modules what is used of them, as in ``tables.W``."""
    direct = uses_of(function)
    for name, value in direct.items():
        if not isinstance(value, ModuleType):
            yield name, value
    for code in _codes(function.__code__):
        path, place = "", None
        for step in dis.get_instructions(code):
            if step.opname in ("LOAD_ATTR", "LOAD_METHOD") and isinstance(place, ModuleType):
                path, place = f"{path}.{step.argval}", vars(place).get(step.argval)
                if not isinstance(place, ModuleType):
                    yield path, place
            elif step.opname in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF"):
                path, place = str(step.argval), direct.get(step.argval)
                if isinstance(place, ModuleType) and place.__name__.partition(".")[0] in LIBRARIES:
                    place = None
            else:
                place = None


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield from _codes(part)


def _plain(value: Any) -> FunctionType | None:
    """The function behind one that is called in compiled code, but of libraries."""
    from fastexec.kernels._bind import wishes_of

    wished = wishes_of(value)
    inner = wished[0] if wished is not None else value
    if isinstance(inner, FunctionType) and str(inner.__module__).partition(".")[0] not in LIBRARIES:
        return inner
    return None


def _told(value: Any) -> str | None:
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufc":
        return f"{value.dtype.str} {value.shape} {hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()}"
    return value_text(value)

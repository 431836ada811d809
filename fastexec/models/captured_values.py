"""Values that a strategy uses, as Python text that gives them back to the bit."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

#: Whose functions and constants a strategy may use: they stand in every file's footer by version, or belong to Python.
LIBRARIES = ("numpy", "numba", "math", "cmath", "operator", "fastexec", "builtins")
_WRITTEN_OUT = 64  # entries of an array; more are written in base64


def value_text(value: Any) -> str | None:
    """A number, text, array, or tuple of these, as an expression; None of anything else."""
    if value is None or type(value) in (bool, int, str):
        return repr(value)
    if type(value) is float:
        return repr(value) if math.isfinite(value) else f'float("{value!r}")'
    if type(value) is complex:
        return f"complex({value_text(value.real)}, {value_text(value.imag)})"
    if type(value) is tuple:
        parts = [value_text(part) for part in value]
        return None if None in parts else f"({''.join(f'{part}, ' for part in parts).rstrip()})"
    if isinstance(value, np.generic):
        plain = value.item()
        return None if isinstance(plain, np.generic) or not _is_number(value.dtype) else (
            f"_numpy.{value.dtype.name}({value_text(plain)})"
        )  # fmt: skip
    return _array_text(np.asarray(value)) if type(value) in (np.ndarray, np.memmap) else None


def _is_number(dtype: np.dtype[Any]) -> bool:
    return dtype.kind in "biufc" and dtype.itemsize <= (16 if dtype.kind == "c" else 8)


def _array_text(array: np.ndarray) -> str | None:
    if not _is_number(array.dtype):
        return None
    little = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(array.shape)
    if not array.size:
        return f'_numpy.zeros({array.shape}, "{little.dtype.name}")'
    if array.size <= _WRITTEN_OUT and array.dtype.kind != "c" and bool(np.isfinite(array).all()):
        return f'_numpy.array({little.tolist()!r}, "{little.dtype.name}")'
    packed = base64.b64encode(little.tobytes()).decode()
    return f'_numpy.frombuffer(_base64.b64decode("{packed}"), "{little.dtype.str}").reshape({array.shape})'


def import_text(name: str, value: Any) -> str | None:
    """The import that binds ``name`` to a module of ``LIBRARIES`` or to what one of them holds; None of anything else."""
    if isinstance(value, ModuleType):
        if value.__name__.split(".")[0] not in LIBRARIES:
            return None
        return f"import {value.__name__} as {name}"
    called = getattr(value, "__name__", None)
    if not isinstance(called, str) or not called.isidentifier():
        return None
    for home in _homes(value):
        try:
            if vars(import_module(home)).get(called) is value:
                return f"from {home} import {called} as {name}"
        except ImportError:
            continue
    return None


def _homes(value: Any) -> Iterable[str]:
    home = getattr(value, "__module__", None)
    said = [home] if isinstance(home, str) and home.split(".")[0] in LIBRARIES else []
    return dict.fromkeys([*LIBRARIES, *said])

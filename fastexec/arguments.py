"""What Python callers give: held to the kind that it must be, in one line."""

from __future__ import annotations

import os
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from numbers import Integral
from pathlib import Path
from typing import Any

from fastexec.errors import InputError


def require_whole(name: str, value: Any, least: int, most: int | None = None) -> int:
    """A whole number, Python's or NumPy's, from ``least`` to ``most``; else InputError."""
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not whole or value < least or (most is not None and value > most):
        reach = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise InputError(f"{name}: must be a whole number {reach}, not {_shown(value)}")
    return int(value)


def whole_number(text: str) -> int | None:
    """A whole number as people write it: 10000, 10_000, 1e4 or 1.5e6; None where it is none, or has over 30 digits."""
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    if not number.is_finite() or number.adjusted() > 30 or number != number.to_integral_value():
        return None
    return int(number)


def require_text(name: str, value: Any) -> str:
    """A text; else InputError."""
    if not isinstance(value, str):
        raise InputError(f"{name}: must be a text, not {_shown(value)}")
    return value


def require_texts(name: str, values: Any) -> list[str]:
    """A list of texts; else InputError, also for a single one."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise InputError(f"{name}: must be a list of texts, not {_shown(values)}")
    return [require_text(name, value) for value in values]


def require_path(name: str, value: Any) -> Path:
    """A path, or a text that is one; else InputError."""
    if not isinstance(value, (str, os.PathLike)):
        raise InputError(f"{name}: must be a path, not {_shown(value)}")
    return Path(value)


def require_one_of(name: str, value: Any, *choices: Any) -> Any:
    """One of a few values, such as True and False, in the type that they have; else InputError."""
    plain = value.item() if type(value).__module__ == "numpy" and getattr(value, "shape", None) == () else value
    for choice in choices:
        if type(plain) is type(choice) and plain == choice:
            return choice
    raise InputError(f"{name}: must be {' or '.join(map(repr, choices))}, not {_shown(value)}")


def _shown(value: Any) -> str:
    plain = isinstance(value, (str, bytes, int, float)) or value is None
    return repr(value)[:80] if plain else f"a {type(value).__name__}"

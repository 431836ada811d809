"""How many threads there are, and may be asked for."""

from __future__ import annotations

import os
from numbers import Integral
from typing import Any

from fastexec.errors import InputError

MOST = 1024


def default_threads() -> int:
    """The processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def require_threads(threads: Any) -> int | None:
    """A number of threads, or None for all processors; else InputError."""
    return None if threads is None else require_whole("threads", threads, 1, MOST)


def require_whole(name: str, value: Any, least: int, most: int | None = None) -> int:
    """A whole number, Python's or NumPy's, from ``least`` to ``most``; else InputError."""
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not whole or value < least or (most is not None and value > most):
        reach = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise InputError(f"{name}: must be a whole number {reach}, not {value!r}")
    return int(value)

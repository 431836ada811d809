"""How many threads there are, and may be asked for."""

from __future__ import annotations

import os
from typing import Any

from fastexec.errors import InputError


def default_threads() -> int:
    """The processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def require_threads(threads: Any) -> None:
    """InputError unless a number of threads, or None for all processors."""
    if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int) or not 1 <= threads <= 1024):
        raise InputError(f"threads: must be a whole number from 1 to 1024, not {threads!r}")

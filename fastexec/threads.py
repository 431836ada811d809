"""How many threads there are, and may be asked for."""

from __future__ import annotations

import os
from typing import Any

from fastexec.arguments import require_whole

MOST = 1024


def default_threads() -> int:
    """The processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def require_threads(threads: Any) -> int | None:
    """A number of threads, or None for all processors; else InputError."""
    return None if threads is None else require_whole("threads", threads, 1, MOST)

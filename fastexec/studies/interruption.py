"""Ctrl-C at a safe point: Python would raise it anywhere, also within a finaliser that swallows it or in the midst of LLVM."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def asked_to_stop() -> Iterator[Callable[[], bool]]:
    """Within, Ctrl-C only asks: the yielded function says whether it was pressed. A second one is raised at once.

    In a thread other than the main one nothing changes: signals do not reach it.
    """
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return

    def ask(number: int, frame: Any) -> None:
        asked.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def for_children_ignored() -> Iterator[None]:
    """Processes that are begun within ignore Ctrl-C, which a terminal sends to all: who began them ends them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)

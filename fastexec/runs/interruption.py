"""Signals at a safe point: Python would raise anywhere, also within a finaliser that swallows it or in the midst of LLVM."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from fastexec.errors import Interrupted
from fastexec.host import ENDING


@contextmanager
def asked_to_stop() -> Iterator[Callable[[], bool]]:
    """Within, Ctrl-C, and SIGTERM and SIGHUP where a handler of theirs ends the process, only ask: the yielded function says
    whether they did. A second one goes to the handler there was. KeyboardInterrupt from within becomes ``Interrupted``.

    In a thread other than the main one nothing changes: signals do not reach it.
    """
    asked: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before: dict[int, Any] = {}

    def ask(number: int, frame: Any) -> None:
        asked.append(number)
        give_back()

    def give_back() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    for number in (signal.SIGINT, *(number for number in ENDING if callable(signal.getsignal(number)))):
        before[number] = signal.signal(number, ask)
    try:
        yield lambda: bool(asked)
    except KeyboardInterrupt:
        if not asked:
            raise
        raise Interrupted(asked[0]) from None
    finally:
        give_back()


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


def dask_setup(worker: Any) -> None:
    """Within a worker process, as it begins: SIGTERM and SIGHUP, sent to a whole group, end it no more than Ctrl-C.

    Not by being ignored while it is begun: its parent would miss a signal meanwhile.
    """
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)

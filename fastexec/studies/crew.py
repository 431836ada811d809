"""Who computes chunks: the threads of this process. (A cluster's workers are in ``cluster``.)"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Protocol, Self

from fastexec.studies.claim import Job, Task
from fastexec.studies.moments import Partial
from fastexec.studies.work import work


class Crew(Protocol):
    """``retries``: how often a chunk that failed is given out again."""

    retries: int

    def submit(self, task: Task) -> Any:
        """A handle of the task, which somebody begins soon."""

    def is_done(self, handle: Any, seconds: float) -> bool:
        """Whether it ended, waiting up to so many seconds; FastexecError where nobody works any more."""

    def result(self, handle: Any) -> Partial:
        """What an ended task came to, or the error it ended with."""


class Threads:
    """The threads of this process; an error would come again, so nothing is tried twice."""

    retries = 0

    def __init__(self, job: Job, count: int) -> None:
        self._job = job
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="fastexec")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def submit(self, task: Task) -> Future[Partial]:
        """A handle of the task, which a thread begins soon."""
        return self._pool.submit(work, self._job, task)

    def is_done(self, handle: Future[Partial], seconds: float) -> bool:
        """Whether it ended, waiting up to so many seconds."""
        return bool(wait([handle], seconds).done)

    def result(self, handle: Future[Partial]) -> Partial:
        """What an ended task came to, or the error it ended with."""
        return handle.result()

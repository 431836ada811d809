"""Who computes chunks: the threads of this process, or the workers of a cluster (``cluster``)."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Protocol, Self

from fastexec.runs.job import Job, Task
from fastexec.runs.work import Worked, work


class Executor(Protocol):
    """``slots``: chunks that are computed at once."""

    slots: int

    def begin(self, job: Job) -> None:
        """The job that tasks will be of."""

    def submit(self, task: Task) -> Any:
        """A handle of the task, which somebody begins soon."""

    def is_done(self, handle: Any, seconds: float) -> bool:
        """Whether it ended, waiting up to so many seconds; FastexecError where nobody works any more."""

    def result(self, handle: Any) -> Worked:
        """What an ended task came to, or the error it ended with."""

    def finish(self) -> None:
        """No more tasks: what is running ends, what is waiting never begins."""

    def tries_again(self, error: Exception, tries: int) -> bool:
        """Whether a task that failed so many times, last with this error, is worth another try."""


class Threads:
    """The threads of this process; an error would come again, so nothing is tried twice."""

    def __init__(self, count: int) -> None:
        self.slots = count

    def __enter__(self) -> Self:
        self._pool = ThreadPoolExecutor(self.slots, thread_name_prefix="fastexec")
        return self

    def __exit__(self, *error: object) -> None:
        self.finish()

    def begin(self, job: Job) -> None:
        """The job that tasks will be of."""
        self._job = job

    def submit(self, task: Task) -> Future[Worked]:
        """A handle of the task, which a thread begins soon."""
        return self._pool.submit(work, self._job, task)

    def is_done(self, handle: Future[Worked], seconds: float) -> bool:
        """Whether it ended, waiting up to so many seconds."""
        return bool(wait([handle], seconds).done)

    def result(self, handle: Future[Worked]) -> Worked:
        """What an ended task came to, or the error it ended with."""
        return handle.result()

    def finish(self) -> None:
        """What is running ends, what is waiting never begins."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def tries_again(self, error: Exception, tries: int) -> bool:
        """Never."""
        return False

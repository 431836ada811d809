"""An in-order window of chunks: a bounded number begun, taken in episode order, tried again where that may help."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from shlex import quote
from typing import Any

from fastexec.errors import FastexecError, InputError, RefusedError, said
from fastexec.models.sweep import inline
from fastexec.runs.executors import Executor
from fastexec.runs.job import Job, Task
from fastexec.runs.work import Worked

_PATIENCE = 0.1  # seconds between looks whether somebody asked to stop


def in_order(
    executor: Executor, job: Job, tasks: Iterator[Task], stop: Callable[[], bool], failed: Callable[[], None]
) -> Iterator[tuple[Task, Worked]]:
    """Each chunk of ``tasks`` and what it came to, one after the other; ``failed`` is called for each that is tried again.

    Raises KeyboardInterrupt where ``stop`` says so, and the error of a chunk that failed for good.
    """
    begun: deque[tuple[Task, Any]] = deque((task, executor.submit(task)) for task in islice(tasks, job.cut.begun))
    while begun:
        task, handle = begun.popleft()
        worked = _taken(executor, job, task, handle, stop, failed)
        for following in islice(tasks, 1):
            begun.append((following, executor.submit(following)))
        yield task, worked


def _taken(
    executor: Executor, job: Job, task: Task, handle: Any, stop: Callable[[], bool], failed: Callable[[], None]
) -> Worked:
    tries = 0
    while True:
        while not stop() and not executor.is_done(handle, _PATIENCE):
            pass
        if stop():
            raise KeyboardInterrupt
        try:
            return executor.result(handle)
        except (InputError, RefusedError):
            raise
        except Exception as error:
            tries += 1
            if not executor.tries_again(error, tries):
                raise _told(error, job, task, tries) from error
            failed()
            handle = executor.submit(task)


def _told(error: Exception, job: Job, task: Task, tries: int) -> FastexecError:
    """The error with its episodes and, unless it says itself what to do, the command that reproduces it alone."""
    if isinstance(error, FastexecError) and tries == 1:
        return error
    name = job.scenarios[task.scenario].name
    place = f"episodes {task.first} to {task.first + task.count - 1}" + (
        "" if name is None else f" of scenario {name!r}"
    )
    times = "" if tries == 1 else f", {tries} times"
    what = str(error) if isinstance(error, FastexecError) else f"{type(error).__name__}: {error}".splitlines()[0]
    values = {} if name is None else job.study.scenarios()[task.scenario].values
    command = said(*_calls(job, task, [f"{key}={inline(value)}" for key, value in values.items()]))
    return FastexecError(f"{place} failed{times} ({what}); to see it alone: {command}")


def _calls(job: Job, task: Task, fixed: list[str]) -> tuple[str, str]:
    """What runs a chunk alone, on the command line and in Python; ``fixed``: KEY=VALUE of its scenario."""
    study, words = str(job.folder / "study.toml"), "".join(f"--set {quote(text)} " for text in fixed)
    return (
        f"fastexec run {quote(study)} {words}--first-episode {task.first} --episodes {task.count} --chunk {job.cut.chunk} "
        "--threads 1 --out alone --debug",
        f"fastexec.run(fastexec.Study.load({study!r}, {fixed!r}), first_episode={task.first}, episodes={task.count}, "
        f"chunk={job.cut.chunk}, threads=1, out='alone')",
    )

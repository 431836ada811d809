"""Chunks on a Dask cluster: one that is there already, or worker processes of this machine.

A worker is given the study, prepares it itself, and returns what a chunk's episodes come to; rows it writes where the run
writes. Few tasks are begun at once, so that neither scheduler nor client grows with the study.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from time import monotonic, sleep
from types import ModuleType
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

import fastexec
from fastexec.errors import FastexecError, InputError, RefusedError, option
from fastexec.kernels._sources import kernel_hash
from fastexec.place import Place
from fastexec.runs import interruption, store
from fastexec.runs.chunks import Cut
from fastexec.runs.given import held_paths
from fastexec.runs.job import Job, Task
from fastexec.runs.layout import PATHS
from fastexec.runs.options import RunOptions
from fastexec.runs.scenario import scenarios_of
from fastexec.runs.work import Worked, work
from fastexec.studies.study import Study

if TYPE_CHECKING:
    from distributed import Client, Future, LocalCluster

#: How often a chunk is tried in all, where its error may have been the worker's or the store's.
TRIES = 3
_ANSWER = 7  # seconds that a scheduler has to answer, and to find a worker
#: Seconds to wait for a worker where the last one is gone: for a process of ours, for one of a cluster.
_RETURN = {"workers": 60, "scheduler": 600}
_COUNTED = 2  # seconds between looks how many workers there are
_TRANSFER = 30  # seconds for what a task came to, before it is looked whether a worker that had it is gone

_LOOK = 0.003  # seconds between looks whether a task ended; twice as many are begun as run, so nobody waits for it


@dataclass(frozen=True)
class Recipe:
    """What a worker makes a job of. inputs: SHA-256 of what the scenarios read; versions: of who gave the task out."""

    key: str
    study: Study
    folder: Place
    cut: Cut
    first: int
    inputs: list[dict[str, str]]
    versions: dict[str, str]


class Cluster:
    """Workers of a scheduler, or ``how.workers`` processes of one thread each that live as long as the run."""

    def __init__(self, how: RunOptions) -> None:
        self._how = how
        self._looked = 0.0  # when workers were counted last
        self._gone = 0.0  # since when there is none; 0: there are some
        self._given: set[Future] = set()
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Self:
        try:
            from distributed import Client
        except ImportError:
            raise InputError('a cluster needs Dask; install it: pip install "fastexec[cluster]"') from None
        _hush()
        address: Any = self._how.scheduler
        if self._how.workers is not None:
            try:
                local = _local(self._how.workers)
            except (OSError, RuntimeError) as error:
                why = _short(error.__cause__ or error)
                raise FastexecError(f"{option('workers', self._how.workers)}: cannot be started ({why})") from error
            address = self._open.enter_context(local)
        try:
            if self._how.scheduler is not None:
                _try(self._how.scheduler)
            self._client: Client = self._open.enter_context(Client(address, timeout=_ANSWER))
            self._client.wait_for_workers(1, timeout=_ANSWER)
            self._require_same_versions()
        except FastexecError:
            self._open.close()
            raise
        except Exception as error:  # also what a peer that is no scheduler makes of it, such as a MemoryError
            self._open.close()
            raise InputError(
                f"{option('scheduler', address)}: does not answer as one, or has no workers, within {_ANSWER} s "
                f"({_short(error)}); start them (dask scheduler, dask worker) or correct the address"
            ) from None
        self.slots = sum(self._client.nthreads().values())
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def _require_same_versions(self) -> None:
        found = self._client.get_versions(packages=["fastexec", "numba"])["workers"]
        for address, answer in sorted(found.items()):
            theirs = answer["packages"]
            for name, ours in (("fastexec", fastexec.__version__), ("numba", version("numba"))):
                if theirs.get(name) != ours:
                    raise _other_version(address, name, theirs.get(name), ours)

    def begin(self, job: Job) -> None:
        """The job that tasks will be of."""
        study = job.study.model_copy()
        study._folder = (job.study._folder or Path()).resolve()  # files that it names are there, wherever a worker runs
        inputs = [scenario.outline.inputs for scenario in job.scenarios]
        self._recipe = Recipe(uuid4().hex, study, job.folder, job.cut, job.first, inputs, _versions())

    def submit(self, task: Task) -> Future:
        """A handle of the task, which a worker begins soon."""
        handle = self._client.submit(work_there, self._recipe, task, pure=False, retries=0)
        self._given.add(handle)
        return handle

    def is_done(self, handle: Future, seconds: float) -> bool:
        """Whether it ended, waiting up to so many seconds; FastexecError where the scheduler or the last worker is gone."""
        end = monotonic() + seconds
        while not handle.done() and monotonic() < end:
            sleep(_LOOK)
        self._require_the_rest(handle)
        return bool(handle.done())

    def result(self, handle: Future) -> Worked:
        """What an ended task came to, or the error it ended with; of one that was lost with its worker, once it ended again."""
        self._given.discard(handle)
        while True:
            try:
                worked: Worked = handle.result(timeout=_TRANSFER)
            except TimeoutError:
                if handle.status == "error":  # the task's own
                    raise
                self._require_the_rest(handle)
            else:
                return worked

    def _require_the_rest(self, handle: Future) -> None:
        """FastexecError where the scheduler is gone, or no worker was there for longer than one may need to begin."""
        if self._client.status != "running" or handle.cancelled():
            raise FastexecError(
                f"the scheduler {self._how.scheduler or 'of the local workers'} is gone; what is complete is kept, "
                f"{option('resume')} goes on"
            )
        now, local = monotonic(), self._how.workers is not None
        if now - self._looked < _COUNTED:
            return
        self._looked, most = now, _RETURN["workers" if local else "scheduler"]
        self._gone = 0.0 if self._worker_is_there() else self._gone or now
        # Dask gives a worker up that dies while it starts, and would wait for ever.
        if self._gone and now - self._gone > most:
            raise FastexecError(
                f"every worker {'process has died' if local else 'is gone'} and none came back within {most} s (is there "
                f"enough memory for each?); what is complete is kept, {option('resume')} goes on"
            )

    def _worker_is_there(self) -> bool:
        try:
            return bool(self._client.sync(self._client.scheduler.ncores, callback_timeout=_ANSWER))
        except (TimeoutError, OSError):
            return False

    def finish(self) -> None:
        """What is waiting never begins; a worker ends what it is at, whose files are whole or not there."""
        if self._client.status == "running":
            self._client.cancel(list(self._given), force=True)

    def tries_again(self, error: Exception, tries: int) -> bool:
        """Up to ``TRIES`` times, unless it took worker after worker with it: then Dask has tried it often enough."""
        from distributed import KilledWorker

        return tries < TRIES and not isinstance(error, KilledWorker)


def _local(workers: int) -> LocalCluster:
    from distributed import LocalCluster

    with interruption.for_children_ignored(), _without_main():
        return LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            memory_limit=0,
            silence_logs=logging.CRITICAL,
            preload=[interruption.__name__],
        )


@contextlib.contextmanager
def _without_main() -> Iterator[None]:
    """Processes that begin within do not run the program again from its top, as those of Python do with a script that has no
    ``if __name__ == "__main__"``: a worker is sent all that it needs.
    """
    program = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = program


def _hush() -> None:
    """No reports of Dask's own of lost connections; what matters of them is told in one line."""
    for name in [*logging.root.manager.loggerDict]:
        if name.split(".")[0] == "distributed":
            logging.getLogger(name).setLevel(logging.CRITICAL)


def _try(address: str) -> None:
    """Connect once; on a thread of its own, since in a notebook a loop runs on this one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, asyncio.wait_for(_handshake(address), _ANSWER)).result()


async def _handshake(address: str) -> None:
    """Connect once, for the client itself would wait for ever for a peer that takes the call and says nothing."""
    from distributed.comm import connect

    comm = await connect(address, timeout=_ANSWER)
    await comm.close()


def _versions() -> dict[str, str]:
    return {"fastexec": fastexec.__version__, "numba": version("numba"), "kernels": kernel_hash()}


def _other_version(worker: str, name: str, theirs: str | None, ours: str) -> RefusedError:
    have = f"has {name} {theirs[:12]}" if theirs else f"has no {name}"
    return RefusedError(f"worker {worker}: {have}, this is {name} {ours[:12]}; the same must run everywhere")


def _short(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


_jobs: dict[str, Job] = {}
_making = threading.Lock()


def work_there(recipe: Recipe, task: Task) -> Worked:
    """``work`` on a worker, which prepares a study once."""
    with _making:
        if recipe.key not in _jobs:
            _jobs.clear()
            _jobs[recipe.key] = _job(recipe)
    return work(_jobs[recipe.key], task)


def _job(recipe: Recipe) -> Job:
    from distributed import get_worker

    here = str(get_worker().address)
    for name, theirs in _versions().items():
        if theirs != recipe.versions[name]:
            raise _other_version(here, name, theirs, recipe.versions[name])
    if store.read_study(recipe.folder).identity() != recipe.study.identity():
        raise InputError(f"worker {here}: {recipe.folder} is another folder there; give one that all see, or s3://")
    given = held_paths(recipe.folder) if PATHS in recipe.inputs[0] else None
    scenarios, _ = scenarios_of(recipe.study, recipe.folder, 1, None, None, given)
    job = Job(recipe.study, scenarios, recipe.folder, recipe.cut, recipe.first)
    for scenario, inputs in zip(scenarios, recipe.inputs, strict=True):
        for name, digest in inputs.items():
            if scenario.outline.inputs.get(name) != digest:
                raise RefusedError(f"worker {here}: {name} is another file there; give all workers the same")
    return job

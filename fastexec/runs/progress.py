"""How far a run is: what its terminal shows, and what another terminal reads from its folder."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from time import perf_counter, time
from typing import Annotated

from pydantic import ConfigDict, Field, TypeAdapter

from fastexec.errors import FastexecError
from fastexec.place import Place
from fastexec.runs.job import Job
from fastexec.runs.layout import PROGRESS

NAME = PROGRESS
_Count = Annotated[int, Field(ge=0, le=2**62)]
_EVERY = 2.0  # seconds between two writings of the file


@dataclass(frozen=True)
class Progress:
    """done, total: episodes, of every scenario; found: those that were there when the run began. steps: of an episode.
    seconds: since it began. failures: chunks that were tried again.
    """

    done: _Count
    total: _Count
    found: _Count
    steps: _Count
    seconds: Annotated[float, Field(ge=0.0, le=1e11)]
    failures: _Count

    @property
    def rate(self) -> float:
        """Episodes a second in this run."""
        return (self.done - self.found) / self.seconds if self.seconds > 0.0 else 0.0

    @property
    def left(self) -> float | None:
        """Seconds until the end at this rate; None where nothing is known yet."""
        return (self.total - self.done) / self.rate if self.rate > 0.0 else None


Report = Callable[[Progress], None]


class Teller:
    """Counts chunks and tells ``report`` and the folder."""

    def __init__(self, job: Job, found: int, report: Report | None) -> None:
        self._folder, self._report = job.folder, report
        self._total, self._found, self._steps = job.episodes * len(job.scenarios), found, job.study.order.steps
        self._done, self._failures = found, 0
        self._began, self._written = perf_counter(), 0.0

    def advance(self, episodes: int) -> None:
        """So many more are done."""
        self._done += episodes
        self._tell()

    def failed(self) -> None:
        """A chunk failed and is tried again."""
        self._failures += 1
        self._tell()

    def _tell(self) -> None:
        now = perf_counter()
        progress = Progress(self._done, self._total, self._found, self._steps, now - self._began, self._failures)
        if self._report is not None:
            self._report(progress)
        if now - self._written >= _EVERY:
            self._written = now
            write(self._folder, progress)


@dataclass(frozen=True)
class Word(Progress):
    """What a run last left word of: how far it is, when (seconds since 1970), and where it runs."""

    __pydantic_config__ = ConfigDict(strict=True, allow_inf_nan=False)

    written: Annotated[float, Field(ge=0.0, le=1e11)]
    host: Annotated[str, Field(max_length=256)]
    process: int


def write(folder: Place, progress: Progress) -> None:
    """Leave word in the folder, with the time, the machine and the process."""
    word = Word(**asdict(progress), written=time(), host=platform.node(), process=os.getpid())
    (folder / NAME).write((json.dumps(asdict(word)) + "\n").encode())


def clear(folder: Place) -> None:
    """Remove the word of a run that has ended."""
    (folder / NAME).remove()


def read(folder: Place) -> Word | None:
    """What a run last left word of; None where there is none, or it cannot be read."""
    place = folder / NAME
    try:
        return TypeAdapter(Word).validate_json(place.read_text()) if place.is_file() else None
    except (OSError, FastexecError, ValueError):
        return None

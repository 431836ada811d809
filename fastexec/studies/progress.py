"""How far a run is: what its terminal shows, and what another terminal reads from its folder."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from time import perf_counter, time
from typing import Any

from fastexec.errors import FastexecError
from fastexec.studies.claim import Job
from fastexec.studies.place import Place

NAME = "progress.json"
_EVERY = 2.0  # seconds between two writings of the file


@dataclass(frozen=True)
class Progress:
    """done, total: episodes, of every scenario; found: those that were there when the run began. steps: of an episode.
    seconds: since it began. failures: chunks that were tried again.
    """

    done: int
    total: int
    found: int
    steps: int
    seconds: float
    failures: int

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


def write(folder: Place, progress: Progress) -> None:
    """Leave word in the folder, with the time, the machine and the process."""
    record = asdict(progress) | {"written": time(), "host": platform.node(), "process": os.getpid()}
    (folder / NAME).write((json.dumps(record) + "\n").encode())


def clear(folder: Place) -> None:
    """Remove the word of a run that has ended."""
    (folder / NAME).remove()


def read(folder: Place) -> tuple[Progress, dict[str, object]] | None:
    """What a run last left word of, and when and where; None where there is none, or it is not as a run writes it."""
    place = folder / NAME
    try:
        if not place.is_file():
            return None
        record = dict(json.loads(place.read_text()))
        known = Progress(
            **{name: _number(record.pop(name), int) for name in _COUNTS}, seconds=_number(record.pop("seconds"))
        )
        _number(record["written"])
    except (OSError, FastexecError, ValueError, TypeError, KeyError, RecursionError):
        return None
    return known, record


_COUNTS = ("done", "total", "found", "steps", "failures")


def _number(value: Any, kind: type = float) -> Any:
    """A number of a kind from 0 to 2^63; ValueError where it is none."""
    if type(value) not in (int, kind) or not 0 <= value < 2**63:
        raise ValueError
    return value

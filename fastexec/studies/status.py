"""How a study in a folder stands, seen from another terminal: from its word of progress, or from its parts alone."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from time import time

from fastexec.errors import InputError
from fastexec.studies import progress, store
from fastexec.studies.claim import held_by
from fastexec.studies.place import Place
from fastexec.studies.progress import Progress


@dataclass(frozen=True)
class Status:
    """state: complete | running | incomplete (nobody writes) | unknown (an object store tells no writer). word: the last
    that a run left, and ``age``, seconds since then.
    """

    name: str
    state: str
    done: int
    total: int | None
    word: Progress | None
    age: float | None
    where: str


def status(folder: str) -> Status:
    """Read a folder's status; InputError where it holds no study."""
    place = Place.of(folder)
    held = held_by(place)
    if held is None:
        raise InputError(f"{folder}: holds no results (no study.toml); give the folder of a run")
    scenarios = 1 if held.study.sweep is None else held.study.sweep.count
    total = None if held.study.episodes is None else (held.study.episodes - held.first) * scenarios
    if (place / "comparison.parquet").is_file() and (place / "run.json").is_file():
        covered = store.read_footer(place / "comparison.parquet")["episodes"] * scenarios
        if total is None or covered == total:
            return Status(held.study.name, "complete", covered, covered, None, None, "")
    found = progress.read(place)
    word, record = found if found is not None else (None, {})
    locked = store.is_locked(place)
    state = "unknown" if locked is None else "running" if locked else "incomplete"
    if word is not None and state != "incomplete":
        done, total = word.done, word.total
    else:
        done = _in_parts(place, held.chunk)
    age = None if word is None else max(time() - float(str(record["written"])), 0.0)
    where = f"process {record['process']} on {record['host']}" if {"process", "host"} <= set(record) else ""
    return Status(held.study.name, state, done, total, word, age, where)


def _in_parts(place: Place, chunk: int) -> int:
    """Episodes in the parts that are there (a scenario's last may hold fewer than a chunk), or in the summaries so far."""
    homes = [parts for parts in map(store.parts, store.homes(place, "episodes")) if parts]
    counted = [parts[-1] for parts in homes] if homes else store.all_parts(place, "moments")
    found = sum(chunk * (len(parts) - 1) for parts in homes)
    for part in counted:
        with contextlib.suppress(InputError):  # damaged: computed again
            found += int(store.read_footer(part)["episodes"])
    return found

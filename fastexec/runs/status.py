"""How a study in a folder stands, seen from another terminal: from its word of progress, or from its parts alone."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from time import time

from fastexec.errors import InputError
from fastexec.place import Place
from fastexec.runs import layout, lock, manifest, progress, store
from fastexec.runs.held import results_of
from fastexec.runs.progress import Progress


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
    held = results_of(place, "the folder of a run")
    scenarios = 1 if held.study.sweep is None else held.study.sweep.count
    total = None if held.study.episodes is None else (held.study.episodes - held.first) * scenarios
    known = manifest.read_or_none(place)
    own = known is not None and (known.identity, known.first) == (held.study.identity(), held.first)
    if known is not None and own and known.complete and manifest.all_there(place, known.files):
        covered = known.episodes * scenarios
        return Status(held.study.name, "complete", covered, covered, None, None, "")
    word = progress.read(place)
    locked = lock.is_locked(place)
    state = "unknown" if locked is None else "running" if locked else "incomplete"
    if word is not None and state != "incomplete":
        done, total = word.done, word.total
    else:
        done = _in_parts(place, held.chunk)
    age = None if word is None else max(time() - word.written, 0.0)
    where = "" if word is None else f"process {word.process} on {word.host}"
    return Status(held.study.name, state, done, total, word, age, where)


def _in_parts(place: Place, chunk: int) -> int:
    """Episodes in the parts that are there (a scenario's last may hold fewer than a chunk), or in the summaries so far."""
    homes = [parts for parts in map(layout.parts, layout.homes(place, "episodes")) if parts]
    counted = [parts[-1] for parts in homes] if homes else layout.all_parts(place, "moments")
    found = sum(chunk * (len(parts) - 1) for parts in homes)
    for part in counted:
        with contextlib.suppress(InputError):  # damaged: computed again
            found += int(store.read_footer(part)["episodes"])
    return found

"""What a first run simulates with, compiled by a second process while the first one trains.

A compiler holds its lock, so threads would not help. The second process plays a few episodes with what needs no agent and
begins with the stages that are called last; both keep what they compile in the one cache, where each finds the other's. A run
without training compiles half as much: there the second process would take nearly the time that it spares.
"""

from __future__ import annotations

import contextlib
import sys
import tomllib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from fastexec.kernels._bind import backwards, bound_stage
from fastexec.learning.training import sections_played
from fastexec.simulation import prepare
from fastexec.statistics.moments import summarise
from fastexec.studies.study import Study
from fastexec.threads import default_threads

if TYPE_CHECKING:
    import subprocess

_EPISODES = 128
_LAST = "account.write_rows"  # a stage that nobody calls before the simulation itself
_SELF = "fastexec.runs.beside"


@contextlib.contextmanager
def compiled_beside(study: Study, threads: int | None) -> Iterator[None]:
    """Have the rest compiled where a study trains, its simulation was never compiled here, and a processor is free for that."""
    alone = (threads or default_threads()) == 1
    process = None if alone or not _worth_it(study) else _begin(study)
    try:
        yield
    finally:
        if process is not None:
            process.kill()  # no kernel is half written: each is put in its place whole
            process.wait()


def _worth_it(study: Study) -> bool:
    """Whether there is training, and a market of models: files and the user's own code are read where he sees what they say."""
    plain = study.synthetic is not None and not study.plugins
    return plain and bool(sections_played(study)) and not bound_stage(_LAST).is_kept()


def _begin(study: Study) -> subprocess.Popen[bytes] | None:
    """The second process; None where none can be had, which costs time only."""
    import subprocess  # where nobody trains it is not needed

    quiet = subprocess.DEVNULL
    try:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", _SELF], stdin=subprocess.PIPE, stdout=quiet, stderr=quiet
        )
        assert process.stdin is not None
        with process.stdin as stream:
            stream.write(study.to_toml().encode())
    except OSError:
        return None
    return process


def play_without_tables(study: Study) -> None:
    """A few episodes of the strategies that need no table, and their summary."""
    tables = {strategy.name for strategy in (*study.agents, *study.networks, *study.optima)}
    written = tomllib.loads(study.to_toml())
    data = {key: value for key, value in written.items() if key not in ("sweep", "train")}
    others = [one for one in data["strategies"] if one["name"] not in tables and one.get("of") not in tables]
    prepared = prepare(Study.from_dict(data | {"strategies": others, "episodes": _EPISODES}))
    with backwards():
        summarise(0, prepared.run(0, _EPISODES))


if __name__ == "__main__":
    with open(0, encoding="utf-8") as sent:
        play_without_tables(Study.from_toml(sent.read()))

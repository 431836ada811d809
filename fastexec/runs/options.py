"""How a study is run, which nothing in its results depends on but the sizes of files."""

from __future__ import annotations

from dataclasses import dataclass

from fastexec.errors import InputError
from fastexec.studies.study import Study
from fastexec.threads import require_threads


@dataclass(frozen=True)
class RunOptions:
    """threads: default all processors. chunk: episodes a file; by default about 200,000 rows. max_memory: a bound on the
    process's memory, such as ``2GB``, that chunk size and chunks begun at once are chosen for. resume: go on with an
    interrupted run, or extend it. overwrite: replace another study's results. first_episode, episodes: a shard of the
    study, that many episodes from there on (default: to the study's end), to be merged with others. scheduler: address of
    a Dask cluster whose workers compute the chunks; workers: so many processes of this machine do. yes: a sweep of more
    than 1,000 scenarios is meant. trust: with ``resume``, all code may run that the study of a folder of results names.
    data: the folder of the study's input files, where they lie neither beside it nor where an earlier run found them.
    """

    threads: int | None = None
    chunk: int | None = None
    max_memory: str | None = None
    resume: bool = False
    overwrite: bool = False
    first_episode: int = 0
    episodes: int | None = None
    scheduler: str | None = None
    workers: int | None = None
    yes: bool = False
    trust: bool = False
    data: str | None = None

    def __post_init__(self) -> None:
        """InputError where two say who computes, or a shard begins before the study."""
        require_threads(self.threads)
        if self.max_memory is not None and not isinstance(self.max_memory, str):
            raise InputError(f"max_memory: must be a text such as '2GB', not {self.max_memory!r}")
        if self.first_episode < 0:
            raise InputError(f"--first-episode {self.first_episode}: must be at least 0")
        asked = [name for name in ("threads", "scheduler", "workers") if getattr(self, name) is not None]
        if len(asked) > 1:
            raise InputError(f"--{asked[0]} and --{asked[1]}: give one; chunks run on threads or on workers")

    def shard_of(self, study: Study) -> Study:
        """The study up to the end of the shard; InputError where it is no study then."""
        if self.episodes is None:
            return study
        return study.with_overrides([f"episodes={self.first_episode + self.episodes}"])

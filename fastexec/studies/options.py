"""How a study is run, which nothing in its results depends on but the sizes of files."""

from __future__ import annotations

from dataclasses import dataclass

from fastexec.simulation import default_threads
from fastexec.studies.study import Study


@dataclass(frozen=True)
class RunOptions:
    """threads: default all processors. chunk: episodes a file; by default about 200,000 rows. max_memory: a bound on the
    process's memory, such as ``2GB``, that chunk size and chunks in flight are chosen for. resume: go on with an
    interrupted run, or extend it. overwrite: replace another study's results. first_episode, episodes: a shard of the
    study, that many episodes from there on (default: to the study's end), to be merged with others. yes: a sweep of more
    than 1,000 scenarios is meant.
    """

    threads: int | None = None
    chunk: int | None = None
    max_memory: str | None = None
    resume: bool = False
    overwrite: bool = False
    first_episode: int = 0
    episodes: int | None = None
    yes: bool = False

    @property
    def slots(self) -> int:
        """Chunks that are computed at once."""
        return self.threads or default_threads()

    def shard_of(self, study: Study) -> Study:
        """The study up to the end of the shard; InputError where it is no study then."""
        if self.episodes is None:
            return study
        return study.with_overrides([f"episodes={self.first_episode + self.episodes}"])

"""How a study is run, which nothing in its results depends on but the sizes of files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from fastexec.arguments import require_one_of, require_path, require_text, require_whole
from fastexec.errors import InputError, option
from fastexec.studies.study import Study
from fastexec.threads import MOST
from fastexec.wording import did_you_mean

#: Whole numbers, and what they may be.
_WHOLE = {
    "threads": (1, MOST),
    "chunk": (1, None),
    "first_episode": (0, None),
    "episodes": (1, None),
    "workers": (1, MOST),
}


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
    data: str | Path | None = None

    def __post_init__(self) -> None:
        """InputError where a value is of another kind, or two say who computes."""
        for name, (least, most) in _WHOLE.items():
            if (value := getattr(self, name)) is not None or name == "first_episode":
                object.__setattr__(self, name, require_whole(name, value, least, most))
        for name in ("max_memory", "scheduler"):
            if (value := getattr(self, name)) is not None:
                require_text(name, value)
        for name in ("resume", "overwrite", "yes", "trust"):
            object.__setattr__(self, name, require_one_of(name, getattr(self, name), True, False))
        if self.data is not None:
            require_path("data", self.data)
        asked = [name for name in ("threads", "scheduler", "workers") if getattr(self, name) is not None]
        if len(asked) > 1:
            raise InputError(
                f"{option(asked[0])} and {option(asked[1])}: give one; chunks run on threads or on workers"
            )

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> RunOptions:
        """Options by name; InputError where one is unknown."""
        names = [field.name for field in fields(cls)]
        for name in options:
            if name not in names:
                raise InputError(f"run: unknown option {name!r}; {did_you_mean(name, names)}")
        return cls(**options)

    def shard_of(self, study: Study) -> Study:
        """The study up to the end of the shard; InputError where it is no study then."""
        if self.episodes is None:
            return study
        return study.with_overrides([f"episodes={self.first_episode + self.episodes}"])

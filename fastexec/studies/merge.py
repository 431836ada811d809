"""Shards that were run apart become one study: their files side by side, their summaries one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from fastexec.errors import InputError
from fastexec.simulation import default_threads
from fastexec.studies import checkpoint, store
from fastexec.studies.claim import Job, StudyResult, claim, held_by, present, refuse_foreign
from fastexec.studies.options import RunOptions
from fastexec.studies.place import Place
from fastexec.studies.run import empty_summary, run
from fastexec.studies.scenario import save_trained, scenarios_of
from fastexec.studies.study import Study


class _Shard(NamedTuple):
    folder: Place
    study: Study
    chunk: int
    first: int
    end: int


def merge(folders: Sequence[str | Path], out: str | Path, overwrite: bool = False) -> StudyResult:
    """Join complete shards of one study into ``out``, whose files and tables are those of a single run.

    Raises InputError where they are not of one study or one kind, leave a gap or overlap; nothing is written then.
    """
    shards = sorted((_shard(Place.of(folder)) for folder in folders), key=lambda shard: shard.first)
    _require_alike(shards)
    _require_seamless(shards)
    place, first = Place.of(out), shards[0].first
    if any(shard.folder.absolute() == place.absolute() for shard in shards):
        raise InputError(f"--out {out}: is one of the shards; give a new folder")
    refuse_foreign(place)
    study = shards[0].study.with_overrides([f"episodes={shards[-1].end}"])
    scenarios, agents = scenarios_of(study, shards[0].folder, default_threads(), None)
    how = RunOptions(chunk=shards[0].chunk, first_episode=first, resume=not overwrite, overwrite=overwrite)
    with store.locked(place):
        job = claim(study, scenarios, place, how, default_threads())
        if isinstance(job, StudyResult):
            return job
        save_trained(agents, place)
        for shard in shards:
            _copy_rows(shard, job)
        if job.rows == "none":
            _join_summaries(shards, job)
    # Everything is there, so that nothing is simulated, and what may be missing is.
    return run(study, out=out, chunk=job.cut.chunk, first_episode=first, resume=True, yes=True)


def _shard(folder: Place) -> _Shard:
    """A complete shard; InputError where the folder is none."""
    held, summary = held_by(folder), folder / "summary.parquet"
    if held is None:
        raise InputError(f"{folder}: holds no results (no study.toml); give the folders of shards")
    if not summary.is_file():
        raise InputError(f"{folder}: its run is not complete; finish it with --resume, then merge")
    footer = store.read_footer(summary)
    return _Shard(folder, held.study, held.chunk, held.first, footer["first_episode"] + footer["episodes"])


def _require_alike(shards: list[_Shard]) -> None:
    first = shards[0]
    for shard in shards[1:]:
        both = f"{first.folder} and {shard.folder}"
        if shard.study.identity() != first.study.identity():
            raise InputError(f"{both}: are of different studies; merge shards of one")
        if shard.chunk != first.chunk and first.study.output.rows == "all":
            raise InputError(
                f"{both}: have chunks of {first.chunk} and {shard.chunk} episodes; run shards with one --chunk"
            )
        if shard.study.output != first.study.output:
            raise InputError(f"{both}: differ in [output]; run shards with one")


def _require_seamless(shards: list[_Shard]) -> None:
    """No gap, no overlap."""
    for shard, following in pairwise(shards):
        if following.first > shard.end:
            raise InputError(
                f"no shard holds episodes {shard.end} to {following.first - 1}; run them with --first-episode {shard.end} "
                f"--episodes {following.first - shard.end}"
            )
        if following.first < shard.end:
            raise InputError(
                f"{shard.folder} and {following.folder}: both hold episodes {following.first} to "
                f"{min(shard.end, following.end) - 1}; leave one out, or run it anew"
            )


def _copy_rows(shard: _Shard, job: Job) -> None:
    """The parts of a shard that are not there yet, the one whose presence commits a chunk last."""
    for task in job.tasks():
        if not shard.first <= task.first < shard.end or job.rows == "none" or present(job, task):
            continue
        scenario = job.scenarios[task.scenario]
        for table in ("steps", "markets", "episodes"):
            source = scenario.part(shard.folder, table, task.first)
            if source.is_file():
                with source.open() as stream:
                    scenario.part(job.folder, table, task.first).write(stream.read_buffer())


def _join_summaries(shards: list[_Shard], job: Job) -> None:
    for scenario in job.scenarios:
        joined = empty_summary(scenario, job.first)
        for shard in shards:
            own = empty_summary(scenario, shard.first)
            checkpoint.restore(own, scenario, shard.folder, shard.end)
            if own.end != shard.end:
                raise InputError(
                    f"{shard.folder}: its summaries reach to episode {own.end}, not {shard.end}; --resume it"
                )
            joined.extend(own)
        checkpoint.save(joined, scenario, job.folder)

"""Shards that were run apart become one study: their files side by side, their summaries one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from fastexec.errors import InputError, option
from fastexec.place import Place
from fastexec.runs import checkpoint, layout, lock, manifest, store
from fastexec.runs.claim import claim, refuse_foreign
from fastexec.runs.conclusion import close, conclude, record_of, write_scenarios
from fastexec.runs.held import Held, results_of, written_scenarios
from fastexec.runs.inputs import folders_noted
from fastexec.runs.job import Job, StudyResult
from fastexec.runs.manifest import Manifest
from fastexec.runs.options import RunOptions
from fastexec.runs.run import empty_summary
from fastexec.runs.scenario import Scenario
from fastexec.runs.work import read_back
from fastexec.statistics.moments import summarise
from fastexec.statistics.summary import SummaryAccumulator
from fastexec.studies.study import Study, swept_studies
from fastexec.threads import default_threads


class _Shard(NamedTuple):
    folder: Place
    held: Held
    known: Manifest
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
        raise InputError(f"{option('out', out)}: is one of the shards; give a new folder")
    refuse_foreign(place)
    study = shards[0].held.study.with_overrides([f"episodes={shards[-1].end}"])
    how = RunOptions(chunk=shards[0].held.chunk, first_episode=first, resume=not overwrite, overwrite=overwrite)
    started = perf_counter()
    with lock.locked(place):
        job = claim(study, _joined(shards, study), place, how, default_threads())
        if isinstance(job, StudyResult):
            return job
        layout.clear_leftovers(place)
        if study.sweep is not None:
            write_scenarios(job)
        _copy(shards[0], job, {layout.AGENTS})
        for shard in shards:
            _copy(shard, job, {"steps", "markets", "episodes"})
        summaries = _summaries(shards, job)
        result = conclude(job, [s.table(scenario.outline.control_variate) for scenario, s in summaries])
        noted = [path for shard in shards for path in folders_noted(shard.folder)]
        close(job, record_of(job, 1, perf_counter() - started, 0, noted))
    return result


def _shard(folder: Place) -> _Shard:
    """A complete shard, its files as they were written; InputError where the folder is none."""
    held = results_of(folder, "the folders of shards")
    known = manifest.read(folder)
    if known is None or not known.complete:
        raise InputError(f"{folder}: its run is not complete; finish it with {option('resume')}, then merge")
    for line in manifest.changes(folder, known.files):
        raise InputError(
            f"{line}; a run of its study with {option('out', folder)} and {option('resume')} computes it anew, then merge"
        )
    if (known.identity, known.first) != (held.study.identity(), held.first):
        raise InputError(f"{folder}: study.toml is not the study that the files beside it were made by; put it back")
    return _Shard(folder, held, known, known.first, known.first + known.episodes)


def _require_alike(shards: list[_Shard]) -> None:
    first = shards[0]
    for shard in shards[1:]:
        both = f"{first.folder} and {shard.folder}"
        if shard.held.study.identity() != first.held.study.identity():
            raise InputError(f"{both}: are of different studies; merge shards of one")
        if shard.held.chunk != first.held.chunk and first.held.study.output.rows == "all":
            raise InputError(
                f"{both}: have chunks of {first.held.chunk} and {shard.held.chunk} episodes; run shards with one --chunk"
            )
        if shard.held.study.output != first.held.study.output:
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


def _joined(shards: list[_Shard], study: Study) -> list[Scenario]:
    """The scenarios of the whole; InputError where the shards were made from different files."""
    found = [written_scenarios(shard.held, shard.folder) for shard in shards]
    for shard, own in zip(shards, found, strict=True):
        for scenario, other in zip(own, found[0], strict=True):
            if scenario.outline.inputs != other.outline.inputs:
                theirs = dict(scenario.outline.inputs.items() ^ other.outline.inputs.items())
                name = min(theirs)
                raise InputError(
                    f"{shards[0].folder} and {shard.folder}: were made from different files {name}; run one anew"
                )
    pairs = [(shard.folder, one) for shard, own in zip(shards, found, strict=True) for one in own]
    made = {_kernels_of(one, folder): folder for folder, one in pairs}
    if len(made) > 1:
        a, b = list(made.values())[:2]
        raise InputError(f"{a} and {b}: were made by different kernels; run one of them anew")
    whole = swept_studies(study)
    return [
        replace(s, study=swept.study, outline=replace(s.outline, study=swept.study, episodes=shards[-1].end))
        for s, swept in zip(found[0], whole, strict=True)
    ]


def _kernels_of(scenario: Scenario, folder: Place) -> str:
    """The hash of the kernels that made a scenario's rows."""
    return str(store.read_footer(scenario.made(folder) or folder / "summary.parquet")["kernels"])


def _copy(shard: _Shard, job: Job, kinds: set[str]) -> None:
    """The files of some kinds of a shard, byte for byte; in each chunk the one whose presence commits it last."""
    order = ("agents", "steps", "markets", "episodes")
    named = [name for name in shard.known.files if layout.kind_of(name) in kinds]
    for name in sorted(named, key=lambda name: (name.rpartition("/")[2], order.index(layout.kind_of(name)))):
        data = store.read_bytes(shard.folder / name)
        (job.folder / name).write(data)
        job.files[name] = shard.known.files[name]


def _summaries(shards: list[_Shard], job: Job) -> list[tuple[Scenario, SummaryAccumulator]]:
    """The summary of each scenario's episodes: of their rows, or of the shards' own summaries."""
    found = [(scenario, empty_summary(scenario, job.first)) for scenario in job.scenarios]
    if job.rows == "all":
        for task in job.tasks():
            found[task.scenario][1].add(summarise(task.first, read_back(job, task)[0]))
        return found
    for scenario, joined in found:
        for shard in shards:
            own = empty_summary(scenario, shard.first)
            checkpoint.restore(own, scenario, shard.folder, shard.end)
            if own.end != shard.end:
                raise InputError(
                    f"{shard.folder}: its summaries reach to episode {own.end}, not {shard.end}; run it with {option('resume')}"
                )
            joined.extend(own)
        job.files.update(checkpoint.save(joined, scenario, job.folder))
    return found

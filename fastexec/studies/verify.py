"""Whether a folder's files are what they say: all there, signed alike, adding up, and the same when simulated again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from fastexec.columns import PARTS, markets_table
from fastexec.errors import FastexecError, InputError
from fastexec.models.trust import Trust
from fastexec.simulation import default_threads
from fastexec.studies import checkpoint, store
from fastexec.studies.chunks import Cut
from fastexec.studies.claim import Job, Task, held_by
from fastexec.studies.conclusion import tables_of
from fastexec.studies.moments import summarise
from fastexec.studies.place import Place
from fastexec.studies.run import empty_summary
from fastexec.studies.scenario import Scenario, prepared_scenario, scenarios_of
from fastexec.studies.study import Study
from fastexec.studies.summary import SummaryAccumulator
from fastexec.studies.sweep import Swept, scenarios_table
from fastexec.studies.work import read_back


@dataclass
class Verification:
    """chunks, episodes: that were read; simulated: chunks simulated again; faults: one line each, none if all is well."""

    chunks: int = 0
    episodes: int = 0
    simulated: int = 0
    faults: list[str] = field(default_factory=list)


def verify(folder: str, sample: int = 0, plugins: Iterable[str] = (), trust: bool = False) -> Verification:
    """Check every file of a finished run; ``sample``: chunks that are simulated again, evenly spread.

    For a sample own strategies run as in ``replay_episode``, by ``plugins`` and ``trust``; without one no code of theirs does.

    Raises InputError where the folder holds no results, or a sample is asked of a run without rows.
    """
    place = Place.of(folder)
    held = held_by(place, Trust.of(tuple(plugins), trust) if sample else Trust.NOTHING)
    if held is None:
        raise InputError(f"{folder}: holds no results (no study.toml); give the folder of a run")
    if sample and held.study.output.rows == "none":
        raise InputError(f"--sample {sample}: {folder} holds no rows to compare with (output.rows = none)")
    scenarios, _ = scenarios_of(held.study, place, default_threads(), None)
    job = Job(held.study, scenarios, place, Cut(held.chunk, 1), held.first)
    found = Verification()
    summaries = [empty_summary(scenario, job.first) for scenario in scenarios]
    if job.rows == "none":
        for summary, scenario in zip(summaries, scenarios, strict=True):
            found.faults += _state_faults(job, summary, scenario)
    else:
        tasks = list(job.tasks())
        chosen = set(np.linspace(0, len(tasks) - 1, min(sample, len(tasks))).astype(int).tolist())
        for number, task in enumerate(tasks):
            _check(job, task, summaries, number in chosen, found)
        found.faults += _strangers(job, tasks)
    if not found.faults:
        found.faults += _table_faults(job, summaries)
    return found


def _check(job: Job, task: Task, summaries: list[SummaryAccumulator], again: bool, found: Verification) -> None:
    scenario = job.scenarios[task.scenario]
    try:
        faults = list(_chunk_faults(job, task))
        if not faults:
            summaries[task.scenario].add(summarise(task.first, read_back(job, task)))
            if again:
                faults += _simulated_again(job, task)
                found.simulated += 1
        found.chunks, found.episodes = found.chunks + 1, found.episodes + task.count
    except FastexecError as error:
        faults = [str(error)]
    found.faults += [
        f if str(job.folder) in f else f"{scenario.part(job.folder, 'episodes', task.first)}: {f}" for f in faults
    ]


def _chunk_faults(job: Job, task: Task) -> Iterator[str]:
    """Footers, row counts, numbers of episodes, and costs that are the sum of their parts."""
    scenario = job.scenarios[task.scenario]
    k = len(scenario.prepared.strategies)
    for table, rows in (("markets", task.count), ("episodes", task.count * k)):
        place = scenario.part(job.folder, table, task.first)
        footer, wanted = store.read_footer(place), scenario.sign(table, task.first, task.count)
        # Versions may differ: the sample tells whether they matter.
        foreign = [key for key in footer if key not in ("versions", "kernels") and footer[key] != wanted.get(key)]
        if foreign:
            yield f"{place}: its footer's {foreign[0]} is not that of this study's chunk"
            continue
        columns = store.read_columns(place)
        each = rows // task.count
        numbers = np.repeat(np.arange(task.first, task.first + task.count), each)
        if "episode" not in columns or not np.array_equal(columns["episode"], numbers):
            yield f"{place}: does not hold episodes {task.first} to {task.first + task.count - 1}, {each} rows each"
        elif table == "episodes" and "program_cost" not in columns:
            total = np.zeros(rows)
            for part in PARTS:
                total = total + columns[f"{part}_bps"]
            off = np.flatnonzero(total != columns["shortfall_bps"])
            if off.size:
                yield f"{place}: row {off[0]}: shortfall_bps is not the sum of its parts"


def _simulated_again(job: Job, task: Task) -> Iterator[str]:
    """The chunk anew, from nothing but its footer and the files that the footer names."""
    place = job.scenarios[task.scenario].part(job.folder, "episodes", task.first)
    text, overrides = store.read_footer(place)["study"], [f"episodes={task.first + task.count}"]
    study = Study.from_text(text, str(place), overrides, folder=job.folder.local, trust=job.study._trust)
    alone = Swept(job.scenarios[task.scenario].name, study)
    scenario, _ = prepared_scenario(alone, job.folder, default_threads(), None)
    results = scenario.prepared.run(task.first, task.count)
    again = {"markets": markets_table(study.order.side, results.markets), "episodes": results.to_arrow()}
    for table, rows in again.items():
        other = job.scenarios[task.scenario].part(job.folder, table, task.first)
        if not _same(store.read_table(other), rows):
            yield f"{other}: simulated again, its rows are others"


def _same(a: pa.Table, b: pa.Table) -> bool:
    return bool(a.replace_schema_metadata(None).unify_dictionaries().equals(b.unify_dictionaries()))


def _state_faults(job: Job, summary: SummaryAccumulator, scenario: Scenario) -> list[str]:
    checkpoint.restore(summary, scenario, job.folder, job.end)
    if summary.end == job.end:
        return []
    place = scenario.part(job.folder, checkpoint.TABLE, job.first)
    return [f"{place}: holds the summaries of episodes up to {summary.end}, not {job.end}, or is damaged"]


def _strangers(job: Job, tasks: list[Task]) -> list[str]:
    """Parts that belong to no chunk."""
    known = {str(job.scenarios[t.scenario].part(job.folder, table, t.first)) for t in tasks for table in store.TABLES}
    there = [part for table in ("markets", "episodes", "steps") for part in store.all_parts(job.folder, table)]
    return [f"{part}: belongs to no chunk of this study" for part in there if str(part) not in known]


def _table_faults(job: Job, summaries: list[SummaryAccumulator]) -> list[str]:
    """Summary and comparison against what the rows, or the summaries' states, come to; a sweep's table of scenarios."""
    flags = [scenario.prepared.control_variate for scenario in job.scenarios]
    again = tables_of(job, [summary.table(valid) for summary, valid in zip(summaries, flags, strict=True)])
    if job.study.sweep is not None:
        again["scenarios"] = scenarios_table(job.study.scenarios())
    faults = []
    for name, table in again.items():
        try:
            if not _same(store.read_table(job.folder / f"{name}.parquet"), table):
                faults.append(f"{job.folder / f'{name}.parquet'}: is not what the episodes come to")
        except InputError as error:
            faults.append(str(error))
    return faults

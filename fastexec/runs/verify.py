"""Whether a folder's files are what they say: all there, as they were written, signed alike, adding up, and the same when
simulated again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from fastexec.columns import markets_table
from fastexec.errors import FastexecError, InputError, option
from fastexec.frames import table_html
from fastexec.models.trust import Trust
from fastexec.place import Place
from fastexec.runs import checkpoint, layout, manifest, store
from fastexec.runs.chunks import Cut
from fastexec.runs.conclusion import tables_of
from fastexec.runs.held import results_of, written_scenarios
from fastexec.runs.job import Job, Task
from fastexec.runs.manifest import Manifest
from fastexec.runs.replay import prepare_held
from fastexec.runs.run import empty_summary
from fastexec.runs.swept import scenarios_table
from fastexec.runs.work import read_back
from fastexec.simulation import Prepared
from fastexec.statistics.moments import summarise
from fastexec.statistics.summary import SummaryAccumulator
from fastexec.studies.study import Swept
from fastexec.wording import counted


@dataclass
class Verification:
    """files: that were hashed; chunks, episodes: that were read; simulated: chunks simulated again; faults: one line each,
    none if all is well. It counts as true where all is well.
    """

    files: int = 0
    chunks: int = 0
    episodes: int = 0
    simulated: int = 0
    faults: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return not self.faults

    def _repr_html_(self) -> str:
        rows = [[name, getattr(self, name)] for name in ("files", "chunks", "episodes", "simulated")]
        return table_html(
            "all is well" if self else counted(len(self.faults), "fault"), ["checked", ""], rows, self.faults
        )


def verify(
    folder: str | Path | Place,
    sample: int = 0,
    plugins: Iterable[str] = (),
    trust: bool = False,
    data: str | Path | None = None,
) -> Verification:
    """Check every file of a finished run; ``sample``: chunks that are simulated again, evenly spread, ``data``: the folder of
    the input files that these need, where they lie neither beside the study nor where it was run.

    For a sample own strategies run as in ``replay_episode``, by ``plugins`` and ``trust``; without one no code of theirs does,
    and no file outside the folder is read. Raises InputError where the folder holds no results, or a sample is asked of a run
    without rows.
    """
    place = Place.of(folder)
    found = Verification()
    known = _hashed(place, found)
    try:
        held = results_of(place, "the folder of a run", Trust.of(tuple(plugins), trust) if sample else Trust.NOTHING)
    except FastexecError:
        if not found.files or not found.faults:
            raise
        return found  # study.toml is among the faults
    if sample and held.study.output.rows == "none":
        raise InputError(f"{option('sample', sample)}: {folder} holds no rows to compare with (output.rows = none)")
    if found.faults:  # a file that is not as it was written is not read: Arrow ends the process on some such metadata
        return found
    try:
        scenarios = written_scenarios(held, place)
    except InputError as error:
        found.faults.append(str(error))
        return found
    job = Job(held.study, scenarios, place, Cut(held.chunk, 1), held.first)
    found.faults += _file_faults(job, known)
    summaries = [empty_summary(scenario, job.first) for scenario in scenarios]
    if job.rows == "none":
        for number, summary in enumerate(summaries):
            found.faults += _state_faults(job, number, summary)
    elif not found.faults:
        tasks = list(job.tasks())
        chosen = set(np.linspace(0, len(tasks) - 1, min(sample, len(tasks))).astype(int).tolist())
        again = {tasks[j].scenario: _prepared_again(job, tasks[j], data) for j in sorted(chosen)}
        for number, task in enumerate(tasks):
            _check(job, task, summaries, again[task.scenario] if number in chosen else None, found)
    if not found.faults:
        found.faults += _table_faults(job, summaries)
    return found


def _hashed(folder: Place, found: Verification) -> Manifest | None:
    """The manifest, and a fault for each of its files that is not as it was written."""
    try:
        known = manifest.of_complete(folder)
    except InputError as error:
        found.faults.append(str(error))
        return None
    found.faults += manifest.changes(folder, known.files)
    found.files = len(known.files)
    return known


def _file_faults(job: Job, known: Manifest | None) -> Iterator[str]:
    """Files that the manifest should name and does not, and parts that belong to no chunk."""
    own = {layout.STUDY, layout.RUN, "summary.parquet", "comparison.parquet"}
    own |= {job.scenarios[task.scenario].file(table, task.first) for task in job.tasks() for table in job.footers(task)}
    own |= {layout.PATHS for scenario in job.scenarios if layout.PATHS in scenario.outline.inputs}
    if job.rows == "none":
        own = {name for name in own if "/" not in name}
        own |= {scenario.file(checkpoint.TABLE, job.first) for scenario in job.scenarios}
    if known is not None:
        if (known.identity, known.first, known.episodes) != (job.study.identity(), job.first, job.episodes):
            yield f"{job.folder / manifest.NAME}: is that of another study or of other episodes"
        yield from (f"{job.folder / name}: the manifest does not name it" for name in sorted(own - set(known.files)))
    there = [part for table in layout.TABLES for part in layout.all_parts(job.folder, table)]
    parts = {str(job.folder / name) for name in own}
    yield from (f"{part}: belongs to no chunk of this study" for part in there if str(part) not in parts)


def _prepared_again(job: Job, task: Task, data: str | Path | None) -> Prepared:
    """The scenario of a chunk ready to be simulated again; InputError where its code may not run or a file is not at hand."""
    scenario = job.scenarios[task.scenario]
    return prepare_held(job.folder, Swept(scenario.name, scenario.study), data)


def _check(
    job: Job, task: Task, summaries: list[SummaryAccumulator], again: Prepared | None, found: Verification
) -> None:
    """``again``: the scenario ready to simulate the chunk once more, None where that is not asked for."""
    scenario = job.scenarios[task.scenario]
    try:
        faults = list(_chunk_faults(job, task))
        if not faults:
            summaries[task.scenario].add(summarise(task.first, read_back(job, task)[0]))
            if again is not None:
                faults += _simulated_again(job, task, again)
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
    k, steps = len(scenario.outline.strategies), scenario.study.order.steps
    for table, wanted in job.footers(task).items():
        each = {"markets": 1, "episodes": k, "steps": k * steps}[table]
        place, count = scenario.part(job.folder, table, task.first), wanted["episodes"]
        footer = store.read_footer(place)
        # Versions may differ: the sample tells whether they matter.
        foreign = [key for key in footer if key not in ("versions", "kernels") and footer[key] != wanted.get(key)]
        if foreign:
            yield f"{place}: its footer's {foreign[0]} is not that of this study's chunk"
            continue
        columns = store.read_columns(place)
        numbers = np.repeat(np.arange(task.first, task.first + count), each)
        if not np.array_equal(columns["episode"], numbers):
            yield f"{place}: does not hold episodes {task.first} to {task.first + count - 1}, {counted(each, 'row')} each"
        elif table == "episodes" and "program_cost" not in columns:
            total = np.zeros(numbers.size)
            for part in scenario.study.cost_parts:
                total = total + columns[f"{part}_bps"]
            off = np.flatnonzero(total != columns["shortfall_bps"])
            if off.size:
                yield f"{place}: row {off[0]}: shortfall_bps is not the sum of its parts"


def _simulated_again(job: Job, task: Task, prepared: Prepared) -> Iterator[str]:
    """The chunk anew, from the study, the agents beside it and the files that its footer names."""
    scenario = job.scenarios[task.scenario]
    results = prepared.run(task.first, task.count)
    again = {"markets": markets_table(scenario.study.order.side, results.markets), "episodes": results.to_arrow()}
    for table, rows in again.items():
        other = scenario.part(job.folder, table, task.first)
        if not _same(store.read_table(other), rows):
            yield f"{other}: simulated again, its rows are others"


def _same(a: pa.Table, b: pa.Table) -> bool:
    return bool(a.replace_schema_metadata(None).unify_dictionaries().equals(b.unify_dictionaries()))


def _state_faults(job: Job, number: int, summary: SummaryAccumulator) -> list[str]:
    scenario = job.scenarios[number]
    try:
        checkpoint.restore(summary, scenario, job.folder, job.end)
    except FastexecError as error:
        return [str(error)]
    if summary.end == job.end:
        return []
    place = scenario.part(job.folder, checkpoint.TABLE, job.first)
    return [f"{place}: holds the summaries of episodes up to {summary.end}, not {job.end}, or is damaged"]


def _table_faults(job: Job, summaries: list[SummaryAccumulator]) -> list[str]:
    """Summary and comparison against what the rows, or the summaries' states, come to; a sweep's table of scenarios."""
    flags = [scenario.outline.control_variate for scenario in job.scenarios]
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

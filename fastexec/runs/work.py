"""One chunk of a study: simulated, written where rows are wanted, and summed up. It runs on threads and on workers alike."""

from __future__ import annotations

from typing import NamedTuple

from fastexec.columns import markets_table, steps_table
from fastexec.errors import InputError
from fastexec.results import Results
from fastexec.runs import store
from fastexec.runs.job import Job, Task
from fastexec.runs.manifest import Files, entry_of
from fastexec.statistics.moments import LEAF, Gathering, Partial, costs_of, summarise


class Worked(NamedTuple):
    """What a chunk's episodes come to, and its files."""

    partial: Partial
    files: Files


def work(job: Job, task: Task) -> Worked:
    """Simulate a chunk and write its files, or read them back where they are whole; what its episodes come to."""
    if job.rows == "none":
        return Worked(_leaf_by_leaf(job, task), {})
    if job.is_present(task):
        try:
            results, files = read_back(job, task)
            return Worked(summarise(task.first, results), files)
        except InputError:
            pass  # whole by its footer, damaged within or not as it was written: computed again
    results = job.scenarios[task.scenario].prepared.run(task.first, task.count)
    return Worked(summarise(task.first, results), _write(job, task, results))


def _leaf_by_leaf(job: Job, task: Task) -> Partial:
    """No more than a leaf's rows are in memory at once, and they are summed up while the processor still holds them."""
    prepared = job.scenarios[task.scenario].prepared
    gathering = Gathering(len(prepared.strategies), task.first, costs_of(prepared.study.cost_columns))
    first, end, rows = task.first, task.first + task.count, prepared.rows(min(LEAF, task.count))
    while first < end:
        count = min(LEAF - first % LEAF, end - first)
        gathering.add(prepared.run(first, count, rows if count == rows.markets.shape[1] else None))
        first += count
    return gathering.partial()


def _write(job: Job, task: Task, results: Results) -> Files:
    """The chunk's files; the one whose presence commits it last."""
    scenario, found = job.scenarios[task.scenario], {}
    for table, footer in job.footers(task).items():
        if table == "steps":
            rows = steps_table(results.strategies, scenario.prepared.steps(task.first, footer["episodes"]))
        elif table == "markets":
            rows = markets_table(scenario.study.order.side, results.markets)
        else:
            rows = results.to_arrow()
        name = scenario.file(table, task.first)
        found[name] = store.write_table(job.folder / name, rows, footer)
    return found


def read_back(job: Job, task: Task) -> tuple[Results, Files]:
    """A chunk as its files hold it, and what these are known by; InputError where they are damaged, or not what is known of
    them.
    """
    scenario, columns, files = job.scenarios[task.scenario], {}, {}
    for table in job.footers(task):
        name = scenario.file(table, task.first)
        data = store.read_bytes(job.folder / name)
        columns[table] = store.read_columns(job.folder / name, data=data)
        if table == "markets" and not set(scenario.outline.drawn) <= set(columns[table]):
            raise InputError(f"{job.folder / name}: lacks a parameter that is drawn for each episode")
        files[name] = entry_of(data, len(columns[table]["episode"]))
        if task.known.get(name, files[name]) != files[name]:
            raise InputError(f"{job.folder / name}: is not as it was written (SHA-256)")
    return Results(scenario.outline.strategies, columns["markets"], columns["episodes"]), files

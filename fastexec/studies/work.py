"""One chunk of a study: simulated, written where rows are wanted, and summed up. It runs on threads and on workers alike."""

from __future__ import annotations

from fastexec.columns import markets_table, steps_table
from fastexec.errors import InputError
from fastexec.simulation import Results
from fastexec.studies import store
from fastexec.studies.claim import Job, Task, present
from fastexec.studies.moments import LEAF, Gathering, Partial, summarise


def work(job: Job, task: Task) -> Partial:
    """Simulate a chunk and write its files, or read them back where they are whole; what its episodes come to."""
    if job.rows == "none":
        return _leaf_by_leaf(job, task)
    if present(job, task):
        try:
            return summarise(task.first, read_back(job, task))
        except InputError:
            pass  # whole by its footer, damaged within: computed again
    results = job.scenarios[task.scenario].prepared.run(task.first, task.count)
    _write(job, task, results)
    return summarise(task.first, results)


def _leaf_by_leaf(job: Job, task: Task) -> Partial:
    """No more than a leaf's rows are in memory at once, and they are summed up while the processor still holds them."""
    prepared = job.scenarios[task.scenario].prepared
    gathering = Gathering(len(prepared.strategies), task.first)
    first, end, room = task.first, task.first + task.count, prepared.room(min(LEAF, task.count))
    while first < end:
        count = min(LEAF - first % LEAF, end - first)
        gathering.add(prepared.run(first, count, room if count == room.markets.shape[1] else None))
        first += count
    return gathering.partial()


def _write(job: Job, task: Task, results: Results) -> None:
    scenario = job.scenarios[task.scenario]
    tables = {
        "markets": markets_table(scenario.study.order.side, results.markets),
        "episodes": results.to_arrow(),
    }
    wanted = min(max(job.study.output.steps - task.first, 0), task.count)
    if wanted:
        steps = steps_table(results.strategies, scenario.prepared.steps(task.first, wanted))
        place = scenario.part(job.folder, "steps", task.first)
        store.write_table(place, steps, scenario.sign("steps", task.first, wanted))
    for name, table in tables.items():
        place = scenario.part(job.folder, name, task.first)
        store.write_table(place, table, scenario.sign(name, task.first, task.count))


def read_back(job: Job, task: Task) -> Results:
    """A chunk as its files hold it; InputError where they are damaged."""
    scenario = job.scenarios[task.scenario]
    markets, episodes = (
        store.read_columns(scenario.part(job.folder, table, task.first)) for table in ("markets", "episodes")
    )
    return Results(scenario.prepared.strategies, markets, episodes)

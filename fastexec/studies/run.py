"""Run a study into a folder: chunks on threads, Parquet out, summary and comparison at the end.

    study -> scenarios -> for each chunk: simulate, write -> summary (in episode order) -> comparison

A chunk is a pure function of the study and its episodes, so an interrupted run goes on where files are missing.
"""

from __future__ import annotations

import json
import platform
import resource
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from fastexec.columns import markets_table, steps_table
from fastexec.errors import InputError
from fastexec.learning.training import Report
from fastexec.simulation import Results
from fastexec.studies import store
from fastexec.studies.agents import save_agents
from fastexec.studies.claim import Job, StudyResult, Task, claim, present, refuse_foreign
from fastexec.studies.interruption import asked_to_stop
from fastexec.studies.options import RunOptions
from fastexec.studies.paired import comparison_table, default_baseline, from_summary
from fastexec.studies.place import Place
from fastexec.studies.scenario import Scenario, scenarios_of
from fastexec.studies.study import Study
from fastexec.studies.summary import SummaryAccumulator
from fastexec.studies.sweep import require_few, scenarios_table, stacked

if TYPE_CHECKING:
    import pyarrow as pa

Progress = Callable[[int, int], None]
_TRIED = 128
_PATIENCE = 0.1  # seconds between looks whether somebody asked to stop


def run(
    study: Study,
    *,
    out: str | Path | None = None,
    progress: Progress | None = None,
    training: Report | None = None,
    **options: Any,
) -> StudyResult:
    """Run a study; results in ``out`` (default results/NAME), a folder or a URI such as s3://bucket/prefix.

    progress: called with (episodes done, episodes in all); training: with (agent, round, rounds, mean cost in bps,
    completion). options: the fields of ``RunOptions``: threads, chunk, max_memory, resume, overwrite, yes.

    Raises InputError (nothing was written), RefusedError (nothing was lost), FastexecError (a file cannot be written).
    """
    started, how = perf_counter(), RunOptions(**options)
    folder = Place.of(out if out is not None else Path("results") / study.name)
    refuse_foreign(folder)
    require_few(study, how.yes)
    scenarios, agents = scenarios_of(study, folder, how.slots, training)
    with store.locked(folder):
        for scenario in scenarios:
            _try(scenario)
        job = claim(study, scenarios, folder, how)
        if isinstance(job, StudyResult):
            return job
        store.clear_leftovers(folder)
        if study.sweep is not None:
            table = scenarios_table(study.scenarios())
            store.write_table(folder / "scenarios.parquet", table, job.sign("scenarios"))
        for name, own in agents.items():
            save_agents(own, store.home_of(folder, "agents", name))
        result = _conclude(job, _simulate(job, how.slots, progress))
        _write_run(job, perf_counter() - started, how.slots)
    return result


def _try(scenario: Scenario) -> None:
    """A few episodes before anything is written or removed: a study that cannot run costs nobody his results."""
    scenario.prepared.run(0, min(_TRIED, scenario.prepared.episodes))


def _simulate(job: Job, threads: int, progress: Progress | None) -> list[pa.Table]:
    """Every chunk, a bounded number in flight; the summary of each scenario, which takes its chunks in episode order."""
    summaries: list[pa.Table] = []
    done, total = 0, job.episodes * len(job.scenarios)
    pool = ThreadPoolExecutor(threads, thread_name_prefix="fastexec")
    with asked_to_stop() as stop:
        try:
            for task, results in _in_order(pool, job, stop):
                scenario = job.scenarios[task.scenario]
                if task.first == 0:
                    accumulator = _accumulator(scenario)
                accumulator.add(task.first, results)
                if task.first + task.count == job.episodes:  # its histograms need not wait for the other scenarios
                    summaries.append(accumulator.table(scenario.prepared.control_variate))
                done += task.count
                if progress is not None:
                    progress(done, total)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    return summaries


def _accumulator(scenario: Scenario) -> SummaryAccumulator:
    prepared = scenario.prepared
    models = [strategy.model for strategy in scenario.study.strategies]
    # The days behind episodes that are of no single day.
    return SummaryAccumulator(prepared.strategies, models, prepared.source_days if prepared.days is None else [])


def _in_order(pool: ThreadPoolExecutor, job: Job, stop: Callable[[], bool]) -> Iterator[tuple[Task, Results]]:
    waiting = iter(job.tasks)
    flying: list[tuple[Task, Future[Results]]] = [
        (task, pool.submit(_chunk, job, task)) for task in islice(waiting, job.cut.flying)
    ]
    while flying:
        task, future = flying.pop(0)
        while not wait([future], _PATIENCE).done and not stop():
            pass
        if stop():
            raise KeyboardInterrupt
        results = future.result()
        for following in islice(waiting, 1):
            flying.append((following, pool.submit(_chunk, job, following)))
        yield task, results


def _chunk(job: Job, task: Task) -> Results:
    """Simulate a chunk and write its files, or read them back where they are whole."""
    scenario, rows = job.scenarios[task.scenario], job.study.output.rows == "all"
    if rows and present(job, task):
        try:
            return _read_back(job, task)
        except InputError:
            pass  # whole by its footer, damaged within: computed again
    results = scenario.prepared.run(task.first, task.count)
    if rows:
        _write(job, task, results)
    return results


def _write(job: Job, task: Task, results: Results) -> None:
    scenario, prepared = job.scenarios[task.scenario], job.scenarios[task.scenario].prepared
    tables = {
        "markets": markets_table(scenario.study.order.side, results.markets),
        "episodes": results.to_arrow(),
    }
    wanted = min(max(job.study.output.steps - task.first, 0), task.count)
    if wanted:
        steps = steps_table(prepared.strategies, prepared.steps(task.first, wanted))
        place = scenario.part(job.folder, "steps", task.first)
        store.write_table(place, steps, scenario.sign("steps", task.first, wanted))
    for name, table in tables.items():
        place = scenario.part(job.folder, name, task.first)
        store.write_table(place, table, scenario.sign(name, task.first, task.count))


def _read_back(job: Job, task: Task) -> Results:
    scenario = job.scenarios[task.scenario]
    markets, episodes = (
        store.read_columns(scenario.part(job.folder, table, task.first)) for table in ("markets", "episodes")
    )
    return Results(scenario.prepared.strategies, markets, episodes)


def _conclude(job: Job, summaries: list[pa.Table]) -> StudyResult:
    """Summary and comparison of the study, of all its scenarios."""
    strategies = job.study.strategies
    baseline = default_baseline([s.name for s in strategies], [s.model for s in strategies])
    named = {scenario.name: summary for scenario, summary in zip(job.scenarios, summaries, strict=True)}
    compared = {name: comparison_table(from_summary(summary), baseline) for name, summary in named.items()}
    summary, comparison = stacked(named), stacked(compared)
    for name, table in (("summary", summary), ("comparison", comparison)):
        store.write_table(job.folder / f"{name}.parquet", table, job.sign(name))
    return StudyResult(job.folder, summary, comparison, job.warnings)


def _write_run(job: Job, seconds: float, threads: int) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    record = {
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "host": platform.node(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "threads": threads,
        "chunk": job.cut.chunk,
        "seconds": round(seconds, 3),
        "episodes": job.episodes,
        "episodes_per_second": round(job.episodes / seconds, 1),
        "peak_memory_mb": round(peak / (2**20 if platform.system() == "Darwin" else 2**10), 1),
    }
    (job.folder / "run.json").write((json.dumps(record, indent=2) + "\n").encode())

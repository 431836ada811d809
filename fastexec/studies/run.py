"""Run a study into a folder: chunks on threads, Parquet out, summary and comparison at the end.

    study -> prepare -> for each chunk: simulate, write -> summary (in episode order) -> comparison

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
from typing import TYPE_CHECKING

from fastexec.columns import markets_table, steps_table
from fastexec.errors import InputError
from fastexec.learning.training import Report, policies_of
from fastexec.simulation import Prepared, Results, default_threads, prepare
from fastexec.studies import store
from fastexec.studies.agents import save_agents, trained_agents
from fastexec.studies.claim import Job, StudyResult, claim, present, refuse_foreign
from fastexec.studies.interruption import asked_to_stop
from fastexec.studies.paired import comparison_table, default_baseline, from_summary
from fastexec.studies.study import Study
from fastexec.studies.summary import SummaryAccumulator

if TYPE_CHECKING:
    pass

Progress = Callable[[int, int], None]
_TRIED, _MOST_EPISODES_A_CHUNK = 128, 1_000_000
_PATIENCE = 0.1  # seconds between looks whether somebody asked to stop


def run(
    study: Study,
    *,
    out: str | Path | None = None,
    threads: int | None = None,
    chunk: int | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
    training: Report | None = None,
) -> StudyResult:
    """Run a study; results in ``out`` (default results/NAME).

    threads: default all processors. chunk: episodes a file. resume: go on with an interrupted run, or extend it.
    overwrite: replace another study's results. progress: called with (episodes done, episodes in all); training: with
    (agent, round, rounds, mean cost in bps, completion).

    Raises InputError (nothing was written), RefusedError (nothing was lost), FastexecError (a file cannot be written).
    """
    started = perf_counter()
    folder = Path(out) if out is not None else Path("results") / study.name
    refuse_foreign(folder)
    if chunk is not None and chunk > _MOST_EPISODES_A_CHUNK:
        raise InputError(
            f"--chunk {chunk}: at most {_MOST_EPISODES_A_CHUNK} episodes, which stay in memory as long as a chunk runs"
        )
    kept = trained_agents(study, folder, threads or default_threads(), training)
    prepared = prepare(study, policies=policies_of(study, kept))
    with store.locked(folder):
        _try(prepared)
        job = claim(study, prepared, folder, chunk, resume, overwrite)
        if isinstance(job, StudyResult):
            return job
        store.sweep(folder)
        save_agents(kept, folder)
        accumulator = _simulate(job, threads or default_threads(), progress)
        result = _conclude(job, accumulator)
        _write_run(job, perf_counter() - started, threads or default_threads())
    return result


def _try(prepared: Prepared) -> None:
    """A few episodes before anything is written or removed: a study that cannot run costs nobody his results."""
    prepared.run(0, min(_TRIED, prepared.episodes))


def _simulate(job: Job, threads: int, progress: Progress | None) -> SummaryAccumulator:
    """Every chunk, a bounded number in flight; the summary takes them in episode order."""
    models = [strategy.model for strategy in job.study.strategies]
    accumulator = SummaryAccumulator(job.prepared.strategies, models, _pooled_days(job.prepared))
    done, total = 0, job.prepared.episodes
    pool = ThreadPoolExecutor(threads, thread_name_prefix="fastexec")
    with asked_to_stop() as stop:
        try:
            for (first, count), results in _in_order(pool, job, threads + 1, stop):
                accumulator.add(first, results)
                done += count
                if progress is not None:
                    progress(done, total)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    return accumulator


def _pooled_days(prepared: Prepared) -> list[int]:
    """The days behind episodes that are of no single day."""
    return prepared.source_days if prepared.days is None else []


def _in_order(
    pool: ThreadPoolExecutor, job: Job, most: int, stop: Callable[[], bool]
) -> Iterator[tuple[tuple[int, int], Results]]:
    waiting = iter(job.chunks)
    flying: list[tuple[tuple[int, int], Future[Results]]] = [
        (chunk, pool.submit(_chunk, job, *chunk)) for chunk in islice(waiting, most)
    ]
    while flying:
        chunk, future = flying.pop(0)
        while not wait([future], _PATIENCE).done and not stop():
            pass
        if stop():
            raise KeyboardInterrupt
        results = future.result()
        for following in islice(waiting, 1):
            flying.append((following, pool.submit(_chunk, job, *following)))
        yield chunk, results


def _chunk(job: Job, first: int, count: int) -> Results:
    """Simulate a chunk and write its files, or read them back where they are whole."""
    rows = job.study.output.rows == "all"
    if rows and present(job, first, count):
        try:
            return _read_back(job, first)
        except InputError:
            pass  # whole by its footer, damaged within: computed again
    results = job.prepared.run(first, count)
    if rows:
        name = store.part_name(first)
        wanted = min(max(job.study.output.steps - first, 0), count)
        if wanted:
            steps = steps_table(job.prepared.strategies, job.prepared.steps(first, wanted))
            store.write_table(job.folder / "steps" / name, steps, job.sign("steps", first, wanted))
        markets = markets_table(job.study.order.side, results.markets)
        store.write_table(job.folder / "markets" / name, markets, job.sign("markets", first, count))
        store.write_table(job.folder / "episodes" / name, results.to_arrow(), job.sign("episodes", first, count))
    return results


def _read_back(job: Job, first: int) -> Results:
    name = store.part_name(first)
    markets, episodes = (store.read_columns(job.folder / table / name) for table in ("markets", "episodes"))
    return Results(job.prepared.strategies, markets, episodes)


def _conclude(job: Job, accumulator: SummaryAccumulator) -> StudyResult:
    summary = accumulator.table(job.prepared.control_variate)
    baseline = default_baseline(accumulator.strategies, accumulator.models)
    comparison = comparison_table(from_summary(summary), baseline)
    total = job.prepared.episodes
    store.write_table(job.folder / "summary.parquet", summary, job.sign("summary", 0, total))
    store.write_table(job.folder / "comparison.parquet", comparison, job.sign("comparison", 0, total))
    return StudyResult(job.folder, summary, comparison, job.prepared.warnings)


def _write_run(job: Job, seconds: float, threads: int) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    record = {
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "host": platform.node(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "threads": threads,
        "chunk": job.chunk,
        "seconds": round(seconds, 3),
        "episodes": job.prepared.episodes,
        "episodes_per_second": round(job.prepared.episodes / seconds, 1),
        "peak_memory_mb": round(peak / (2**20 if platform.system() == "Darwin" else 2**10), 1),
    }
    store.write_text(job.folder / "run.json", json.dumps(record, indent=2) + "\n")

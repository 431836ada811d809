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
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from fastexec.columns import markets_table, steps_table
from fastexec.errors import InputError, RefusedError
from fastexec.learning.training import Report, policies_of
from fastexec.simulation import Prepared, Results, default_threads, prepare
from fastexec.studies import store
from fastexec.studies.agents import save_agents, trained_agents
from fastexec.studies.interruption import asked_to_stop
from fastexec.studies.paired import comparison_table, default_baseline, from_summary
from fastexec.studies.provenance import signature
from fastexec.studies.study import Study
from fastexec.studies.summary import SummaryAccumulator

if TYPE_CHECKING:
    import pyarrow as pa

Progress = Callable[[int, int], None]
_ROWS_A_CHUNK = 200_000
_PATIENCE = 0.1  # seconds between looks whether somebody asked to stop
_LARGEST_CHUNK, _SMALLEST_CHUNK = 32_768, 1_024


@dataclass(frozen=True)
class StudyResult:
    """A finished run. ``finished_before``: the folder held it complete, and nothing was simulated."""

    folder: Path
    summary: pa.Table
    comparison: pa.Table
    warnings: list[str] = field(default_factory=list)
    finished_before: bool = False


@dataclass(frozen=True)
class _Job:
    study: Study
    prepared: Prepared
    folder: Path
    chunk: int

    @property
    def chunks(self) -> Iterator[tuple[int, int]]:
        """(first episode, count) of each chunk."""
        total = self.prepared.episodes
        return ((first, min(self.chunk, total - first)) for first in range(0, total, self.chunk))

    def sign(self, kind: str, first: int, count: int) -> dict[str, object]:
        return signature(self.study, self.prepared, kind, first, count)


def default_chunk(prepared: Prepared) -> int:
    """Episodes a file: about 200,000 rows, a power of two between 1,024 and 32,768."""
    chunk = _LARGEST_CHUNK
    while chunk > _SMALLEST_CHUNK and chunk * len(prepared.strategies) > _ROWS_A_CHUNK:
        chunk //= 2
    return chunk


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
    _refuse_foreign(folder)
    kept = trained_agents(study, folder, threads or default_threads(), training)
    prepared = prepare(study, policies=policies_of(study, kept))
    with store.locked(folder):
        job = _claim(study, prepared, folder, chunk, resume, overwrite)
        if isinstance(job, StudyResult):
            return job
        store.sweep(folder)
        save_agents(kept, folder)
        accumulator = _simulate(job, threads or default_threads(), progress)
        result = _conclude(job, accumulator)
        _write_run(job, perf_counter() - started, threads or default_threads())
    return result


def _refuse_foreign(folder: Path) -> None:
    """A folder with files that are no results is nobody's to write into."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--out {folder}: is a file; give a folder")
    if folder.is_dir() and not (folder / "study.toml").exists():
        others = [entry.name for entry in folder.iterdir() if entry.name != ".lock" and not entry.name.endswith(".tmp")]
        if others:
            raise RefusedError(
                f"{folder}: holds other files ({others[0]!r}) and no results; give a new or empty folder"
            )


def _claim(
    study: Study, prepared: Prepared, folder: Path, chunk: int | None, resume: bool, overwrite: bool
) -> _Job | StudyResult:
    """Decide what the folder allows, and write the study there as the claim on it."""
    found = _found(folder)
    if found is not None and found[0] != study.identity():
        if not overwrite:
            raise RefusedError(f"{folder}: holds another study ({found[1]!r}); choose another --out, or --overwrite")
        store.remove_results(folder)
        found = None
    if found is None:
        job = _Job(study, prepared, folder, chunk or default_chunk(prepared))
    else:
        job = _Job(study, prepared, folder, found[2])
        done = _complete(job)
        if done is not None:
            return done
        if overwrite and not resume:
            store.remove_results(folder)
            job = _Job(study, prepared, folder, chunk or default_chunk(prepared))
        elif not resume:
            raise RefusedError(f"{folder}: holds {study.name!r} incomplete; --resume goes on, --overwrite starts again")
        elif chunk is not None and chunk != job.chunk:
            raise RefusedError(f"--chunk {chunk}: the folder {folder} has chunks of {job.chunk}; leave --chunk out")
    store.write_text(folder / "study.toml", f"# chunk = {job.chunk}\n{study.to_toml()}")
    return job


def _found(folder: Path) -> tuple[str, str, int] | None:
    """(identity, name, chunk) of the study that a folder holds."""
    path = folder / "study.toml"
    if not path.exists():
        return None
    try:
        first, _, text = path.read_text("utf-8-sig").partition("\n")
        held = Study.from_text(text, str(path))
        return held.identity(), held.name, int(first.removeprefix("# chunk = "))
    except (InputError, ValueError) as error:
        raise RefusedError(f"{path}: cannot be read as a study ({error}); choose another --out") from None


def _complete(job: _Job) -> StudyResult | None:
    """The stored tables where every chunk is there and the comparison covers just these episodes."""
    path = job.folder / "comparison.parquet"
    if not (path.exists() and (job.folder / "summary.parquet").exists()):
        return None
    if store.read_footer(path)["episodes"] != job.prepared.episodes:
        return None
    if job.study.output.rows == "all" and not all(_present(job, first, count) for first, count in job.chunks):
        return None
    summary, comparison = (store.read_table(job.folder / f"{name}.parquet") for name in ("summary", "comparison"))
    return StudyResult(job.folder, summary, comparison, job.prepared.warnings, finished_before=True)


def _present(job: _Job, first: int, count: int) -> bool:
    name, identity = store.part_name(first), job.study.identity()
    return all(store.is_whole(job.folder / table / name, identity, first, count) for table in ("markets", "episodes"))


def _simulate(job: _Job, threads: int, progress: Progress | None) -> SummaryAccumulator:
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
    pool: ThreadPoolExecutor, job: _Job, most: int, stop: Callable[[], bool]
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


def _chunk(job: _Job, first: int, count: int) -> Results:
    """Simulate a chunk and write its files, or read them back where they are whole."""
    rows = job.study.output.rows == "all"
    if rows and _present(job, first, count):
        return _read_back(job, first)
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


def _read_back(job: _Job, first: int) -> Results:
    name = store.part_name(first)
    markets, episodes = (store.read_columns(job.folder / table / name) for table in ("markets", "episodes"))
    return Results(job.prepared.strategies, markets, episodes)


def _conclude(job: _Job, accumulator: SummaryAccumulator) -> StudyResult:
    summary = accumulator.table(job.prepared.control_variate)
    baseline = default_baseline(accumulator.strategies, accumulator.models)
    comparison = comparison_table(from_summary(summary), baseline)
    total = job.prepared.episodes
    store.write_table(job.folder / "summary.parquet", summary, job.sign("summary", 0, total))
    store.write_table(job.folder / "comparison.parquet", comparison, job.sign("comparison", 0, total))
    return StudyResult(job.folder, summary, comparison, job.prepared.warnings)


def _write_run(job: _Job, seconds: float, threads: int) -> None:
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

"""Run a study into a folder: chunks on threads or a cluster, Parquet out, summary and comparison at the end.

    study -> scenarios -> for each chunk: simulate, write, sum up -> summary (in episode order) -> comparison

A chunk is a pure function of the study and its episodes, so an interrupted run goes on where files are missing. Where no
rows are written, the summaries so far are, every few seconds, and it goes on from there.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from fastexec.data.paths import MarketPaths
from fastexec.errors import FastexecError
from fastexec.learning.training import Report as TrainingReport
from fastexec.models.study import require_study
from fastexec.place import Place
from fastexec.runs import checkpoint, layout, lock, manifest
from fastexec.runs.agents import TrainedBefore
from fastexec.runs.beside import compiled_beside
from fastexec.runs.claim import claim, refuse_foreign, require_cut
from fastexec.runs.conclusion import begun, close, conclude, record_of, write_record, write_scenarios
from fastexec.runs.executors import Executor, Threads
from fastexec.runs.given import GivenPaths, paths_for
from fastexec.runs.inputs import folders_noted, with_files_of
from fastexec.runs.interruption import asked_to_stop
from fastexec.runs.job import Job, StudyResult
from fastexec.runs.options import RunOptions
from fastexec.runs.pace import following
from fastexec.runs.progress import Report, Teller
from fastexec.runs.scenario import Scenario, Trained, save_trained, scenarios_of
from fastexec.runs.trusted import trusted_to_run
from fastexec.runs.window import in_order
from fastexec.statistics.summary import SummaryAccumulator
from fastexec.studies.study import Study
from fastexec.studies.sweep import require_few
from fastexec.threads import default_threads

if TYPE_CHECKING:
    import pyarrow as pa

    from fastexec.runs.cluster import Cluster

_TRIED = 128
_CHECKPOINT = 10.0  # seconds between two writings of the summaries so far


def run(
    study: Study,
    *,
    out: str | Path | None = None,
    progress: Report | bool | None = None,
    training: TrainingReport | None = None,
    paths: MarketPaths | None = None,
    **options: Any,
) -> StudyResult:
    """Run a study; results in ``out`` (default results/NAME), a folder or a URI such as s3://bucket/prefix.

    progress: a function, called with a ``Progress`` after each chunk; True: a bar, as in a notebook by itself (a line every ten
    seconds where ipywidgets are not installed); False: nothing. training: with (agent, round, rounds, mean cost in bps,
    completion). paths: given markets instead of the study's, one for each episode; they are written into the folder, so that
    ``verify`` and ``replay`` find them there. options: the fields of ``RunOptions``, such as threads, chunk, resume, overwrite.

    Raises InputError (nothing was written), RefusedError (nothing was lost), FastexecError (a file cannot be written).

    >>> fx.run(fx.Study.preset("large_cap").changed({"episodes": 500}), out="results/large_cap")
    StudyResult('results/large_cap', 500 episodes)
    """
    require_study(study)
    started, how = perf_counter(), RunOptions.of(options)
    folder = Place.of(out if out is not None else Path("results") / study.name)
    refuse_foreign(folder)
    study, given = paths_for(study, folder, paths, how)
    study = how.shard_of(trusted_to_run(study, folder, how.trust)).carrying_code()
    study = with_files_of(study, folder, {}, how.data)
    require_few(study, how.yes)
    with compiled_beside(study, how.threads), following(progress) as report, _executor(how) as executor:
        before = _trained_before(study, folder, how)
        scenarios, agents = scenarios_of(study, folder, how.threads or default_threads(), training, before, given)
        require_cut(study, scenarios, folder, how, executor.slots)
        with lock.locked(folder):
            for scenario in scenarios:
                _try(scenario)
            study.remember_code()
            job = claim(study, scenarios, folder, how, executor.slots)
            if isinstance(job, StudyResult):
                return job
            _prepare_folder(job, agents, given)
            executor.begin(job)
            summaries = {number: _begun(job, scenario) for number, scenario in enumerate(scenarios)}
            found = sum(summary.end - summary.first for summary in summaries.values())
            result = conclude(job, _simulate(job, executor, summaries, report))
            computed = job.episodes * len(scenarios) - found
            close(job, record_of(job, executor.slots, perf_counter() - started, computed, folders_noted(folder)))
    return result


def _trained_before(study: Study, folder: Place, how: RunOptions) -> TrainedBefore:
    """What is known of the agents that lie in the folder."""
    known = manifest.read_or_none(folder)
    own = known is not None and known.identity == study.identity()
    return TrainedBefore(known.files if known is not None and own else {}, how.overwrite and not how.resume)


def _prepare_folder(job: Job, agents: Trained, given: GivenPaths | None) -> None:
    """What lies beside the rows, before the first of them is made."""
    layout.clear_leftovers(job.folder)
    write_record(job.folder, begun(job, folders_noted(job.folder)))
    if job.study.sweep is not None:
        write_scenarios(job)
    job.files.update(save_trained(agents, job.folder))
    if given is not None:
        (job.folder / layout.PATHS).write(given.data)
        job.files[layout.PATHS] = given.entry


def _executor(how: RunOptions) -> Threads | Cluster:
    if how.scheduler is None and how.workers is None:
        return Threads(how.threads or default_threads())
    from fastexec.runs.cluster import Cluster

    return Cluster(how)


def _try(scenario: Scenario) -> None:
    """A few episodes before anything is written or removed: a study that cannot run costs nobody his results."""
    scenario.prepared.run(0, min(_TRIED, scenario.outline.episodes))


def empty_summary(scenario: Scenario, first: int) -> SummaryAccumulator:
    """The summary of no episode yet, to begin with ``first``."""
    models = [strategy.model for strategy in scenario.study.strategies]
    outline = scenario.outline
    return SummaryAccumulator(outline.strategies, models, outline.source_days, first, scenario.study.cost_columns)


def _begun(job: Job, scenario: Scenario) -> SummaryAccumulator:
    """The summary of a scenario, with what an earlier run without rows left of it."""
    summary = empty_summary(scenario, job.first)
    if job.rows == "none":
        checkpoint.resume(
            summary, scenario, job.folder, job.end, job.known.get(scenario.file(checkpoint.TABLE, job.first))
        )
    return summary


def _simulate(
    job: Job, executor: Executor, summaries: dict[int, SummaryAccumulator], report: Report | None
) -> list[pa.Table]:
    """Every chunk that is missing; the summary table of each scenario.

    ``summaries``: of each scenario, which takes its chunks in episode order and leaves when it has all: its histograms and
    its last leaf need not wait in memory for the other scenarios.
    """
    teller = Teller(job, sum(summary.end - summary.first for summary in summaries.values()), report)
    tasks = job.tasks([summary.end for summary in summaries.values()])
    tables: dict[int, pa.Table] = {}
    for number in [number for number, summary in summaries.items() if summary.end == job.end]:
        tables[number] = _closed(job, number, summaries.pop(number))
    saved = perf_counter()
    with asked_to_stop() as stop:
        try:
            for task, worked in in_order(executor, job, tasks, stop, teller.failed):
                summary = summaries[task.scenario]
                summary.add(worked.partial)
                job.files.update(worked.files)
                teller.advance(task.count)
                if summary.end == job.end:
                    tables[task.scenario] = _closed(job, task.scenario, summaries.pop(task.scenario))
                elif perf_counter() - saved >= _CHECKPOINT:
                    _save(job, task.scenario, summary)
                    saved = perf_counter()
        except BaseException:
            with contextlib.suppress(FastexecError):  # the folder may be what failed
                for number, summary in summaries.items():
                    _save(job, number, summary)
            raise
        finally:
            executor.finish()  # before the folder's lock is given back
    return [tables[number] for number in range(len(job.scenarios))]


def _closed(job: Job, number: int, summary: SummaryAccumulator) -> pa.Table:
    _save(job, number, summary)
    return summary.table(job.scenarios[number].outline.control_variate)


def _save(job: Job, number: int, summary: SummaryAccumulator) -> None:
    if job.rows == "none" and summary.end > summary.first:
        job.files.update(checkpoint.save(summary, job.scenarios[number], job.folder))

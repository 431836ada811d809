"""The end of a run: summary and comparison of all its episodes, and the record of when and where it ran."""

from __future__ import annotations

import json
import platform
import resource
from datetime import UTC, datetime

from fastexec.studies import store
from fastexec.studies.claim import Job, StudyResult
from fastexec.studies.paired import comparison_table, default_baseline, from_summary
from fastexec.studies.place import Place
from fastexec.studies.summary import SummaryAccumulator


def conclude(job: Job, summaries: list[SummaryAccumulator]) -> StudyResult:
    """Write summary and comparison of the study."""
    (scenario,), (accumulator,) = job.scenarios, summaries
    summary = accumulator.table(scenario.prepared.control_variate)
    baseline = default_baseline(accumulator.strategies, accumulator.models)
    comparison = comparison_table(from_summary(summary), baseline)
    for name, table in (("summary", summary), ("comparison", comparison)):
        place = job.folder / f"{name}.parquet"
        store.write_table(place, table, scenario.sign(name, job.first, job.episodes))
    return StudyResult(job.folder, summary, comparison, job.warnings)


def record_run(job: Job, slots: int, seconds: float, computed: int) -> None:
    """Leave ``run.json``; ``slots``: chunks at once; ``computed``: episodes of this run alone."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    record = {
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "host": platform.node(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "threads": slots,
        "chunk": job.cut.chunk,
        "seconds": round(seconds, 3),
        "episodes": job.episodes,
        "episodes_per_second": round(computed / seconds, 1),
        "peak_memory_mb": round(peak / (2**20 if platform.system() == "Darwin" else 2**10), 1),
    }
    write_record(job.folder, record)


def write_record(folder: Place, record: dict[str, object]) -> None:
    """``run.json``: nothing in the results depends on it."""
    (folder / "run.json").write((json.dumps(record, indent=2) + "\n").encode())

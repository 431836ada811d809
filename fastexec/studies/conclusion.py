"""The end of a run: summary and comparison of all its episodes, and the record of when and where it ran."""

from __future__ import annotations

import json
import platform
import resource
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fastexec.studies import store
from fastexec.studies.claim import Job, StudyResult
from fastexec.studies.paired import comparison_table, default_baseline, from_summary
from fastexec.studies.place import Place
from fastexec.studies.sweep import stacked

if TYPE_CHECKING:
    import pyarrow as pa


def conclude(job: Job, summaries: list[pa.Table]) -> StudyResult:
    """Write summary and comparison of the study; ``summaries``: those of its scenarios."""
    tables = tables_of(job, summaries)
    for name, table in tables.items():
        store.write_table(job.folder / f"{name}.parquet", table, job.sign(name))
    return StudyResult(job.folder, tables["summary"], tables["comparison"], job.warnings)


def tables_of(job: Job, summaries: list[pa.Table]) -> dict[str, pa.Table]:
    """Summary and comparison of the study, all its scenarios in them."""
    strategies = job.study.strategies
    baseline = default_baseline([s.name for s in strategies], [s.model for s in strategies])
    named = {scenario.name: summary for scenario, summary in zip(job.scenarios, summaries, strict=True)}
    compared = {name: comparison_table(from_summary(summary), baseline) for name, summary in named.items()}
    return {"summary": stacked(named), "comparison": stacked(compared)}


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

"""The end of a run: summary and comparison of all its episodes, the record of when and where it ran, and the manifest."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from fastexec.host import peak_memory
from fastexec.place import Place
from fastexec.runs import layout, manifest, store
from fastexec.runs.job import Job, StudyResult
from fastexec.runs.manifest import Entry, Manifest, entry_of
from fastexec.runs.progress import clear
from fastexec.runs.swept import scenarios_table, stacked
from fastexec.statistics.paired import comparison_table, default_baseline, from_summary

if TYPE_CHECKING:
    import pyarrow as pa


def conclude(job: Job, summaries: list[pa.Table]) -> StudyResult:
    """Write summary and comparison of the study; ``summaries``: those of its scenarios."""
    tables = tables_of(job, summaries)
    for table, rows in tables.items():
        name = f"{table}.parquet"
        job.files[name] = store.write_table(job.folder / name, rows, job.sign(table))
    return StudyResult(job.folder, tables["summary"], tables["comparison"], job.warnings)


def tables_of(job: Job, summaries: list[pa.Table]) -> dict[str, pa.Table]:
    """Summary and comparison of the study, all its scenarios in them."""
    strategies = job.study.strategies
    baseline = default_baseline([s.name for s in strategies], [s.model for s in strategies])
    named = {scenario.name: summary for scenario, summary in zip(job.scenarios, summaries, strict=True)}
    compared = {name: comparison_table(from_summary(summary), baseline) for name, summary in named.items()}
    return {"summary": stacked(named), "comparison": stacked(compared)}


def write_scenarios(job: Job) -> None:
    """The table of a sweep's scenarios."""
    name = "scenarios.parquet"
    job.files[name] = store.write_table(
        job.folder / name, scenarios_table(job.study.scenarios()), job.sign("scenarios")
    )


def close(job: Job, record: dict[str, object]) -> None:
    """What makes a run complete: its record, and last of all the manifest of everything that it left."""
    own = {job.scenarios[task.scenario].file("steps", task.first) for task in job.tasks()} - set(job.files)
    for part in layout.all_parts(job.folder, "steps"):
        if part.path.removeprefix(f"{job.folder.path.rstrip('/')}/") in own:
            part.remove()  # of an earlier run that recorded more episodes step by step
    job.files[layout.RUN] = write_record(job.folder, record)
    clear(job.folder)
    manifest.write(job.folder, Manifest(job.study.identity(), job.first, job.episodes, True, job.files))


def record_of(job: Job, slots: int, seconds: float, computed: int, noted: Sequence[Path]) -> dict[str, object]:
    """Of a run that ends; ``slots``: chunks at once; ``computed``: episodes of this run alone; ``noted``: see ``begun``."""
    peak = peak_memory()
    return {
        **begun(job, noted),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "host": platform.node(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "threads": slots,
        "chunk": job.cut.chunk,
        "seconds": round(seconds, 3),
        "episodes": job.episodes,
        "episodes_per_second": round(computed / seconds, 1),
        "peak_memory_mb": None if peak is None else round(peak / 2**20, 1),
    }


def begun(job: Job, noted: Sequence[Path]) -> dict[str, object]:
    """Of any run: the folders in which the files that its study names lie, and those ``noted`` by earlier runs."""
    folders = [folder.resolve() for folder in job.study.folders]
    return {"base": [str(folder) for folder in dict.fromkeys([*folders, *noted])]}


def write_record(folder: Place, record: dict[str, object]) -> Entry:
    """``run.json``: nothing in the results depends on it."""
    text = (json.dumps(record, indent=2) + "\n").encode()
    (folder / layout.RUN).write(text)
    return entry_of(text)

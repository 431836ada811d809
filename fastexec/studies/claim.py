"""What a folder allows: a new study, the same one again, to go on with it, or nothing; and the claim on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from fastexec.errors import InputError, RefusedError
from fastexec.models.plugin_files import KEPT, is_file
from fastexec.simulation import Prepared
from fastexec.studies import store
from fastexec.studies.provenance import signature
from fastexec.studies.study import Study

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS_A_CHUNK = 200_000
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
class Job:
    """A study on its way into a folder, ``chunk`` episodes a file."""

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
        """The footer of a file."""
        return signature(self.study, self.prepared, kind, first, count)


def default_chunk(prepared: Prepared) -> int:
    """Episodes a file: about 200,000 rows, a power of two between 1,024 and 32,768."""
    chunk = _LARGEST_CHUNK
    while chunk > _SMALLEST_CHUNK and chunk * len(prepared.strategies) > _ROWS_A_CHUNK:
        chunk //= 2
    return chunk


def refuse_foreign(folder: Path) -> None:
    """A folder with files that are no results is nobody's to write into."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--out {folder}: is a file; give a folder")
    if folder.is_dir() and not (folder / "study.toml").exists():
        others = [entry.name for entry in folder.iterdir() if entry.name != ".lock" and not entry.name.endswith(".tmp")]
        if others:
            raise RefusedError(
                f"{folder}: holds other files ({others[0]!r}) and no results; give a new or empty folder"
            )


def claim(
    study: Study, prepared: Prepared, folder: Path, chunk: int | None, resume: bool, overwrite: bool
) -> Job | StudyResult:
    """Decide what the folder allows, and write the study there as the claim on it."""
    found = _found(folder)
    if found is not None and found[0] != study.identity():
        if not overwrite:
            _require_same_inputs(Job(study, prepared, folder, 1))  # where only a file differs, that is what to say
            raise RefusedError(f"{folder}: holds another study ({found[1]!r}); choose another --out, or --overwrite")
        store.remove_results(folder)
        found = None
    if found is None:
        job = Job(study, prepared, folder, chunk or default_chunk(prepared))
    else:
        job = Job(study, prepared, folder, found[2])
        _require_same_inputs(job)
        done = None if resume else _complete(job)
        if done is not None:
            return done
        if not overwrite:
            _require_no_more(job)
        if overwrite and not resume:
            store.remove_results(folder)
            job = Job(study, prepared, folder, chunk or default_chunk(prepared))
        elif not resume:
            raise RefusedError(f"{folder}: holds {study.name!r} incomplete; --resume goes on, --overwrite starts again")
        elif chunk is not None and chunk != job.chunk:
            raise RefusedError(f"--chunk {chunk}: the folder {folder} has chunks of {job.chunk}; leave --chunk out")
    store.write_text(folder / "study.toml", f"# chunk = {job.chunk}\n{study.to_toml()}")
    keep_plugins(study, folder)
    return job


def keep_plugins(study: Study, folder: Path) -> None:
    """Copies of the plugin files: whoever has the folder can replay and verify it."""
    for entry in filter(is_file, study.plugins):
        source = study.plugin_path(entry)
        store.write_text(folder / KEPT / source.name, source.read_text("utf-8"))


def _require_same_inputs(job: Job) -> None:
    """Files that were read then and have changed since would make two data sets of one result."""
    parts = sorted((job.folder / "markets").glob("part-*.parquet"))[:1] or [job.folder / "comparison.parquet"]
    if parts[0].exists():
        store.require_inputs(parts[0], job.prepared.inputs)


def _require_no_more(job: Job) -> None:
    """A run is extended, never cut: parts of more episodes would stay, or be lost."""
    held = store.episodes_held(job.folder)
    if held > job.prepared.episodes:
        raise RefusedError(
            f"{job.folder}: holds {held} episodes, more than the {job.prepared.episodes} asked for; ask for at least those, "
            "choose another --out, or --overwrite"
        )


def _found(folder: Path) -> tuple[str, str, int] | None:
    """(identity, name, chunk) of the study that a folder holds."""
    path = folder / "study.toml"
    if not path.exists():
        return None
    try:
        text = path.read_text("utf-8-sig")
        first = text.partition("\n")[0]
        held = Study.from_text(text, str(path))
        return held.identity(), held.name, int(first.removeprefix("# chunk = "))
    except (InputError, ValueError, OSError) as error:
        reason = "it was not written by a run" if isinstance(error, ValueError) else str(error)
        raise RefusedError(f"{path}: is no study of results ({reason}); choose another --out") from None


def _complete(job: Job) -> StudyResult | None:
    """The stored tables where every chunk is there and the comparison covers just these episodes."""
    path = job.folder / "comparison.parquet"
    if store.is_damaged(path) or store.is_damaged(job.folder / "summary.parquet"):
        return None
    if store.read_footer(path)["episodes"] != job.prepared.episodes:
        return None
    if job.study.output.rows == "all" and not all(present(job, first, count) for first, count in job.chunks):
        return None
    summary, comparison = (store.read_table(job.folder / f"{name}.parquet") for name in ("summary", "comparison"))
    return StudyResult(job.folder, summary, comparison, job.prepared.warnings, finished_before=True)


def present(job: Job, first: int, count: int) -> bool:
    """Whether a chunk's files are there, by their footers."""
    name, identity = store.part_name(first), job.study.identity()
    return all(store.is_whole(job.folder / table / name, identity, first, count) for table in ("markets", "episodes"))

"""What a folder allows: a new study, the same one again, to go on with it, or nothing; and the claim on it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from fastexec.errors import InputError, RefusedError
from fastexec.models.plugin_files import KEPT, is_file
from fastexec.models.trust import Trust
from fastexec.studies import store
from fastexec.studies.chunks import Cut, cut, require_same
from fastexec.studies.moments import LEAF
from fastexec.studies.options import RunOptions
from fastexec.studies.place import Place
from fastexec.studies.provenance import signature
from fastexec.studies.scenario import Scenario
from fastexec.studies.study import Study

if TYPE_CHECKING:
    import pyarrow as pa

_HEAD = re.compile(r"# chunk = (\d{1,16})(?:, first_episode = (\d{1,16}))?")


@dataclass(frozen=True)
class Task:
    """A chunk: the number of its scenario, its first episode, how many."""

    scenario: int
    first: int
    count: int


@dataclass(frozen=True)
class StudyResult:
    """A finished run. ``finished_before``: the folder held it complete, and nothing was simulated."""

    folder: Place
    summary: pa.Table
    comparison: pa.Table
    warnings: list[str] = field(default_factory=list)
    finished_before: bool = False


@dataclass(frozen=True)
class Job:
    """A study on its way into a folder, scenario by scenario, chunk by chunk. ``study`` is what study.toml holds."""

    study: Study
    scenarios: list[Scenario]
    folder: Place
    cut: Cut
    first: int = 0

    @property
    def end(self) -> int:
        """The episode behind the last one."""
        return self.scenarios[0].prepared.episodes

    @property
    def episodes(self) -> int:
        """Episodes of each scenario."""
        return self.end - self.first

    @property
    def rows(self) -> str:
        """all | none."""
        return self.study.output.rows

    @property
    def warnings(self) -> list[str]:
        """Of every scenario, each once."""
        return list(dict.fromkeys(line for scenario in self.scenarios for line in scenario.prepared.warnings))

    def sign(self, kind: str) -> dict[str, Any]:
        """The footer of a table of the whole study."""
        inputs = {name: digest for s in self.scenarios for name, digest in s.prepared.inputs.items()}
        return signature(self.study, inputs, kind, self.first, self.episodes)

    def tasks(self, starts: Sequence[int] | None = None) -> Iterator[Task]:
        """Every chunk, in the order in which the summaries take them; its borders are multiples of its size.

        ``starts``: of each scenario the episode to begin with.
        """
        for number in range(len(self.scenarios)):
            first = self.first if starts is None else starts[number]
            while first < self.end:
                border = min(first + self.cut.chunk - first % self.cut.chunk, self.end)
                yield Task(number, first, border - first)
                first = border

    def head(self) -> str:
        """The first line of study.toml: what the folder's files were cut by."""
        return f"# chunk = {self.cut.chunk}" + (f", first_episode = {self.first}" if self.first else "")


class Held(NamedTuple):
    """What a folder's study.toml says: the study, its chunk size and first episode."""

    study: Study
    chunk: int
    first: int


def refuse_foreign(folder: Place) -> None:
    """A folder with files that are no results is nobody's to write into."""
    if folder.is_file():
        raise InputError(f"--out {folder}: is a file; give a folder")
    if not (folder / "study.toml").is_file():
        others = [
            entry.name for entry in folder.children() if entry.name != ".lock" and not entry.name.endswith(".tmp")
        ]
        if others:
            raise RefusedError(
                f"{folder}: holds other files ({others[0]!r}) and no results; give a new or empty folder"
            )


def claim(study: Study, scenarios: list[Scenario], folder: Place, options: RunOptions, slots: int) -> Job | StudyResult:
    """Decide what the folder allows, and write the study there as the claim on it; ``slots``: chunks at once."""
    held = held_by(folder)
    if held is not None and held.study.identity() != study.identity():
        if not options.overwrite:
            _require_same_inputs(scenarios, folder)  # where only a file differs, that is what to say
            raise RefusedError(
                f"{folder}: holds another study ({held.study.name!r}); choose another --out, or --overwrite"
            )
        held = None
    job = _job(study, scenarios, folder, options, slots, None if held is None else held.chunk)
    if held is not None:
        _require_same_inputs(scenarios, folder)
        done = None if options.resume else _complete(job)
        if done is not None:
            return done
        if not options.overwrite:
            _require_no_more(job, held)
        if options.overwrite and not options.resume:
            held, job = None, _job(study, scenarios, folder, options, slots, None)
        elif not options.resume:
            raise RefusedError(f"{folder}: holds {study.name!r} incomplete; --resume goes on, --overwrite starts again")
        else:
            require_same(options.chunk, job.cut.chunk, folder)
    write_claim(job, fresh=held is None)
    return job


def write_claim(job: Job, fresh: bool) -> None:
    """The study, and copies of its plugin files: whoever has the folder can replay and verify it.

    ``fresh``: what the folder held of another run goes first.
    """
    files = [job.study.plugin_path(entry) for entry in filter(is_file, job.study.plugins)]
    copies = {file.name: file.read_bytes() for file in files}  # read first: they may be those that go
    if fresh:
        store.remove_results(job.folder)
    (job.folder / "study.toml").write(f"{job.head()}\n{job.study.to_toml()}".encode())
    for name, text in copies.items():
        (job.folder / KEPT / name).write(text)


def require_cut(study: Study, scenarios: list[Scenario], folder: Place, options: RunOptions, slots: int) -> None:
    """InputError, before the folder is touched, where the options cut the study into no chunks."""
    held = held_by(folder)
    _job(study, scenarios, folder, options, slots, None if held is None else held.chunk)


def _job(
    study: Study, scenarios: list[Scenario], folder: Place, options: RunOptions, slots: int, held: int | None
) -> Job:
    studies, rows = [scenario.prepared for scenario in scenarios], study.output.rows
    job = Job(study, scenarios, folder, cut(studies, rows, options, slots, held), options.first_episode)
    unit = LEAF if rows == "none" else job.cut.chunk
    if job.first % unit:
        near = job.first // unit * unit
        raise InputError(
            f"--first-episode {job.first}: must be a multiple of the {'leaf' if rows == 'none' else 'chunk'}, "
            f"{unit} episodes: {near} or {near + unit}"
        )
    if job.first and rows == "none" and scenarios[0].prepared.days is not None:
        raise InputError('--first-episode: shards of a replay are joined by their rows; set output.rows = "all"')
    if job.episodes < 1:
        raise InputError(f"--first-episode {job.first}: the study has episodes 0 to {job.end - 1}")
    return job


def _require_same_inputs(scenarios: Sequence[Scenario], folder: Place) -> None:
    """Files that were read then and have changed since would make two data sets of one result."""
    for scenario in scenarios:
        parts = store.parts(store.home_of(folder, "markets", scenario.name))
        first = parts[0] if parts else folder / "comparison.parquet"
        if first.is_file():
            store.require_inputs(first, scenario.prepared.inputs)


def _require_no_more(job: Job, held: Held) -> None:
    """A run is extended, never cut: parts of more episodes would stay, or be lost."""
    if held.first != job.first:
        raise RefusedError(
            f"{job.folder}: holds episodes from {held.first} on, asked for are those from {job.first} on; choose another "
            "--out, or --overwrite"
        )
    there = store.end_held(job.folder) - job.first
    if there > job.episodes:
        raise RefusedError(
            f"{job.folder}: holds {there} episodes, more than the {job.episodes} asked for; ask for at least those, "
            "choose another --out, or --overwrite"
        )


def held_by(folder: Place, trust: Trust = Trust.NOTHING) -> Held | None:
    """The study that a folder holds; RefusedError where its study.toml was not written by a run. ``trust``: what of the code
    that it names may run.
    """
    place = folder / "study.toml"
    if not place.is_file():
        return None
    try:
        text = place.read_text()
        head = _HEAD.fullmatch(text.partition("\n")[0])
        if head is None:
            raise RefusedError(f"{place}: is no study of results (it was not written by a run); choose another --out")
        study = Study.from_text(text, str(place), folder=folder.local, trust=trust)
        return Held(study, int(head[1]), int(head[2] or 0))
    except (InputError, ValueError, OSError) as error:
        raise RefusedError(f"{place}: is no study of results ({error}); choose another --out") from None


def _complete(job: Job) -> StudyResult | None:
    """The stored tables where every chunk is there and the comparison covers just these episodes."""
    place, sweep = job.folder / "comparison.parquet", job.study.sweep
    tables = ("summary", "comparison", *(["scenarios"] if sweep is not None else []))
    if any(store.is_damaged(job.folder / f"{name}.parquet", None if sweep is None else sweep.keys) for name in tables):
        return None
    footer = store.read_footer(place)
    if (footer["first_episode"], footer["episodes"]) != (job.first, job.episodes):
        return None
    if job.rows == "all" and not all(present(job, task) for task in job.tasks()):
        return None
    summary, comparison = (store.read_table(job.folder / f"{name}.parquet") for name in ("summary", "comparison"))
    return StudyResult(job.folder, summary, comparison, job.warnings, finished_before=True)


def present(job: Job, task: Task) -> bool:
    """Whether a chunk's files are there, by their footers."""
    scenario = job.scenarios[task.scenario]
    identity = scenario.study.identity()
    return all(
        store.is_whole(scenario.part(job.folder, table, task.first), identity, task.first, task.count)
        for table in ("markets", "episodes")
    )

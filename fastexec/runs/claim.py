"""What a folder allows: a new study, the same one again, to go on with it, or nothing; and the claim on it."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from fastexec.errors import InputError, RefusedError, option, said
from fastexec.models.plugin_code import Code, with_files_beside
from fastexec.models.plugin_files import copies_of
from fastexec.models.plugin_places import KEPT, is_file
from fastexec.place import Place
from fastexec.runs import layout, lock, manifest, store
from fastexec.runs.chunks import cut, require_same
from fastexec.runs.given import require_same_paths
from fastexec.runs.held import Held, held_by
from fastexec.runs.job import Job, StudyResult
from fastexec.runs.manifest import Manifest, entry_of
from fastexec.runs.options import RunOptions
from fastexec.runs.scenario import Scenario
from fastexec.runs.summary_file import read_summary
from fastexec.statistics.moments import LEAF
from fastexec.studies.study import Study
from fastexec.studies.sweep import names_of
from fastexec.wording import counted


def refuse_foreign(folder: Place) -> None:
    """A folder with files that are no results, or with links in their place, is nobody's to write into."""
    if folder.is_file():
        raise InputError(f"{option('out', folder)}: is a file; give a folder")
    layout.refuse_links(folder)
    if not (folder / layout.STUDY).is_file():
        names = [entry.name for entry in folder.children()]
        others = [name for name in names if name != lock.NAME and not layout.is_leftover(name)]
        if others:
            raise RefusedError(
                f"{folder}: holds other files ({others[0]!r}) and no results; give a new or empty folder"
            )


def claim(study: Study, scenarios: list[Scenario], folder: Place, options: RunOptions, slots: int) -> Job | StudyResult:
    """Decide what the folder allows, and write the study there as the claim on it; ``slots``: chunks at once."""
    texts = _plugin_texts(study)  # read first: they may be those that go
    held, again = held_by(folder), options.overwrite and not options.resume
    if held is not None and held.study.identity() != study.identity():
        if not options.overwrite:
            _require_same_inputs(scenarios, folder)  # where only a file differs, that is what to say
            raise RefusedError(
                f"{folder}: holds another study ({held.study.name!r}); choose another {option('out')}, or {option('overwrite')}"
            )
        _remove(folder, held)
        held = None
    if held is None:
        job = _job(study, scenarios, folder, options, slots, None)
    else:
        known = manifest.read_or_none(folder)
        job = _job(study, scenarios, folder, options, slots, held.chunk, known)
        if not again:
            _require_same_inputs(scenarios, folder)
        done = None if options.resume or held.study.output != study.output else _complete(job, known)
        if done is not None:
            return done
        if again:
            _remove(folder, held)
            job = _job(study, scenarios, folder, options, slots, None)
        else:
            _require_to_go_on(job, held, known, options)
    _write_claim(job, texts)
    return job


def _require_to_go_on(job: Job, held: Held, known: Manifest | None, options: RunOptions) -> None:
    """RefusedError where a run may not go on in its folder: not asked to, cut, of other chunks, or not as it was left."""
    _require_no_more(job, held)
    if not options.resume and held.study.output != job.study.output:
        raise RefusedError(
            f"{job.folder}: was run with another {said('[output]', 'output')}; {option('resume')} makes what is asked for, or "
            f"use another {option('out')}"
        )
    if not options.resume:
        raise RefusedError(
            f"{job.folder}: holds {job.study.name!r} incomplete; {option('resume')} goes on, {option('overwrite')} starts again"
        )
    require_same(options.chunk, job.cut.chunk, job.folder)
    if held.study.output.rows != job.rows:
        raise RefusedError(
            f"{job.folder}: was run with output.rows = {held.study.output.rows!r}; go on with that, or use "
            f"another {option('out')}"
        )
    entry = known.files.get(layout.STUDY) if known is not None and known.complete else None
    if entry is not None and (line := manifest.change_of(job.folder / layout.STUDY, entry)) is not None:
        raise RefusedError(f"{line}; put it back, or {option('overwrite')} starts again")


def _plugin_texts(study: Study) -> dict[str, bytes]:
    """Copies of a study's plugin files and of those that they import, by path within the folder: whoever has the folder can
    replay and verify it. InputError where two would be one.
    """
    codes = {entry: study.plugin_code(entry) for entry in filter(is_file, study.plugins)}
    copies = copies_of({entry: code for entry, code in codes.items() if code is not None})
    return {f"{KEPT}/{name}": code.text for name, code in copies.items()}


def _write_claim(job: Job, plugins: dict[str, bytes]) -> None:
    """The study first, whose presence makes the folder one of results."""
    if job.known:  # from here on the run is not complete; of what it holds so much stays known
        data = {name: entry for name, entry in job.known.items() if layout.kind_of(name) in _LASTING}
        manifest.write(job.folder, Manifest(job.study.identity(), job.first, job.episodes, False, data))
    texts = {layout.STUDY: f"{job.head()}\n{job.study.to_toml()}".encode()} | plugins
    for name, text in texts.items():
        (job.folder / name).write(text)
        job.files[name] = entry_of(text)


#: What an extended run leaves as it is.
_LASTING = ("markets", "episodes", "steps", layout.AGENTS, layout.kind_of(layout.PATHS))


def _remove(folder: Place, held: Held) -> None:
    """A run's files go, with the agents and copies of plugins that are its own by name."""
    known = manifest.read_or_none(folder)
    names = [None] if held.study.sweep is None else names_of(held.study.sweep)
    homes = [layout.home_name(layout.AGENTS, name) for name in names]
    named = [f"{home}/{name}.parquet" for home in homes for name in held.study.train]
    named += [f"{KEPT}/{name}" for entry in held.study.plugins for name in _copied(folder, Path(entry).name)]
    layout.remove_results(folder, [*named, *(known.files if known is not None else ())])


def _copied(folder: Place, name: str) -> list[str]:
    """The copy of a plugin file, and those of files that it imports."""
    beside: tuple[Code, ...] = ()
    if folder.local is not None and (place := folder.local / KEPT / name).is_file():
        with contextlib.suppress(InputError):  # whatever lies there, no run put it there
            beside = with_files_beside(name, place).beside
    return [name, *(code.path.name for code in beside)]


def require_cut(study: Study, scenarios: list[Scenario], folder: Place, options: RunOptions, slots: int) -> None:
    """InputError, before the folder is touched, where the options cut the study into no chunks."""
    held = held_by(folder)
    _job(study, scenarios, folder, options, slots, None if held is None else held.chunk)


def _job(
    study: Study,
    scenarios: list[Scenario],
    folder: Place,
    options: RunOptions,
    slots: int,
    held: int | None,
    known: Manifest | None = None,
) -> Job:
    studies, rows = [scenario.outline for scenario in scenarios], study.output.rows
    files = known.files if known is not None and known.identity == study.identity() else {}
    job = Job(study, scenarios, folder, cut(studies, rows, options, slots, held), options.first_episode, files)
    unit = LEAF if rows == "none" else job.cut.chunk
    if job.first % unit:
        near = job.first // unit * unit
        raise InputError(
            f"{option('first-episode', job.first)}: must be a multiple of the {'leaf' if rows == 'none' else 'chunk'}, "
            f"{unit} episodes: {near} or {near + unit}"
        )
    if job.first and rows == "none" and scenarios[0].outline.replayed:
        raise InputError(
            f"{option('first-episode')}: shards of a replay are joined by their rows; set output.rows to all"
        )
    if job.episodes < 1:
        raise InputError(f"{option('first-episode', job.first)}: the study has episodes 0 to {job.end - 1}")
    return job


def _require_same_inputs(scenarios: Sequence[Scenario], folder: Place) -> None:
    """Files that were read then and have changed since would make two data sets of one result."""
    for scenario in scenarios:
        if (first := scenario.made(folder)) is not None:
            with contextlib.suppress(InputError):  # damaged, and made anew before anybody reads it
                footer = store.read_footer(first)
                require_same_paths(first, footer, scenario.outline.inputs)
                store.require_inputs(first, footer, scenario.outline.inputs)


def _require_no_more(job: Job, held: Held) -> None:
    """A run is extended, never cut: parts of more episodes would stay, or be lost."""
    if held.first != job.first:
        raise RefusedError(
            f"{job.folder}: holds episodes from {held.first} on, asked for are those from {job.first} on; choose another "
            f"{option('out')}, or {option('overwrite')}"
        )
    there = _end_held(job.folder) - job.first
    if there > job.episodes:
        raise RefusedError(
            f"{job.folder}: holds {counted(there, 'episode')}, more than the {job.episodes} asked for; ask for at least those, "
            f"choose another {option('out')}, or {option('overwrite')}"
        )


def _end_held(folder: Place) -> int:
    """The end of the last episodes that a finished part, a summary so far or the comparison covers."""
    found = 0
    for table in ("markets", "moments"):
        for place in [*layout.all_parts(folder, table), folder / "comparison.parquet"]:
            with contextlib.suppress(InputError):
                footer = store.read_footer(place)
                found = max(found, footer["first_episode"] + footer["episodes"])
    return found


def _complete(job: Job, known: Manifest | None) -> StudyResult | None:
    """The stored tables where the manifest names every file of just these episodes, and they are as they were written."""
    if known is None or not known.complete or known.identity != job.study.identity():
        return None
    wanted = {
        job.scenarios[task.scenario].file(table, task.first) for task in job.tasks() for table in job.footers(task)
    }
    if (known.first, known.episodes) != (job.first, job.episodes) or (
        job.rows == "all" and not wanted <= set(known.files)
    ):
        return None
    large = {name: entry for name, entry in known.files.items() if layout.kind_of(name) in layout.TABLES}
    small = {name: entry for name, entry in known.files.items() if name not in large}
    if manifest.changes(job.folder, small) or not manifest.all_there(job.folder, large):
        return None
    summary, comparison = read_summary(job.folder, job.study), store.read_table(job.folder / "comparison.parquet")
    if store.read_footer(job.folder / "comparison.parquet")["inputs"] != job.sign("comparison")["inputs"]:
        return None
    return StudyResult(job.folder, summary, comparison, job.warnings, finished_before=True)

"""The study that a folder of results holds, read without running any of its code."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from fastexec.errors import InputError, RefusedError, option
from fastexec.models.trust import Trust
from fastexec.place import Place
from fastexec.runs import caveats, layout, store
from fastexec.runs.provenance import require_schema
from fastexec.runs.scenario import Outline, Scenario, made_by
from fastexec.runs.summary_file import read_summary
from fastexec.studies.study import Study, swept_studies

_HEAD = re.compile(r"# chunk = (\d{1,16})(?:, first_episode = (\d{1,16}))?(?:, schema = (\d{1,9}))?")


class Held(NamedTuple):
    """What a folder's study.toml says: the study, its chunk size and first episode."""

    study: Study
    chunk: int
    first: int


def held_by(folder: Place, trust: Trust = Trust.NOTHING) -> Held | None:
    """The study that a folder to write into holds; RefusedError where its study.toml was not written by a run. ``trust``: what
    of the code that it names may run.
    """
    try:
        return _read(folder, trust)
    except InputError as error:
        raise RefusedError(f"{error}; choose another {option('out')}") from None


def results_of(folder: Place, what: str, trust: Trust = Trust.NOTHING) -> Held:
    """The study of a folder of results; InputError where it holds none, ``what`` to give instead."""
    held = _read(folder, trust)
    if held is None:
        raise InputError(f"{folder}: holds no results (no study.toml); give {what}")
    return held


def _read(folder: Place, trust: Trust) -> Held | None:
    place = folder / layout.STUDY
    if not place.is_file():
        return None
    try:
        text = place.read_text()
    except (OSError, ValueError):
        raise InputError(f"{place}: is no study of results (it cannot be read as text)") from None
    head = _HEAD.fullmatch(text.partition("\n")[0])
    if head is None:
        raise InputError(f"{place}: is no study of results (it was not written by a run)")
    require_schema(place, int(head[3] or 1))  # which version 1 did not say
    study = Study.from_toml(text, str(place), folder=folder.local, trust=trust)
    return Held(study, int(head[1]), int(head[2] or 0))


def written_scenarios(held: Held, folder: Place) -> list[Scenario]:
    """The scenarios of a complete run, as their files say; InputError where these are damaged."""
    days = _source_days(folder, held.study)
    found = []
    for swept in swept_studies(held.study):
        whole = store.read_footer(folder / "summary.parquet")
        own = store.read_footer(made_by(folder, swept.name) or folder / "summary.parquet")
        footer = whole | {"inputs": own["inputs"]}
        doubts = caveats.of_scenario(whole, swept.name)
        outline = Outline.written(swept.study, footer, days.get(swept.name, []), doubts)
        found.append(Scenario(swept.name, swept.study, outline))
    return found


def _source_days(folder: Place, study: Study) -> dict[str | None, list[int]]:
    """The days that bootstrapped episodes are joined from, by scenario, as the summary has them."""
    summary = read_summary(folder, study)
    names = ["day_ids", "day_episodes", *(["scenario"] if "scenario" in summary.column_names else [])]
    rows: list[dict[str, Any]] = summary.select(names).to_pylist()
    return {row.get("scenario"): row["day_ids"] for row in rows if row["day_ids"] and row["day_episodes"] is None}

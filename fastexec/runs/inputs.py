"""Input files of results found again from anywhere: bars and agents that a study names by a relative path."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from fastexec.errors import FastexecError, InputError, option
from fastexec.place import Place
from fastexec.runs.layout import RUN
from fastexec.studies.study import Study

_MOST_FOLDERS = 16


def folders_noted(folder: Place) -> list[Path]:
    """The folders in which runs of these results found their input files, as ``run.json`` says; none where it says nothing."""
    place = folder / RUN
    try:
        noted = json.loads(place.read_text())["base"] if place.is_file() else []
        return [Path(path) for path in noted if isinstance(path, str) and Path(path).is_absolute()][:_MOST_FOLDERS]
    except (OSError, FastexecError, ValueError, TypeError, KeyError, RecursionError):
        return []


def with_files_of(study: Study, folder: Place, digests: Mapping[str, str], data: str | Path | None) -> Study:
    """The study with the files that it names found: in ``data``, beside itself, where the runs noted in the folder found
    them, in the current folder; of several the one of the right SHA-256 (``digests``, by name).

    Raises InputError where one is not at hand.
    """
    if data is not None and not Path(data).is_dir():
        raise InputError(f"{option('data', data)}: is no folder; give the one that holds the study's input files")
    noted = folders_noted(folder)
    files = {}
    for name in study.files():
        there = [place for place in _places(name, study, data, noted) if os.path.isfile(place)]
        if not there:
            raise InputError(
                f"{name}: there is no such file beside the study, or where it was run; name its folder by {option('data')}"
            )
        files[name] = _right(there, digests.get(name))
    return study.finding(files)


def _places(name: str, study: Study, data: str | Path | None, noted: Iterable[Path]) -> list[Path]:
    given = [] if data is None else [Path(data) / name, Path(data) / Path(name).name]
    places = [*given, *(folder / name for folder in [*study.folders, *noted])]
    return list(dict.fromkeys(places))


def _right(there: list[Path], digest: str | None) -> Path:
    """Of several files the first of a SHA-256; whoever reads it says so where there is none."""
    if digest is not None and len(there) > 1:
        for place in there:
            with place.open("rb") as stream:
                if hashlib.file_digest(stream, "sha256").hexdigest() == digest:
                    return place
    return there[0]

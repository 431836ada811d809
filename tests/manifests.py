"""A study whose results hold every kind of file, and manifests as somebody writes them who changed some."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from conftest import SMALL
from fastexec.place import Place
from fastexec.runs import manifest, store
from fastexec.studies.study import Study

TRAIN = {
    "batch": 512,
    "rounds": 1,
    "features": [{"name": "inventory", "bins": 5}, {"name": "spread", "bins": 3}],
    "actions": {"set": "multiples", "levels": [0.0, 1.0, 2.0]},
}
FREE = {
    "costs": {"temporary": {"coefficient": 0.002, "exponent": 0.6}},
    "strategies": [{"model": "twap"}, {"model": "qtable", "name": "learned", "train": "a"}],
    "train": {"a": TRAIN},
}
LEARNED = {**SMALL, **FREE, "episodes": 1500, "output": {"steps": 3}}


def learned(**changes):
    return Study.from_dict({**LEARNED, **changes})


def listed_anew(folder: Path) -> None:
    """The manifest of a folder in whose files something was changed, as if a run had written them so."""
    place = Place.of(folder)
    known = manifest.read(place)
    there = {name: entry for name, entry in known.files.items() if (folder / name).is_file()}
    files = {name: manifest.entry_of((folder / name).read_bytes(), entry.rows) for name, entry in there.items()}
    manifest.write(place, replace(known, files=files))


def forged(folder: Path, name: str, table: pa.Table) -> None:
    """A file of another content under the footer that it had, and a manifest that names it."""
    place = Place.of(folder) / name
    store.write_table(place, table, store.read_footer(place))
    listed_anew(folder)

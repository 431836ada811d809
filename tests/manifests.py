"""Manifests as somebody writes them who changed files and can write a manifest too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from fastexec.studies import manifest, store
from fastexec.studies.place import Place


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

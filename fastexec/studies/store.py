"""The files of a study's folder: signed Parquet that is whole or not there, and the lock of the one who writes."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fastexec import columns
from fastexec.errors import FastexecError, InputError, RefusedError
from fastexec.models.plugin_files import KEPT
from fastexec.models.trust import Trust
from fastexec.studies.place import Place
from fastexec.studies.provenance import FOOTER_KINDS, KEY, encode
from fastexec.studies.study import Study

TABLES = ("markets", "episodes", "steps", "moments")
_ROW_GROUP = 1 << 18
_SCENARIO = "scenario="


def part_name(first: int) -> str:
    """The file of the chunk that starts with an episode."""
    return f"part-{first:012d}.parquet"


def home_of(folder: Place, table: str, scenario: str | None = None) -> Place:
    """The folder of a table's parts; of a sweep's scenario one of its own, named as readers of Parquet know it."""
    return folder / table if scenario is None else folder / table / f"{_SCENARIO}{scenario}"


def parts(home: Place) -> list[Place]:
    """The parts in a table's folder, by first episode."""
    return [entry for entry in home.children() if entry.name.startswith("part-") and entry.name.endswith(".parquet")]


def homes(folder: Place, table: str) -> list[Place]:
    """The folders of a table's parts: its own, and those of scenarios."""
    return [folder / table, *(entry for entry in (folder / table).children() if entry.name.startswith(_SCENARIO))]


def all_parts(folder: Place, table: str) -> list[Place]:
    """A table's parts, those of every scenario."""
    return [part for home in homes(folder, table) for part in parts(home)]


def write_table(place: Place, table: pa.Table, footer: dict[str, Any]) -> None:
    """Write a Parquet file as a whole, signed; FastexecError where it cannot be written, and then no half of it stays.

    Text columns are dictionaries, all others plain with zstd 1: a dictionary on each column costs half the speed.
    """
    signed = table.replace_schema_metadata({KEY: encode(footer)})
    texts = [field.name for field in table.schema if pa.types.is_dictionary(field.type)]
    floats = [field.name for field in table.schema if pa.types.is_floating(field.type)]
    # In memory first: an exception inside a ParquetWriter closes its file and leaves a valid short one.
    stream = pa.BufferOutputStream()
    pq.write_table(
        signed,
        stream,
        row_group_size=_ROW_GROUP,
        use_dictionary=texts,
        column_encoding=dict.fromkeys(floats, "BYTE_STREAM_SPLIT"),
        compression="zstd",
        compression_level=1,
        write_page_checksum=True,
        store_schema=True,
    )
    place.write(stream.getvalue())


def write_plain(place: Place, table: pa.Table) -> None:
    """Write a table that brings its own metadata, as a whole."""
    stream = pa.BufferOutputStream()
    pq.write_table(table, stream, compression="zstd", store_schema=True)
    place.write(stream.getvalue())


def read_footer(place: Place) -> dict[str, Any]:
    """The footer of one of our files; InputError where it is damaged or not ours."""
    try:
        with place.open() as stream:
            metadata = pq.read_metadata(stream).metadata or {}
        footer = json.loads(metadata[KEY])
        if not all(isinstance(footer[key], kind) for key, kind in FOOTER_KINDS.items()):
            raise KeyError
        return dict(footer)
    except FileNotFoundError:
        raise InputError(f"{place}: is missing; --resume writes it anew") from None
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError, RecursionError) as error:
        kind = (
            "it carries no fastexec footer"
            if isinstance(error, (KeyError, TypeError))
            else "damaged or no Parquet file"
        )
        raise InputError(f"{place}: cannot be read ({kind}); --resume writes it anew") from None


def read_table(place: Place, names: list[str] | None = None) -> pa.Table:
    """A file, whole or some of its columns; InputError where it is damaged."""
    try:
        with place.open() as stream:
            return pq.ParquetFile(stream, page_checksum_verification=True).read(names)
    except FileNotFoundError:
        raise InputError(f"{place}: is missing; --resume writes it anew") from None
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{place}: cannot be read ({str(error).splitlines()[0]}); --resume writes it anew") from None


def read_columns(place: Place, names: list[str] | None = None) -> dict[str, np.ndarray]:
    """A part's columns (all, or ``names``) as the engine gave them, without the text columns; null is NaN again."""
    table = read_table(place, names)
    kept = [field.name for field in table.schema if not pa.types.is_dictionary(field.type)]
    return {name: table[name].to_numpy() for name in kept}


def column_names(place: Place) -> list[str]:
    """The columns of a file; InputError where it is damaged."""
    try:
        with place.open() as stream:
            return list(pq.read_schema(stream).names)
    except (OSError, pa.ArrowException):
        raise InputError(f"{place}: cannot be read; --resume writes it anew") from None


def read_study(folder: Place, plugins: Iterable[str] = (), trust: Trust = Trust.NOTHING) -> Study:
    """The study that a folder holds the results of, with ``plugins`` and ``trust`` as ``Study.load`` takes them: by default
    none of the code that it names may run.

    InputError where there is none.
    """
    place = folder / "study.toml"
    if not place.is_file():
        raise InputError(f"{folder}: holds no results (no study.toml); give the folder of a run")
    try:
        text = place.read_text()
    except (OSError, ValueError):
        raise InputError(f"{place}: cannot be read; give the folder of a run") from None
    return Study.from_text(text, str(place), plugins=plugins, folder=folder.local, trust=trust)


def is_whole(place: Place, identity: str, first: int, count: int) -> bool:
    """Whether a chunk's file is there with exactly its episodes; RefusedError where it is of another study."""
    if not place.is_file():
        return False
    try:
        footer = read_footer(place)
    except InputError:
        return False  # damaged: computed again
    require_identity(place, footer, identity)
    return bool(footer["first_episode"] == first and footer["episodes"] == count)


def require_identity(place: Place, footer: dict[str, Any], identity: str) -> None:
    """RefusedError where a file is of another study."""
    if footer["identity"] != identity:
        raise RefusedError(
            f"{place}: belongs to another study ({footer['identity'][:12]}); use another --out, or --overwrite"
        )


def is_damaged(place: Place, swept: Sequence[str] | None = None) -> bool:
    """Whether a summary, comparison or table of scenarios is missing, unreadable or not of our columns.

    swept: the keys of the study's sweep, None where it has none.
    """
    table = place.name.removesuffix(".parquet")
    expected = {column.name for column in columns.TABLES[table]} - ({"scenario"} if swept is None else set())
    try:
        return set(read_table(place).schema.names) != expected | set(swept or () if table == "scenarios" else ())
    except InputError:
        return True


def require_inputs(place: Place, inputs: dict[str, str]) -> None:
    """RefusedError where a file of results was made from other input files than there are now."""
    try:
        then = read_footer(place)["inputs"]
    except InputError:
        return  # damaged, and made anew before anybody reads it
    for name, digest in inputs.items():
        if then.get(name, digest) != digest:
            raise RefusedError(f"{name}: has changed since {place} was made from it; put it back, or use another --out")


def end_held(folder: Place) -> int:
    """The end of the last episodes that a finished part, a summary so far or the comparison covers."""
    found = 0
    for place in [*all_parts(folder, "markets"), *all_parts(folder, "moments"), folder / "comparison.parquet"]:
        try:
            footer = read_footer(place)
        except InputError:
            continue
        found = max(found, footer["first_episode"] + footer["episodes"])
    return found


def clear_leftovers(folder: Place) -> None:
    """Remove what an interrupted run left half-written; on an object store there is nothing half-written."""
    if folder.local is not None:
        for pattern in ("*.tmp", "*/*.tmp", f"*/{_SCENARIO}*/*.tmp"):
            for leftover in folder.local.glob(pattern):
                leftover.unlink()


def remove_results(folder: Place) -> None:
    """Remove a run's own files, and nothing else that may lie in the folder."""
    for table in (*TABLES, "agents", KEPT):
        ending = ".py" if table == KEPT else ".parquet"
        for home in reversed(homes(folder, table)):
            for part in parts(home) if table in TABLES else home.children():
                if part.name.endswith(ending):
                    part.remove()
            home.remove_folder_if_empty()
    for name in (
        "study.toml",
        "run.json",
        "progress.json",
        "summary.parquet",
        "comparison.parquet",
        "scenarios.parquet",
    ):
        (folder / name).remove()


@contextlib.contextmanager
def locked(folder: Place) -> Iterator[None]:
    """Hold ``folder/.lock``; RefusedError where another process writes there. An object store knows no locks."""
    if folder.local is None:
        yield
        return
    try:
        folder.local.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder.local / ".lock", os.O_CREAT | os.O_RDONLY, 0o644)
    except OSError as error:
        raise FastexecError(f"{folder}: cannot be written ({error.strerror}); choose another --out") from None
    try:
        if not _take(handle):
            raise RefusedError(f"{folder}: another run writes there; wait for it or choose another --out")
        yield
    finally:
        os.close(handle)


def is_locked(folder: Place) -> bool | None:
    """Whether somebody writes there now; None on an object store, which cannot tell."""
    if folder.local is None:
        return None
    try:
        handle = os.open(folder.local / ".lock", os.O_RDONLY)
    except OSError:
        return False
    try:
        return not _take(handle)
    finally:
        os.close(handle)


def _take(handle: int) -> bool:
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

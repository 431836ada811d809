"""The Parquet files of a study's folder: signed, whole or not there, and checked against their schema when opened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fastexec import columns
from fastexec.errors import InputError, RefusedError, option, run_again
from fastexec.models.trust import Trust
from fastexec.place import Place
from fastexec.runs.layout import STUDY, table_of
from fastexec.runs.manifest import Entry, entry_of, swollen
from fastexec.runs.provenance import KEY, decode, encode, require_schema
from fastexec.studies.study import Study

_ROW_GROUP = 1 << 18
_MANY = 100_000  # rows
_OPTIONAL = ("scenario", "day", "program_cost", "states_met", "states_unseen")  # columns that depend on the study
_FURTHER = ("markets", "scenarios", "steps")  # tables with columns named by the study's own keys


def write_table(place: Place, table: pa.Table, footer: dict[str, Any]) -> Entry:
    """Write a Parquet file as a whole, signed, and say what it is known by; FastexecError where it cannot be written, and
    then no half of it stays.

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
    data = stream.getvalue()
    place.write(data)
    return entry_of(data, len(table))


def plain_bytes(table: pa.Table) -> pa.Buffer:
    """A table that brings its own metadata, as the bytes of a file."""
    stream = pa.BufferOutputStream()
    pq.write_table(table, stream, compression="zstd", store_schema=True, write_page_checksum=True)
    return stream.getvalue()


def read_footer(place: Place) -> dict[str, Any]:
    """The footer of one of our files; InputError where it is damaged or not ours."""
    try:
        with place.open() as stream:
            metadata = pq.read_metadata(stream).metadata or {}
        footer = decode(metadata[KEY])
    except FileNotFoundError:
        raise InputError(f"{place}: is missing; {run_again()} writes it anew") from None
    except (KeyError, TypeError):
        raise InputError(
            f"{place}: cannot be read (it carries no fastexec footer); {run_again()} writes it anew"
        ) from None
    except (OSError, pa.ArrowException, ValueError, RecursionError):
        raise InputError(
            f"{place}: cannot be read (damaged or no Parquet file); {run_again()} writes it anew"
        ) from None
    require_schema(place, footer["schema_version"])
    return footer


def read_bytes(place: Place) -> pa.Buffer:
    """A file's bytes; InputError where it cannot be read."""
    try:
        with place.open() as stream:
            return stream.read_buffer()
    except FileNotFoundError:
        raise InputError(f"{place}: is missing; {run_again()} writes it anew") from None
    except OSError as error:
        raise InputError(f"{place}: cannot be read ({error.strerror or error}); {run_again()} writes it anew") from None


def read_table(place: Place, names: Sequence[str] | None = None, data: pa.Buffer | None = None) -> pa.Table:
    """A file, whole or some of its columns, by its schema in the registry; InputError where it is damaged or another.

    ``data``: its bytes, where they have been read already.
    """
    try:
        with place.open() if data is None else pa.BufferReader(data) as stream:
            file = pq.ParquetFile(stream, page_checksum_verification=True)
            if (fault := swollen(file.metadata, stream.size()) or _foreign(place, file.schema_arrow)) is not None:
                raise InputError(f"{place}: cannot be read ({fault}); {run_again()} writes it anew")
            # Threads for large files only: one that begins as the process ends aborts it.
            table = file.read(names, use_threads=file.metadata.num_rows >= _MANY)
            table.validate(full=True)  # texts that are no UTF-8 would fail later, wherever they are looked at
    except FileNotFoundError:
        raise InputError(f"{place}: is missing; {run_again()} writes it anew") from None
    except (OSError, pa.ArrowException, MemoryError, ValueError) as error:
        raise InputError(
            f"{place}: cannot be read ({(str(error).splitlines() or ['damaged'])[0]}); {run_again()} writes it anew"
        ) from None
    for field in table.schema:
        if not field.nullable and table[field.name].null_count:
            raise InputError(f"{place}: cannot be read (column {field.name} has nulls); {run_again()} writes it anew")
    return table


def _foreign(place: Place, schema: pa.Schema) -> str | None:
    """What is wrong with a file's columns; the registry says which there are and of which type."""
    if (table := table_of(place)) not in columns.TABLES:
        return None
    known = {column.name: columns.arrow_type(column) for column in columns.TABLES[table]}
    for field in schema:
        if field.name not in known and table not in _FURTHER:
            return f"{table} has no column {field.name!r}"
        if field.type != known.get(field.name, field.type):
            return f"column {field.name} is of type {field.type}; it must be {known[field.name]}"
    missing = [
        name
        for name in known
        if name not in schema.names and name not in _OPTIONAL and not columns.of_a_further_part(name)
    ]
    return f"column {missing[0]} is missing" if missing else None


def read_columns(place: Place, names: list[str] | None = None, data: pa.Buffer | None = None) -> dict[str, np.ndarray]:
    """A part's columns (all, or ``names``) as the engine gave them, without the text columns; null is NaN again."""
    table = read_table(place, names, data)
    kept = [field.name for field in table.schema if not pa.types.is_dictionary(field.type)]
    return {name: table[name].to_numpy() for name in kept}


def column_names(place: Place) -> list[str]:
    """The columns of a file; InputError where it is damaged."""
    try:
        with place.open() as stream:
            return list(pq.read_schema(stream).names)
    except (OSError, pa.ArrowException):
        raise InputError(f"{place}: cannot be read; {run_again()} writes it anew") from None


def read_study(folder: Place, plugins: Iterable[str] = (), trust: Trust = Trust.NOTHING) -> Study:
    """The study that a folder holds the results of, with ``plugins`` and ``trust`` as ``Study.load`` takes them: by default
    none of the code that it names may run.

    InputError where there is none.
    """
    place = folder / STUDY
    if not place.is_file():
        raise InputError(f"{folder}: holds no results (no study.toml); give the folder of a run")
    try:
        text = place.read_text()
    except (OSError, ValueError):
        raise InputError(f"{place}: cannot be read; give the folder of a run") from None
    return Study.from_toml(text, str(place), plugins=plugins, folder=folder.local, trust=trust)


def is_whole(place: Place, footer: dict[str, Any]) -> bool:
    """Whether a chunk's file is there with exactly the episodes of ``footer``, by its own footer.

    RefusedError where it is of another study, or was made from other inputs.
    """
    if not place.is_file():
        return False
    try:
        found = read_footer(place)
    except InputError:
        return False  # damaged: computed again
    require_identity(place, found, footer["identity"])
    require_inputs(place, found, footer["inputs"])
    # By other kernels, or not signed as it would be now: computed again, so that no two kinds of rows are mixed.
    return all(found.get(key) == footer[key] for key in footer if key != "versions")


def require_identity(place: Place, footer: dict[str, Any], identity: str) -> None:
    """RefusedError where a file is of another study."""
    if footer["identity"] != identity:
        raise RefusedError(
            f"{place}: belongs to another study ({footer['identity'][:12]}); use another {option('out')}, "
            f"or {option('overwrite')}"
        )


def require_inputs(place: Place, footer: dict[str, Any], inputs: dict[str, str]) -> None:
    """RefusedError where a file of results was made from other input files than there are now."""
    then = footer["inputs"]
    for name, digest in inputs.items():
        if then.get(name, digest) != digest:
            raise RefusedError(
                f"{name}: has changed since {place} was made from it; put it back, or use another {option('out')}"
            )

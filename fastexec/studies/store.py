"""Files that are whole or not there: written under a temporary name, synced, renamed; a file's presence is its commit."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fastexec import columns
from fastexec.errors import FastexecError, InputError, RefusedError
from fastexec.studies.provenance import KEY, encode

TABLES = ("markets", "episodes", "steps")
_ROW_GROUP = 1 << 18


def part_name(first: int) -> str:
    """The file of the chunk that starts with an episode."""
    return f"part-{first:012d}.parquet"


def write_table(path: Path, table: pa.Table, footer: dict[str, Any]) -> None:
    """Write a Parquet file as a whole, signed; FastexecError where it cannot be written, and then no half of it stays.

    Text columns are dictionaries, all others plain with zstd 1: a dictionary on each column costs half the speed.
    """
    signed = table.replace_schema_metadata({KEY: encode(footer)})
    texts = [field.name for field in table.schema if pa.types.is_dictionary(field.type)]
    floats = [field.name for field in table.schema if pa.types.is_floating(field.type)]
    with _committed(path) as temporary:
        # An exception inside a ParquetWriter closes it and leaves a valid short file: only the rename below commits.
        pq.write_table(
            signed,
            temporary,
            row_group_size=_ROW_GROUP,
            use_dictionary=texts,
            column_encoding=dict.fromkeys(floats, "BYTE_STREAM_SPLIT"),
            compression="zstd",
            compression_level=1,
            write_page_checksum=True,
            store_schema=True,
        )


def write_plain(path: Path, table: pa.Table) -> None:
    """Write a table that brings its own metadata, as a whole."""
    with _committed(path) as temporary:
        pq.write_table(table, temporary, compression="zstd", store_schema=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file as a whole."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, data: bytes) -> None:
    """Write any file as a whole."""
    with _committed(path) as temporary:
        temporary.write_bytes(data)


@contextlib.contextmanager
def _committed(path: Path) -> Iterator[Path]:
    """A temporary path (its name ends in .tmp, which no glob for .parquet sees); renamed to ``path`` on success."""
    temporary = path.with_name(f"{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _sync(temporary)
        os.replace(temporary, path)
        _sync(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):  # the disk is full or gone; the error below says so
            temporary.unlink(missing_ok=True)
        raise FastexecError(
            f"{path}: cannot be written ({error.strerror or error}); free room or choose another --out"
        ) from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_footer(path: Path) -> dict[str, Any]:
    """The footer of one of our files; InputError where it is damaged or not ours."""
    try:
        metadata = pq.read_metadata(path).metadata or {}
        return dict(json.loads(metadata[KEY]))
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        reason = "it carries no fastexec footer" if isinstance(error, KeyError) else "damaged or no Parquet file"
        raise InputError(f"{path}: cannot be read ({reason}); --resume writes it anew") from None


def read_table(path: Path, names: list[str] | None = None) -> pa.Table:
    """A file, whole or some of its columns; InputError where it is damaged."""
    try:
        return pq.ParquetFile(path, page_checksum_verification=True).read(names)
    except FileNotFoundError:
        raise InputError(f"{path}: is missing; --resume writes it anew") from None
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path}: cannot be read ({str(error).splitlines()[0]}); --resume writes it anew") from None


def read_columns(path: Path, names: list[str] | None = None) -> dict[str, np.ndarray]:
    """A part's columns (all, or ``names``) as the engine gave them, without the text columns; null is NaN again."""
    table = read_table(path, names)
    kept = [field.name for field in table.schema if not pa.types.is_dictionary(field.type)]
    return {name: table[name].to_numpy() for name in kept}


def is_whole(path: Path, identity: str, first: int, count: int) -> bool:
    """Whether a chunk's file is there with exactly its episodes; RefusedError where it is of another study."""
    if not path.exists():
        return False
    try:
        footer = read_footer(path)
    except InputError:
        return False  # damaged: computed again
    if footer["identity"] != identity:
        raise RefusedError(
            f"{path}: belongs to another study ({footer['identity'][:12]}); use another --out, or --overwrite"
        )
    return bool(footer["first_episode"] == first and footer["episodes"] == count)


def is_damaged(path: Path) -> bool:
    """Whether a summary or comparison is missing, unreadable or not of our columns."""
    try:
        return set(read_table(path).schema.names) != {column.name for column in columns.TABLES[path.stem]}
    except InputError:
        return True


def require_inputs(path: Path, inputs: dict[str, str]) -> None:
    """RefusedError where a file of results was made from other input files than there are now."""
    try:
        then = read_footer(path)["inputs"]
    except InputError:
        return  # damaged, and made anew before anybody reads it
    for name, digest in inputs.items():
        if then.get(name, digest) != digest:
            raise RefusedError(f"{name}: has changed since {path} was made from it; put it back, or use another --out")


def episodes_held(folder: Path) -> int:
    """Episodes up to the last one that a finished part or the comparison covers."""
    found = 0
    for path in [*(folder / "markets").glob("part-*.parquet"), folder / "comparison.parquet"]:
        try:
            footer = read_footer(path)
        except InputError:
            continue
        found = max(found, footer["first_episode"] + footer["episodes"])
    return found


def sweep(folder: Path) -> None:
    """Remove what an interrupted run left half-written."""
    for leftover in [*folder.glob("*.tmp"), *folder.glob("*/*.tmp")]:
        leftover.unlink()


def remove_results(folder: Path) -> None:
    """Remove a run's own files, and nothing else that may lie in the folder."""
    for table in TABLES:
        for part in (folder / table).glob("part-*.parquet"):
            part.unlink()
        with contextlib.suppress(OSError):  # not empty: somebody keeps files of his own there
            (folder / table).rmdir()
    for agent in (folder / "agents").glob("*.parquet"):
        agent.unlink()
    for name in ("study.toml", "run.json", "summary.parquet", "comparison.parquet"):
        (folder / name).unlink(missing_ok=True)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold ``folder/.lock``; RefusedError where another process writes there."""
    import fcntl

    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / ".lock", os.O_CREAT | os.O_RDWR, 0o644)
    except OSError as error:
        raise FastexecError(f"{folder}: cannot be written ({error.strerror}); choose another --out") from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RefusedError(f"{folder}: another run writes there; wait for it or choose another --out") from None
        yield
    finally:
        os.close(handle)

"""``manifest.parquet``: SHA-256, size and rows of every file that a run left, so that no change to one goes unseen.

It is written last, and signs itself: its footer holds the SHA-256 of the whole file, taken with zeros in that place.
Nothing in the results depends on it, as on ``run.json``.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fastexec.columns import build, schema
from fastexec.errors import FastexecError, InputError, run_again
from fastexec.place import Place
from fastexec.runs.layout import MANIFEST, STUDY, is_own_path, kind_of

NAME = MANIFEST
_KEY = b"fastexec.manifest"
_SEAL = b"fastexec.seal"
_OPEN = b"0" * 64
_KINDS = {"identity": str, "first_episode": int, "episodes": int, "complete": bool}


_DIGEST = re.compile(r"[0-9a-f]{64}")
_MOST = 2**53
#: A file that would take more memory than this, and so many times its own size, holds no results but a trap.
_LARGE, _SWOLLEN = 1 << 28, 1_000


class Entry(NamedTuple):
    """What a file is known by; ``rows``: of a Parquet file."""

    sha256: str
    size: int
    rows: int | None


Files = dict[str, Entry]  # by path within the folder


@dataclass(frozen=True)
class Manifest:
    """``files`` of the study ``identity``, for ``episodes`` from ``first`` on; ``complete``: all that belong to them.

    One that is not complete says what an extended or resumed run may still rely on.
    """

    identity: str
    first: int
    episodes: int
    complete: bool
    files: Files


def entry_of(data: pa.Buffer | bytes, rows: int | None = None) -> Entry:
    """What a file of these bytes is known by."""
    return Entry(hashlib.sha256(memoryview(data)).hexdigest(), len(data), rows)


def write(folder: Place, manifest: Manifest) -> None:
    """Write the manifest, sealed."""
    files = sorted(manifest.files.items())
    digests, sizes, rows = ([entry[j] for _, entry in files] for j in range(3))
    columns = {"file": [name for name, _ in files], "sha256": digests, "bytes": np.array(sizes, np.int64), "rows": rows}
    table = build("manifest", columns)
    said = {
        "identity": manifest.identity,
        "first_episode": manifest.first,
        "episodes": manifest.episodes,
        "complete": manifest.complete,
    }
    stream = pa.BufferOutputStream()
    with pq.ParquetWriter(stream, table.schema, compression="zstd", write_page_checksum=True) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({_KEY: json.dumps(said, sort_keys=True).encode(), _SEAL: _OPEN})
    data = stream.getvalue().to_pybytes()
    (folder / NAME).write(data.replace(_OPEN, _seal(data), 1) if data.count(_OPEN) == 1 else data)


def _seal(opened: bytes) -> bytes:
    return hashlib.sha256(opened).hexdigest().encode()


def read(folder: Place) -> Manifest | None:
    """The manifest of a folder, None where there is none; InputError where it is damaged or none of ours."""
    place = folder / NAME
    try:
        with place.open() as stream:
            data = bytes(stream.read())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"{place}: cannot be read ({error.strerror or error})") from None
    try:
        return _read(data)
    except (pa.ArrowException, OSError, MemoryError, KeyError, TypeError, ValueError, AttributeError, RecursionError):
        raise InputError(f"{place}: is damaged, or no manifest; {run_again()} writes it anew") from None


def _read(data: bytes) -> Manifest:
    metadata = pq.read_metadata(pa.BufferReader(data)).metadata
    seal = metadata[_SEAL]
    if data.count(seal) != 1 or _seal(data.replace(seal, _OPEN)) != seal:
        raise ValueError("it is not as it was written")
    said = json.loads(metadata[_KEY])
    if not all(type(said[key]) is kind for key, kind in _KINDS.items()):
        raise TypeError("no manifest")
    file = pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True)
    if not file.schema_arrow.equals(schema("manifest")) or swollen(file.metadata, len(data)):
        raise KeyError("no manifest")
    table = file.read(use_threads=False)  # a thread that begins as the process ends aborts it: 1 of 40 `status`
    table.validate(full=True)
    rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
    files = {name: Entry(sha256, size, count) for name, sha256, size, count in rows}
    fine = all(
        is_own_path(name) and _DIGEST.fullmatch(entry.sha256) and entry.size >= 0 for name, entry in files.items()
    )
    if not (fine and 0 <= said["first_episode"] <= _MOST and 0 <= said["episodes"] <= _MOST):
        raise ValueError("no manifest")
    return Manifest(said["identity"], said["first_episode"], said["episodes"], said["complete"], files)


def swollen(metadata: pq.FileMetaData, size: int) -> str | None:
    """What is wrong with a Parquet file of ``size`` bytes that says it holds far more than these can."""
    groups = [metadata.row_group(j) for j in range(metadata.num_row_groups)]
    if sum(group.num_rows for group in groups) != metadata.num_rows:
        return "its row groups do not add up"
    values = sum(group.column(j).num_values for group in groups for j in range(group.num_columns))
    cells = 8 * max(values, metadata.num_rows * metadata.num_columns)
    if cells > _LARGE and cells > _SWOLLEN * size:
        return f"it says that {size:,} bytes hold {metadata.num_rows:,} rows of {values:,} values"
    return None


def read_or_none(folder: Place) -> Manifest | None:
    """As ``read``; a damaged one counts as none, for those who write it anew."""
    try:
        return read(folder)
    except InputError:
        return None


def of_complete(folder: Place) -> Manifest:
    """The manifest of a complete run; InputError where the folder holds none."""
    found = read(folder)
    if found is None or not found.complete:
        raise InputError(f"{folder}: its run is not complete; finish it with {run_again(folder)}")
    return found


def change_of(place: Place, entry: Entry) -> str | None:
    """What is wrong with a file, None if it is as it was written."""
    try:
        with place.open() as stream:
            if stream.size() != entry.size:
                return f"{place}: has {stream.size():,} bytes where the manifest says {entry.size:,}"
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        return f"{place}: is missing"
    except (OSError, FastexecError) as error:
        return f"{place}: cannot be read ({str(error).splitlines()[0]})"
    return None if digest == entry.sha256 else f"{place}: has changed since it was written (SHA-256)"


def all_there(folder: Place, files: Mapping[str, Entry]) -> bool:
    """Whether files are there and of their size; on an object store, where each costs a request, they are taken to be."""
    if folder.local is None:
        return True
    root = folder.local
    return all((root / name).is_file() and (root / name).stat().st_size == entry.size for name, entry in files.items())


def changes(folder: Place, files: Mapping[str, Entry]) -> list[str]:
    """What is wrong with files, a line each; hashed on all processors."""
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        found = pool.map(change_of, [folder / name for name in files], files.values())
        return [line for line in found if line is not None]


def require_unchanged(folder: Place, kinds: Iterable[str]) -> Manifest:
    """A complete run, and InputError where a file of these kinds (study.toml, summary, markets ...) is not as it was
    written. On an object store, where reading twice is dear, only ``verify`` looks.
    """
    found, wanted = of_complete(folder), set(kinds)
    if folder.local is not None:
        concerned = {name: entry for name, entry in found.files.items() if kind_of(name) in wanted}
        for line in changes(folder, concerned):
            raise InputError(f"{line}; {_mend(folder, line)}")
    return found


def _mend(folder: Place, line: str) -> str:
    """What to do about a file that is not as it was written."""
    if line.startswith((f"{folder / STUDY}:", f"{folder / 'agents'}/")):
        return "put it back"  # nothing tells what it was
    return f"{run_again(folder)} computes it anew"

"""How a run is cut: episodes a chunk and chunks in flight, within a bound on memory."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from fastexec.errors import InputError, RefusedError
from fastexec.kernels.fields import COUNT_COLUMNS, EPISODE_COLUMNS, MARKET_COLUMNS
from fastexec.simulation import Prepared

_ROWS_A_CHUNK = 200_000
_LARGEST, _SMALLEST, MOST = 32_768, 1_024, 1_000_000
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]i?)?b?\s*", re.IGNORECASE)
#: Bytes of the process before any chunk: interpreter, compiled kernels, Arrow.
BASE = 260 * 2**20
#: A chunk's rows exist as the engine's columns, as the summary's, as an Arrow table and as the bytes of its file.
_COPIES = 3


@dataclass(frozen=True)
class Cut:
    """``chunk``: episodes a file; ``flying``: chunks being worked on or waiting for their turn in the summary."""

    chunk: int
    flying: int


def bytes_of(text: str) -> int:
    """``2GB``, ``500 MiB``, ``1.5g`` or a number of bytes; InputError where it is no size."""
    found = _SIZE.fullmatch(text)
    if found is None or float(found[1]) == 0.0:
        raise InputError(f"--max-memory {text}: is no size; write for example 2GB or 500MiB")
    return int(float(found[1]) * _UNITS[(found[2] or "").lower()])


def cut(studies: Sequence[Prepared], threads: int, chunk: int | None, most_memory: str | None) -> Cut:
    """Chunk size and chunks in flight; ``chunk``: the size is given, or is the folder's.

    Raises InputError where not even one chunk fits into the memory allowed.
    """
    if chunk is not None and chunk > MOST:
        raise InputError(f"--chunk {chunk}: at most {MOST} episodes, which stay in memory as long as a chunk runs")
    size, flying = chunk or default_chunk(studies), threads + 1
    if most_memory is None:
        return Cut(size, flying)
    room, each = bytes_of(most_memory) - BASE, max(bytes_an_episode(prepared) for prepared in studies)
    while chunk is None and size > _SMALLEST and size * each * flying > room:
        size //= 2
    flying = min(flying, room // (size * each))
    if flying < 1:
        raise InputError(
            f"--max-memory {most_memory}: this study needs at least {-(-(BASE + size * each) // 10**6)} MB"
            + (f" with chunks of {size} episodes" if chunk is not None else "")
        )
    return Cut(size, flying)


def default_chunk(studies: Sequence[Prepared]) -> int:
    """Episodes a file: about 200,000 rows, a power of two between 1,024 and 32,768."""
    chunk, strategies = _LARGEST, max(len(prepared.strategies) for prepared in studies)
    while chunk > _SMALLEST and chunk * strategies > _ROWS_A_CHUNK:
        chunk //= 2
    return chunk


def bytes_an_episode(prepared: Prepared) -> int:
    """Memory that an episode of a chunk takes while the chunk is worked on."""
    row = 8 * len(EPISODE_COLUMNS) + 4 * len(COUNT_COLUMNS)
    return _COPIES * (len(prepared.strategies) * row + 8 * (len(MARKET_COLUMNS) + len(prepared.drawn)))


def require_same(chunk: int | None, held: int, folder: object) -> None:
    """RefusedError where a folder has chunks of another size than the one asked for."""
    if chunk is not None and chunk != held:
        raise RefusedError(f"--chunk {chunk}: the folder {folder} has chunks of {held}; leave --chunk out")

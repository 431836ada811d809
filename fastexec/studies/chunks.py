"""How a run is cut: episodes a chunk and chunks in flight, within a bound on memory."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from fastexec.errors import InputError, RefusedError
from fastexec.kernels.fields import COUNT_COLUMNS, EPISODE_COLUMNS, MARKET_COLUMNS
from fastexec.kernels.summary import BINS
from fastexec.simulation import Prepared
from fastexec.studies.moments import COLUMNS, LEAF, SKETCHED
from fastexec.studies.options import RunOptions

_ROWS_A_CHUNK = 200_000
_LARGEST, _SMALLEST, MOST = 32_768, 1_024, 1_000_000
_LARGEST_SUMMARY, _STEPS_A_SUMMARY = 1 << 18, 1 << 27  # episodes; strategy-steps, half a second of one thread
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


def cut(studies: Sequence[Prepared], rows: str, how: RunOptions, slots: int, held: int | None) -> Cut:
    """Chunk size and chunks in flight; ``rows``: all | none; ``slots``: chunks at once; ``held``: the chunk size of the folder.

    Raises InputError where not even one chunk fits into the memory allowed.
    """
    given = held or how.chunk
    if given is not None and given > MOST:
        raise InputError(f"--chunk {given}: at most {MOST} episodes, which stay in memory as long as a chunk runs")
    if rows == "none":
        return _cut_summaries(studies, how.max_memory, slots, given)
    size, flying = given or default_chunk(studies), slots + 1
    if how.max_memory is None:
        return Cut(size, flying)
    room, each = bytes_of(how.max_memory) - BASE, max(bytes_an_episode(prepared) for prepared in studies)
    while given is None and size > _SMALLEST and size * each * flying > room:
        size //= 2
    flying = min(flying, room // (size * each))
    if flying < 1:
        raise InputError(
            f"--max-memory {how.max_memory}: this study needs at least {-(-(BASE + size * each) // 10**6)} MB"
            + (f" with chunks of {size} episodes" if given is not None else "")
        )
    return Cut(size, flying)


def _cut_summaries(studies: Sequence[Prepared], most_memory: str | None, slots: int, given: int | None) -> Cut:
    """Without rows a chunk holds one leaf of them at a time, whatever its size: it is as large as is still a short wait,
    and small enough that every thread has some.
    """
    k, steps = max(len(prepared.strategies) for prepared in studies), studies[0].study.order.steps
    episodes = max(prepared.episodes for prepared in studies)
    size = _LARGEST_SUMMARY
    while size > LEAF and (size * k * steps > _STEPS_A_SUMMARY or size * 4 * slots > episodes):
        size //= 2
    size, flying = given or size, 2 * slots
    if most_memory is not None:
        leaf = LEAF * max(bytes_an_episode(prepared) for prepared in studies)
        # A chunk's leaves wait in flight; its histogram is there while it runs, and the summary has one of its own.
        waiting = (size // LEAF + 2) * 8 * (4 * len(COLUMNS) * k + 5 * k * k)
        needed = BASE + slots * (leaf + 8 * SKETCHED * k * BINS) + flying * waiting
        if needed > bytes_of(most_memory):
            raise InputError(
                f"--max-memory {most_memory}: this study needs {-(-needed // 10**6)} MB on {slots} threads; use fewer"
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

"""How a run is cut: episodes a chunk and chunks begun at once, within a bound on memory."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from fastexec.errors import InputError, RefusedError, option
from fastexec.kernels.fields import COUNT_COLUMNS, EPISODE_COLUMNS, MARKET_COLUMNS
from fastexec.kernels.summary import BINS
from fastexec.runs.options import RunOptions
from fastexec.runs.scenario import Outline
from fastexec.statistics.moments import LEAF, MEANS

_ROWS_A_CHUNK = 200_000
_LARGEST, _SMALLEST, MOST = 32_768, 1_024, 1_000_000
_LARGEST_SUMMARY, _STEPS_A_SUMMARY = 1 << 20, 1 << 28  # episodes; strategy-steps, about a second of one thread
_BYTES_A_SUMMARY, _MOST_SUMMARY = 1 << 25, 1 << 24
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]i?)?b?\s*", re.IGNORECASE)
#: Bytes of the process before any chunk: interpreter, compiled kernels, Arrow.
BASE = 260 * 2**20
#: A chunk's rows exist as the engine's columns, as the summary's, as an Arrow table and as the bytes of its file.
_COPIES = 3


@dataclass(frozen=True)
class Cut:
    """``chunk``: episodes a file; ``begun``: chunks being worked on or waiting for their turn in the summary."""

    chunk: int
    begun: int


def bytes_of(text: str) -> int:
    """``2GB``, ``500 MiB``, ``1.5g`` or a number of bytes; InputError where it is no size."""
    found = _SIZE.fullmatch(text)
    if found is None or float(found[1]) == 0.0:
        raise InputError(f"{option('max-memory', text)}: is no size; write for example 2GB or 500MiB")
    return int(float(found[1]) * _UNITS[(found[2] or "").lower()])


def cut(studies: Sequence[Outline], rows: str, how: RunOptions, slots: int, held: int | None) -> Cut:
    """Chunk size and chunks begun at once; ``rows``: all | none; ``slots``: chunks at once; ``held``: the folder's chunk size.

    Raises InputError where not even one chunk fits into the memory allowed.
    """
    given, most = held or how.chunk, MOST if rows == "all" else _MOST_SUMMARY
    if given is not None and given > most:
        raise InputError(f"{option('chunk', given)}: at most {most} episodes, or nobody sees for long how far it is")
    if rows == "none":
        found = smallest = Cut(given or _summary_chunk(studies, slots), 2 * slots)
    else:
        found, smallest = Cut(given or default_chunk(studies), slots + 1), Cut(given or _SMALLEST, 1)
    if how.max_memory is None:
        return found
    room = bytes_of(how.max_memory)
    least = memory(studies, rows, slots, smallest)
    if least > room:
        raise InputError(
            f"{option('max-memory', how.max_memory)}: this study needs at least {-(-least // 10**6)} MB, with chunks of "
            f"{smallest.chunk} episodes and {slots} at once"
        )
    while memory(studies, rows, slots, found) > room:
        smaller = given is None and found.chunk > _SMALLEST
        found = Cut(found.chunk // 2, found.begun) if smaller else Cut(found.chunk, found.begun - 1)
    return found


def memory(studies: Sequence[Outline], rows: str, slots: int, cut: Cut) -> int:
    """Bytes that a run of such chunks takes, about."""
    each = max(bytes_an_episode(outline) for outline in studies)
    if rows == "all":
        return BASE + cut.begun * cut.chunk * each
    k = max(len(outline.strategies) for outline in studies)
    # A chunk holds a leaf of rows and its histogram while it runs, then its leaves' moments until their turn comes.
    costs = _costs(studies)
    return BASE + slots * (LEAF * each + 8 * costs * k * BINS) + cut.begun * cut.chunk // LEAF * _bytes_a_leaf(k, costs)


def _costs(studies: Sequence[Outline]) -> int:
    """The shortfall and its parts."""
    return 1 + max(len(outline.study.cost_columns) for outline in studies)


def _bytes_a_leaf(k: int, costs: int) -> int:
    return 8 * (4 * (costs + len(MEANS)) * k + 5 * k * k)


def _summary_chunk(studies: Sequence[Outline], slots: int) -> int:
    """Without rows a chunk's memory hardly grows with it: it is as large as is still a short wait, and small enough that
    every thread has some.
    """
    k, steps = max(len(outline.strategies) for outline in studies), studies[0].study.order.steps
    episodes = max(outline.episodes for outline in studies)
    size = _LARGEST_SUMMARY
    while size > LEAF and (
        size * k * steps > _STEPS_A_SUMMARY
        or size * 4 * slots > episodes
        or size // LEAF * _bytes_a_leaf(k, _costs(studies)) > _BYTES_A_SUMMARY
    ):
        size //= 2
    return size


def default_chunk(studies: Sequence[Outline]) -> int:
    """Episodes a file: about 200,000 rows, a power of two between 1,024 and 32,768."""
    chunk, strategies = _LARGEST, max(len(outline.strategies) for outline in studies)
    while chunk > _SMALLEST and chunk * strategies > _ROWS_A_CHUNK:
        chunk //= 2
    return chunk


def bytes_an_episode(outline: Outline) -> int:
    """Memory that an episode of a chunk takes while the chunk is worked on."""
    row = 8 * len(EPISODE_COLUMNS) + 4 * len(COUNT_COLUMNS)
    return _COPIES * (len(outline.strategies) * row + 8 * (len(MARKET_COLUMNS) + len(outline.drawn)))


def require_same(chunk: int | None, held: int, folder: object) -> None:
    """RefusedError where a folder has chunks of another size than the one asked for."""
    if chunk is not None and chunk != held:
        raise RefusedError(
            f"{option('chunk', chunk)}: the folder {folder} has chunks of {held}; leave {option('chunk')} out"
        )

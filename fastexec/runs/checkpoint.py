"""How far a summary has come, as a file: with it a run that writes no rows goes on after a crash, and shards are joined.

One row of lists, in ``moments/part-FIRST.parquet``; committed by its presence and signed like every file, with the
episodes that it covers.
"""

from __future__ import annotations

import contextlib
from dataclasses import fields
from typing import Any

import numpy as np
import pyarrow as pa

from fastexec.errors import InputError
from fastexec.kernels._sources import kernel_hash
from fastexec.place import Place
from fastexec.runs import store
from fastexec.runs.manifest import Entry, Files, change_of
from fastexec.runs.scenario import Scenario
from fastexec.statistics.moments import Moments
from fastexec.statistics.summary import SummaryAccumulator

TABLE = "moments"
_ARRAYS = [field.name for field in fields(Moments) if not field.init]


def save(summary: SummaryAccumulator, scenario: Scenario, folder: Place) -> Files:
    """Write what a summary holds, in place of what it held before."""
    footer = scenario.sign(TABLE, summary.first, summary.end - summary.first)
    name = scenario.file(TABLE, summary.first)
    return {name: store.write_table(folder / name, _table(summary), footer)}


def resume(summary: SummaryAccumulator, scenario: Scenario, folder: Place, end: int, known: Entry | None) -> None:
    """``restore`` for a run that goes on: not what other kernels made, nor what is not as it is ``known`` to be."""
    place = scenario.part(folder, TABLE, summary.first)
    try:
        footer = store.read_footer(place)
    except InputError:
        return
    store.require_identity(place, footer, scenario.study.identity())
    if footer["kernels"] == kernel_hash() and (known is None or change_of(place, known) is None):
        restore(summary, scenario, folder, end)


def restore(summary: SummaryAccumulator, scenario: Scenario, folder: Place, end: int) -> None:
    """Fill an empty summary with what its file holds; nothing where there is none, it goes beyond the episode ``end``, or
    it is damaged: computed again.

    Raises RefusedError where the file is of another study, or of other inputs.
    """
    place = scenario.part(folder, TABLE, summary.first)
    if not place.is_file():
        return
    try:
        footer, table = store.read_footer(place), store.read_table(place)
    except InputError:
        return
    store.require_identity(place, footer, scenario.study.identity())
    store.require_inputs(place, footer, scenario.outline.inputs)
    if footer["first_episode"] == summary.first and 0 < footer["episodes"] <= end - summary.first:
        with contextlib.suppress(KeyError, ValueError, TypeError, IndexError, AttributeError):  # not of our columns
            _fill(summary, table, footer["episodes"])


def _table(summary: SummaryAccumulator) -> pa.Table:
    pieces = [summary.total, summary.node, *summary.kept]
    flat = summary.bins.ravel()
    places = np.flatnonzero(flat)
    days = sorted(summary.days)
    lists: dict[str, Any] = {"piece_count": np.array([piece.count for piece in pieces])}
    lists |= {name: np.concatenate([getattr(piece, name).ravel() for piece in pieces]) for name in _ARRAYS}
    lists |= {"pending": summary.pending.ravel(), "bin_place": places, "bin_count": flat[places]}
    lists |= {"tallies": summary.tallies.ravel(), "per_step": np.array([summary.per_step], np.int64)}
    lists |= {"day": np.array(days, np.int64), "day_count": np.array([summary.days[day][0] for day in days], np.int64)}
    lists["day_sum"] = np.array([summary.days[day][1] for day in days], np.float64).ravel()
    return pa.table({name: pa.array([values]) for name, values in lists.items()})


def _fill(summary: SummaryAccumulator, table: pa.Table, episodes: int) -> None:
    """Everything is read before anything is taken over."""
    k, held = len(summary.strategies), {name: table[name][0].values.to_numpy() for name in table.column_names}
    pieces = [summary.no_moments(count) for count in held["piece_count"].tolist()]
    for name in _ARRAYS:
        values = held[name].reshape(len(pieces), *getattr(summary.total, name).shape)
        for piece, own in zip(pieces, values, strict=True):
            setattr(piece, name, own.copy())
    total, node, *kept = pieces
    pending = held["pending"].reshape(len(summary.pending), -1).copy()
    if sum(piece.count for piece in pieces) + pending.shape[1] // k != episodes:
        raise ValueError("not of as many episodes as its footer says")
    bins = np.zeros_like(summary.bins)
    bins.ravel()[held["bin_place"]] = held["bin_count"]
    sums, per_step = held["day_sum"].reshape(-1, k), bool(held["per_step"][0])
    days = {
        day: (count, total.copy())
        for day, count, total in zip(held["day"].tolist(), held["day_count"].tolist(), sums, strict=True)
    }
    tallies = held["tallies"].reshape(summary.tallies.shape).copy()
    summary.total, summary.node, summary.kept, summary.pending = total, node, kept, pending
    summary.bins, summary.tallies, summary.days, summary.per_step = bins, tallies, days, per_step
    summary.end = summary.first + episodes

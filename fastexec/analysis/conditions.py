"""Results by market condition: a summary for each group of episodes, from the rows of results, stored or in memory."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastexec.analysis.rows import Rows
from fastexec.errors import InputError, option
from fastexec.planning.parameters import ranges
from fastexec.results import Results
from fastexec.statistics.metrics import SHORTFALL, Metric, Scores
from fastexec.statistics.moments import costs_in, summarise
from fastexec.statistics.summary import SummaryAccumulator
from fastexec.studies.study import Study
from fastexec.wording import did_you_mean

if TYPE_CHECKING:
    import pyarrow as pa

_AT_ARRIVAL = ("side", "order_shares", "arrival_price", "arrival_spread_bps")
_MOST_GROUPS = 32
_SAMPLE = 1_000_000


def conditioned(
    parts: list[Rows], study: Study, by: str | None, summary: pa.Table, metric: Metric = SHORTFALL
) -> dict[str, Conditioned]:
    """A summary of each group of a study's episodes, one of the ``parts`` in memory at a time; ``summary``: that of all.

    by: ``COLUMN`` or ``COLUMN:N`` of the markets table; None: all are one group, named "". metric: what stands in place of
    the shortfall. Raises InputError where there is no such column.
    """
    if metric.kind != "shortfall" and study.costs.rule == "per_step":
        raise InputError(f"{option('metric', metric.name)}: the cost rule per_step has the mini-project's cost only")
    groups = _Groups([""], None, lambda x: np.zeros(len(x), np.int64)) if by is None else _groups(parts, by)
    strategies, models = summary["strategy"].to_pylist(), summary["model"].to_pylist()
    source_days = _source_days(summary)
    found = [SummaryAccumulator(strategies, models, source_days, parts=study.cost_columns) for _ in groups.names]
    scores = [Scores(metric, len(strategies), int(summary["episodes"][0].as_py())) for _ in groups.names]
    if metric.kind in ("risk", "cvar95"):
        for g, chosen in _chosen(parts, groups):
            scores[g].look(chosen)
    for g, chosen in _chosen(parts, groups):
        found[g].add(summarise(found[g].end, chosen if metric.kind == "shortfall" else scores[g].of(chosen)))
    flags = summary["control_variate"].to_pylist()
    if groups.column is not None and not _known_at_arrival(study, groups.column):
        # Given what a path did later, its timing has no mean of zero any more.
        flags = [False] * len(flags)
    return {
        name: Conditioned(f.table([flag and not s.left_out for flag in flags]), s.left_out)
        for name, f, s in zip(groups.names, found, scores, strict=True)
        if f.end
    }


class Conditioned(NamedTuple):
    """A group's summary, and how many of its episodes have no score and are not in it."""

    summary: pa.Table
    left_out: int


class _Groups(NamedTuple):
    """Names, the column of markets that tells them apart, and which group each of its values is in."""

    names: list[str]
    column: str | None
    place: Callable[[np.ndarray], np.ndarray]


def _groups(parts: list[Rows], by: str) -> _Groups:
    column, _, count = by.partition(":")
    _require_column(parts[0], column, by)
    names, place = _grouping(parts, column, count, by)
    return _Groups(names, column, place)


def _chosen(parts: list[Rows], groups: _Groups) -> Iterator[tuple[int, Results]]:
    """(group, its episodes), part by part."""
    for part in parts:
        results = part.results()
        values = results.markets["episode"] if groups.column is None else part.values(groups.column)
        place = groups.place(values)
        for g in np.unique(place).tolist():
            yield g, _selected(results, place == g)


def _known_at_arrival(study: Study, column: str) -> bool:
    return column in _AT_ARRIVAL or column in ranges(study)[2]


def _source_days(summary: pa.Table) -> list[int]:
    """The days behind bootstrapped episodes."""
    row = summary.select(["day_ids", "day_episodes"]).to_pylist()[0]
    return row["day_ids"] if row["day_ids"] and row["day_episodes"] is None else []


def _selected(results: Results, mask: np.ndarray) -> Results:
    rows = np.repeat(mask, len(results.strategies))
    needed = [
        *costs_in(results),
        "arrival_price",
        "filled_shares",
        "completion",
        "vwap_slippage_bps",
        *(name for name in ("program_cost", "states_met", "states_unseen") if name in results.episodes),
    ]
    return Results(
        results.strategies,
        {name: values[mask] for name, values in results.markets.items()},
        {name: results.episodes[name][rows] for name in needed},
    )


def _require_column(part: Rows, column: str, by: str) -> None:
    known = part.columns()
    if column not in known:
        hint = did_you_mean(column, known, "markets has")
        raise InputError(f"{option('by', by)}: markets has no column {column!r}; {hint}")


def _grouping(
    parts: list[Rows], column: str, groups: str, by: str
) -> tuple[list[str], Callable[[np.ndarray], np.ndarray]]:
    """Names of the groups, and which group each value is in."""
    if groups:
        if re.fullmatch("[0-9]{1,2}", groups) is None or not 2 <= int(groups) <= _MOST_GROUPS:
            raise InputError(f"{option('by', by)}: behind the colon stands the number of groups, 2 to {_MOST_GROUPS}")
        return _quantile_groups(parts, column, int(groups), by)
    distinct: set[Any] = set()
    for part in parts:
        distinct |= set(np.unique(part.values(column)).tolist())
        if len(distinct) > _MOST_GROUPS:
            raise InputError(
                f"{option('by', by)}: more than {_MOST_GROUPS} different values; write {column}:4 for four quantile groups"
            )
    levels = np.array(sorted(distinct))
    return [f"{column} = {_short(level)}" for level in levels.tolist()], lambda x: np.searchsorted(levels, x)


def _quantile_groups(
    parts: list[Rows], column: str, count: int, by: str
) -> tuple[list[str], Callable[[np.ndarray], np.ndarray]]:
    counts = [part.count() for part in parts]
    stride, ends = -(-sum(counts) // _SAMPLE), np.add.accumulate(counts)
    # The same episodes however they are cut into parts.
    starts = [(count - int(end)) % stride for count, end in zip(counts, ends, strict=True)]
    sample = np.concatenate([part.values(column)[at::stride] for part, at in zip(parts, starts, strict=True)])
    if sample.dtype.kind not in "iuf":
        raise InputError(f"{option('by', by)}: {column} is no number; write {option('by', column)}")
    edges = np.unique(np.quantile(sample[np.isfinite(sample)], np.arange(1, count) / count))
    shown = [_short(edge) for edge in edges.tolist()]
    names = [f"{column} <= {shown[0]}"]
    names += [f"{low} < {column} <= {high}" for low, high in zip(shown, shown[1:], strict=False)]
    return [*names, f"{column} > {shown[-1]}"], lambda x: np.searchsorted(edges, x)


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)

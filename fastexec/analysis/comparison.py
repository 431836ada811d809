"""The paired comparison of finished results, from their Parquet files alone, whole or by market condition."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastexec.columns import repeated
from fastexec.errors import InputError
from fastexec.models.strategies import BlindTwin
from fastexec.planning.parameters import ranges
from fastexec.simulation import Results
from fastexec.studies import store
from fastexec.studies.moments import COLUMNS, summarise
from fastexec.studies.paired import (
    FEWEST_DAYS,
    baseline_number,
    compare_pair,
    comparison_table,
    default_baseline,
    from_summary,
)
from fastexec.studies.place import Place
from fastexec.studies.study import Study
from fastexec.studies.summary import SummaryAccumulator

if TYPE_CHECKING:
    import pyarrow as pa

CONTROLS = ("static_optimum", "random")
_AT_ARRIVAL = ("side", "order_shares", "arrival_price", "arrival_spread_bps")
_MOST_GROUPS = 32
_SAMPLE = 1_000_000


@dataclass(frozen=True)
class Comparison:
    """``table``: the `comparison` columns, a ``group`` column before them where there are conditions; ``summaries``: the
    summary of each group (one, named "", without conditions); ``notes``: what a reader must know.
    """

    table: pa.Table
    baseline: str
    summaries: dict[str, pa.Table]
    notes: list[str] = field(default_factory=list)


def compare(folder: str | Path | Place, *, baseline: str | None = None, by: str | None = None) -> Comparison:
    """Compare every strategy with a baseline on the same episodes.

    baseline: default the first TWAP, else the first strategy. by: ``COLUMN`` or ``COLUMN:N`` of the markets table: a
    comparison for each value (at most 32) or each of N quantile groups, whose edges come from at most 10^6 episodes.

    Raises InputError, one line, where the folder holds no complete results, or a name is not there.
    """
    place = Place.of(folder)
    study, summary = _open(place)
    strategies = [strategy.name for strategy in study.strategies]
    models = [strategy.model for strategy in study.strategies]
    baseline = baseline or default_baseline(strategies, models)
    baseline_number(strategies, baseline)
    flags = summary["control_variate"].to_pylist()
    if by is not None and not _known_at_arrival(study, by.partition(":")[0]):
        # Given what a path did later, its timing has no mean of zero any more.
        flags = [False] * len(flags)
    summaries = {"": summary} if by is None else _conditioned(place, study, by, flags)
    return Comparison(_tables(summaries, baseline), baseline, summaries, _notes(study, summaries))


def _known_at_arrival(study: Study, column: str) -> bool:
    return column in _AT_ARRIVAL or column in ranges(study)[2]


def _open(folder: Place) -> tuple[Study, pa.Table]:
    study, place = store.read_study(folder), folder / "summary.parquet"
    if not place.is_file():
        raise InputError(
            f"{folder}: its run is not complete; finish it with `fastexec run STUDY --out {folder} --resume`"
        )
    return study, store.read_table(place)


def _tables(summaries: dict[str, pa.Table], baseline: str) -> pa.Table:
    import pyarrow as pa

    tables = []
    for group, summary in summaries.items():
        table = comparison_table(from_summary(summary), baseline)
        if group:
            table = table.add_column(0, "group", repeated([group], np.zeros(len(table), np.int32)))
        tables.append(table)
    return pa.concat_tables(tables).unify_dictionaries()


def _conditioned(folder: Place, study: Study, by: str, flags: list[bool]) -> dict[str, pa.Table]:
    """A summary for each group of episodes, one part file in memory at a time."""
    parts = store.parts(store.home_of(folder, "markets"))
    if not parts:
        raise InputError(f"--by {by}: {folder} holds no rows (output.rows = none); run the study with rows = all")
    column, _, groups = by.partition(":")
    _require_column(parts[0], column, by)
    names, place = _grouping(parts, column, groups, by)
    strategies, models = [s.name for s in study.strategies], [s.model for s in study.strategies]
    source_days = _source_days(folder)
    found = [SummaryAccumulator(strategies, models, source_days) for _ in names]
    counts = [0] * len(names)
    for part in parts:
        markets = store.read_columns(part)
        results = Results(strategies, markets, store.read_columns(store.home_of(folder, "episodes") / part.name))
        groups_of = place(_values(part, column))
        for g in np.unique(groups_of).tolist():
            chosen = _selected(results, groups_of == g)
            found[g].add(summarise(counts[g], chosen))
            counts[g] += int((groups_of == g).sum())
    return {name: f.table(flags) for name, f, count in zip(names, found, counts, strict=True) if count}


def _source_days(folder: Place) -> list[int]:
    """The days behind bootstrapped episodes."""
    row = store.read_table(folder / "summary.parquet").select(["day_ids", "day_episodes"]).to_pylist()[0]
    return row["day_ids"] if row["day_ids"] and row["day_episodes"] is None else []


def _selected(results: Results, mask: np.ndarray) -> Results:
    rows = np.repeat(mask, len(results.strategies))
    needed = [*COLUMNS, "filled_shares", *(["program_cost"] if "program_cost" in results.episodes else [])]
    return Results(
        results.strategies,
        {name: values[mask] for name, values in results.markets.items()},
        {name: results.episodes[name][rows] for name in needed},
    )


def _require_column(part: Place, column: str, by: str) -> None:
    from difflib import get_close_matches

    known = store.column_names(part)
    if column not in known:
        near = get_close_matches(column, known, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"markets has {', '.join(known)}"
        raise InputError(f"--by {by}: markets has no column {column!r}; {hint}")


def _values(part: Place, column: str) -> np.ndarray:
    return np.asarray(store.read_table(part, [column])[column].to_numpy())


def _grouping(
    parts: list[Place], column: str, groups: str, by: str
) -> tuple[list[str], Callable[[np.ndarray], np.ndarray]]:
    """Names of the groups, and which group each value is in."""
    if groups:
        if not groups.isdigit() or not 2 <= int(groups) <= _MOST_GROUPS:
            raise InputError(f"--by {by}: behind the colon stands the number of groups, 2 to {_MOST_GROUPS}")
        return _quantile_groups(parts, column, int(groups), by)
    distinct: set[Any] = set()
    for part in parts:
        distinct |= set(np.unique(_values(part, column)).tolist())
        if len(distinct) > _MOST_GROUPS:
            raise InputError(
                f"--by {by}: more than {_MOST_GROUPS} different values; write {column}:4 for four quantile groups"
            )
    levels = np.array(sorted(distinct))
    return [f"{column} = {_short(level)}" for level in levels.tolist()], lambda x: np.searchsorted(levels, x)


def _quantile_groups(
    parts: list[Place], column: str, count: int, by: str
) -> tuple[list[str], Callable[[np.ndarray], np.ndarray]]:
    total = sum(store.read_footer(part)["episodes"] for part in parts)
    stride = -(-total // _SAMPLE)
    sample = np.concatenate([_values(part, column)[::stride] for part in parts])
    if sample.dtype.kind not in "iuf":
        raise InputError(f"--by {by}: {column} is no number; write --by {column}")
    edges = np.unique(np.quantile(sample[np.isfinite(sample)], np.arange(1, count) / count))
    shown = [_short(edge) for edge in edges.tolist()]
    names = [f"{column} <= {shown[0]}"]
    names += [f"{low} < {column} <= {high}" for low, high in zip(shown, shown[1:], strict=False)]
    return [*names, f"{column} > {shown[-1]}"], lambda x: np.searchsorted(edges, x)


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _notes(study: Study, summaries: dict[str, pa.Table]) -> list[str]:
    """What a reader must know before he believes the table."""
    notes = []
    if study.order.at_horizon == "leave":
        notes.append("at_horizon = leave: what was not traded costs nothing here, so look at completion first")
    if study.costs.rule == "per_step":
        notes.append(
            "rule per_step: not an execution cost (not multiplied by shares, charged until nothing is left); no interval"
        )
    rows = [
        row
        for summary in summaries.values()
        for row in summary.select(["strategy", "completion", "unfinished"]).to_pylist()
    ]
    partial = sorted({row["strategy"] for row in rows if row["completion"] < 0.9995 or row["unfinished"]})
    if partial:
        rule = "was left" if study.order.at_horizon == "leave" else "was completed or marked at the end, at a cost"
        notes.append(f"* did not finish by itself in every episode; the rest {rule}: {', '.join(partial)}")
    controls = [strategy.name for strategy in study.strategies if strategy.model in CONTROLS]
    if controls:
        notes.append("+ control: an adaptive policy must beat these, not only TWAP")
    notes += _day_notes(summaries)
    return notes + [line for group, summary in summaries.items() for line in _worth_of_adapting(study, group, summary)]


def _worth_of_adapting(study: Study, group: str, summary: pa.Table) -> list[str]:
    """What each agent saves over the best static schedule and over its own mean schedule played blind."""
    if study.costs.rule == "per_step":
        return []
    material, lines = from_summary(summary), []
    names = [strategy.name for strategy in study.strategies]
    for k, strategy in enumerate(study.strategies):
        if strategy.model != "qtable":
            continue
        found = []
        for b, other in enumerate(study.strategies):
            blind = isinstance(other, BlindTwin) and other.of == strategy.name
            if blind or other.model == "static_optimum":
                what = "its own mean schedule played blind" if blind else "the best static schedule"
                found.append(f"{_saving(compare_pair(material, k, b))} against {names[b]}, {what}")
        if found:
            lines.append(f"{group + ': ' if group else ''}{strategy.name}, what adapting is worth: {'; '.join(found)}")
    return lines


def _saving(row: Mapping[str, float]) -> str:
    """The sharper saving with its interval, in words where there is none."""
    kind = "_cv" if np.isfinite(row["saving_cv_bps"]) else ""
    saving, low, high = (row[f"{name}{kind}_bps"] for name in ("saving", "ci_low", "ci_high"))
    return f"{saving:+.3f} bps [{low:+.3f}, {high:+.3f}]" if np.isfinite(low) else f"{saving:+.3f} bps (no interval)"


def _day_notes(summaries: dict[str, pa.Table]) -> list[str]:
    days = [len(summary["day_ids"][0].as_py() or []) for summary in summaries.values()]
    if not any(days):
        return []
    if next(iter(summaries.values()))["day_episodes"][0].as_py() is None:
        return [f"conditional on these {days[0]} days, of whose blocks every episode is made: no interval is shown"]
    if min(days) < FEWEST_DAYS:
        return [
            f"conditional on these {min(days)} days: an interval needs at least {FEWEST_DAYS} (days are the clusters)"
        ]
    return [f"intervals over {min(days)} days (clusters), Student's t with {min(days) - 1} degrees of freedom"]


def verdict(row: dict[str, Any]) -> str:
    """cheaper, dearer, or no difference shown: by the interval (the one with the control variate where it is valid)."""
    low, high = row["ci_low_bps"], row["ci_high_bps"]
    if row["ci_low_cv_bps"] is not None:
        low, high = row["ci_low_cv_bps"], row["ci_high_cv_bps"]
    if low is None or high is None:
        return "no interval"
    if low > 0.0:
        return "cheaper"
    return "dearer" if high < 0.0 else "no difference shown"

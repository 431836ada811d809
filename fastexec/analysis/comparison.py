"""The paired comparison of finished results, from their Parquet files alone, whole or by market condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastexec.analysis.conditions import conditioned
from fastexec.columns import repeated
from fastexec.errors import InputError
from fastexec.models.strategies import BUILT_IN, strategy_class
from fastexec.studies import store
from fastexec.studies.manifest import require_unchanged
from fastexec.studies.paired import (
    FEWEST_DAYS,
    baseline_number,
    compare_pair,
    comparison_table,
    default_baseline,
    from_summary,
)
from fastexec.studies.place import Place
from fastexec.studies.study import Study, swept_studies
from fastexec.studies.summary_file import read_summary
from fastexec.studies.swept import scenario_named

if TYPE_CHECKING:
    import pyarrow as pa

CONTROLS = tuple(model for model in BUILT_IN if strategy_class(model).is_control)


@dataclass(frozen=True)
class Comparison:
    """``table``: the `comparison` columns, a ``group`` column before them where there are conditions, and before that a
    ``scenario`` column where the study has a sweep; ``summaries``: the summary behind each part of it, by its title (one,
    named "", without either); ``notes``: what a reader must know.
    """

    table: pa.Table
    baseline: str
    summaries: dict[str, pa.Table]
    notes: list[str] = field(default_factory=list)


def title_of(scenario: str | None, group: str | None) -> str:
    """What a part of a comparison is called: its scenario, its group, both or nothing."""
    return ": ".join(name for name in (scenario, group) if name)


def compare(
    folder: str | Path | Place, *, baseline: str | None = None, by: str | None = None, scenario: str | None = None
) -> Comparison:
    """Compare every strategy with a baseline on the same episodes, in every scenario of a sweep.

    baseline: default the first TWAP, else the first strategy. by: ``COLUMN`` or ``COLUMN:N`` of the markets table: a
    comparison for each value (at most 32) or each of N quantile groups, whose edges come from at most 10^6 episodes.
    scenario: that one alone, as if it had been run alone.

    Raises InputError, one line, where the folder holds no complete results, or a name is not there.
    """
    place = Place.of(folder)
    study, summary = _open(place, by)
    chosen = swept_studies(study) if scenario is None else [scenario_named(study, scenario)]
    baseline = baseline or default_baseline([s.name for s in study.strategies], [s.model for s in study.strategies])
    baseline_number([strategy.name for strategy in study.strategies], baseline)
    summaries = _by_scenario(summary)
    parts: list[_Part] = []
    for swept in chosen:
        if swept.name not in summaries:
            raise InputError(f"{place}: summary.parquet has no scenario {swept.name}; run the study with --resume")
        own = summaries[swept.name]
        groups = {"": own} if by is None else conditioned(place, swept, by, own)
        name = swept.name if scenario is None else None
        parts += [_Part(name, group, swept.study, found) for group, found in groups.items()]
    titled = {title_of(part.scenario, part.group): part.summary for part in parts}
    return Comparison(_tables(parts, baseline), baseline, titled, _notes(parts))


class _Part(NamedTuple):
    scenario: str | None
    group: str
    study: Study
    summary: pa.Table


def _by_scenario(summary: pa.Table) -> dict[str | None, pa.Table]:
    """The summary of each scenario, whose rows stand together."""
    if "scenario" not in summary.column_names:
        return {None: summary}
    names = summary["scenario"].to_pylist()
    starts = [j for j, name in enumerate(names) if j == 0 or name != names[j - 1]]
    rows = summary.drop_columns(["scenario"])
    return {names[a]: rows.slice(a, b - a) for a, b in zip(starts, [*starts[1:], len(names)], strict=True)}


def _open(folder: Place, by: str | None) -> tuple[Study, pa.Table]:
    """The study and its summary; InputError where the run is not complete, or a file that is read has changed since."""
    study = store.read_study(folder)
    known = require_unchanged(folder, ("study.toml", "summary", *(() if by is None else ("markets", "episodes"))))
    if known.identity != study.identity():
        raise InputError(
            f"{folder / 'study.toml'}: is not the study that the files beside it were made by; put it back"
        )
    return study, read_summary(folder, study)


def _tables(parts: Sequence[_Part], baseline: str) -> pa.Table:
    import pyarrow as pa

    tables = []
    for part in parts:
        table = comparison_table(from_summary(part.summary), baseline)
        for column, name in (("group", part.group), ("scenario", part.scenario)):
            if name:
                table = table.add_column(0, column, repeated([name], np.zeros(len(table), np.int32)))
        tables.append(table)
    return pa.concat_tables(tables).unify_dictionaries()


def _notes(parts: Sequence[_Part]) -> list[str]:
    """Cautions, and what adapting is worth to each agent."""
    notes = cautions([part.study for part in parts], [part.summary for part in parts])
    return notes + [line for part in parts for line in _worth_of_adapting(part)]


def cautions(studies: Sequence[Study], summaries: Sequence[pa.Table]) -> list[str]:
    """What a reader must know before he believes a table of these summaries, each of the study at its place."""
    notes, study = [], studies[0]
    if any(each.order.at_horizon == "leave" for each in studies):
        notes.append("at_horizon = leave: what was not traded costs nothing here, so look at completion first")
    if study.costs.rule == "per_step":
        notes.append(
            "rule per_step: not an execution cost (not multiplied by shares, charged until nothing is left); no interval"
        )
    rows = [
        row for summary in summaries for row in summary.select(["strategy", "completion", "unfinished"]).to_pylist()
    ]
    partial = sorted({row["strategy"] for row in rows if row["completion"] < 0.9995 or row["unfinished"]})
    if partial:
        rule = "was left" if study.order.at_horizon == "leave" else "was completed or marked at the end, at a cost"
        notes.append(f"* did not finish by itself in every episode; the rest {rule}: {', '.join(partial)}")
    controls = [strategy.name for strategy in study.strategies if strategy.is_control]
    if controls:
        notes.append("+ control: an adaptive policy must beat these, not only TWAP")
    return notes + _day_notes(list(summaries))


def _worth_of_adapting(part: _Part) -> list[str]:
    """What each agent saves over the best static schedule and over its own mean schedule played blind."""
    study, title = part.study, title_of(part.scenario, part.group)
    if study.costs.rule == "per_step":
        return []
    material, lines = from_summary(part.summary), []
    names = [strategy.name for strategy in study.strategies]
    for k, strategy in enumerate(study.strategies):
        if not strategy.is_agent:
            continue
        found = []
        for b, other in enumerate(study.strategies):
            if (what := other.measures(strategy.name)) is not None:
                found.append(f"{_saving(compare_pair(material, k, b))} against {names[b]}, {what}")
        if found:
            lines.append(f"{title + ': ' if title else ''}{strategy.name}, what adapting is worth: {'; '.join(found)}")
    return lines


def _saving(row: Mapping[str, float]) -> str:
    """The sharper saving with its interval, in words where there is none."""
    kind = "_cv" if np.isfinite(row["saving_cv_bps"]) else ""
    saving, low, high = (row[f"{name}{kind}_bps"] for name in ("saving", "ci_low", "ci_high"))
    return f"{saving:+.3f} bps [{low:+.3f}, {high:+.3f}]" if np.isfinite(low) else f"{saving:+.3f} bps (no interval)"


def _day_notes(summaries: list[pa.Table]) -> list[str]:
    days = [len(summary["day_ids"][0].as_py() or []) for summary in summaries]
    if not any(days):
        return []
    if summaries[0]["day_episodes"][0].as_py() is None:
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

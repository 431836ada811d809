"""The paired comparison of finished results, from their Parquet files alone, whole or by market condition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fastexec.analysis.cautions import Part, notes_of
from fastexec.analysis.conditions import Conditioned, conditioned
from fastexec.arguments import require_text
from fastexec.columns import repeated
from fastexec.errors import InputError, option
from fastexec.place import Place
from fastexec.runs import caveats, store
from fastexec.runs.manifest import require_unchanged
from fastexec.runs.summary_file import read_summary
from fastexec.runs.swept import scenario_named
from fastexec.statistics.metrics import SHORTFALL, Metric, material_of, metric_of
from fastexec.statistics.paired import baseline_number, comparison_table, default_baseline
from fastexec.statistics.verdict import NEGLIGIBLE, Judge, judge_of
from fastexec.studies.study import Study, swept_studies

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Comparison:
    """``table``: the `comparison` columns, a ``group`` column before them where there are conditions, and before that a
    ``scenario`` column where the study has a sweep; ``summaries``: the summary behind each part of it, by its title (one,
    named "", without either), and ``judges``: what may be said of its savings; ``notes``: what a reader must know;
    ``warnings``: what is doubtful about the study itself, as ``check`` says it.
    """

    table: pa.Table
    baseline: str
    summaries: dict[str, pa.Table]
    judges: dict[str, Judge]
    metric: Metric = SHORTFALL
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def compare(
    folder: str | Path | Place,
    *,
    baseline: str | None = None,
    by: str | None = None,
    scenario: str | None = None,
    metric: str = "shortfall",
    negligible: float = NEGLIGIBLE,
) -> Comparison:
    """Compare every strategy with a baseline on the same episodes, in every scenario of a sweep.

    baseline: default the first TWAP, else the first strategy. by: ``COLUMN`` or ``COLUMN:N`` of the markets table: a
    comparison for each value (at most 32) or each of N quantile groups, whose edges come from at most 10^6 episodes.
    scenario: that one alone, as if it had been run alone. metric: shortfall; vwap (the average price against the market's);
    risk:LAMBDA (E + LAMBDA Var of the cost in currency, LAMBDA in 1/currency); cvar95 (the mean of the worst 5 % of the
    shortfall); all but the first need the episodes' rows. negligible: bps; a saving that is significant and smaller is marked.

    Raises InputError, one line, where the folder holds no complete results, or a name is not there.
    """
    for name, value in (("baseline", baseline), ("by", by), ("scenario", scenario)):
        if value is not None:
            require_text(name, value)
    place, asked = Place.of(folder), metric_of(require_text("metric", metric))
    if not isinstance(negligible, Real) or not 0.0 <= negligible < np.inf:
        raise InputError(f"{option('negligible', negligible)}: must be a number of bps, at least 0")
    rows = by is not None or asked.kind != "shortfall"
    study, summary = _open(place, rows)
    chosen = swept_studies(study) if scenario is None else [scenario_named(study, scenario)]
    baseline = baseline or default_baseline([s.name for s in study.strategies], [s.model for s in study.strategies])
    baseline_number([strategy.name for strategy in study.strategies], baseline)
    summaries, footer = _by_scenario(summary), store.read_footer(place / "summary.parquet")
    parts: list[Part] = []
    for swept in chosen:
        if swept.name not in summaries:
            raise InputError(
                f"{place}: summary.parquet has no scenario {swept.name}; run the study with {option('resume')}"
            )
        own = summaries[swept.name]
        groups = conditioned(place, swept, by, own, asked) if rows else {"": Conditioned(own, 0)}
        name = swept.name if scenario is None else None
        parts += [Part(name, group, swept.study, *found) for group, found in groups.items()]
    return Comparison(
        table=_tables(parts, baseline, asked),
        baseline=baseline,
        summaries={part.title: part.summary for part in parts},
        judges={part.title: judge_of(part.summary, part.study.order.at_horizon, negligible) for part in parts},
        metric=asked,
        notes=notes_of(parts, asked),
        warnings=caveats.lines_of({swept.name: caveats.of_scenario(footer, swept.name) for swept in chosen}),
    )


def _by_scenario(summary: pa.Table) -> dict[str | None, pa.Table]:
    """The summary of each scenario, whose rows stand together."""
    if "scenario" not in summary.column_names:
        return {None: summary}
    names = summary["scenario"].to_pylist()
    starts = [j for j, name in enumerate(names) if j == 0 or name != names[j - 1]]
    rows = summary.drop_columns(["scenario"])
    return {names[a]: rows.slice(a, b - a) for a, b in zip(starts, [*starts[1:], len(names)], strict=True)}


def _open(folder: Place, rows: bool) -> tuple[Study, pa.Table]:
    """The study and its summary; InputError where the run is not complete, or a file that is read has changed since."""
    study = store.read_study(folder)
    known = require_unchanged(folder, ("study.toml", "summary", *(() if not rows else ("markets", "episodes"))))
    if known.identity != study.identity():
        raise InputError(
            f"{folder / 'study.toml'}: is not the study that the files beside it were made by; put it back"
        )
    return study, read_summary(folder, study)


def _tables(parts: Sequence[Part], baseline: str, metric: Metric) -> pa.Table:
    import pyarrow as pa

    tables = []
    for part in parts:
        table = comparison_table(material_of(part.summary, metric), baseline, metric.name)
        for column, name in (("group", part.group), ("scenario", part.scenario)):
            if name:
                table = table.add_column(0, column, repeated([name], np.zeros(len(table), np.int32)))
        tables.append(table)
    return pa.concat_tables(tables).unify_dictionaries()

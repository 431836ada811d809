"""The paired comparison of results, in memory or from their Parquet files alone, whole or by market condition."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fastexec.analysis.cautions import Part, notes_of
from fastexec.analysis.compared import Comparison as Comparison
from fastexec.analysis.conditions import Conditioned, conditioned
from fastexec.analysis.sources import Held, Source, Stored
from fastexec.arguments import require_path, require_text
from fastexec.columns import repeated
from fastexec.errors import InputError, option
from fastexec.place import Place
from fastexec.results import Results
from fastexec.runs import caveats
from fastexec.runs.job import StudyResult
from fastexec.statistics.metrics import Metric, material_of, metric_of
from fastexec.statistics.paired import baseline_number, comparison_table, default_baseline
from fastexec.statistics.verdict import NEGLIGIBLE, judge_of

if TYPE_CHECKING:
    import pyarrow as pa


def compare(
    results: Results | StudyResult | str | Path | Place,
    *,
    baseline: str | None = None,
    by: str | None = None,
    scenario: str | None = None,
    metric: str = "shortfall",
    negligible: float = NEGLIGIBLE,
) -> Comparison:
    """Compare every strategy with a baseline on the same episodes, in every scenario of a sweep.

    results: what ``simulate`` or ``run`` gave, or the folder of a run; the same figures from any of them, to the bit.
    baseline: default the first TWAP, else the first strategy. by: ``COLUMN`` or ``COLUMN:N`` of the markets table: a
    comparison for each value (at most 32) or each of N quantile groups, whose edges come from at most 10^6 episodes.
    scenario: that one alone, as if it had been run alone. metric: shortfall; vwap (the average price against the market's);
    risk:LAMBDA (E + LAMBDA Var of the cost in currency, LAMBDA in 1/currency); cvar95 (the mean of the worst 5 % of the
    shortfall); all but the first need the episodes' rows. negligible: bps; a saving that is significant and smaller is marked.

    Raises InputError, one line, where the folder holds no complete results, or a name is not there.

    >>> study = fx.Study.preset("large_cap").changed({"episodes": 2000})
    >>> found = fx.compare(fx.simulate(study), baseline="vwap", metric="cvar95")
    >>> found
    Comparison(baseline='vwap', 6 strategies by cvar95)
    >>> sorted(found.to_pandas().columns)[:3]
    ['baseline', 'baseline_completion', 'captured']
    """
    for name, value in (("baseline", baseline), ("by", by), ("scenario", scenario)):
        if value is not None:
            require_text(name, value)
    asked = metric_of(require_text("metric", metric))
    if not isinstance(negligible, Real) or not 0.0 <= negligible < np.inf:
        raise InputError(f"{option('negligible', negligible)}: must be a number of bps, at least 0")
    rows = by is not None or asked.kind != "shortfall"
    source = _source(results, rows)
    baseline = baseline or default_baseline(source.strategies, source.models)
    baseline_number(source.strategies, baseline)
    chosen, parts = source.scenarios(scenario), list[Part]()
    for swept in chosen:
        own = source.summary(swept)
        wanted = option("metric", asked.name) if by is None else option("by", by)
        groups = (
            conditioned(source.rows(swept, wanted), swept.study, by, own, asked) if rows else {"": Conditioned(own, 0)}
        )
        name = swept.name if scenario is None else None
        parts += [Part(name, group, swept.study, *found) for group, found in groups.items()]
    return Comparison(
        table=_tables(parts, baseline, asked),
        baseline=baseline,
        summaries={part.title: part.summary for part in parts},
        judges={part.title: judge_of(part.summary, part.study.order.at_horizon, negligible) for part in parts},
        metric=asked,
        notes=[*source.notes, *notes_of(parts, asked)],
        warnings=caveats.lines_of({swept.name: source.warnings(swept) for swept in chosen}),
        numerical=any(swept.study.optimum_is_numerical for swept in chosen),
    )


def _source(results: Results | StudyResult | str | Path | Place, rows: bool) -> Source:
    if isinstance(results, Results):
        return Held(results)
    if isinstance(results, StudyResult):
        return Stored(results.folder, rows)
    if not isinstance(results, Place):
        require_path("results", results)
    return Stored(Place.of(results), rows)


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

"""The report of a sweep: who was cheapest in which scenario, savings over the swept keys, cost against risk."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from fastexec.analysis.cautions import cautions
from fastexec.analysis.footnotes import sign_at
from fastexec.analysis.report.charts import Chart, Panel, absent
from fastexec.analysis.report.frontiers import frontier_charts
from fastexec.analysis.report.sections import Section
from fastexec.analysis.report.sentence import listed
from fastexec.analysis.report.sweep_material import SweepMaterial
from fastexec.analysis.report.sweep_views import Measure, Number, over_keys, short_key, values_of
from fastexec.analysis.report.top import Row, Top, cell, command_of, done_cell, facts_of, of_difference, scale_of
from fastexec.analysis.sweep_tables import RISKS, axes_of, shown
from fastexec.models.strategies import strategy_class
from fastexec.runs import store
from fastexec.statistics.paired import from_summary, printed_costs
from fastexec.wording import counted

if TYPE_CHECKING:
    import pyarrow as pa

_NO_PAGES = "Each scenario has a page of its own where they are asked for: fastexec report DIR --pages."
_MOST_COLUMNS = 4


def sweep_top(material: SweepMaterial) -> Top:
    """Who was cheapest where, and a table of all scenarios."""
    summaries = list(material.comparison.summaries.values())
    episodes = summaries[0]["episodes"][0].as_py()
    footer = store.read_footer(material.folder / "summary.parquet")
    keys = listed([key for key in material.scenarios.column_names[1:]])
    return Top(
        title=f"{material.study.name}: {counted(len(summaries), 'scenario')}",
        answer=_answer(material),
        lines=[] if material.pages else [_NO_PAGES],
        order=f"Swept: {keys}; {counted(episodes, 'episode')} in each scenario, on the same random numbers.",
        names=[*(short_key(key) for key in _columns(material)), "strategy"],
        headings=[
            ("cost", "bps"),
            ("sd", "bps"),
            ("worst 5 %", "bps"),
            ("saving", "bps"),
            ("from", "bps"),
            ("to", "bps"),
            ("done", "%"),
        ],
        intervals=True,
        against=material.baseline,
        rows=_rows(material),
        method="Within each scenario the intervals hold together, with 95 %, over all pairs of strategies (max-t).",
        warnings=material.comparison.warnings,
        cautions=cautions([scenario.study for scenario in material.study.scenarios()], summaries),
        facts=facts_of(material.study, footer),
        command=command_of(footer),
        table=material.comparison.table,
        study=material.study.to_toml(),
        pages=list(material.pages.items()),
    )


def sweep_sections(material: SweepMaterial) -> list[Section]:
    """Savings, costs and risks over the swept keys, and mean against risk where strategies differ in it."""
    charts = [_savings(material), _costs(material), *frontier_charts(material)]
    return [Section("sweep", "Over the scenarios", charts)]


def _answer(material: SweepMaterial) -> str:
    """In how many scenarios each strategy came out cheapest, and in how many that is shown against the baseline."""
    if len(material.strategies) == 1:
        return f"One strategy, {material.strategies[0]}: there is nothing to compare."
    best: Counter[str] = Counter()
    sure: Counter[str] = Counter()
    unfinished: set[str] = set()
    for name, summary in material.comparison.summaries.items():
        rows = summary.select(["strategy", "model", "shortfall_mean_bps"]).to_pylist()
        if any(row["shortfall_mean_bps"] is None for row in rows):
            return "No saving is claimed: under the cost rule per_step costs are the mini-project's own reckoning."
        pairs, judge = material.pairs[name], material.comparison.judges[name]
        unfinished |= set(judge.short)
        candidates = [
            row["strategy"]
            for row in rows
            if not strategy_class(row["model"]).is_exact_optimum and row["strategy"] not in judge.short
        ]
        if not candidates:
            continue
        saving = {s: pairs.against(material.baseline, s).saving if s != material.baseline else 0.0 for s in candidates}
        first = max(saving, key=lambda s: saving[s])
        best[first] += 1
        sure[first] += first != material.baseline and judge.verdict(pairs.against(material.baseline, first)).startswith(
            "cheaper"
        )
    total = len(material.comparison.summaries)
    told = [
        f"{name} in {count} of {total}"
        + ("" if name == material.baseline else f" (shown cheaper than {material.baseline} in {sure[name]})")
        for name, count in best.most_common()
    ]
    text = f"Cheapest: {listed(told)}." if told else "No strategy is called cheapest: none filled the order."
    if unfinished:
        text += f" Not called cheapest where they left part of the order untraded: {', '.join(sorted(unfinished))}."
    return text


def _columns(material: SweepMaterial) -> list[str]:
    """What tells scenarios apart in the table: the swept keys, or the names where there are many or a list."""
    keys = axes_of(material.scenarios)
    listed_ones = material.study.sweep is not None and bool(material.study.sweep.tied)
    return ["scenario"] if listed_ones or not 0 < len(keys) <= _MOST_COLUMNS else keys


def _rows(material: SweepMaterial) -> list[Row]:
    differences = [
        pairs.against(material.baseline, strategy)
        for pairs in material.pairs.values()
        for strategy in material.strategies
        if strategy != material.baseline
    ]
    at, found = scale_of(differences), []
    for scenario, summary in material.comparison.summaries.items():
        costs = printed_costs(from_summary(summary), material.strategies.index(material.baseline))
        for own, cost in zip(summary.to_pylist(), costs.tolist(), strict=True):
            name = own["strategy"]
            base = name == material.baseline
            told, drawn, verdict = of_difference(
                None if base else material.pairs[scenario].against(material.baseline, name),
                at,
                material.comparison.judges[scenario],
            )
            costs_ = cell(cost if np.isfinite(cost) else None, lambda x: f"{x:,.3f}")
            risks = [cell(own[column], lambda x: f"{x:,.2f}") for column in RISKS.values()]
            cells = [costs_._replace(sign=sign_at("cost", own)), *risks, *told, done_cell(own)]
            verdict = "baseline" if base else verdict
            point = [shown(material.points[scenario][key]) for key in _columns(material)]
            found.append(
                Row(
                    [*point, name],
                    material.style(name),
                    base,
                    cells,
                    drawn,
                    at(0.0),
                    verdict,
                    sign_at("strategy", own),
                    material.pages.get(scenario, ""),
                )
            )
    return found


def _savings(material: SweepMaterial) -> Chart:
    """Heat maps over the first two keys, a view for each strategy and further value; over one key, points."""
    title, axes = f"Saving against {material.baseline}", axes_of(material.scenarios)
    if len(material.strategies) < 2:
        return absent("sweep_savings", title, "there is no second strategy to compare with")
    if not any(np.isfinite(pairs.critical) for pairs in material.pairs.values()):
        return absent("sweep_savings", title, "there is no interval, and no saving is shown without one")

    def number(scenario: str, strategy: str) -> Number | None:
        found = material.pairs[scenario].against(material.baseline, strategy)
        text = f"{found.saving:+.3g}" if found.shown else f"({found.saving:+.3g})"
        return Number(found.saving, found.low, found.high, text) if found.known else None

    others = [name for name in material.strategies if name != material.baseline]
    views = over_keys(material, axes, Measure("saving (bps)", others, number, both=True))
    note = "Above 0 is cheaper; intervals hold together within a scenario."
    if len(axes) >= 2:
        note = "Blue is cheaper, red is dearer; in brackets: no difference shown (intervals hold together within a scenario)."
    height = _height(material, axes)
    return Chart("sweep_savings", title, note, views, _table(material), view_label="strategy", height=height)


def _height(material: SweepMaterial, axes: list[str]) -> int:
    return 420 if len(axes) < 2 else 200 + 42 * len(values_of(material, axes[0]))


_RISKS = {"mean cost": "mean_bps", "standard deviation": RISKS["sd"], "mean of the worst 5 %": RISKS["cvar95"]}


def _costs(material: SweepMaterial) -> Chart:
    """Mean cost and its two risks over the keys, as the savings are."""
    import pyarrow as pa

    title, axes = "Cost and risk over the keys", axes_of(material.scenarios)
    if material.study.costs.rule == "per_step":
        return absent("sweep_costs", title, "the cost rule per_step has no basis points")
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for scenario, summary in material.comparison.summaries.items():
        costs = printed_costs(from_summary(summary), material.strategies.index(material.baseline))
        for row, cost in zip(summary.to_pylist(), costs.tolist(), strict=True):
            risks = {column: row[column] for column in RISKS.values()}
            found[scenario, row["strategy"]] = {"mean_bps": cost, **risks}
    views: dict[str, list[Panel]] = {}
    for label, column in _RISKS.items():

        def number(scenario: str, strategy: str, column: str = column) -> Number | None:
            value = found[scenario, strategy][column]
            return None if value is None else Number(value, np.nan, np.nan, f"{value:,.4g}")

        for name, panels in over_keys(material, axes, Measure(f"{label} (bps)", material.strategies, number)).items():
            views[": ".join(word for word in (name, label) if word)] = panels
    rows = [{**material.points[scenario], "strategy": name, **row} for (scenario, name), row in found.items()]
    note = "Costs as the table has them, price moves taken out where that is valid; risks of the whole cost, moves and all."
    table = pa.Table.from_pylist(rows)
    return Chart("sweep_costs", title, note, views, table, view_label="show", height=_height(material, axes))


def _table(material: SweepMaterial) -> pa.Table:
    """Every scenario's values, and the savings with the intervals drawn."""
    import pyarrow as pa

    rows = []
    for scenario, pairs in material.pairs.items():
        for strategy in material.strategies:
            if strategy != material.baseline:
                found = pairs.against(material.baseline, strategy)
                numbers = {"saving_bps": found.saving, "low_bps": found.low, "high_bps": found.high}
                rows.append({**material.points[scenario], "strategy": strategy, **numbers})
    return pa.Table.from_pylist(rows)

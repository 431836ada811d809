"""The report of a sweep: who was cheapest in which scenario, savings over the swept keys, cost against risk."""

from __future__ import annotations

from collections import Counter
from itertools import islice, product
from typing import TYPE_CHECKING, Any

import numpy as np

from fastexec.analysis.cautions import CONTROLS, cautions
from fastexec.analysis.report.charts import Chart, Heat, Panel, Points, absent
from fastexec.analysis.report.frontiers import frontier_charts
from fastexec.analysis.report.sections import Section
from fastexec.analysis.report.sentence import listed, percent
from fastexec.analysis.report.sweep_material import SweepMaterial
from fastexec.analysis.report.top import Row, Top, cell, command_of, facts_of, of_difference, scale_of
from fastexec.analysis.sweep_tables import axes_of, shown
from fastexec.models.strategies import strategy_class
from fastexec.runs import store
from fastexec.statistics.paired import from_summary, printed_costs
from fastexec.wording import counted

if TYPE_CHECKING:
    import pyarrow as pa

_MOST_VIEWS, _MOST_TEXTS, _MOST_COLUMNS = 60, 150, 4


def sweep_top(material: SweepMaterial) -> Top:
    """Who was cheapest where, and a table of all scenarios."""
    summaries = list(material.comparison.summaries.values())
    episodes = summaries[0]["episodes"][0].as_py()
    footer = store.read_footer(material.folder / "summary.parquet")
    keys = listed([key for key in material.scenarios.column_names[1:]])
    return Top(
        title=f"{material.study.name}: {counted(len(summaries), 'scenario')}",
        answer=_answer(material),
        lines=["Each scenario has a page of its own: fastexec report DIR --scenario NAME."],
        order=f"Swept: {keys}; {counted(episodes, 'episode')} in each scenario, on the same random numbers.",
        names=[*(short_key(key) for key in _columns(material)), "strategy"],
        headings=[("cost", "bps"), ("saving", "bps"), ("from", "bps"), ("to", "bps"), ("done", "%")],
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
    )


def sweep_sections(material: SweepMaterial) -> list[Section]:
    """Savings over the swept keys, and mean against risk where a risk aversion is swept."""
    charts = [_savings(material), *frontier_charts(material)]
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
            done = cell(own["completion"], lambda x: percent(x).removesuffix(" %"))
            cells = [cell(cost if np.isfinite(cost) else None, lambda x: f"{x:,.3f}"), *told, done]
            verdict = "baseline" if base else verdict
            point = [shown(material.points[scenario][key]) for key in _columns(material)]
            found.append(
                Row(
                    [*point, name + ("+" if own["model"] in CONTROLS else "")],
                    material.style(name).colour,
                    base,
                    cells,
                    drawn,
                    at(0.0),
                    verdict,
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
    views = _over_one(material, axes) if len(axes) < 2 else _over_two(material, axes)
    note = "Above 0 is cheaper; intervals hold together within a scenario."
    if len(axes) >= 2:
        note = "Blue is cheaper, red is dearer; in brackets: no difference shown (intervals hold together within a scenario)."
    height = 420 if len(axes) < 2 else 200 + 42 * len(_values(material, axes[0]))
    return Chart("sweep_savings", title, note, views, _table(material), view_label="strategy", height=height)


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


def _values(material: SweepMaterial, key: str) -> list[Any]:
    """The different values of a key; numbers sorted, else in their order."""
    values: list[Any] = []
    for point in material.points.values():
        if point[key] not in values:
            values.append(point[key])
    return sorted(values) if all(isinstance(v, (int, float)) for v in values) else values


def _over_one(material: SweepMaterial, axes: list[str]) -> dict[str, list[Panel]]:
    key = axes[0] if axes else "scenario"
    values = _values(material, key)
    others = [s for s in material.strategies if s != material.baseline]
    marks = []
    for j, strategy in enumerate(others):
        found = [pairs.against(material.baseline, strategy) for pairs in material.pairs.values()]
        place = [values.index(material.points[scenario][key]) for scenario in material.pairs]
        x = np.array(place) + 0.5 * (j - (len(others) - 1) / 2) / len(others)
        saving, low, high = (np.array([getattr(d, name) for d in found]) for name in ("saving", "low", "high"))
        marks.append(Points(strategy, x, saving, material.style(strategy), low, high, along="y"))
    return {"": [Panel(marks, short_key(key), "saving (bps)", x_names=[shown(v) for v in values], zero="y")]}


def _over_two(material: SweepMaterial, axes: list[str]) -> dict[str, list[Panel]]:
    others = [s for s in material.strategies if s != material.baseline]
    views: dict[str, list[Panel]] = {}
    for strategy in others:
        own = _own_axes(material, strategy, axes)
        further = [[(key, value) for value in _values(material, key)] for key in own[2:]]
        for rest in islice(product(*further), _MOST_VIEWS // len(others) or 1):
            name = ", ".join([strategy, *(f"{short_key(key)} = {shown(value)}" for key, value in rest)])
            views[name] = [
                Panel([_heat(material, strategy, own[:2], dict(rest))], short_key(own[1]), short_key(own[0]))
            ]
    return views


def _own_axes(material: SweepMaterial, strategy: str, axes: list[str]) -> list[str]:
    """Without the keys of strategies that are neither this one nor the baseline, if two are left."""
    ours = tuple(f"strategies.{name}." for name in (strategy, material.baseline))
    own = [key for key in axes if not key.startswith("strategies.") or key.startswith(ours)]
    return own if len(own) > 1 else axes


def _heat(material: SweepMaterial, strategy: str, axes: list[str], rest: dict[str, Any]) -> Heat:
    """Savings over two keys, at the values ``rest`` of others and the first of what is neither."""
    down, across = (_values(material, key) for key in axes)
    z, texts = np.full((len(down), len(across)), np.nan), [[""] * len(across) for _ in down]
    for scenario, point in material.points.items():
        i, j = (values.index(point[key]) for values, key in zip((down, across), axes, strict=True))
        found = material.pairs[scenario].against(material.baseline, strategy)
        if found.known and np.isnan(z[i, j]) and all(point[key] == value for key, value in rest.items()):
            z[i, j] = found.saving
            texts[i][j] = f"{found.saving:+.3g}" if found.shown else f"({found.saving:+.3g})"
    x, y = ([shown(v) for v in values] for values in (across, down))
    return Heat("saving (bps)", x, y, z, both=True, texts=texts if z.size <= _MOST_TEXTS else ())


def short_key(key: str) -> str:
    """The key without its outer sections: ``price.volatility``, ``pov10.rate``."""
    return ".".join(key.split(".")[-2:])

"""The charts of a report, section by section, in the order of the page."""

from __future__ import annotations

from dataclasses import dataclass

from fastexec.analysis.report.charts import Chart
from fastexec.analysis.report.conditions import conditions_chart
from fastexec.analysis.report.costs import parts_chart, risk_chart, savings_chart
from fastexec.analysis.report.distribution import completion_chart, distribution_chart, tail_chart
from fastexec.analysis.report.material import Material
from fastexec.analysis.report.rows import read_rows
from fastexec.analysis.report.schedules import played, schedules_chart
from fastexec.analysis.report.single_episodes import episodes_chart
from fastexec.analysis.report.training import training_charts
from fastexec.errors import FastexecError
from fastexec.runs.replay import prepare_again
from fastexec.simulation import Prepared


@dataclass(frozen=True)
class Section:
    """Charts under one heading; ``key`` is its place in the page's address."""

    key: str
    title: str
    charts: list[Chart]


def sections_of(material: Material) -> list[Section]:
    """Every chart that the results allow, and the others named with their reason."""
    rows = read_rows(material) if material.has_rows else None
    prepared, why = _prepared(material)
    found = [
        Section("savings", "Savings and costs", [savings_chart(material), parts_chart(material)]),
        Section(
            "risk",
            "Risk and completion",
            [distribution_chart(material, rows), tail_chart(material, rows), risk_chart(material, rows)]
            + [completion_chart(material, rows)],
        ),
        Section("schedules", "Schedules", [schedules_chart(material, played(material, prepared), why)]),
        Section("conditions", "Market conditions", [conditions_chart(material, rows.conditions if rows else [])]),
        Section("agents", "Agents", training_charts(material)),
        Section("episodes", "Episodes", [episodes_chart(material, rows, prepared, why)]),
    ]
    return [section for section in found if section.charts]


def _prepared(material: Material) -> tuple[Prepared | None, str]:
    """The study ready to regenerate episodes, or why it cannot."""
    try:
        return prepare_again(material.folder, material.swept), ""
    except FastexecError as error:
        return None, f"episodes cannot be regenerated: {error}"

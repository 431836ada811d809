"""What the report of a sweep is made of: the comparison of every scenario and the table of what was swept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from fastexec.analysis.comparison import Comparison, compare
from fastexec.analysis.report.styles import Style, style_of
from fastexec.place import Place
from fastexec.runs import store
from fastexec.statistics.paired import from_summary
from fastexec.statistics.simultaneous import Simultaneous, simultaneous
from fastexec.statistics.verdict import NEGLIGIBLE
from fastexec.studies.study import Study

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class SweepMaterial:
    """A sweep's results: the comparison of every scenario and the table of what was swept; ``pages``: by scenario, the
    address of its own page, as seen from this one.
    """

    folder: Place
    study: Study
    comparison: Comparison
    scenarios: pa.Table
    pages: Mapping[str, str] = field(default_factory=dict)

    @property
    def baseline(self) -> str:
        """What savings are against."""
        return self.comparison.baseline

    @property
    def strategies(self) -> list[str]:
        """Names, in the order of the study."""
        return [strategy.name for strategy in self.study.strategies]

    @cached_property
    def pairs(self) -> dict[str, Simultaneous]:
        """By scenario: savings between all strategies, intervals that hold together within it."""
        summaries = self.comparison.summaries
        draws = max(200_000 // len(summaries), 20_000)
        return {name: simultaneous(from_summary(summary), draws) for name, summary in summaries.items()}

    @cached_property
    def points(self) -> dict[str, dict[str, Any]]:
        """The swept values of each scenario."""
        return {row["scenario"]: row for row in self.scenarios.to_pylist()}

    def style(self, strategy: str) -> Style:
        """Its look, the same on every chart."""
        return style_of(self.strategies.index(strategy))


def open_sweep(
    folder: Place,
    study: Study,
    baseline: str | None,
    negligible: float = NEGLIGIBLE,
    pages: Mapping[str, str] | None = None,
) -> SweepMaterial:
    """Read a sweep's tables; InputError where they are not complete."""
    comparison = compare(folder, baseline=baseline, negligible=negligible)
    return SweepMaterial(folder, study, comparison, store.read_table(folder / "scenarios.parquet"), pages or {})

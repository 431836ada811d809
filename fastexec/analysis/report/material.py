"""What a report is made of: the folder's study, summary, comparison and footer, read once and checked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastexec.analysis.comparison import Comparison, compare
from fastexec.analysis.report.charts import Style, style_of
from fastexec.analysis.simultaneous import Simultaneous, simultaneous
from fastexec.errors import InputError
from fastexec.studies import store
from fastexec.studies.paired import from_summary
from fastexec.studies.study import Study

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Material:
    """``footer``: what the summary is signed with; ``measure``: the cost that is shown (column of episodes, unit)."""

    folder: Path
    study: Study
    comparison: Comparison
    footer: dict[str, Any]

    @property
    def summary(self) -> pa.Table:
        """A row for each strategy."""
        return self.comparison.summaries[""]

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """The summary's rows, in the order of the strategies."""
        found: list[dict[str, Any]] = self.summary.to_pylist()
        return found

    @property
    def strategies(self) -> list[str]:
        """Names, in the order of the study."""
        return [strategy.name for strategy in self.study.strategies]

    @property
    def baseline(self) -> str:
        """What savings are against."""
        return self.comparison.baseline

    @property
    def episodes(self) -> int:
        """Number of episodes of the summary."""
        return int(self.rows[0]["episodes"])

    @property
    def per_step(self) -> bool:
        """Whether costs are the mini-project's, in currency: no basis points, no intervals."""
        return self.study.costs.rule == "per_step"

    @property
    def measure(self) -> tuple[str, str]:
        """The cost's column in episodes, and its unit."""
        return ("program_cost", "currency") if self.per_step else ("shortfall_bps", "bps")

    @property
    def has_rows(self) -> bool:
        """Whether a row for each episode was written."""
        return self.study.output.rows == "all"

    @cached_property
    def pairs(self) -> Simultaneous:
        """Savings between all strategies, with intervals that hold together."""
        return simultaneous(from_summary(self.summary))

    def style(self, strategy: str) -> Style:
        """Its look, the same on every chart."""
        return style_of(self.strategies.index(strategy))

    def mean_costs(self) -> np.ndarray:
        """Mean cost of each strategy in the measure's unit, float64[k]."""
        name = "program_cost_mean" if self.per_step else "shortfall_mean_bps"
        return np.array([row[name] for row in self.rows])


def open_results(folder: Path, baseline: str | None) -> Material:
    """Read what a folder says of itself; InputError, one line, where it holds no complete results."""
    if not folder.is_dir():
        raise InputError(f"{folder}: {'is a file' if folder.exists() else 'is not there'}; give the folder of a run")
    comparison = compare(folder, baseline=baseline)
    study = Study.load(folder / "study.toml")
    footer = store.read_footer(folder / "summary.parquet")
    if footer["identity"] != study.identity():
        raise InputError(
            f"{folder / 'study.toml'}: is not the study that summary.parquet was made by; put the original back"
        )
    return Material(folder, study, comparison, footer)

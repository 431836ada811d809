"""What a report is made of: the folder's study, summary, comparison and footer, read once and checked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from fastexec.analysis.comparison import Comparison, compare
from fastexec.analysis.report.styles import Style, style_of
from fastexec.errors import InputError
from fastexec.place import Place
from fastexec.runs import layout, store
from fastexec.runs.manifest import require_unchanged
from fastexec.runs.swept import scenario_named
from fastexec.statistics.paired import from_summary, printed_costs
from fastexec.statistics.simultaneous import Simultaneous, simultaneous
from fastexec.statistics.verdict import NEGLIGIBLE, Judge, cost_beside
from fastexec.studies.study import Study, Swept

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Material:
    """A folder's results, of a sweep those of one scenario; ``footer``: what the summary is signed with."""

    folder: Place
    swept: Swept
    comparison: Comparison
    footer: dict[str, Any]

    @property
    def study(self) -> Study:
        """The study, of a sweep the scenario's."""
        return self.swept.study

    def home(self, table: str) -> Place:
        """The folder of a table's parts."""
        return layout.home_of(self.folder, table, self.swept.name)

    @property
    def summary(self) -> pa.Table:
        """A row for each strategy."""
        return next(iter(self.comparison.summaries.values()))

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
    def first(self) -> int:
        """Number of the first episode: not 0 in a shard."""
        return int(self.footer["first_episode"])

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

    def win_rate(self, strategy: str) -> float:
        """Share of the episodes in which it was cheaper than the baseline."""
        table = self.comparison.table
        return float(table["win_rate"][table["strategy"].to_pylist().index(strategy)].as_py())

    @property
    def judge(self) -> Judge:
        """What may be said of savings."""
        return next(iter(self.comparison.judges.values()))

    @cached_property
    def printed_costs(self) -> np.ndarray:
        """The costs that are printed, float64[k]: the baseline's minus each saving; under per_step the means."""
        if self.per_step:
            return self.mean_costs()
        return printed_costs(from_summary(self.summary), self.strategies.index(self.baseline))

    def cost_text(self, strategy: str) -> str:
        """Its printed cost."""
        costs, b = self.printed_costs, self.strategies.index(self.baseline)
        return cost_beside(costs[b], costs[b] - costs[self.strategies.index(strategy)], 3)

    def mean_costs(self) -> np.ndarray:
        """Mean cost of each strategy in the measure's unit, float64[k], price moves and all."""
        name = "program_cost_mean" if self.per_step else "shortfall_mean_bps"
        return np.array([row[name] for row in self.rows])


def open_results(place: Place, baseline: str | None, scenario: str | None, negligible: float = NEGLIGIBLE) -> Material:
    """Read what a folder says of itself; InputError, one line, where it holds no complete results."""
    swept = scenario_named(require_own_study(place), scenario)
    comparison = compare(place, baseline=baseline, scenario=scenario, negligible=negligible)
    return Material(place, swept, comparison, store.read_footer(place / "summary.parquet"))


def require_own_study(place: Place) -> Study:
    """The study of a folder's results; InputError where the run is not complete, or a file that is read has changed since."""
    study = store.read_study(place)
    if require_unchanged(place, _READ).identity != study.identity():
        raise InputError(
            f"{place / 'study.toml'}: is not the study that the files beside it were made by; put the original back"
        )
    return study


_READ = ("study.toml", "summary", "comparison", "scenarios", "markets", "episodes", "steps", "agents")

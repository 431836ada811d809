"""What a comparison is made of: a folder of finished results, or results in memory; the same figures from either."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from fastexec.analysis.rows import HeldRows, Rows, StoredRows
from fastexec.errors import InputError, option
from fastexec.place import Place
from fastexec.results import Origin, Results
from fastexec.runs import caveats, layout, store
from fastexec.runs.manifest import require_unchanged
from fastexec.runs.summary_file import read_summary
from fastexec.runs.swept import scenario_named
from fastexec.statistics.moments import summarise
from fastexec.statistics.summary import SummaryAccumulator
from fastexec.studies.study import Study, Swept, swept_studies

if TYPE_CHECKING:
    import pyarrow as pa


class Source(Protocol):
    """strategies, models: of each, in the order of the results. notes: what a reader must know of how they came about."""

    strategies: list[str]
    models: list[str]
    notes: list[str]

    def scenarios(self, name: str | None) -> list[Swept]:
        """All of them, or the one of a name."""

    def summary(self, swept: Swept) -> pa.Table:
        """The summary of a scenario."""

    def rows(self, swept: Swept, asked: str) -> list[Rows]:
        """All rows of a scenario; InputError, beginning with what was ``asked`` for, where there are none."""

    def warnings(self, swept: Swept) -> list[str]:
        """What is doubtful about a scenario."""


class Stored:
    """A folder; ``rows``: they are asked for, so they must be as they were written."""

    def __init__(self, folder: Place, rows: bool) -> None:
        self.folder, self.notes = folder, list[str]()
        self.study = store.read_study(folder)
        known = require_unchanged(folder, ("study.toml", "summary", *(() if not rows else ("markets", "episodes"))))
        if known.identity != self.study.identity():
            raise InputError(
                f"{folder / 'study.toml'}: is not the study that the files beside it were made by; put it back"
            )
        self.strategies = [strategy.name for strategy in self.study.strategies]
        self.models = [strategy.model for strategy in self.study.strategies]
        self._summaries = _by_scenario(read_summary(folder, self.study))
        self._footer = store.read_footer(folder / "summary.parquet")

    def scenarios(self, name: str | None) -> list[Swept]:
        """All of them, or the one of a name."""
        return swept_studies(self.study) if name is None else [scenario_named(self.study, name)]

    def summary(self, swept: Swept) -> pa.Table:
        """The summary of a scenario."""
        if swept.name not in self._summaries:
            raise InputError(
                f"{self.folder}: summary.parquet has no scenario {swept.name}; run the study with {option('resume')}"
            )
        return self._summaries[swept.name]

    def rows(self, swept: Swept, asked: str) -> list[Rows]:
        """All rows of a scenario, part by part."""
        markets, episodes = (layout.home_of(self.folder, table, swept.name) for table in ("markets", "episodes"))
        found: list[Rows] = [StoredRows(part, episodes / part.name, self.strategies) for part in layout.parts(markets)]
        if not found:
            raise InputError(
                f"{asked}: {self.folder} holds no rows (output.rows = none); run the study with rows = all"
            )
        return found

    def warnings(self, swept: Swept) -> list[str]:
        """What is doubtful about a scenario."""
        return caveats.of_scenario(self._footer, swept.name)


class Held:
    """Results in memory, as ``simulate`` gives them."""

    def __init__(self, results: Results) -> None:
        if results.origin is None:
            raise InputError("results: nothing is known of the study behind them; compare what fastexec.simulate gives")
        self._results, self._origin = results, results.origin
        self.strategies, self.models, self.notes = results.strategies, results.origin.models, results.origin.notes

    def scenarios(self, name: str | None) -> list[Swept]:
        """The only one."""
        study = cast(Study, self._origin.study)
        return [Swept(None, study) if name is None else scenario_named(study, name)]

    def summary(self, swept: Swept) -> pa.Table:
        """Its summary, as a run writes it."""
        return summary_of(self._results, self._origin)

    def rows(self, swept: Swept, asked: str) -> list[Rows]:
        """All rows as one part."""
        return [HeldRows(self._results, swept.study.order.side)]

    def warnings(self, swept: Swept) -> list[str]:
        """What is doubtful about it."""
        return self._origin.warnings


def summary_of(results: Results, origin: Origin) -> pa.Table:
    """The summary table of results in memory."""
    summary = SummaryAccumulator(results.strategies, origin.models, origin.source_days, parts=origin.study.cost_columns)
    summary.add(summarise(0, results))
    return summary.table(origin.control_variate)


def _by_scenario(summary: pa.Table) -> dict[str | None, pa.Table]:
    """The summary of each scenario, whose rows stand together."""
    if "scenario" not in summary.column_names:
        return {None: summary}
    names = summary["scenario"].to_pylist()
    starts = [j for j, name in enumerate(names) if j == 0 or name != names[j - 1]]
    rows = summary.drop_columns(["scenario"])
    return {names[a]: rows.slice(a, b - a) for a, b in zip(starts, [*starts[1:], len(names)], strict=True)}

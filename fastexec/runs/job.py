"""A study on its way into a folder: its chunks, their files, and what is known of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fastexec.columns import SCHEMA_VERSION
from fastexec.frames import rows_html
from fastexec.place import Place
from fastexec.runs import layout, store
from fastexec.runs.caveats import lines_of, signed
from fastexec.runs.chunks import Cut
from fastexec.runs.manifest import Entry, Files
from fastexec.runs.provenance import signature
from fastexec.runs.scenario import Scenario
from fastexec.studies.study import Study
from fastexec.wording import counted

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Task:
    """A chunk: the number of its scenario, its first episode, how many; ``known``: what is known of its files."""

    scenario: int
    first: int
    count: int
    known: Mapping[str, Entry] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, repr=False)
class StudyResult:
    """A finished run. ``finished_before``: the folder held it complete, and nothing was simulated. ``fastexec.compare`` takes
    it, as do ``report``, ``replay`` and ``verify``.
    """

    folder: Place
    summary: pa.Table
    comparison: pa.Table
    warnings: list[str] = field(default_factory=list)
    finished_before: bool = False

    def __repr__(self) -> str:
        return f"StudyResult({str(self.folder)!r}, {counted(self._episodes, 'episode')})"

    def _repr_html_(self) -> str:
        names = ["strategy", "shortfall_mean_bps", "shortfall_sd_bps", "completion"]
        own = ["scenario"] if "scenario" in self.summary.column_names else []
        title = f"{self.folder}: {counted(self._episodes, 'episode')}"
        return rows_html(title, self.summary.select([*own, *names]), self.warnings)

    @property
    def _episodes(self) -> int:
        return int(self.summary["episodes"][0].as_py())


@dataclass(frozen=True)
class Job:
    """A study on its way into a folder, scenario by scenario, chunk by chunk. ``study`` is what study.toml holds; ``known``:
    the manifest of an earlier run of it; ``files``: what has been written or found whole so far.
    """

    study: Study
    scenarios: list[Scenario]
    folder: Place
    cut: Cut
    first: int = 0
    known: Files = field(default_factory=dict)
    files: Files = field(default_factory=dict)

    @property
    def end(self) -> int:
        """The episode behind the last one."""
        return self.scenarios[0].outline.episodes

    @property
    def episodes(self) -> int:
        """Episodes of each scenario."""
        return self.end - self.first

    @property
    def rows(self) -> str:
        """all | none."""
        return self.study.output.rows

    @property
    def warnings(self) -> list[str]:
        """What is doubtful about its scenarios, each line once."""
        return lines_of({scenario.name: scenario.outline.warnings for scenario in self.scenarios})

    def sign(self, kind: str) -> dict[str, Any]:
        """The footer of a table of the whole study; the summary's holds what is doubtful about it."""
        inputs = {s.within(name): digest for s in self.scenarios for name, digest in s.outline.inputs.items()}
        footer = signature(self.study, inputs, kind, self.first, self.episodes)
        if kind == "summary":
            footer["warnings"] = signed({scenario.name: scenario.outline.warnings for scenario in self.scenarios})
        return footer

    def tasks(self, starts: Sequence[int] | None = None) -> Iterator[Task]:
        """Every chunk, in the order in which the summaries take them; its borders are multiples of its size.

        ``starts``: of each scenario the episode to begin with.
        """
        for number in range(len(self.scenarios)):
            first = self.first if starts is None else starts[number]
            while first < self.end:
                border = min(first + self.cut.chunk - first % self.cut.chunk, self.end)
                yield Task(number, first, border - first, self._known(number, first))
                first = border

    def _known(self, number: int, first: int) -> Files:
        names = [self.scenarios[number].file(table, first) for table in layout.TABLES] if self.known else []
        return {name: self.known[name] for name in names if name in self.known}

    def head(self) -> str:
        """The first line of study.toml: what the folder's files were cut by."""
        first = f", first_episode = {self.first}" if self.first else ""
        return f"# chunk = {self.cut.chunk}{first}, schema = {SCHEMA_VERSION}"

    def footers(self, task: Task) -> dict[str, dict[str, Any]]:
        """The footer of each file of a chunk, by table; the one whose presence commits the chunk last."""
        scenario, counts = self.scenarios[task.scenario], {"markets": task.count, "episodes": task.count}
        recorded = min(max(self.study.output.steps - task.first, 0), task.count)
        counts = ({"steps": recorded} if recorded else {}) | counts
        return {table: scenario.sign(table, task.first, count) for table, count in counts.items()}

    def is_present(self, task: Task) -> bool:
        """Whether a chunk's files are there, by their footers."""
        scenario = self.scenarios[task.scenario]
        return all(
            store.is_whole(scenario.part(self.folder, table, task.first), footer)
            for table, footer in self.footers(task).items()
        )

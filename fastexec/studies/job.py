"""A study on its way into a folder: its chunks, their files, and what is known of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fastexec.columns import SCHEMA_VERSION
from fastexec.studies import layout, store
from fastexec.studies.chunks import Cut
from fastexec.studies.manifest import Entry, Files
from fastexec.studies.place import Place
from fastexec.studies.provenance import signature
from fastexec.studies.scenario import Scenario
from fastexec.studies.study import Study

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Task:
    """A chunk: the number of its scenario, its first episode, how many; ``known``: what is known of its files."""

    scenario: int
    first: int
    count: int
    known: Mapping[str, Entry] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class StudyResult:
    """A finished run. ``finished_before``: the folder held it complete, and nothing was simulated."""

    folder: Place
    summary: pa.Table
    comparison: pa.Table
    warnings: list[str] = field(default_factory=list)
    finished_before: bool = False


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
        """Of every scenario, each once."""
        return list(dict.fromkeys(line for scenario in self.scenarios for line in scenario.outline.warnings))

    def sign(self, kind: str) -> dict[str, Any]:
        """The footer of a table of the whole study."""
        inputs = {s.within(name): digest for s in self.scenarios for name, digest in s.outline.inputs.items()}
        return signature(self.study, inputs, kind, self.first, self.episodes)

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

"""What a run simulates: the study itself, or each scenario of it, resolved and prepared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastexec.learning.agent import Agent
from fastexec.learning.training import Report, policies_of
from fastexec.simulation import Prepared, prepare
from fastexec.studies.agents import trained_agents
from fastexec.studies.place import Place
from fastexec.studies.provenance import signature
from fastexec.studies.store import home_of, part_name
from fastexec.studies.study import Study


@dataclass(frozen=True)
class Scenario:
    """A study that runs as a whole or as part of a sweep; ``name`` is None where the study is the only one."""

    name: str | None
    study: Study
    prepared: Prepared

    def part(self, folder: Place, table: str, first: int) -> Place:
        """The file of the chunk that starts with an episode."""
        return home_of(folder, table, self.name) / part_name(first)

    def sign(self, kind: str, first: int, count: int) -> dict[str, Any]:
        """The footer of one of its files."""
        return signature(self.study, self.prepared, kind, first, count)


def scenarios_of(
    study: Study, folder: Place, threads: int, report: Report | None
) -> tuple[list[Scenario], dict[str, Agent]]:
    """The scenarios of a study, and the agents that were trained for them or read from the folder."""
    agents = trained_agents(study, folder, threads, report)
    return [Scenario(None, study, prepare(study, policies=policies_of(study, agents)))], agents

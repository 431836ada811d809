"""What a run simulates: the study itself, or each scenario of it, resolved and prepared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastexec.errors import InputError
from fastexec.learning.agent import Agent
from fastexec.learning.training import Report, policies_of
from fastexec.simulation import Prepared, prepare
from fastexec.studies.agents import save_agents, trained_agents
from fastexec.studies.place import Place
from fastexec.studies.provenance import signature
from fastexec.studies.store import home_of, part_name
from fastexec.studies.study import Study
from fastexec.studies.sweep import Swept, swept_studies

#: The agents of each scenario, by section.
Trained = dict[str | None, dict[str, Agent]]


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
        return signature(self.study, self.prepared.inputs, kind, first, count)


def scenarios_of(study: Study, folder: Place, threads: int, report: Report | None) -> tuple[list[Scenario], Trained]:
    """The scenarios of a study, and the agents that were trained for them or read from the folder.

    What several scenarios train alike is trained once. Raises InputError where scenarios have not the same episodes.
    """
    found: list[Scenario] = []
    agents: Trained = {}
    for swept in swept_studies(study):
        before = [agent for own in agents.values() for agent in own.values()]
        scenario, agents[swept.name] = prepared_scenario(swept, folder, threads, report, before)
        found.append(scenario)
        if scenario.prepared.episodes != found[0].prepared.episodes:
            raise InputError(
                f"[sweep]: scenario {found[0].name} has {found[0].prepared.episodes} episodes, {scenario.name} has "
                f"{scenario.prepared.episodes}; set episodes to what both have"
            )
    return found, agents


def prepared_scenario(
    swept: Swept, folder: Place, threads: int, report: Report | None, before: Sequence[Agent] = ()
) -> tuple[Scenario, dict[str, Agent]]:
    """One scenario ready to run, and its agents by section; ``before``: agents that were trained for others."""
    try:
        agents = trained_agents(swept.study, home_of(folder, "agents", swept.name), threads, report, before)
        prepared = prepare(swept.study, policies=policies_of(swept.study, agents))
    except InputError as error:
        raise error if swept.name is None else InputError(f"[sweep] scenario {swept.name}: {error}") from None
    return Scenario(swept.name, swept.study, prepared), agents


def save_trained(agents: Trained, folder: Place) -> None:
    """Write the agents of every scenario beside its results."""
    for scenario, own in agents.items():
        save_agents(own, home_of(folder, "agents", scenario))

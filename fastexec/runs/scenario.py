"""What a run simulates, or finished results hold: the study itself, or each scenario of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fastexec.errors import InputError
from fastexec.learning.training import Report, policies_of
from fastexec.place import Place
from fastexec.planning.control import timing_has_mean_zero
from fastexec.planning.doubts import doubts_of
from fastexec.planning.expectation import expect
from fastexec.planning.parameters import ranges
from fastexec.runs.agents import Kept, TrainedBefore, save_agents, trained_agents
from fastexec.runs.given import GivenPaths
from fastexec.runs.layout import AGENTS, PATHS, home_name, home_of, part_name, parts
from fastexec.runs.manifest import Files
from fastexec.runs.provenance import signature
from fastexec.simulation import Prepared, prepare
from fastexec.studies.study import Study, Swept, swept_studies
from fastexec.wording import counted

#: The agents of each scenario, by section.
Trained = dict[str | None, dict[str, Kept]]


@dataclass(frozen=True)
class Outline:
    """What files of a study are made and checked by, without running any of its code.

    ``episodes``: the one behind the last; ``inputs``: SHA-256 of each file read; ``source_days``: of real days the days that
    episodes are joined from, none for a replay, which names each episode's own; ``drawn``: keys drawn for each episode;
    ``warnings``: what is doubtful about the study and its input files.
    """

    study: Study
    strategies: list[str]
    episodes: int
    control_variate: list[bool]
    inputs: dict[str, str]
    source_days: list[int]
    drawn: list[str]
    warnings: list[str] = field(default_factory=list)

    @property
    def replayed(self) -> bool:
        """Whether each episode is a window of real days."""
        return self.study.market.in_windows

    @classmethod
    def prepared(cls, study: Study, prepared: Prepared) -> Outline:
        """That of a study ready to run."""
        market, trajectories = expect(study, prepared.windows)[0], prepared.arrays[1].fractions[:, 0]
        return cls(
            study,
            prepared.strategies,
            prepared.episodes,
            prepared.control_variate,
            prepared.inputs,
            [] if prepared.days is not None else prepared.source_days,
            prepared.drawn,
            [*prepared.warnings, *doubts_of(study, market, trajectories)],
        )

    @classmethod
    def written(cls, study: Study, footer: Mapping[str, Any], source_days: list[int], warnings: list[str]) -> Outline:
        """That of finished results, by the footer of one of their files and what their summary warns of."""
        return cls(
            study,
            [strategy.name for strategy in study.strategies],
            footer["first_episode"] + footer["episodes"],
            [PATHS not in footer["inputs"] and timing_has_mean_zero(study, strategy) for strategy in study.strategies],
            footer["inputs"],
            source_days,
            ranges(study)[2],
            warnings,
        )


@dataclass(frozen=True)
class Scenario:
    """A study that runs as a whole or as part of a sweep; ``name`` is None where the study is the only one. ``engine``: the
    study ready to run, None where its results are only read.
    """

    name: str | None
    study: Study
    outline: Outline
    engine: Prepared | None = None

    @property
    def prepared(self) -> Prepared:
        """The study ready to run."""
        assert self.engine is not None, "finished results are read, not run"
        return self.engine

    def file(self, table: str, first: int) -> str:
        """The file of the chunk that starts with an episode, by its path within the folder."""
        return f"{home_name(table, self.name)}/{part_name(first)}"

    def part(self, folder: Place, table: str, first: int) -> Place:
        """The file of the chunk that starts with an episode."""
        return folder / self.file(table, first)

    def within(self, name: str) -> str:
        """An input by the name that it has among those of all scenarios: a trained agent lies in a folder of its own."""
        head, slash, rest = name.partition("/")
        own = self.name is not None and slash and head == AGENTS
        return f"{home_name(AGENTS, self.name)}/{rest}" if own else name

    def made(self, folder: Place) -> Place | None:
        """A file of its results; None where there is none yet."""
        return made_by(folder, self.name)

    def sign(self, kind: str, first: int, count: int) -> dict[str, Any]:
        """The footer of one of its files."""
        return signature(self.study, self.outline.inputs, kind, first, count)


def made_by(folder: Place, scenario: str | None) -> Place | None:
    """A file of a scenario's results: of its rows or, without any, of its summaries; None where there is none yet."""
    for table in ("markets", "moments"):
        if there := parts(home_of(folder, table, scenario)):
            return there[0]
    whole = folder / "summary.parquet"
    return whole if scenario is None and whole.is_file() else None


def scenarios_of(
    study: Study,
    folder: Place,
    threads: int,
    report: Report | None,
    known: TrainedBefore | None = None,
    given: GivenPaths | None = None,
) -> tuple[list[Scenario], Trained]:
    """The scenarios of a study, and the agents that were trained for them or read from the folder.

    What several scenarios train alike is trained once. ``known``: what is known of the agents in the folder; ``given``: the
    paths that all run on. Raises InputError where scenarios have not the same episodes.
    """
    found: list[Scenario] = []
    agents: Trained = {}
    for swept in swept_studies(study):
        before = [agent for own in agents.values() for agent in own.values()]
        scenario, agents[swept.name] = prepared_scenario(swept, folder, threads, report, before, known, given)
        found.append(scenario)
        if scenario.outline.episodes != found[0].outline.episodes:
            raise InputError(
                f"[sweep]: scenario {found[0].name} has {counted(found[0].outline.episodes, 'episode')}, {scenario.name} has "
                f"{scenario.outline.episodes}; set episodes to what both have"
            )
    return found, agents


def prepared_scenario(
    swept: Swept,
    folder: Place,
    threads: int,
    report: Report | None,
    before: Sequence[Kept] = (),
    known: TrainedBefore | None = None,
    given: GivenPaths | None = None,
) -> tuple[Scenario, dict[str, Kept]]:
    """One scenario ready to run, and its agents by section; ``before``: agents that were trained for others."""
    home = home_name(AGENTS, swept.name)
    try:
        agents = trained_agents(swept.study, folder, home, threads, report, before, known or TrainedBefore())
        policies = policies_of(swept.study, {n: k.agent for n, k in agents.items()})
        prepared = prepare(swept.study, paths=None if given is None else given.paths, policies=policies)
    except InputError as error:
        raise error if swept.name is None else InputError(f"[sweep] scenario {swept.name}: {error}") from None
    return playing(swept, prepared, agents, given), agents


def playing(swept: Swept, prepared: Prepared, agents: Mapping[str, Kept], given: GivenPaths | None = None) -> Scenario:
    """A scenario whose trained agents, and paths that were given, are among the inputs of the rows that they make."""
    own = {f"{AGENTS}/{name}.parquet": kept.entry.sha256 for name, kept in agents.items()}
    own |= {} if given is None else {PATHS: given.entry.sha256}
    prepared = replace(prepared, inputs=prepared.inputs | own)
    return Scenario(swept.name, swept.study, Outline.prepared(swept.study, prepared), prepared)


def save_trained(agents: Trained, folder: Place) -> Files:
    """Write the agents of every scenario beside its results."""
    found: Files = {}
    for scenario, own in agents.items():
        found |= save_agents(own, folder, home_name(AGENTS, scenario))
    return found

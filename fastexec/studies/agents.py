"""The agents of a study's folder: trained once, kept beside the results, read again where they are of the same training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fastexec.errors import InputError, RefusedError
from fastexec.learning.agent import Agent, agent_table
from fastexec.learning.agent_file import read_agent
from fastexec.learning.training import Report, origin_of, sections_played, train
from fastexec.simulation import default_threads
from fastexec.studies import store
from fastexec.studies.place import Place
from fastexec.studies.study import Study


def trained_agents(
    study: Study, home: Place, threads: int, report: Report | None, before: Sequence[Agent] = ()
) -> dict[str, Agent]:
    """The agent of each section [train.NAME] that a strategy plays: from the folder ``home`` where it holds it, or one of
    the same training among those ``before``, else trained.
    """
    found = {}
    for name in sections_played(study):
        origin, kept = origin_of(study, name), _kept(home, name)
        known = [agent for agent in (kept, *before) if agent is not None and agent.training == origin]
        found[name] = known[0] if known else train(study, name, threads=threads, report=report)
    return found


def _kept(home: Place, name: str) -> Agent | None:
    try:
        return agent_in(home, name)
    except (InputError, OSError):
        return None  # none yet, or damaged: trained again


def agent_in(home: Place, name: str) -> Agent:
    """The agent of a section, as it lies in the folder ``home``; InputError where it is missing or damaged."""
    place = home / f"{name}.parquet"
    try:
        with place.open() as stream:
            return read_agent(str(place), stream)
    except FileNotFoundError:
        raise InputError(f"{place}: the agent is missing; --resume trains it again") from None


def save_agents(agents: dict[str, Agent], home: Place) -> None:
    """Write the agents whole or not at all."""
    for name, agent in agents.items():
        store.write_plain(home / f"{name}.parquet", agent_table(agent))


def train_one(study: Study, name: str | None, threads: int | None, report: Report | None) -> Agent:
    """The agent of a section, or of the only one."""
    if study.sweep is not None:
        raise InputError(
            "train: the study has a [sweep], and `fastexec run` trains for each scenario; --set sweep={} trains for the study "
            "without it"
        )
    if name is None:
        if len(study.train) != 1:
            raise InputError(
                f"--agent: name one of the sections [train.NAME]: {', '.join(study.train) or 'there is none'}"
            )
        name = next(iter(study.train))
    return train(study, name, threads=threads or default_threads(), report=report)


def save_agent(agent: Agent, path: Path) -> None:
    """Write an agent whole or not at all."""
    store.write_plain(Place.of(path), agent_table(agent))


def require_free(path: Path, overwrite: bool) -> None:
    """RefusedError where the file is there already, InputError where it cannot be one."""
    if path.is_dir():
        raise InputError(f"--out {path}: is a folder; name a file such as agent.parquet")
    if path.exists() and not overwrite:
        raise RefusedError(f"--out {path}: is there already; name another file, or --overwrite")

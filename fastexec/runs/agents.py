"""The agents of a study's folder: trained once, kept beside the results, read again where they are of the same training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from fastexec.errors import InputError, RefusedError, option, run_again, said
from fastexec.learning.agent import Agent, agent_table
from fastexec.learning.agent_file import read_agent
from fastexec.learning.network_file import NetworkAgent
from fastexec.learning.network_training import train_network
from fastexec.learning.training import Report, origin_of, sections_played, train
from fastexec.place import Place
from fastexec.runs import store
from fastexec.runs.manifest import Entry, Files, entry_of
from fastexec.runs.networks import save_network
from fastexec.studies.study import Study
from fastexec.threads import default_threads


class Kept(NamedTuple):
    """An agent, the bytes of its file, and what these are known by."""

    agent: Agent
    data: pa.Buffer
    entry: Entry


@dataclass(frozen=True)
class TrainedBefore:
    """``files``: what the manifest of the study's own run says of the folder's agents. ``again``: the run starts again, so
    that only agents of whom it is known that nothing changed are worth keeping.
    """

    files: Mapping[str, Entry] = field(default_factory=dict)
    again: bool = False


def trained_agents(
    study: Study,
    folder: Place,
    home: str,
    threads: int,
    report: Report | None,
    before: Sequence[Kept],
    known: TrainedBefore,
) -> dict[str, Kept]:
    """The agent of each section [train.NAME] that a strategy plays: from ``home`` within the folder where it lies there, or
    one of the same training among those ``before``, else trained.

    Raises RefusedError where the one in the folder is damaged or not the one that was written: rows may have been made by
    it, and nothing tells them from those of another.
    """
    found = {}
    for name in sections_played(study):
        file, origin = f"{home}/{name}.parquet", origin_of(study, name)
        alike = [other for other in before if other.agent.training == origin]
        if (kept := _kept(folder / file, known.files.get(file), origin, known.again)) is not None:
            alike = [kept, *alike]
        found[name] = alike[0] if alike else _as_file(train(study, name, threads=threads, report=report))
    return found


def _as_file(agent: Agent) -> Kept:
    table = agent_table(agent)
    data = store.plain_bytes(table)
    return Kept(agent, data, entry_of(data, len(table)))


def _kept(place: Place, entry: Entry | None, origin: Mapping[str, Any], again: bool) -> Kept | None:
    """The agent of this training in a file, None where there is none; ``entry``: what is known of it."""
    if again and entry is None:
        return None
    try:
        kept = read_kept(place)
        if entry is not None:
            _require(kept.entry.sha256 == entry.sha256, place, "is not the agent that the rows were made by (SHA-256)")
            return kept
    except FileNotFoundError:
        return None
    except (InputError, RefusedError) as error:
        if again:
            return None
        raise RefusedError(str(error)) from None
    then, now = ({key: x for key, x in made.items() if key != "kernels"} for made in (kept.agent.training, origin))
    if then != now:
        return None
    _require(kept.agent.training == origin, place, "was trained by other kernels than are installed here")
    return kept


def _require(fine: bool, place: Place, what: str) -> None:
    if not fine:
        raise RefusedError(f"{place}: {what}; put it back, or remove it and {option('resume')} trains it again")


def read_kept(place: Place) -> Kept:
    """An agent as it lies in a file; FileNotFoundError where there is none, InputError where it is damaged."""
    try:
        with place.open() as stream:
            data = stream.read_buffer()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise InputError(f"{place}: cannot be read ({error.strerror or error})") from None
    agent = read_agent(str(place), pa.BufferReader(data))
    return Kept(agent, data, entry_of(data, agent.visits.size))


def agent_in(folder: Place, home: str, name: str) -> Kept:
    """The agent of a section, as it lies in ``home`` within the folder; InputError where it is missing or damaged."""
    place = folder / home / f"{name}.parquet"
    try:
        return read_kept(place)
    except FileNotFoundError:
        raise InputError(f"{place}: the agent is missing; {run_again()} trains it again") from None


def save_agents(agents: Mapping[str, Kept], folder: Place, home: str) -> Files:
    """Write the agents whole or not at all."""
    for name, kept in agents.items():
        (folder / home / f"{name}.parquet").write(kept.data)
    return {f"{home}/{name}.parquet": kept.entry for name, kept in agents.items()}


def train_one(study: Study, name: str | None, threads: int | None, report: Report | None) -> Agent | NetworkAgent:
    """The agent of a section, or of the only one; a network where its rule trains one."""
    if study.sweep is not None:
        raise InputError(
            said(
                "train: the study has a [sweep], and `fastexec run` trains for each scenario; --set sweep={} trains for the "
                "study without it",
                "train: the study has a sweep, and fastexec.run(study) trains for each scenario; "
                'study.changed({"sweep": None}) is the study without it',
            )
        )
    if name is None:
        if len(study.train) != 1:
            raise InputError(
                f"{option('agent')}: name one of the {said('sections [train.NAME]', 'keys of train')}: "
                f"{', '.join(study.train) or 'there is none'}"
            )
        name = next(iter(study.train))
    if name in study.train and study.train[name].trains_network:
        return train_network(study, name, threads=threads or default_threads(), report=report)
    return train(study, name, threads=threads or default_threads(), report=report)


def save_agent(agent: Agent | NetworkAgent, path: Path) -> None:
    """Write an agent or a network whole or not at all."""
    if isinstance(agent, NetworkAgent):
        save_network(agent, path)
    else:
        Place.of(path).write(_as_file(agent).data)


def require_free(path: Path, overwrite: bool, name: str = "out") -> None:
    """RefusedError where the file is there already, InputError where it cannot be one. ``name``: of the option that says it."""
    if path.is_dir():
        raise InputError(f"{option(name, path)}: is a folder; name a file such as agent.parquet")
    if path.exists() and not overwrite:
        raise RefusedError(f"{option(name, path)}: is there already; name another file, or {option('overwrite')}")

"""Agents in Python's hands: trained or read from a file, told in words, kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fastexec.analysis.agents import by_time_and_inventory, in_words
from fastexec.analysis.networks import Network
from fastexec.arguments import require_one_of, require_path, require_text
from fastexec.frames import Frame, table_html
from fastexec.learning.agent import Agent as Learned, agent_table
from fastexec.learning.agent_file import read_agent
from fastexec.learning.network_file import NetworkAgent, is_network, read_network
from fastexec.learning.training import Report
from fastexec.models.study import require_study
from fastexec.runs.agents import require_free, save_agent, train_one
from fastexec.studies.study import Study
from fastexec.threads import require_threads
from fastexec.wording import counted

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, repr=False)
class Agent(Frame):
    """A trained agent. ``learned``: its tables and how it was trained; ``in_words``: what it learned, a line each;
    ``by_time_and_inventory``: its mean action, a row a time, a column an inventory, names first.

    ``to_arrow``, ``to_pandas`` and ``to_polars`` give a row for each step and state: bins of the features, visits, the best
    action, and of each action its expected cost to go (bps).
    """

    learned: Learned

    @property
    def in_words(self) -> list[str]:
        """What it learned, a line each."""
        return in_words(self.learned)

    @property
    def by_time_and_inventory(self) -> list[list[str]]:
        """Its mean action over market states as often as they were visited; names first."""
        return by_time_and_inventory(self.learned)

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write its file, whole or not at all; in a study ``{"model": "qtable", "agent": path}``.

        Raises RefusedError where the file is there, unless ``overwrite``; InputError where the path is a folder.
        """
        place = require_path("path", path)
        require_free(place, require_one_of("overwrite", overwrite, True, False), "path")
        save_agent(self.learned, place)

    def to_arrow(self) -> pa.Table:
        """A row for each step and state."""
        return agent_table(self.learned)

    def __repr__(self) -> str:
        training = self.learned.training
        steps, states, actions = self.learned.q.shape
        rule = training["train"]["rule"]
        size = ", ".join((counted(steps, "step"), counted(states, "state"), counted(actions, "action")))
        return f"Agent({training['name']!r}, rule {rule}, {size})"

    def _repr_html_(self) -> str:
        head, *rows = self.by_time_and_inventory
        return table_html("mean action, by step and share of the order that is left", head, rows, self.in_words)


def train(
    study: Study, agent: str | None = None, *, threads: int | None = None, progress: Report | None = None
) -> Agent | Network:
    """Train an agent of a study: of the key ``agent`` of train, or of the only one. Rules ppo and a2c train a network.

    threads: default all processors. progress: called with (agent, round, rounds, mean cost in bps, completion, None of a
    network); the same study trains the same agent, to the bit, on any machine. Raises InputError where there is no such
    section, or the study has a sweep.

    >>> study = fx.Study.preset("large_cap_learned").changed({"train.agent.rounds": 1, "train.agent.batch": 512})
    >>> fx.train(study).save("agent.parquet")
    """
    require_study(study)
    if agent is not None:
        require_text("agent", agent)
    trained = train_one(study, agent, require_threads(threads), progress)
    return Network(trained) if isinstance(trained, NetworkAgent) else Agent(trained)


def show(agent: str | Path | Agent | Network) -> Agent | Network:
    """An agent or a network from its file; what it learned stands in ``in_words``, and a notebook shows it.

    Raises InputError where the file is missing, damaged or no agent.

    >>> fx.show("agent.parquet").in_words[0]  # the one that ``train`` saved
    'agent agent: rule backward, 512 episodes of training'
    """
    if isinstance(agent, (Agent, Network)):
        return agent
    path = require_path("agent", agent)
    return Network(read_network(path)) if is_network(path) else Agent(read_agent(path))

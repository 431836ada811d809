"""A trained agent as a file: Parquet, a row for each step and state, signed by what it was trained on. No pickle."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastexec.errors import InputError
from fastexec.files import open_local
from fastexec.models.strategies import Actions
from fastexec.planning.policies import Cut, TablePolicy, market_states

if TYPE_CHECKING:
    import pyarrow as pa

KEY = b"fastexec.agent"
VERSION = 1
FEWEST_VISITS = 30


@dataclass(frozen=True, eq=False)
class Agent:
    """cuts: features with their edges, inventory last. q: float64[t, state, a], expected cost to go (bps; NaN: never
    tried). visits: int64[t, state]. schedule: float64[t + 1], its mean. curve: a row a round (episodes, training_bps,
    validation_bps, completion). training: what it was trained by, as nested keys. outside: values of the pilot run beyond
    the ends that a feature was given.
    """

    cuts: tuple[Cut, ...]
    actions: Actions
    q: np.ndarray
    visits: np.ndarray
    schedule: np.ndarray
    curve: list[dict[str, float]]
    training: dict[str, Any] = field(repr=False)
    outside: dict[str, int] = field(default_factory=dict)

    @property
    def policy(self) -> TablePolicy:
        """Its table: in each state the cheapest action, the first of several."""
        known = np.where(np.isnan(self.q), np.inf, self.q)
        return TablePolicy(self.cuts, self.actions, np.argmin(known, axis=2).astype(np.uint16), self.schedule)

    @property
    def known(self) -> float:
        """Share of the states that were visited often enough."""
        return float((self.visits >= FEWEST_VISITS).mean())


def agent_table(agent: Agent) -> pa.Table:
    """The agent as an Arrow table: step, a bin for each feature, q and visits; the rest as metadata."""
    import pyarrow as pa

    steps, states, actions = agent.q.shape
    columns: dict[str, Any] = {"step": np.repeat(np.arange(steps, dtype=np.int32), states)}
    code = np.tile(np.arange(states), steps)
    for cut in agent.cuts:
        columns[cut.name] = (code % cut.bins).astype(np.int32)
        code //= cut.bins
    columns["visits"] = agent.visits.ravel()
    columns["best"] = agent.policy.table.ravel().astype(np.int32)
    flat = pa.array(agent.q.ravel(), pa.float64())
    columns["q"] = pa.FixedSizeListArray.from_arrays(flat, actions)
    meta = {
        "version": VERSION,
        "features": [{"name": c.name, "bins": c.bins, "edges": c.edges.tolist(), "steps": c.steps} for c in agent.cuts],
        "actions": agent.actions.model_dump(),
        "schedule": agent.schedule.tolist(),
        "curve": agent.curve,
        "training": agent.training,
        "outside": agent.outside,
    }
    return pa.table(columns).replace_schema_metadata({KEY: json.dumps(meta, sort_keys=True)})


def read_agent(path: Path | str, stream: Any = None) -> Agent:
    """An agent from its file; InputError, one line, where it is missing, damaged or no agent.

    ``stream``: the file, open for reading, where it lies on no local disk.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(open_local(path) if stream is None else stream).read()
        meta = json.loads((table.schema.metadata or {})[KEY])
        if meta["version"] != VERSION:
            raise InputError(f"{path}: an agent of version {meta['version']}; this fastexec reads {VERSION}")
        cuts = tuple(Cut(c["name"], c["bins"], np.array(c["edges"]), c["steps"]) for c in meta["features"])
        actions = Actions.model_validate(meta["actions"])
        steps = len(meta["schedule"]) - 1
        states = market_states(cuts) * next(c.bins for c in cuts if c.name == "inventory")
        q = table["q"].combine_chunks().flatten().to_numpy().reshape(steps, states, len(actions.levels))
        visits = table["visits"].to_numpy().reshape(steps, states)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; name an agent made by `fastexec train`") from None
    except (KeyError, ValueError, TypeError, StopIteration, OSError, pa.ArrowException) as error:
        reason = "it carries no agent" if isinstance(error, KeyError) else "damaged, or no Parquet file"
        raise InputError(f"{path}: is no agent of fastexec ({reason}); train it anew") from None
    return Agent(cuts, actions, q, visits, np.array(meta["schedule"]), meta["curve"], meta["training"], meta["outside"])

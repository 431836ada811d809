"""A trained agent as a file: Parquet, a row for each step and state, signed by what it was trained on. No pickle."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fastexec.models.actions import Actions
from fastexec.planning.policies import Cut, TablePolicy

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


def agent_schema(cuts: tuple[Cut, ...], actions: int) -> pa.Schema:
    """The columns of an agent's table, without its metadata."""
    import pyarrow as pa

    names = ("step", *(cut.name for cut in cuts))
    return pa.schema(
        [
            *(pa.field(name, pa.int32()) for name in names),
            pa.field("visits", pa.int64()),
            pa.field("best", pa.int32()),
            pa.field("q", pa.list_(pa.float64(), actions)),
        ]
    )


def codes_by_feature(cuts: tuple[Cut, ...], steps: int) -> dict[str, np.ndarray]:
    """The bin of each feature in each row, int32[t * state]; the first feature changes fastest."""
    code = np.tile(np.arange(int(np.prod([cut.bins for cut in cuts], dtype=np.int64))), steps)
    columns = {}
    for cut in cuts:
        columns[cut.name] = (code % cut.bins).astype(np.int32)
        code //= cut.bins
    return columns


def agent_table(agent: Agent) -> pa.Table:
    """The agent as an Arrow table: step, a bin for each feature, visits, best and q; the rest as metadata."""
    import pyarrow as pa

    steps, states, actions = agent.q.shape
    columns: dict[str, Any] = {"step": np.repeat(np.arange(steps, dtype=np.int32), states)}
    columns |= codes_by_feature(agent.cuts, steps)
    columns["visits"] = agent.visits.ravel()
    columns["best"] = agent.policy.table.ravel().astype(np.int32)
    columns["q"] = pa.FixedSizeListArray.from_arrays(pa.array(agent.q.ravel(), pa.float64()), actions)
    meta = {
        "version": VERSION,
        "features": [{"name": c.name, "bins": c.bins, "edges": c.edges.tolist(), "steps": c.steps} for c in agent.cuts],
        "actions": agent.actions.model_dump(),
        "schedule": agent.schedule.tolist(),
        "curve": agent.curve,
        "training": agent.training,
        "outside": agent.outside,
    }
    schema = agent_schema(agent.cuts, actions).with_metadata({KEY: json.dumps(meta, sort_keys=True)})
    return pa.table(columns, schema=schema)

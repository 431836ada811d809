"""A trained agent as a file: Parquet, a row for each step and state, signed by what it was trained on. No pickle."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fastexec.learning.tables import Learned
from fastexec.models.actions import Actions
from fastexec.models.order import Order
from fastexec.planning.policies import Cut, Seen, TablePolicy

if TYPE_CHECKING:
    import pyarrow as pa

KEY = b"fastexec.agent"
VERSION = 2
FEWEST_VISITS = 30


@dataclass(frozen=True, eq=False)
class Agent:
    """cuts: features with their edges, inventory last. learned: the table that was kept. schedule: float64[t + 1], its mean.
    curve: a row for the start (not of rule program) and one a round (episodes, training_bps, validation_bps, error_bps,
    completion); kept: the row of the table; fresh: (cost, standard error) in bps, on episodes by which nothing was chosen.
    seen: between which values, but for rare ones, each feature lay in training, inventory's infinite. training: what it was
    trained by, as nested keys. outside: values of the pilot run beyond the ends that a feature was given.
    """

    cuts: tuple[Cut, ...]
    actions: Actions
    learned: Learned
    schedule: np.ndarray
    curve: list[dict[str, Any]]
    kept: int
    fresh: tuple[float, float]
    seen: tuple[tuple[float, float], ...]
    training: dict[str, Any] = field(repr=False)
    outside: dict[str, int] = field(default_factory=dict)

    @property
    def q(self) -> np.ndarray:
        """Expected cost to go, float64[t, state, a] (bps; NaN: never tried)."""
        return self.learned.q

    @property
    def visits(self) -> np.ndarray:
        """int64[t, state]."""
        return self.learned.visits

    @property
    def policy(self) -> TablePolicy:
        """Its table, with what its training saw."""
        lowest, highest = np.array(self.seen, np.float64).T
        seen = Seen(self.visits > 0, lowest, highest)
        return TablePolicy(self.cuts, self.actions, self.learned.best, self.schedule, seen)

    @property
    def levels(self) -> tuple[float, ...]:
        """Its actions, all that is left among them."""
        return self.actions.levels_for(Order.model_validate(self.training["order"]))

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
            pa.field("second", pa.list_(pa.float64(), actions)),
            pa.field("tries", pa.list_(pa.int64(), actions)),
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
    """The agent as an Arrow table: step, a bin for each feature, visits, best, and of each action q, the mean squared target
    and the number of targets; the rest as metadata.
    """
    import pyarrow as pa

    steps, states, actions = agent.q.shape
    columns: dict[str, Any] = {"step": np.repeat(np.arange(steps, dtype=np.int32), states)}
    columns |= codes_by_feature(agent.cuts, steps)
    columns["visits"] = agent.visits.ravel()
    columns["best"] = agent.learned.best.ravel().astype(np.int32)
    for name in ("q", "second", "tries"):
        columns[name] = pa.FixedSizeListArray.from_arrays(pa.array(getattr(agent.learned, name).ravel()), actions)
    meta = {
        "version": VERSION,
        "features": [{"name": c.name, "bins": c.bins, "edges": c.edges.tolist(), "steps": c.steps} for c in agent.cuts],
        "actions": agent.actions.model_dump(),
        "schedule": agent.schedule.tolist(),
        "curve": agent.curve,
        "kept": agent.kept,
        "fresh": agent.fresh,
        "seen": [pair if np.isfinite(pair).all() else None for pair in agent.seen],
        "training": agent.training,
        "outside": agent.outside,
    }
    schema = agent_schema(agent.cuts, actions).with_metadata({KEY: json.dumps(meta, sort_keys=True)})
    return pa.table(columns, schema=schema)

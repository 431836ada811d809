"""An agent from its file: nothing of it is used before all of it fits together, for the kernels index by what it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import numpy as np
from pydantic import ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from fastexec.errors import InputError
from fastexec.files import open_local
from fastexec.kernels.fields import MOST_FEATURES
from fastexec.learning.agent import KEY, VERSION, Agent, agent_schema, codes_by_feature
from fastexec.learning.features import MOST_CELLS
from fastexec.learning.network_file import KEY as NETWORK
from fastexec.learning.tables import Learned
from fastexec.models._base import Model
from fastexec.models.actions import Actions
from fastexec.models.agents import MOST_BINS, Training
from fastexec.models.features import FEATURES, NOT_OF_TABLES, declared
from fastexec.models.messages import one_line
from fastexec.models.order import Order
from fastexec.planning.policies import Cut

if TYPE_CHECKING:
    import pyarrow as pa

_MOST_STEPS, _MOST_ROUNDS = 100_000, 1_000_000
#: Bytes that a file may announce, over what its cells take: three numbers a cell, two a state, and levels of lists.
_OVERHEAD = 3
_SPARE = 1 << 20
_HAIR = 1e-9


class _Part(Model):
    """Built when the first agent is read: few commands read one, and all would wait for it."""

    model_config = ConfigDict(defer_build=True)


class _Feature(_Part):
    """A feature as it was cut."""

    name: Annotated[str, Field(max_length=60)]
    bins: Annotated[int, Field(ge=1, le=1024)]
    edges: Annotated[tuple[float, ...], Field(strict=False, max_length=MOST_BINS - 1)]
    steps: Annotated[int, Field(ge=0, le=16)]

    @model_validator(mode="after")
    def _fits(self) -> _Feature:
        edges = 0 if self.name == "inventory" else self.bins - 1
        if len(self.edges) != edges or (self.name != "inventory" and not edges):
            raise PydanticCustomError(
                "edges", "{n} edges make no {bins} bins", {"n": len(self.edges), "bins": self.bins}
            )
        if any(a >= b for a, b in zip(self.edges, self.edges[1:], strict=False)):
            raise PydanticCustomError("edges", "edges must rise from one to the next")
        return self


_Ends = Annotated[tuple[float, float], Field(strict=False)]


class _Round(_Part):
    """A row of the learning curve; the start knows nothing of itself yet."""

    episodes: Annotated[float, Field(ge=0)]
    training_bps: float | None
    validation_bps: float
    error_bps: Annotated[float, Field(ge=0)]
    completion: Annotated[float, Field(ge=0, le=1 + _HAIR)]


class _Origin(_Part):
    """What the agent was trained by, as far as it is read again; the whole is compared with a study's."""

    model_config = ConfigDict(extra="allow")

    name: Annotated[str, Field(min_length=1, max_length=100)]
    order: Order
    train: Training
    kernels: Annotated[str, Field(max_length=64)]

    @property
    def signals(self) -> list[Any]:
        """The names of the signals of the market that it was trained in."""
        market = (self.__pydantic_extra__ or {}).get("market")
        signals = market.get("signals") if isinstance(market, dict) else None
        return [one.get("name") for one in signals if isinstance(one, dict)] if isinstance(signals, list) else []

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, data: Any) -> Any:
        return data  # sections of the study and its seed stand beside


class _Meta(_Part):
    """The metadata of the table."""

    version: Literal[2]
    features: Annotated[tuple[_Feature, ...], Field(strict=False, min_length=1, max_length=MOST_FEATURES)]
    actions: Actions
    schedule: Annotated[
        tuple[Annotated[float, Field(ge=0, le=1)], ...],
        Field(strict=False, min_length=2, max_length=_MOST_STEPS + 1),
    ]
    curve: Annotated[tuple[_Round, ...], Field(strict=False, min_length=1, max_length=_MOST_ROUNDS)]
    kept: Annotated[int, Field(ge=0)]
    fresh: Annotated[tuple[float, Annotated[float, Field(ge=0)]], Field(strict=False)]
    seen: Annotated[tuple[_Ends | None, ...], Field(strict=False)]
    training: _Origin
    outside: dict[str, Annotated[int, Field(ge=0)]]

    @field_validator("schedule")
    @classmethod
    def _from_nothing_to_all(cls, schedule: tuple[float, ...]) -> tuple[float, ...]:
        if schedule[0] != 0.0 or any(a > b for a, b in zip(schedule, schedule[1:], strict=False)):
            raise PydanticCustomError("schedule", "must begin at 0 and never fall")
        if schedule[-1] not in (0.0, 1.0):  # 0: an agent that never trades
            raise PydanticCustomError("schedule", "must end at 1")
        return schedule

    @model_validator(mode="after")
    def _fits(self) -> _Meta:
        names = [feature.name for feature in self.features]
        if len(set(names)) < len(names):
            raise PydanticCustomError("features", "features: one is named twice")
        for name in names:
            if name not in FEATURES and name not in self.training.signals:
                raise PydanticCustomError("name", "features: {name} is no feature", {"name": repr(name)})
            if not declared(name).tables:
                raise PydanticCustomError("name", "features: {name}: {why}", {"name": name, "why": NOT_OF_TABLES})
        if names[-1] != "inventory":
            raise PydanticCustomError("features", "features: the last must be inventory")
        if self.features[-1].bins < 2 and self.training.train.rule != "program":
            raise PydanticCustomError("features", "features: inventory has a single bin")
        if self.training.order.steps != self.steps:
            raise PydanticCustomError("schedule", "schedule: its steps are not those of training.order")
        if self.kept >= len(self.curve):
            raise PydanticCustomError("kept", "kept: no row of the curve")
        if len(self.seen) != len(names) or any(
            (ends is None) != (name == "inventory") or (ends is not None and ends[0] > ends[1])
            for ends, name in zip(self.seen, names, strict=False)
        ):
            raise PydanticCustomError("seen", "seen: not the lowest and highest value of each feature but inventory")
        if self.steps * self.states * self.actions_of > MOST_CELLS:
            raise PydanticCustomError("features", "features: more than {most} cells", {"most": f"{MOST_CELLS:,}"})
        if unknown := set(self.outside) - set(names):
            raise PydanticCustomError("outside", "outside: {name} is no feature", {"name": repr(min(unknown))})
        return self

    @property
    def steps(self) -> int:
        return len(self.schedule) - 1

    @property
    def actions_of(self) -> int:
        """The number of actions, all that is left among them."""
        return len(self.actions.levels_for(self.training.order))

    @property
    def states(self) -> int:
        product = 1
        for feature in self.features:
            product *= feature.bins
        return product


def read_agent(path: Path | str, stream: Any = None) -> Agent:
    """An agent from its file; InputError, one line, where it is missing, damaged, no agent, or does not fit together.

    ``stream``: the file, open for reading, where it lies on no local disk.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(open_local(path) if stream is None else stream)
        raw = json.loads(_text(file, path))
        meta = _checked(raw, path)
        cuts = tuple(Cut(c.name, c.bins, np.array(c.edges, np.float64), c.steps) for c in meta.features)
        _check_shape(file, meta, cuts, path)
        table = file.read()
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; name an agent made by `fastexec train`") from None
    except (ValueError, TypeError, KeyError, OSError, MemoryError, RecursionError, pa.ArrowException):
        _refuse(path, "damaged, or no Parquet file")
    learned = _arrays(table, meta, cuts, path)
    seen = tuple((-np.inf, np.inf) if ends is None else ends for ends in meta.seen)
    return Agent(
        cuts, meta.actions, learned, np.array(meta.schedule), raw["curve"], meta.kept, meta.fresh, seen,
        raw["training"], dict(meta.outside),
    )  # fmt: skip


def _refuse(path: Path | str, reason: str) -> NoReturn:
    told = "".join(c if c.isprintable() else " " for c in reason)[:300]
    raise InputError(f"{path}: is no agent of fastexec ({told}); train it anew") from None


def _text(file: Any, path: Path | str) -> str:
    metadata = file.schema_arrow.metadata or {}
    found = metadata.get(KEY)
    if NETWORK in metadata:
        raise InputError(f'{path}: it is a network: model = "network" plays it')
    if found is None:
        _refuse(path, "it carries no agent")
    text: str = found.decode()
    return text


def _checked(raw: Any, path: Path | str) -> _Meta:
    if not isinstance(raw, dict):
        _refuse(path, "its metadata is no table")
    version = raw.get("version", VERSION)
    if isinstance(version, int) and version != VERSION:
        raise InputError(f"{path}: an agent of version {str(version)[:20]}; this fastexec reads {VERSION}")
    try:
        return _Meta.model_validate(raw)
    except ValidationError as error:
        _refuse(path, one_line(error, raw, _Meta))


def _check_shape(file: Any, meta: _Meta, cuts: tuple[Cut, ...], path: Path | str) -> None:
    """Columns, rows and the memory they announce, before any of it is taken."""
    wanted, found = agent_schema(cuts, meta.actions_of), file.schema_arrow.remove_metadata()
    if not found.equals(wanted):
        _refuse(path, f"its columns are {found.to_string(show_field_metadata=False)}, not {wanted.to_string()}")
    rows, cells = meta.steps * meta.states, meta.steps * meta.states * meta.actions_of
    if file.metadata.num_rows != rows:
        _refuse(path, f"{file.metadata.num_rows:,} rows for {meta.steps} steps of {meta.states:,} states")
    groups = (file.metadata.row_group(g) for g in range(file.metadata.num_row_groups))
    if sum(group.total_byte_size for group in groups) > _OVERHEAD * 8 * (3 * cells + len(wanted) * rows) + _SPARE:
        _refuse(path, "it announces more bytes than its table has")


def _arrays(table: pa.Table, meta: _Meta, cuts: tuple[Cut, ...], path: Path | str) -> Learned:
    """The table; InputError where it cannot be one."""
    steps, states, actions = meta.steps, meta.states, meta.actions_of
    flat = {name: table[name].combine_chunks().flatten() for name in ("q", "second", "tries")}
    if table.num_rows != steps * states or any(column.null_count for column in (*table.columns, *flat.values())):
        _refuse(path, "rows or values are missing")
    expected = {"step": np.repeat(np.arange(steps), states), **codes_by_feature(cuts, steps)}
    for name, values in expected.items():
        if not np.array_equal(_numbers(table[name]), values):
            _refuse(path, f"column {name} is not in the order of steps and states")
    q, second, tries = (column.to_numpy().reshape(steps, states, actions) for column in flat.values())
    visits, best = (_numbers(table[name]).reshape(steps, states) for name in ("visits", "best"))
    if visits.min() < 0 or tries.min() < 0:
        _refuse(path, "visits lie below 0")
    if np.isinf(q).any() or np.isinf(second).any() or (second < 0.0).any():
        _refuse(path, "q is infinite, or a mean square no mean square")
    if (np.isnan(q) & (tries > 0)).any() or ((visits > 0) & ~(tries > 0).any(axis=2)).any():
        _refuse(path, "a state was visited and no action tried")
    if best.min() < 0 or best.max() >= actions:
        _refuse(path, f"column best names an action beyond the {actions} that there are")
    return Learned(q, second, tries, visits, best.astype(np.uint16))


def _numbers(column: pa.ChunkedArray) -> np.ndarray:
    numbers: np.ndarray = column.to_numpy()
    return numbers

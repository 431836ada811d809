"""A network as a file: Parquet, a row for each weight and bias, all else as metadata. Nothing of it is used before all of it
fits together, for the kernels index by what it says.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import numpy as np
from pydantic import ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from fastexec.errors import InputError
from fastexec.files import open_local
from fastexec.kernels.fields import HISTORY, MOST_LAYERS, MOST_LEVELS, MOST_OBSERVED, MOST_UNITS
from fastexec.models._base import Model
from fastexec.models.actions import Actions
from fastexec.models.messages import one_line
from fastexec.models.names import Name
from fastexec.planning.networks import OF_ACTIONS
from fastexec.planning.policies import Layer, NetworkPolicy, Scaled
from fastexec.wording import counted

if TYPE_CHECKING:
    import pyarrow as pa

KEY = b"fastexec.network"
VERSION = 1
#: Bytes that a file may announce, over what its rows take.
_OVERHEAD, _SPARE = 3, 1 << 20
_ROW_BYTES = 16


@dataclass(frozen=True, eq=False)
class NetworkAgent:
    """A network, by its ``name``; ``origin``: what its maker says of it, as nested keys: the study that its scales come from or
    that it was trained on, a seed, the kernels.
    """

    name: str
    policy: NetworkPolicy
    origin: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Inputs, the units of each hidden layer, outputs."""
        layers = self.policy.layers
        return (layers[0].weights.shape[1], *(layer.bias.size for layer in layers))


class _Part(Model):
    """Built when the first file is read: few commands read one, and all would wait for it."""

    model_config = ConfigDict(defer_build=True)


class Observed(_Part):
    """A feature that a network sees, and how it is scaled."""

    name: Name
    mean: float
    sd: Annotated[float, Field(gt=0)]
    steps: Annotated[int, Field(ge=0, lt=HISTORY)] = 0

    @model_validator(mode="after")
    def _only_momentum_looks_back(self) -> Observed:
        if (self.steps > 0) != (self.name == "momentum"):
            raise PydanticCustomError("steps", "steps: momentum has some, no other feature any")
        return self


class Meta(_Part):
    """All of a network but its weights."""

    version: Literal[1]
    name: Name
    sizes: Annotated[
        tuple[Annotated[int, Field(ge=1, le=MOST_UNITS)], ...],
        Field(strict=False, min_length=2, max_length=MOST_LAYERS + 1),
    ]
    activation: Literal["tanh", "relu"]
    observation: Annotated[tuple[Observed, ...], Field(strict=False, min_length=1, max_length=MOST_OBSERVED)]
    actions: Actions | None
    mode: Literal["greedy", "sampled", "clip", "tanh"]
    steps: Annotated[int, Field(ge=1)] | None
    origin: dict[str, Any]

    @model_validator(mode="after")
    def _fits(self) -> Meta:
        names = [one.name for one in self.observation]
        for name in names:
            if names.count(name) > 1:
                raise _error("observation: two are named {name}; name each once", name=name)
        if self.sizes[0] != len(names):
            inputs, seen = counted(self.sizes[0], "input"), counted(len(names), "feature")
            raise _error("layers: the first has {inputs} for {seen} of the observation", inputs=inputs, seen=seen)
        outputs = counted(self.sizes[-1], "output")
        if self.sizes[-1] > MOST_LEVELS:
            raise _error("layers: the last has {outputs}; at most {most}", outputs=outputs, most=MOST_LEVELS)
        if (self.actions is None) == (self.mode in OF_ACTIONS):
            right = "clip or tanh" if self.actions is None else "greedy or sampled"
            raise _error("mode: {mode!r} fits no such actions; it must be {right}", mode=self.mode, right=right)
        if self.actions is None and self.sizes[-1] != 1:
            raise _error("layers: the last has {outputs}; a share of what is left is one", outputs=outputs)
        if self.actions is not None and self.sizes[-1] - len(self.actions.levels) not in (0, 1):
            levels = counted(len(self.actions.levels), "level")
            raise _error(
                'layers: the last has {outputs} for {levels}; give one an action, "all that is left" behind the levels among '
                "them where none takes it",
                outputs=outputs, levels=levels,
            )  # fmt: skip
        return self


def _error(text: str, **values: Any) -> PydanticCustomError:
    return PydanticCustomError("network", "{text}", {"text": text.format(**values)})


def checked(meta: dict[str, Any]) -> Meta:
    """The metadata of a network; InputError, one line, where it does not fit together."""
    try:
        return Meta.model_validate(meta)
    except ValidationError as error:
        raise InputError(one_line(error, meta, Meta)) from None


def described(agent: NetworkAgent) -> dict[str, Any]:
    """All of a network but its weights, as nested keys."""
    policy = agent.policy
    return {
        "version": VERSION,
        "name": agent.name,
        "sizes": list(agent.sizes),
        "activation": policy.activation,
        "observation": [one._asdict() for one in policy.observation],
        "actions": None if policy.actions is None else policy.actions.model_dump(),
        "mode": policy.mode,
        "steps": policy.steps,
        "origin": agent.origin,
    }


def network_schema() -> pa.Schema:
    """The columns of a network's table, without its metadata."""
    import pyarrow as pa

    places = [pa.field(name, pa.int32()) for name in ("layer", "output", "input")]
    return pa.schema([*places, pa.field("weight", pa.float32())])


def _places(sizes: tuple[int, ...]) -> np.ndarray:
    """Layer, output and input of each row, int32[3, row]: each output's weights in order, and behind them its bias (-1)."""
    rows = [
        (layer, output, k)
        for layer, (inputs, outputs) in enumerate(zip(sizes, sizes[1:], strict=False))
        for output in range(outputs)
        for k in (*range(inputs), -1)
    ]
    return np.array(rows, np.int32).T


def network_table(agent: NetworkAgent) -> pa.Table:
    """A network as an Arrow table: layer, output, input (-1: the bias) and weight; the rest as metadata."""
    import pyarrow as pa

    weights = np.concatenate([np.column_stack(layer).ravel() for layer in agent.policy.layers])
    meta = json.dumps(described(agent), sort_keys=True, allow_nan=False)
    schema = network_schema().with_metadata({KEY: meta})
    return pa.table([*_places(agent.sizes), weights], schema=schema)


def is_network(path: Path | str) -> bool:
    """Whether a file is the table of a network, be it damaged or not; what cannot be read is none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return KEY in (pq.ParquetFile(open_local(path)).schema_arrow.metadata or {})
    except (ValueError, OSError, pa.ArrowException):
        return False


def read_network(path: Path | str) -> NetworkAgent:
    """A network from its file; InputError, one line, where it is missing, damaged, no network, or does not fit together."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(open_local(path))
        found = (file.schema_arrow.metadata or {}).get(KEY)
        if found is None:
            _refuse(path, "it carries no network")
        raw = json.loads(found.decode())
        meta = _checked(raw, path)
        _check_shape(file, meta, path)
        table = file.read()
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; name a network saved by fx.Network") from None
    except (ValueError, TypeError, KeyError, OSError, MemoryError, RecursionError, pa.ArrowException):
        _refuse(path, "damaged, or no Parquet file")
    layers = _layers(table, meta.sizes, path)
    observation = tuple(Scaled(one.name, one.mean, one.sd, one.steps) for one in meta.observation)
    policy = NetworkPolicy(observation, layers, meta.activation, meta.actions, meta.mode, meta.steps)
    return NetworkAgent(meta.name, policy, raw["origin"])


def _refuse(path: Path | str, reason: str) -> NoReturn:
    told = "".join(c if c.isprintable() else " " for c in reason)[:300]
    raise InputError(f"{path}: is no network of fastexec ({told}); save it anew") from None


def _checked(raw: Any, path: Path | str) -> Meta:
    if not isinstance(raw, dict):
        _refuse(path, "its metadata is no table")
    version = raw.get("version", VERSION)
    if isinstance(version, int) and version != VERSION:
        raise InputError(f"{path}: a network of version {str(version)[:20]}; this fastexec reads {VERSION}")
    try:
        return Meta.model_validate(raw)
    except ValidationError as error:
        _refuse(path, one_line(error, raw, Meta))


def _check_shape(file: Any, meta: Meta, path: Path | str) -> None:
    """Columns, rows and the memory they announce, before any of it is taken."""
    wanted, found = network_schema(), file.schema_arrow.remove_metadata()
    if not found.equals(wanted):
        _refuse(path, f"its columns are {found.to_string(show_field_metadata=False)}, not {wanted.to_string()}")
    rows = sum((inputs + 1) * outputs for inputs, outputs in zip(meta.sizes, meta.sizes[1:], strict=False))
    if file.metadata.num_rows != rows:
        _refuse(path, f"{counted(file.metadata.num_rows, 'row')} for {counted(rows, 'weight')}")
    groups = (file.metadata.row_group(g) for g in range(file.metadata.num_row_groups))
    if sum(group.total_byte_size for group in groups) > _OVERHEAD * _ROW_BYTES * rows + _SPARE:
        _refuse(path, "it announces more bytes than its table has")


def _layers(table: pa.Table, sizes: tuple[int, ...], path: Path | str) -> tuple[Layer, ...]:
    """The weights; InputError where one is missing, no number, or not in its place."""
    if any(column.null_count for column in table.columns):
        _refuse(path, "weights are missing")
    for name, values in zip(("layer", "output", "input"), _places(sizes), strict=True):
        if not np.array_equal(table[name].to_numpy(), values):
            _refuse(path, f"column {name} is not in the order of layers, outputs and inputs")
    weights = table["weight"].to_numpy()
    if not np.isfinite(weights).all():
        _refuse(path, "a weight is no finite number")
    layers, at = [], 0
    for inputs, outputs in zip(sizes, sizes[1:], strict=False):
        size = (inputs + 1) * outputs
        both = weights[at : at + size].reshape(outputs, inputs + 1)
        layers.append(Layer(np.ascontiguousarray(both[:, :-1]), both[:, -1].copy()))
        at += size
    return tuple(layers)

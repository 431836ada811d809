"""Networks in Python's hands: made of weights from anywhere, told in words, kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastexec.analysis.network_words import of_network
from fastexec.arguments import require_one_of, require_path, require_text, require_whole
from fastexec.errors import InputError
from fastexec.frames import Frame
from fastexec.kernels._sources import kernel_hash
from fastexec.kernels.fields import HISTORY, MOST_LAYERS
from fastexec.learning.network_file import VERSION, NetworkAgent, checked, network_table
from fastexec.learning.network_value import expected_cost, why_unvalued
from fastexec.learning.scales import LOOK_BACK, scales_of
from fastexec.models._base import plain, written
from fastexec.models.features import FEATURES
from fastexec.models.names import quoted
from fastexec.models.study import StudyModel, require_study
from fastexec.planning.policies import Layer, NetworkPolicy, Scaled
from fastexec.runs.agents import require_free
from fastexec.runs.networks import save_network
from fastexec.wording import counted, did_you_mean

if TYPE_CHECKING:
    import pyarrow as pa

#: A share of what is left, in place of actions.
SHARE = "share"


@dataclass(frozen=True, repr=False)
class Network(Frame):
    """A network as a strategy. ``learned``: its layers, observation and actions; ``in_words``: what it is, a line each.

    ``to_arrow``, ``to_pandas`` and ``to_polars`` give a row for each weight: layer, output, input (-1: the bias), weight.
    """

    learned: NetworkAgent

    @classmethod
    def from_layers(
        cls,
        layers: Sequence[tuple[Any, Any]],
        *,
        observation: Sequence[str | Mapping[str, Any]],
        actions: Mapping[str, Any] | str,
        activation: str = "tanh",
        mode: str | None = None,
        study: StudyModel | None = None,
        **about: Any,
    ) -> Network:
        """A network of weights from anywhere: Stable-Baselines3, torch, JAX.

        layers: (weights, bias) of each layer, float arrays [outputs, inputs] as torch's Linear has them, and [outputs]; up to
        three hidden layers of 128, the last one linear. activation: of the hidden layers, "tanh" or "relu". observation: up
        to 64 features in the order of the inputs, by name, or as {"name", "mean", "sd"} (momentum also "steps", 5 by
        default); each is seen as (value - mean) / sd. actions: {"set", "levels"} as of `[train.NAME.actions]`, one output
        each and behind them one for all that is left where no level takes it; or "share": one output, a share of what is
        left. mode: "greedy" (default: the greatest output) or "sampled" (drawn by their exponentials); of a share "clip"
        (default: held between 0 and 1) or "tanh" ((1 + tanh) / 2). study: means and sds that are not given are found in a
        pilot run of it, and the network is held to its number of steps. about: ``name`` (default "network"), ``steps`` (the
        number of steps it is made for, where no study says it), ``seed`` and ``note`` of whoever trained it.

        Raises InputError where shapes do not follow each other, a weight is no finite number, or names or actions do not fit.

        >>> rng = np.random.default_rng(0)
        >>> sizes = [(16, 2), (4, 16)]
        >>> layers = [(rng.normal(size=size), np.zeros(size[0])) for size in sizes]
        >>> study = fx.Study.preset("large_cap")
        >>> actions = {"set": "multiples", "levels": [0.0, 1.0, 2.0]}
        >>> fx.Network.from_layers(layers, observation=["inventory", "time"], actions=actions, study=study)
        Network('network', 2-16-4, tanh)
        """
        if study is not None:
            require_study(study)
        made = tuple(_layer(number, layer) for number, layer in enumerate(_listed("layers", layers), 1))
        observed = _observation(_listed("observation", observation), study)
        meta = {
            "version": VERSION,
            "name": require_text("name", about.pop("name", "network")),
            "sizes": _sizes(made),
            "activation": activation,
            "observation": [one._asdict() for one in observed],
            "actions": None if isinstance(actions, str) and actions == SHARE else actions,
            "mode": ("clip" if actions == SHARE else "greedy") if mode is None else mode,
            "steps": _steps(about, study),
            "origin": _origin(about, study),
        }
        known = checked(meta)
        policy = NetworkPolicy(observed, made, known.activation, known.actions, known.mode, known.steps)
        return cls(NetworkAgent(known.name, policy, known.origin))

    @property
    def in_words(self) -> list[str]:
        """What it is, a line each."""
        return of_network(self.learned)

    def expected_cost(self, study: StudyModel) -> float:
        """What an order of the study is expected to cost by it, in bps of the order's value, without the moves of a martingale:
        exact, by dynamic programming with its own actions, in a market of Markov chains.

        Raises InputError where it is not known, and why.
        """
        require_study(study)
        if (reason := why_unvalued(study, self.learned.policy)) is not None:
            raise InputError(f"expected_cost: not known: {reason}")
        return expected_cost(study, self.learned.policy)

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write its file, whole or not at all; in a study ``{"model": "network", "agent": path}``.

        Raises RefusedError where the file is there, unless ``overwrite``; InputError where the path is a folder.
        """
        place = require_path("path", path)
        require_free(place, require_one_of("overwrite", overwrite, True, False), "path")
        save_network(self.learned, place)

    def to_arrow(self) -> pa.Table:
        """A row for each weight."""
        return network_table(self.learned)

    def __repr__(self) -> str:
        sizes = "-".join(map(str, self.learned.sizes))
        return f"Network({self.learned.name!r}, {sizes}, {self.learned.policy.activation})"


def _listed(name: str, values: Any) -> list[Any]:
    if isinstance(values, (str, Mapping)) or not hasattr(values, "__iter__"):
        raise InputError(f"{name}: must be a list, not a {type(values).__name__}")
    return list(values)


def _layer(number: int, given: Any) -> Layer:
    """Float arrays of a layer; InputError where they are none."""
    try:
        weights, bias = given
        arrays = [np.asarray(values, np.float64) for values in (weights, bias)]
    except (TypeError, ValueError, RuntimeError):
        raise InputError(
            f"layers: layer {number} is no (weights, bias); give arrays [outputs, inputs] and [outputs]"
        ) from None
    weights, bias = arrays
    if weights.ndim != 2 or bias.shape != weights.shape[:1] or not weights.size:
        raise InputError(
            f"layers: layer {number} has weights {weights.shape} and bias {bias.shape}; they must be [outputs, inputs] and "
            "[outputs]"
        )
    with np.errstate(over="ignore"):
        single = [array.astype(np.float32) for array in arrays]
    if not all(np.isfinite(array).all() for array in single):
        raise InputError(f"layers: layer {number} holds a weight that is no finite float32 number")
    return Layer(np.ascontiguousarray(single[0]), np.ascontiguousarray(single[1]))


def _sizes(layers: tuple[Layer, ...]) -> list[int]:
    """Inputs and the outputs of each layer; InputError where they do not follow each other."""
    if not 1 <= len(layers) <= MOST_LAYERS:
        raise InputError(f"layers: there are {len(layers)}; give 1 to {MOST_LAYERS}, the last one linear")
    sizes = [layers[0].weights.shape[1]]
    for number, layer in enumerate(layers, 1):
        outputs, inputs = layer.weights.shape
        if inputs != sizes[-1]:
            raise InputError(
                f"layers: layer {number} has {counted(inputs, 'input')} for {counted(sizes[-1], 'output')} of layer "
                f"{number - 1}"
            )
        sizes.append(outputs)
    return sizes


def _observation(given: list[Any], study: StudyModel | None) -> tuple[Scaled, ...]:
    """Each feature with its scales: as given, else of the study's pilot run."""
    asked = [_asked(one, study) for one in given]
    lacking = [(one["name"], one["steps"]) for one in asked if "mean" not in one or "sd" not in one]
    if lacking and study is None:
        raise InputError(
            f"observation: {lacking[0][0]} has no mean and sd; give both, or study=, whose pilot run finds them (mean 0 and sd "
            "1: as it is)"
        )
    pilot = {} if study is None else {one.name: one._asdict() for one in scales_of(study, lacking)}
    return tuple(Scaled(**(pilot.get(one["name"], {}) | one)) for one in asked)


def _asked(given: Any, study: StudyModel | None) -> dict[str, Any]:
    """A feature as it is asked for, with its name and steps; InputError where it is none."""
    one = plain({"name": given} if isinstance(given, str) else given)
    if not isinstance(one, dict) or not isinstance(one.get("name"), str):
        raise InputError('observation: each must be a name or {"name", "mean", "sd"}')
    name, keys = one["name"], ("name", "mean", "sd", "steps")
    if unknown := [key for key in one if key not in keys]:
        raise InputError(
            f"observation: {quoted(name)}: unknown key {quoted(str(unknown[0]))}; known are {', '.join(keys)}"
        )
    if study is None and name not in FEATURES:
        near = did_you_mean(name, FEATURES)
        raise InputError(
            f"observation: {quoted(name)} is no feature ({near}); the name of a signal needs study=, which has it"
        )
    if study is not None and (said := study.withholds(name)) is not None:
        raise InputError(f"observation: {quoted(name)}: {said}")
    least, usual = (1, LOOK_BACK) if name == "momentum" else (0, 0)
    most = HISTORY - 1 if name == "momentum" else 0
    return one | {"steps": require_whole(f"observation: {name}: steps", one.get("steps", usual), least, most)}


def _steps(about: dict[str, Any], study: StudyModel | None) -> int | None:
    steps = about.pop("steps", None)
    if steps is None:
        return None if study is None else study.order.steps
    require_whole("steps", steps, 1)
    if study is not None and steps != study.order.steps:
        raise InputError(f"steps: {steps}, order.steps of the study is {study.order.steps}; leave it out")
    return int(steps)


def _origin(about: dict[str, Any], study: StudyModel | None) -> dict[str, Any]:
    """What the file says of where the network comes from."""
    found: dict[str, Any] = {"kernels": kernel_hash()}
    if study is not None:
        found["study"] = {k: v for k, v in written(study).items() if k in ("name", "order", "market", "costs", "seed")}
    if "seed" in about:
        found["seed"] = require_whole("seed", about.pop("seed"), 0)
    if "note" in about:
        found["note"] = require_text("note", about.pop("note"))
    if about:
        raise InputError(f"from_layers: {did_you_mean(min(about), ('name', 'steps', 'seed', 'note'), 'known are')}")
    return found

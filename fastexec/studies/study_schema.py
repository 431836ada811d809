"""The study file explained: every section, model and key with its default and meaning, from the models themselves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from fastexec.models import agents, costs, market, strategies
from fastexec.models.order import Order
from fastexec.models.plugins import OwnStrategy
from fastexec.models.study import Output, StudyModel
from fastexec.studies.sweep import MOST_UNASKED

_PRICES = (market.GeometricPrice, market.ArithmeticPrice)
_SPREADS = (market.ConstantSpread, market.RandomWalkSpread, market.MeanRevertingSpread, market.MarkovSpread)
_VOLUMES = (market.ConstantVolume, market.CosineVolume, market.LognormalVolume, market.MarkovVolume)
_TEMPORARIES = (costs.PowerTemporary, costs.LinearTemporary)
_SECTIONS: tuple[tuple[str, tuple[type[BaseModel], ...]], ...] = (
    ("order", (Order,)),
    ("market", (market.SyntheticMarket, market.ReplayMarket, market.BootstrapMarket)),
    ("market.price", _PRICES),
    ("market.spread", _SPREADS),
    ("market.volume", _VOLUMES),
    ("market.correlation", (market.Correlation,)),
    ("costs", (costs.Costs,)),
    ("costs.temporary", _TEMPORARIES),
    ("costs.permanent", (costs.Permanent,)),
    ("costs.transient", (costs.Transient,)),
    ("costs.fees", (costs.Fees,)),
    ("output", (Output,)),
)
_HEAD = """\
# The study file (TOML). Units: a step; spreads as a fraction of the mid; volumes in shares; money in currency.
# A number of [order] shares, [market] and [costs] may be a range, drawn for each episode:
#     volatility = { low = 0.0003, high = 0.001, scale = "log" }      (scale: linear by default)
# A curve is a list of any length, interpolated linearly at the steps' midpoints and scaled to mean 1.
"""
_SWEEP = f"""\
[sweep]    # One study becomes many: every value with every value of the other keys, the last key fastest.
"market.price.volatility" = [0.0003, 0.0005, 0.001]    # any key of order, market, costs, train or strategies.NAME, in quotes
"order.shares" = [5_000, 20_000]                       # --set order.shares=... wins: the key is swept no longer
[[sweep.list]]    # Or scenarios whose values are tied; all set the same keys. With [sweep], each meets the whole grid.
name = "calm"                                          # optional
"market.spread.mean" = 0.0002
"market.volume.mean" = 50_000
# Every scenario has the study's seed, so all meet the same random numbers. Scenarios are named by their values:
# volatility_0.0003__shares_5000, behind the name in the list; see scenarios.parquet. At most {MOST_UNASKED:,} without --yes."""


def schema_text(own: Iterable[OwnStrategy] = ()) -> str:
    """Every key of a study with default and one-line meaning, as commented TOML; ``own``: strategies to explain too."""
    lines = [_HEAD, *_keys(StudyModel)]
    for section, models in _SECTIONS:
        for model in models:
            lines += ["", f"[{section}]{_doc(model)}", *_keys(model)]
    for model in get_args(get_args(strategies.BuiltIn)[0]):
        lines += ["", f"[[strategies]]{_doc(model)}", *_keys(model)]
        if model is strategies.Random:
            lines += ["[strategies.actions]", *_keys(strategies.Actions)]
    lines += ["", f"[[strategies]]{_doc(strategies.Own)}", *_keys(strategies.Own)]
    lines += [line for strategy in own for line in _own(strategy)]
    lines += ["", f"[train.NAME]{_doc(agents.Training)}", *_keys(agents.Training)]
    lines += [f"[[train.NAME.features]]{_doc(agents.Feature)}", *_keys(agents.Feature)]
    lines += [f"[train.NAME.actions]{_doc(strategies.Actions)}", *_keys(strategies.Actions)]
    lines += ["", _SWEEP]
    return "\n".join([*lines, ""])


def _doc(model: type[BaseModel]) -> str:
    return f"    # {(model.__doc__ or '').strip().splitlines()[0]}"


def _own(strategy: OwnStrategy) -> list[str]:
    head = f"[[strategies]]    # {strategy.summary or 'own strategy'} ({strategy.file})"
    return ["", head, f'model = "{strategy.name}"', *(f"{key} = {value}" for key, value in strategy.parameters.items())]


def _keys(model: type[BaseModel]) -> list[str]:
    """``key = default    # meaning`` for each key that is no section of its own; the model first."""
    fields = sorted(model.model_fields.items(), key=lambda item: (item[0] != "model", item[0] == "name"))
    lines = []
    for name, field in fields:
        if name in ("strategies", "features", "sweep"):
            continue
        choices = get_args(field.annotation) if name == "model" else ()
        default = choices[0] if choices else field.get_default(call_default_factory=True, validated_data={})
        if isinstance(default, (BaseModel, dict)):
            continue
        meaning = f"    # {field.description}" if field.description else ""
        lines.append(f"{name} = {_shown(default)}{meaning}")
    return lines


def _shown(value: Any) -> str:
    if value is PydanticUndefined or value is None or value == "":
        return "..."
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    return str(list(value)) if isinstance(value, tuple) else f"{value}"

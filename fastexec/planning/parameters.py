"""Which key of a study feeds which parameter slot of the kernels, and with what range."""

from __future__ import annotations

import numpy as np

from fastexec.kernels.fields import PARAMETERS
from fastexec.models.market import BootstrapMarket, SyntheticMarket
from fastexec.models.scalar import Range, Scalar
from fastexec.models.study import StudyModel

_SPREAD_LEVEL = {"constant": "initial", "random_walk": "initial", "mean_reverting": "mean"}
_VOLUME_NOISE = {"cosine": "noise", "lognormal": "volatility"}


def keys(study: StudyModel) -> dict[str, str]:
    """Parameter slot -> dotted key of the study, for the slots that this study uses."""
    found = {"shares": "order.shares", "fee": "costs.fees.per_share"}
    if isinstance(study.market, SyntheticMarket):
        found |= _market_keys(study.market)
    elif isinstance(study.market, BootstrapMarket) and study.market.initial_price is not None:
        found["initial_price"] = "market.initial_price"
    found |= {"temporary_coefficient": "costs.temporary.coefficient"}
    if study.costs.temporary.model == "power":
        found |= {"temporary_exponent": "costs.temporary.exponent"}
    else:
        found |= {"temporary_fixed": "costs.temporary.fixed"}
    found |= {f"permanent_{key}": f"costs.permanent.{key}" for key in ("coefficient", "own")}
    found |= {f"transient_{key}": f"costs.transient.{key}" for key in ("coefficient", "exponent")}
    return found | {"resilience": "costs.transient.resilience"}


def _market_keys(market: SyntheticMarket) -> dict[str, str]:
    found = {"initial_price": "market.initial_price"}
    found |= {key: f"market.price.{key}" for key in ("volatility", "drift")}
    if market.spread.model in _SPREAD_LEVEL:
        found["spread_level"] = f"market.spread.{_SPREAD_LEVEL[market.spread.model]}"
    for key in ("reversion", "volatility", "floor"):
        if hasattr(market.spread, key):
            found[f"spread_{key}"] = f"market.spread.{key}"
    for key in ("mean", "amplitude", "floor", "persistence"):
        if hasattr(market.volume, key):
            found[f"volume_{key}"] = f"market.volume.{key}"
    if market.volume.model in _VOLUME_NOISE:
        found["volume_noise"] = f"market.volume.{_VOLUME_NOISE[market.volume.model]}"
    if hasattr(market.volume, "day_volatility"):
        found["day_volatility"] = "market.volume.day_volatility"
    names = ("price_spread", "price_volume", "spread_volume", "volume_absolute_return", "spread_absolute_return")
    return found | {name: f"market.correlation.{name}" for name in names}


def value_at(study: StudyModel, key: str) -> Scalar:
    """The value behind a dotted key of the study."""
    value: object = study
    for name in key.split("."):
        value = getattr(value, name)
    assert isinstance(value, (int, float, Range))
    return value


def ranges(study: StudyModel) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """``ranges`` float64[parameter, (low, high, log)], ``drawn`` int64: the slots with a range, and their keys."""
    table = np.zeros((len(PARAMETERS), 3))
    drawn, names = [], []
    for slot, key in keys(study).items():
        value, j = value_at(study, key), PARAMETERS.index(slot)
        if isinstance(value, Range):
            table[j] = value.low, value.high, value.scale == "log"
            drawn.append(j)
            names.append(key)
        else:
            table[j, :2] = value
    return table, np.array(drawn, np.int64), names

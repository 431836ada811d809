"""Given markets: the paths that strategies meet instead of a synthetic market's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fastexec.errors import InputError
from fastexec.wording import counted


@dataclass(frozen=True, eq=False, init=False, repr=False)
class MarketPaths:
    """Un-impacted market paths, a row for each episode; C-contiguous float64, copied only where the input is not.

    mid: float64[e, t], currency, when step t begins. spread: float64[e, t], the full quoted spread when step t
    begins, as a fraction of the mid. volume: float64[e, t], shares that the market trades during step t; where it is
    0 nobody trades. arrival: float64[e], currency, the price that shortfall is measured against; default ``mid[:, 0]``.
    last_mid: float64[e], currency, the mid when the last step ends; default ``mid[:, -1]``. last_spread: float64[e],
    fraction, the full quoted spread at that mid; default ``spread[:, -1]``.

    Raises InputError where shapes do not fit, a value is not a finite number, an arrival price is not above 0, or a
    spread or volume is below 0.
    """

    mid: np.ndarray
    spread: np.ndarray
    volume: np.ndarray
    arrival: np.ndarray
    last_mid: np.ndarray
    last_spread: np.ndarray

    def __init__(
        self,
        mid: ArrayLike,
        spread: ArrayLike,
        volume: ArrayLike,
        arrival: ArrayLike | None = None,
        last_mid: ArrayLike | None = None,
        last_spread: ArrayLike | None = None,
    ) -> None:
        mids = _numbers("mid", mid)
        if mids.ndim != 2 or mids.size == 0:
            raise InputError(f"paths.mid has shape {mids.shape}; it must be [episodes, steps], at least one of each")
        arrivals = _numbers("arrival", mids[:, 0] if arrival is None else arrival)
        last_mids = _numbers("last_mid", mids[:, -1] if last_mid is None else last_mid)
        checked = {
            "mid": _checked("mid", mids, mids.shape),
            "spread": _checked("spread", _numbers("spread", spread), mids.shape, lowest=0.0),
            "volume": _checked("volume", _numbers("volume", volume), mids.shape, lowest=0.0),
            "arrival": _checked("arrival", arrivals, mids.shape[:1]),
            "last_mid": _checked("last_mid", last_mids, mids.shape[:1]),
        }
        last_spreads = _numbers("last_spread", checked["spread"][:, -1] if last_spread is None else last_spread)
        checked["last_spread"] = _checked("last_spread", last_spreads, mids.shape[:1], lowest=0.0)
        _refuse("arrival", arrivals, arrivals <= 0.0, "must be above 0")
        for name, array in checked.items():
            object.__setattr__(self, name, array)

    def __repr__(self) -> str:
        episodes, steps = self.mid.shape
        mean, spread = self.arrival.mean(), 1e4 * self.spread.mean()
        size = f"{counted(episodes, 'episode')} of {counted(steps, 'step')}"
        return f"MarketPaths({size}, arrival {mean:,.6g}, spread {spread:.3g} bps, volume {self.volume.mean():,.4g} a step)"


def _numbers(name: str, values: ArrayLike) -> np.ndarray:
    try:
        array = np.asarray(values)
    except ValueError:
        raise InputError(f"paths.{name} has rows of different lengths; it must be an array of numbers") from None
    if array.dtype.kind not in "iuf":
        raise InputError(f"paths.{name} holds values of type {array.dtype}; it must be an array of numbers")
    return np.ascontiguousarray(array, np.float64)


def _checked(name: str, array: np.ndarray, shape: tuple[int, ...], lowest: float = -np.inf) -> np.ndarray:
    if array.shape != shape:
        raise InputError(f"paths.{name} has shape {array.shape}; it must be {shape}, as paths.mid has it")
    _refuse(name, array, ~np.isfinite(array), "must be a finite number")
    _refuse(name, array, array < lowest, f"must be {lowest:g} or more")
    return array


def _refuse(name: str, array: np.ndarray, wrong: np.ndarray, right: str) -> None:
    if wrong.any():
        at = np.unravel_index(int(wrong.argmax()), array.shape)
        raise InputError(f"paths.{name}{[int(i) for i in at]} is {array[at]:g}; it {right}")

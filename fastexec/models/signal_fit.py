"""Whether the signals of a market fit it and each other, and what ``check`` doubts of them."""

from __future__ import annotations

from itertools import product

import numpy as np

from fastexec.models.correlation import Correlation, is_semidefinite
from fastexec.models.declarations import Setting
from fastexec.models.names import owner
from fastexec.models.price import Price
from fastexec.models.scalar import bounds
from fastexec.models.signal_names import misfit_of_names
from fastexec.models.signals import Signal
from fastexec.models.spread import Spread
from fastexec.models.volume import Volume

#: The models that have a normal which signals can predict without bending their law.
_PREDICTABLE = {"volume": ("lognormal", "cosine"), "spread": ("mean_reverting",)}


def misfit_of_signals(
    signals: tuple[Signal, ...], spread: Spread, volume: Volume, correlation: Correlation
) -> str | None:
    """What is wrong with them, behind `market.signals`; None where nothing is."""
    names = [signal.name for signal in signals]
    if (said := misfit_of_names(names)) is not None:
        return said
    if len({owner(name) for name in names}) < len(names):
        return ": two would draw the same random numbers (their names share 24 bits of SHA-256); rename one"
    for signal in signals:
        section = volume if signal.predicts == "volume" else spread if signal.predicts == "spread" else None
        if section is not None and section.model not in _PREDICTABLE[signal.predicts]:
            fine = " or ".join(_PREDICTABLE[signal.predicts])
            return (
                f".{signal.name}.predicts: a {signal.predicts} of model {section.model} cannot be predicted; set {fine}"
            )
    if not _is_correlation(signals, correlation):
        told = "these correlations and those of market.correlation cannot all be (a negative eigenvalue); bring them nearer 0"
        return f": {told}"
    return None


def _is_correlation(signals: tuple[Signal, ...], own: Correlation) -> bool:
    """Whether signals, move, its size and the normals of spread and volume can correlate so: what is left of the matrix
    once the signals, independent of each other, are known. The corners of the ranges tell, as in ``Correlation``.
    """
    left = {"move": 1.0, "spread": 1.0, "volume": 1.0}
    for signal in signals:
        if signal.predicts in left:
            most = max(map(abs, bounds(signal.correlation)))
            left[signal.predicts] -= most * most
    keys = ("price_spread", "price_volume", "spread_volume", "volume_absolute_return", "spread_absolute_return")
    for ps, pv, sv, va, sa in product(*(sorted(set(bounds(getattr(own, key)))) for key in keys)):
        move, spread, volume = left.values()
        rows = [[move, 0, ps, pv], [0, 1, sa, va], [ps, sa, spread, sv], [pv, va, sv, volume]]
        if not is_semidefinite(np.array(rows, dtype=float)):
            return False
    return True


def doubts_of_signals(signals: tuple[Signal, ...], price: Price, spread: Spread, setting: Setting) -> list[str]:
    """Where all moves that a signal foretells together are more than half the spread, round trips pay."""
    found = []
    scale = 1.0 if price.RELATIVE else 1.0 / setting.least_price
    half = 0.5 * float(spread.moments(setting).mean())
    for signal in signals:
        if signal.predicts == "move":
            rho, memory = max(map(abs, bounds(signal.correlation))), bounds(signal.memory)[1]
            forecast = bounds(price.volatility)[1] * scale * rho / (1.0 - memory)
            if forecast > half:
                found.append(
                    f"market.signals.{signal.name}: over its life it foretells a move of {1e4 * forecast:.3g} bps (at one sd: "
                    "volatility * correlation / (1 - persistence)), more than half the spread, "
                    f"{1e4 * half:.3g} bps: round trips pay"
                )
    return found

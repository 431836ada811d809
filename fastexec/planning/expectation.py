"""What a trader expects of the market before the first step: the only knowledge that a static schedule may use.

Expected parameters, never an episode's drawn ones: a range counts with its mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fastexec.data.blocks import blocks_of
from fastexec.exact import plain_sum, power_of
from fastexec.models.market import BootstrapMarket, SyntheticMarket
from fastexec.models.scalar import expected
from fastexec.models.study import StudyModel

if TYPE_CHECKING:
    from fastexec.data.replay import ReplayWindows


@dataclass(frozen=True)
class Expectation:
    """One group's expected market; arrays are float64[t].

    shares: the order. price: currency. drift: expected change of the mid since arrival when step t begins, currency.
    volatility: sd of the move out of step t, currency. half_spread: currency. volume: shares.
    inverse_volume: E[v^-exponent] for the study's temporary exponent.
    """

    shares: float
    price: float
    drift: np.ndarray
    volatility: np.ndarray
    half_spread: np.ndarray
    volume: np.ndarray
    inverse_volume: np.ndarray


def expect(study: StudyModel, windows: ReplayWindows | None = None) -> list[Expectation]:
    """The expected market of each group of episodes: one for a synthetic study, one a window for replayed days."""
    if windows is not None:
        return [_expect_window(study, windows, e, price) for e, price in _group_windows(study, windows)]
    assert study.synthetic is not None
    return [_expect_synthetic(study, study.synthetic)]


def temporary_exponent(study: StudyModel) -> float:
    """The exponent of the temporary cost in the rate; 0 for a model that knows no volume."""
    return study.costs.temporary.terms().exponent


def _group_windows(study: StudyModel, windows: ReplayWindows) -> list[tuple[int, float]]:
    """A window of each group and its arrival price: every one of a replay, one for each time of day of a bootstrap."""
    if study.bootstrap is not None:
        price = arrival_price(study.bootstrap, windows)
        return [(e, price) for e in blocks_of(windows).representative.tolist()]
    return list(enumerate(windows.paths.arrival.tolist()))


def arrival_price(market: BootstrapMarket, windows: ReplayWindows) -> float:
    """What bootstrapped paths start from: the study's price (of a range the mean), else the mean of the windows'."""
    if market.initial_price is not None:
        return expected(market.initial_price)
    return plain_sum(windows.paths.arrival) / windows.paths.arrival.size


def _expect_window(study: StudyModel, windows: ReplayWindows, e: int, price: float) -> Expectation:
    steps = study.order.steps
    volume = windows.expected_volume[e]
    return Expectation(
        shares=expected(study.order.shares),
        price=price,
        drift=np.zeros(steps),
        volatility=price * windows.expected_volatility[e],
        half_spread=0.5 * price * windows.expected_spread[e],
        volume=volume,
        inverse_volume=_inverse(volume, temporary_exponent(study)),
    )


def _inverse(volume: np.ndarray, exponent: float) -> np.ndarray:
    """volume^-exponent; a step that expects no volume counts as the thinnest of the others (nobody may be able to trade)."""
    least = volume[volume > 0.0].min() if (volume > 0.0).any() else 1.0
    return power_of(1.0 / np.maximum(volume, least), exponent)


def _expect_synthetic(study: StudyModel, market: SyntheticMarket) -> Expectation:
    setting = study.setting
    price, volume = market.price.moments(setting), market.volume.moments(setting)
    return Expectation(
        shares=expected(study.order.shares),
        price=setting.price,
        drift=price.drift,
        volatility=price.volatility,
        half_spread=0.5 * setting.price * market.spread.moments(setting),
        volume=volume.mean,
        inverse_volume=volume.inverse,
    )

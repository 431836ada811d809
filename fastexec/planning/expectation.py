"""What a trader expects of the market before the first step: the only knowledge that a static schedule may use.

Means over all that is drawn, an episode's parameters too: a range counts as the mixture that it is, not by its middle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fastexec.data.blocks import blocks_of
from fastexec.exact import plain_sum
from fastexec.models.declarations import Powers
from fastexec.models.market import SyntheticMarket
from fastexec.models.real_days import BootstrapMarket
from fastexec.models.scalar import expected, nodes
from fastexec.models.study import StudyModel

if TYPE_CHECKING:
    from fastexec.data.replay import ReplayWindows


@dataclass(frozen=True)
class Expectation:
    """One group's expected market; arrays are float64[t].

    shares: the order. price: currency. drift: expected change of the mid since arrival when step t begins, currency.
    volatility: sd of the move out of step t, currency. half_spread: currency. volume: shares.
    inverse_volume: E[v^-exponent | v > 0] for the study's temporary exponent, of a range the mean; traded: P(v > 0).
    exponents, weights: of the temporary cost, several where it is a range; ``inverses`` float64[j, t]: inverse_volume for
    each. ``impact`` float64[j, t]: what conditions make of temporary cost, for each exponent, which these inverses count
    already; ``last_impact`` float64[j]: of what is left at the end, in a volume that is expected. relative: what counts for
    costs in shares of the order's value.
    """

    shares: float
    price: float
    drift: np.ndarray
    volatility: np.ndarray
    half_spread: np.ndarray
    volume: np.ndarray
    inverse_volume: np.ndarray
    traded: np.ndarray
    exponents: list[float]
    weights: list[float]
    inverses: np.ndarray
    impact: np.ndarray
    last_impact: list[float]
    relative: Relative

    @property
    def last_volume(self) -> float:
        """The mean volume of the last step that expects any: of 1 where none does, and nobody trades. What is left is valued in
        it, as in a step that turns out as expected; a trade there costs more on average, by E[v^-e] (E v)^e.
        """
        some = self.volume[self.volume > 0.0]
        return float(some[-1]) if some.size else 1.0

    @property
    def typical_inverse(self) -> float:
        """The mean of ``inverse_volume`` over the steps in which somebody may trade."""
        open_ = self.traded > 0.0
        return plain_sum(self.inverse_volume[open_]) / np.count_nonzero(open_) if open_.any() else 0.0


class Relative(NamedTuple):
    """Means of what is divided by an episode's own arrival price S_0, which may be a range. per_price: 1 / S_0; half_spread:
    h_t S_t / S_0; growth: S_t / S_0; change: (S_t - S_0) / S_0; variance: that of the move out of step t over S_0, currency.
    """

    per_price: float
    half_spread: np.ndarray
    growth: np.ndarray
    change: np.ndarray
    variance: np.ndarray


def expect(study: StudyModel, windows: ReplayWindows | None = None) -> list[Expectation]:
    """The expected market of each group of episodes: one for a synthetic study, one a window for replayed days."""
    if windows is not None:
        rates = _Rates(windows, *study.costs.temporary.terms().exponent_nodes, temporary_exponent(study))
        return [_expect_window(study, windows, rates, e, price) for e, price in _group_windows(study, windows)]
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


class _Rates:
    """E[v^-e] in the steps of real days' windows. exponents, weights: of the temporary cost, and ``exponent``, their mean."""

    def __init__(self, windows: ReplayWindows, exponents: list[float], weights: list[float], exponent: float) -> None:
        self.exponents, self.weights = exponents, weights
        self.inverses = np.stack([windows.rates.inverse(e) for e in exponents], axis=1)
        self.inverse = self.inverses[:, 0] if exponents == [exponent] else windows.rates.inverse(exponent)


def _expect_window(study: StudyModel, windows: ReplayWindows, rates: _Rates, e: int, price: float) -> Expectation:
    """Orders trade in each step of a real day, in an empty bar too: a halt is nothing that anybody expects."""
    volatility, half_spread = price * windows.expected_volatility[e], 0.5 * price * windows.expected_spread[e]
    flat = np.zeros(study.order.steps)
    return Expectation(
        shares=expected(study.order.shares),
        price=price,
        drift=flat,
        volatility=volatility,
        half_spread=half_spread,
        volume=windows.expected_volume[e],
        inverse_volume=rates.inverse[e],
        traded=flat + 1.0,
        exponents=rates.exponents,
        weights=rates.weights,
        inverses=rates.inverses[e],
        impact=np.ones((len(rates.exponents), study.order.steps)),
        last_impact=[1.0] * len(rates.exponents),
        relative=Relative(1.0 / price, half_spread / price, flat + 1.0, flat, volatility * volatility / price),
    )


def _expect_synthetic(study: StudyModel, market: SyntheticMarket) -> Expectation:
    setting = study.setting
    price, volume, spread = (
        market.moves(setting),
        market.volume.moments(setting),
        market.spread.moments(setting),
    )
    spread, open_ = spread * market.of_spread(setting.steps), market.halts.open_steps(setting.steps)
    terms = study.costs.temporary.terms()
    exponents, weights = terms.exponent_nodes
    impact = np.stack([market.of_impact(setting.steps, e, terms.volatility_nodes)[:-1] for e in exponents])
    at_end = float(market.of_impact(setting.steps, 0.0, terms.volatility_nodes)[-1])
    of_mean = market.of_impact(setting.steps, setting.exponent, terms.volatility_nodes)[:-1]
    inverses = [market.volume.moments(setting._replace(exponent=e)).inverse for e in exponents[1:]]
    first = volume if len(exponents) == 1 else market.volume.moments(setting._replace(exponent=exponents[0]))
    return Expectation(
        shares=expected(study.order.shares),
        price=setting.price,
        drift=price.drift,
        volatility=price.volatility,
        half_spread=0.5 * setting.price * spread,
        volume=volume.mean * market.means(setting.steps, Powers(volume=1.0))[:-1] * open_,
        inverse_volume=volume.inverse * of_mean,
        traded=volume.traded * open_,
        exponents=exponents,
        weights=weights,
        inverses=np.stack([first.inverse, *inverses]) * impact,
        impact=impact,
        last_impact=[at_end] * len(exponents),
        relative=_relative(study, market, spread),
    )


def _relative(study: StudyModel, market: SyntheticMarket, spread: np.ndarray) -> Relative:
    """Of a synthetic market, whose spread follows its own law whatever the mid does."""
    per_price, change, variance = 0.0, np.zeros(spread.size), np.zeros(spread.size)
    for price, weight in zip(*nodes(market.initial_price), strict=True):
        moments = market.moves(study.setting._replace(price=price))
        per_price += weight / price
        change = change + weight * (moments.drift / price)
        variance = variance + weight * (moments.volatility * moments.volatility / price)
    growth = 1.0 + change
    return Relative(per_price, 0.5 * growth * spread, growth, change, variance)

"""What a trader expects of the market before the first step: the only knowledge that a static schedule may use.

Expected parameters, never an episode's drawn ones: a range counts with its mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fastexec.data.blocks import blocks_of
from fastexec.kernels.elementary import evaluate
from fastexec.models.market import BootstrapMarket, SyntheticMarket
from fastexec.models.scalar import expected
from fastexec.models.study import StudyModel
from fastexec.planning import chains

if TYPE_CHECKING:
    from fastexec.data.replay import ReplayWindows

_EXP, _POWER, _COS = 0, 2, 3


def exp_of(x: np.ndarray) -> np.ndarray:
    """e^x by the kernels' own exp (the same bits on every machine)."""
    return _evaluate(_EXP, x)


def power_of(x: np.ndarray, exponent: float) -> np.ndarray:
    """x^exponent for x >= 0 by the kernels' own power; 0 gives 0."""
    return _evaluate(_POWER, x, exponent)


def cosine_of_turns(x: np.ndarray) -> np.ndarray:
    """cos(2 pi x) by the kernels' own cosine."""
    return _evaluate(_COS, x)


def _evaluate(function: int, x: np.ndarray, exponent: float = 0.0) -> np.ndarray:
    flat = np.require(x, np.float64, ["C", "W"]).ravel()
    out = np.empty_like(flat)
    evaluate(function, flat, float(exponent), out)
    return out.reshape(np.shape(x))


def plain_sum(x: np.ndarray) -> float:
    """Left-to-right sum: np.sum adds in an order that depends on the vector width of the CPU."""
    return float(np.add.accumulate(np.asarray(x, np.float64))[-1])


def curve(knots: tuple[float, ...], steps: int, root_mean_square: bool = False) -> np.ndarray:
    """A curve of any length at the steps' midpoints, float64[t], with mean (or root mean square) 1; all ones if empty."""
    if not knots:
        return np.ones(steps)
    at = (np.arange(steps) + 0.5) / steps
    values = np.interp(at, (np.arange(len(knots)) + 0.5) / len(knots), np.asarray(knots, np.float64))
    mean = plain_sum(values * values if root_mean_square else values) / steps
    return np.asarray(values / (np.sqrt(mean) if root_mean_square else mean))


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
    market = study.market
    assert isinstance(market, SyntheticMarket)
    return [_expect_synthetic(study, market)]


def temporary_exponent(study: StudyModel) -> float:
    """The exponent of the temporary cost in the rate; 0 for the linear model, which knows no volume."""
    temporary = study.costs.temporary
    return expected(temporary.exponent) if temporary.model == "power" else 0.0


def _group_windows(study: StudyModel, windows: ReplayWindows) -> list[tuple[int, float]]:
    """A window of each group and its arrival price: every one of a replay, one for each time of day of a bootstrap."""
    if isinstance(study.market, BootstrapMarket):
        price = arrival_price(study.market, windows)
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
    steps = study.order.steps
    price = expected(market.initial_price)
    scale = price if market.price.model == "geometric" else 1.0
    per_step = expected(market.price.drift)
    moves = np.arange(steps) + (1.0 if market.price.start == "moved" else 0.0)
    drift = price * (exp_of(per_step * moves) - 1.0) if market.price.model == "geometric" else per_step * moves
    volume, inverse = _volume(study, market)
    return Expectation(
        shares=expected(study.order.shares),
        price=price,
        drift=drift,
        volatility=scale * expected(market.price.volatility) * curve(market.price.diurnal, steps, True),
        half_spread=0.5 * price * _spread(market, steps),
        volume=volume,
        inverse_volume=inverse,
    )


def _spread(market: SyntheticMarket, steps: int) -> np.ndarray:
    """E of the quoted spread when step t begins; floors are ignored."""
    spread = market.spread
    if spread.model == "mean_reverting":
        return expected(spread.mean) * curve(spread.diurnal, steps)
    if spread.model == "markov":
        return np.array([plain_sum(law * np.array(spread.levels)) for law in chains.laws(spread, steps)])
    level = expected(spread.initial)
    if spread.model == "constant":
        return np.full(steps, level)
    sd = expected(spread.volatility) * np.sqrt(np.arange(steps, dtype=np.float64))
    return np.array([_mean_absolute(level, s) for s in sd])


def _mean_absolute(mean: float, sd: float) -> float:
    """E|mean + sd z|, which is also what a walk reflected at zero has: mean + 2 E[(mean + sd z)^-]."""
    if sd == 0.0:
        return mean
    z = -mean / sd - (np.arange(4000) + 0.5) * (9.0 / 4000)
    density = 0.3989422804014327 * exp_of(np.maximum(-0.5 * z * z, -700.0))
    return mean + 2.0 * plain_sum(-(mean + sd * z) * density) * (9.0 / 4000)


def _volume(study: StudyModel, market: SyntheticMarket) -> tuple[np.ndarray, np.ndarray]:
    """E[v_t] and E[v_t^-exponent]; the log-normal floor is ignored."""
    steps, e, volume = study.order.steps, temporary_exponent(study), market.volume
    if volume.model == "markov":
        return _chain_volume(chains.laws(volume, steps), np.array(volume.levels), e)
    mean = expected(volume.mean)
    if volume.model == "lognormal":
        level = mean * curve(volume.curve, steps)
        own, day = expected(volume.volatility), expected(volume.day_volatility)
        variance = own * own + day * day
        return level, power_of(1.0 / level, e) * exp_of(np.full(steps, 0.5 * e * (1.0 + e) * variance))
    if volume.model == "constant":
        level = np.full(steps, mean)
        return level, power_of(1.0 / level, e)
    turns = np.arange(steps) / max(steps - 1, 1)
    level = mean * (1.0 + expected(volume.amplitude) * cosine_of_turns(turns))
    return _floored_normal(level, expected(volume.noise), expected(volume.floor), e)


def _chain_volume(laws: np.ndarray, levels: np.ndarray, e: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean, and mean inverse power over the steps with a volume: in the others nobody trades."""
    traded = levels > 0.0
    inverse = power_of(1.0 / np.where(traded, levels, 1.0), e) * traded
    means = np.array([plain_sum(law * levels) for law in laws])
    shares = np.array([plain_sum(law * traded) for law in laws])
    inverses = np.array([plain_sum(law * inverse) for law in laws])
    typical = plain_sum(inverses) / plain_sum(shares)
    return means, np.where(shares > 0.0, inverses / np.where(shares > 0.0, shares, 1.0), typical)


def _floored_normal(level: np.ndarray, sd: float, floor: float, e: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean and mean inverse power of max(level + sd z, floor) by midpoints over +-8 sd.

    Without a floor 1 % of the level stands in for it: E[v^-e] of a volume that may vanish is set by steps in which
    nobody can trade.
    """
    z = (np.arange(1600) + 0.5) * 0.01 - 8.0
    weight = 0.3989422804014327 * exp_of(-0.5 * z * z) * 0.01
    weight = weight / plain_sum(weight)
    means, inverses = np.empty_like(level), np.empty_like(level)
    for t, centre in enumerate(level):
        volume = np.maximum(centre + sd * z, max(floor, 0.01 * abs(centre)))
        means[t] = plain_sum(weight * np.maximum(centre + sd * z, floor))
        inverses[t] = plain_sum(weight * power_of(1.0 / volume, e))
    return means, inverses

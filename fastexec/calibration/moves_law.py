"""The likelihood of moves whose volatility changes and which jump: a hidden Markov chain of the volatility's levels.

The log of a step's volatility is an AR(1) (``market.variance``), put on a chain of levels by Rouwenhorst (1995), whose mean,
variance and autocorrelations are those of the AR(1). Given the level and a Poisson number of jumps a move is normal, so a
forward pass gives the likelihood of a day (Langrock, MacDonald and Zucchini 2012). Moments of moves are not used: the fourth
of such moves is known after more days than anybody has.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

_LEVELS = 15
_TINY = float(np.finfo(np.float64).tiny)
_ROOT = 0.3989422804014327  # 1 / sqrt(2 pi)
_UNSCALED = 8  # steps; densities are relative to their largest, so so many are far from the smallest number
_MOST_JUMPS = 3  # of one move: at the highest rate that is fitted, 0.1 a step, more have probability 4e-6


class Moves(NamedTuple):
    """What is fitted. log: float64[d, t], log moves, NaN where a bar is missing. curve: float64[t], of their volatility, root
    mean square 1. small: a move below ``small`` times the curve is only known to be so; 0: each is known.
    """

    log: np.ndarray
    curve: np.ndarray
    small: float


class Law(NamedTuple):
    """volatility: of a step. sd, persistence: of the log of its factor (``market.variance``). rate, mean, jump_sd: of jumps
    (``market.jumps``, relative). What is 0 is off.
    """

    volatility: float
    sd: float = 0.0
    persistence: float = 0.0
    rate: float = 0.0
    mean: float = 0.0
    jump_sd: float = 0.0


def log_likelihood(moves: Moves, law: Law) -> float:
    """Of all days together; days are independent, and each begins with the stationary law."""
    levels, share, transition = chain(law.sd, law.persistence)
    densities = np.maximum(_densities(moves, law, np.exp(law.sd * levels - law.sd * law.sd)), _TINY)
    largest = densities.max(axis=2)
    found = float(np.log(largest).sum())
    densities /= largest[:, :, None]
    state = np.tile(share, (moves.log.shape[0], 1))
    for t in range(moves.log.shape[1]):
        state = (state * densities[t]) @ transition
        if t % _UNSCALED == 0:
            total = np.maximum(state.sum(axis=1), _TINY)
            found += float(np.log(total).sum())
            state /= total[:, None]
    return found + float(np.log(np.maximum(state.sum(axis=1), _TINY)).sum())


def chain(sd: float, persistence: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Levels in sds, their stationary shares, and the transition matrix; one level where the volatility is constant.

    Rouwenhorst's chain counts switches that each stay with probability (1 + persistence) / 2, so Krawtchouk's polynomials are
    its eigenvectors, and their eigenvalues the powers of the persistence.
    """
    if sd == 0.0:
        return np.zeros(1), np.ones(1), np.ones((1, 1))
    choose, polynomials = _krawtchouk(_LEVELS - 1)
    share = choose / choose.sum()
    transition = (polynomials * (persistence ** np.arange(_LEVELS) / choose)) @ polynomials.T * share
    levels = np.linspace(-1.0, 1.0, _LEVELS) * np.sqrt(_LEVELS - 1.0)
    return levels, share, np.maximum(transition, 0.0)  # what rounding leaves of nothing


@cache
def _krawtchouk(switches: int) -> tuple[np.ndarray, np.ndarray]:
    """Binomial coefficients, and row i: those of (1 - z)^i (1 + z)^(switches - i)."""
    polynomial = np.polynomial.Polynomial
    rows = [(polynomial([1, -1]) ** i * polynomial([1, 1]) ** (switches - i)).coef for i in range(switches + 1)]
    return rows[0], np.array(rows)


def _densities(moves: Moves, law: Law, factors: np.ndarray) -> np.ndarray:
    """Of each move given the level of its volatility, float64[t, d, level]; of a small one the probability to be small."""
    move, border = moves.log.T[:, :, None], (moves.small * moves.curve)[:, None]
    own = law.volatility * moves.curve[:, None] * factors
    found, small = np.zeros((*move.shape[:2], factors.size)), np.zeros(own.shape)
    each = np.empty_like(found)  # in place: a new array for each operation takes twice the time
    for weight, shift, spread in _jumps(law):
        mean, sd = shift - 0.5 * own * own, np.sqrt(own * own + spread)
        np.subtract(move, mean[:, None], out=each)
        each /= sd[:, None]
        each *= each
        each *= -0.5
        np.exp(each, out=each)
        each *= (_ROOT * weight / sd)[:, None]
        found += each
        if moves.small > 0.0:
            small += weight * _within(border, mean, sd)
    if moves.small > 0.0:
        found = np.where(np.abs(move) < border[:, None], small[:, None], found)
    return np.where(np.isfinite(move), found, 1.0)


def _within(border: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    from scipy.special import ndtr

    return np.asarray(ndtr((border - mean) / sd) - ndtr((-border - mean) / sd))


def _jumps(law: Law) -> list[tuple[float, float, float]]:
    """(probability, shift of the log move, variance added) for each number of jumps; their mean is taken off."""
    if law.rate == 0.0:
        return [(1.0, 0.0, 0.0)]
    each = float(np.log1p(law.mean)) - 0.5 * law.jump_sd**2
    weight, found = float(np.exp(-law.rate)), []
    for number in range(_MOST_JUMPS + 1):
        found.append((weight, number * each - law.rate * law.mean, number * law.jump_sd**2))
        weight *= law.rate / (number + 1)
    return found

"""The multiplier of intervals that hold together over all pairs of strategies, where days are few.

From D days the correlations of the pairs' savings are known too badly for max-t: they are D - 1 numbers of each pair, and
what they seem to share makes the multiplier too small (of 10 strategies on 5 days it covered .70 in place of .95). A
studentized range is too small as well, since every pair has a standard error of its own from those few days. So the
multiplier is calibrated: the whole computation, errors included, is repeated on simulated days of independent strategies of
one variance, the least favourable case of all-pairs comparisons (Tukey 1953, Hayter 1984), and the 95 % point of the largest
|saving| / error is taken. Days keep their numbers of episodes, for a long day weighs more than its share in an error: their
means are given one variance, which is the harsher case. Correlated strategies change it little, heavy tails make it wider
than it need be; ``scripts/verify_intervals.py`` measures both. An interval of one pair by itself is Student's t, which is right
for even days; of uneven ones it covers less (.92 on 5 days of 10 to 70 episodes, .70 where one of 5 has ten times the others'),
and ``single_value`` says by how much.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

#: Fewer days than so many for each strategy: the correlations are not estimated. At six they still cost 2 % of coverage.
DAYS_A_STRATEGY = 10
_DRAWS = (20_000, 100_000)  # simulated sets of days, fewest and most
_NUMBERS = 20_000_000  # normals in all
_AT_ONCE = 2_000_000
_WIDER = 1.02  # an interval that should be wider by less is left as it is


def are_few(days: int, strategies: int) -> bool:
    """Whether so many days are too few to estimate how the savings of the pairs correlate."""
    return days < DAYS_A_STRATEGY * strategies


def calibrated_value(counts: np.ndarray, strategies: int, level: float) -> float:
    """The ``level`` point of the largest |saving| / standard error over all pairs; counts: episodes of each day [day].

    Simulated from a fixed seed, to about half a percent.
    """
    shares = np.sort(counts) / counts.sum()
    return _calibrated(tuple(np.round(shares, 6).tolist()), strategies, level)


def single_value(counts: np.ndarray) -> tuple[float, float] | None:
    """(multiplier of Student's t, multiplier that covers 95 %) of one interval by itself, where days are so few and so uneven
    that they differ; None where they do not.
    """
    if float(counts.sum()) ** 2 >= 2 * DAYS_A_STRATEGY * float((counts * counts).sum()):  # as good as so many even days
        return None
    from scipy.special import stdtrit

    plain, right = float(stdtrit(counts.size - 1, 0.975)), calibrated_value(counts, 2, 0.95)
    return (plain, right) if right > _WIDER * plain else None


@lru_cache(maxsize=64)
def _calibrated(shares: tuple[float, ...], strategies: int, level: float) -> float:
    """``shares`` of the episodes that each day has."""
    days, generator = len(shares), np.random.default_rng(20_131_007)
    draws = min(max(_NUMBERS // (days * strategies), _DRAWS[0]), _DRAWS[1])
    at_once = max(_AT_ONCE // (days * strategies), 1)
    largest = [
        _largest(generator.standard_normal((min(at_once, draws - first), days, strategies)), np.array(shares))
        for first in range(0, draws, at_once)
    ]
    return float(np.quantile(np.concatenate(largest), level))


def _largest(means: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """max |saving| / error over all pairs, float64[draw], of days' mean costs float64[draw, day, strategy] whose truth is 0."""
    days, strategies = means.shape[1:]
    cost = shares @ means
    scores = shares[:, None] * (means - cost[:, None, :])
    products = scores.transpose(0, 2, 1) @ scores
    own = np.einsum("nkk->nk", products)
    largest = np.zeros(len(means))
    for b in range(strategies):
        for k in range(b + 1, strategies):
            variance = days / (days - 1) * (own[:, b] + own[:, k] - 2.0 * products[:, b, k])
            np.maximum(largest, (cost[:, b] - cost[:, k]) ** 2 / variance, out=largest)
    return np.sqrt(largest)

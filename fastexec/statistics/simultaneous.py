"""Intervals for every pair of strategies that hold together, from a summary's co-moments.

Each pair's saving and standard error are those of ``studies.paired``; only the multiplier changes. The savings are
correlated (they share strategies and markets), and where there are many episodes or days their correlations are known from
the co-moments: the multiplier is the 95 % point of the largest of correlated |t|, found by simulation (max-t: Hothorn, Bretz
and Westfall 2008; for independent costs of equal variance it is Tukey's studentized range over sqrt 2). Where days are few
it is calibrated without them (``few_days``). Since every pair is covered, whichever strategy turns out cheapest may be
compared with any other without a further correction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from fastexec.statistics.few_days import are_few, calibrated_value
from fastexec.statistics.paired import FEWEST_DAYS, Paired
from fastexec.statistics.verdict import Difference, single

LEVEL = 0.95
MAX_T = "max-t, correlations from the co-moments"
MAX_T_DAYS = "max-t over days as clusters, correlations from the days"
FEW_DAYS = "calibrated on simulated days, as many and as uneven as these, for they are too few to tell correlations"
FEW_EPISODES = "calibrated on as many simulated episodes, for they are too few to tell correlations"
_DRAWS = 200_000
_CELLS = 2_000_000  # draws times pairs in memory at once
_NORMAL_FROM = 10_000  # degrees of freedom from which t is taken for a normal, as in ``studies.paired``


@dataclass(frozen=True)
class Simultaneous:
    """Differences of all pairs; ``critical``: their common multiplier of the standard error, NaN without intervals;
    ``method``: how it was found, in words.
    """

    critical: float
    pairs: int
    differences: Mapping[tuple[str, str], Difference]
    method: str = MAX_T

    def against(self, base: str, other: str) -> Difference:
        """What ``other`` saves against ``base``."""
        return self.differences[base, other]


def simultaneous(material: Paired, draws: int = _DRAWS) -> Simultaneous:
    """All pairs of the strategies of a summary; ``draws``: of the simulation behind the multiplier of max-t."""
    names = list(material.strategies)
    pairs = list(combinations(range(len(names)), 2))
    alone = {(b, k): single(material, b, k) for b, k in pairs}
    critical, method = _multiplier(material, pairs, alone, draws)
    found = {}
    for one in alone.values():
        half = critical * one.error if np.isfinite(one.error) else np.nan
        for base, other, saving in ((one.base, one.other, one.saving), (one.other, one.base, -one.saving)):
            ends = saving - half, saving + half
            found[base, other] = Difference(base, other, saving, one.error, *ends, one.controlled, one.rounding)
    return Simultaneous(critical, len(pairs), found, method)


def _multiplier(
    material: Paired,
    pairs: list[tuple[int, int]],
    alone: Mapping[tuple[int, int], Difference],
    draws: int,
) -> tuple[float, str]:
    """The common multiplier of the standard errors, and how it was found."""
    if not pairs:
        return np.nan, MAX_T
    days, largest = material.day_counts, max(one.error for one in alone.values())  # NaN: there is no interval
    if days is not None:
        counts, few, many, fewest = days, FEW_DAYS, MAX_T_DAYS, FEWEST_DAYS
    else:
        # The control variate's slope takes a degree of freedom.
        own = material.count - any(one.controlled for one in alone.values())
        counts, few, many, fewest = np.ones(0 if material.conditional else own), FEW_EPISODES, MAX_T, 2
    if np.isfinite(largest) and fewest <= counts.size and are_few(counts.size, len(material.strategies)):
        return (calibrated_value(counts, len(material.strategies), LEVEL) if largest > 0.0 else 0.0), few
    return critical_value(*_scores(material, pairs, alone), draws=draws), many


def _scores(
    material: Paired, pairs: list[tuple[int, int]], alone: Mapping[tuple[int, int], Difference]
) -> tuple[np.ndarray, float]:
    """A matrix F, float64[n, pair], such that F'F is the covariance of the pairs' savings but for a factor; and the
    degrees of freedom (NaN: there is no interval).
    """
    if material.day_counts is not None:
        if material.day_counts.size < FEWEST_DAYS:
            return np.zeros((0, len(pairs))), np.nan
        assert material.day_sums is not None
        saving = [alone[pair].saving for pair in pairs]
        sums = np.stack([material.day_sums[:, b] - material.day_sums[:, k] for b, k in pairs], axis=1)
        return sums - material.day_counts[:, None] * np.array(saving), float(material.day_counts.size - 1)
    if material.conditional or material.count < 2 or not np.isfinite(material.products).all():
        return np.zeros((0, len(pairs))), np.nan
    weights = np.stack([_contrast(material, b, k, alone[b, k].controlled) for b, k in pairs], axis=1)
    varies = np.array([alone[pair].error > 0.0 for pair in pairs])  # the root's rounding would make noise of a point
    return _root(material.products) @ weights * varies, float(material.count - 1)


def _contrast(material: Paired, b: int, k: int, controlled: bool) -> np.ndarray:
    """A pair's saving as weights of (shortfalls, timings), float64[2K]; with the control variate its residual."""
    count, p = len(material.strategies), material.products
    shortfall, timing = np.zeros(2 * count), np.zeros(2 * count)
    shortfall[[b, k]] = timing[[count + b, count + k]] = 1.0, -1.0
    variance = float(timing @ p @ timing)
    if not controlled or variance <= 0.0:
        return shortfall
    return np.asarray(shortfall - float(shortfall @ p @ timing) / variance * timing)


def _root(products: np.ndarray) -> np.ndarray:
    """R with R'R = products."""
    values, vectors = np.linalg.eigh(products)
    return np.asarray(np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T)


def critical_value(scores: np.ndarray, freedom: float, level: float = LEVEL, draws: int = _DRAWS) -> float:
    """The ``level`` point of max |t| over columns whose covariance is ``scores``'scores; NaN where freedom is.

    Simulated from a fixed seed (with 200,000 draws to about 0.005). Columns of no variance are left out: their
    interval is a point.
    """
    if np.isnan(freedom):
        return float("nan")
    length = np.sqrt((scores * scores).sum(axis=0))
    kept = length > 1e-12 * max(float(length.max(initial=0.0)), 1e-300)
    if not kept.any():
        return 0.0
    unit = scores[:, kept] / length[kept]
    generator = np.random.default_rng(20_131_007)
    at_once = max(_CELLS // unit.shape[1], 1_000)
    largest = []
    for first in range(0, draws, at_once):
        count = min(at_once, draws - first)
        drawn = np.abs(generator.standard_normal((count, unit.shape[0])) @ unit).max(axis=1)
        if freedom <= _NORMAL_FROM:
            drawn /= np.sqrt(generator.chisquare(freedom, count) / freedom)
        largest.append(drawn)
    return float(np.quantile(np.concatenate(largest), level))

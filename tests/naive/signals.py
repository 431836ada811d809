"""Signals: the slow and obvious twin."""

from __future__ import annotations

import hashlib
import math

import numpy as np

from naive.normals import normals
from naive.philox import philox4x32

PURPOSE = 10  # of the words that signals are drawn from
MEAN_ABSOLUTE = math.sqrt(2.0 / math.pi)


def owner(name: str) -> int:
    """The first 24 bits of the SHA-256 of a signal's name."""
    return int(hashlib.sha256(name.encode()).hexdigest()[:6], 16)


def normal_of(seed: int, episode: int, step: int, own: int, phase: int = 0) -> float:
    """What makes the signal of ``step``: four words make the normals of four steps."""
    counter = (episode & 0xFFFFFFFF, episode >> 32, step // 4, phase << 30 | PURPOSE << 24 | own)
    return float(normals(np.array(philox4x32(counter, (seed & 0xFFFFFFFF, seed >> 32)), np.uint32))[step % 4])


def following(x: float, persistence: float, z: float) -> float:
    """An AR(1) of variance 1, a step on."""
    return persistence * x + math.sqrt(1.0 - persistence**2) * z


def path(seed: int, episode: int, steps: int, name: str, persistence: float) -> list[float]:
    """The value of each step."""
    own = owner(name)
    found = [normal_of(seed, episode, 0, own)]
    for t in range(1, steps):
        found.append(following(found[-1], persistence, normal_of(seed, episode, t, own)))
    return found


def rouwenhorst(levels: int, persistence: float) -> tuple[list[float], list[list[float]]]:
    """Levels and transitions: the number of heads of n - 1 coins, each turned over anew with probability 1 - persistence."""
    n, stay = levels - 1, 0.5 * (1.0 + persistence)
    places = [(2.0 * k - n) / math.sqrt(n) for k in range(levels)]
    matrix = [[0.0] * levels for _ in range(levels)]
    for k in range(levels):
        for kept in range(k + 1):  # heads that stay heads
            for gained in range(n - k + 1):
                chance = math.comb(k, kept) * stay**kept * (1 - stay) ** (k - kept)
                chance *= math.comb(n - k, gained) * (1 - stay) ** gained * stay ** (n - k - gained)
                matrix[k][kept + gained] += chance
    return places, matrix


def correlation_with_size(k: float) -> float:
    """Of x with |sigma exp(k x - k^2) z|, x and z independent standard normals, by numerical integration."""
    x = np.linspace(-9.0, 9.0, 20_001)
    weight = np.exp(-0.5 * x * x)
    weight /= weight.sum()
    scale = np.exp(k * x - k * k)
    mean = MEAN_ABSOLUTE * (weight * scale).sum()
    return float(MEAN_ABSOLUTE * (weight * x * scale).sum() / math.sqrt((weight * scale**2).sum() - mean**2))


def rest_factor(matrix: np.ndarray, known: tuple[float, float, float]) -> np.ndarray:
    """Lower factor of what is left of the covariances of (move, its size, spread, volume) once these variances are known."""
    left = matrix.copy()
    for place, variance in zip((0, 2, 3), known, strict=True):
        left[place, place] -= variance
    return np.linalg.cholesky(left)


def trim(pairs: list[tuple[float, float]], keep: float) -> float:
    """What predicted innovations are multiplied by, so that an AR(1) of ``keep`` made of them keeps its variance; ``pairs``:
    correlation and persistence of each signal. The variance, term by term of the covariances of the innovations.
    """
    variance = 1.0
    for rho, phi in pairs:
        variance += 2.0 * sum(rho**2 * (keep * phi) ** k for k in range(1, 20_000))
    return variance**-0.5


def tied(pairs: list[tuple[float, float]], keep: float, xs: list[float], state: float) -> float:
    """A state of variance 1 that goes with the signals' values; the rest of it is ``state``."""
    scale = trim(pairs, keep) * math.sqrt(1.0 - keep**2)
    ties = [scale * sum(rho * keep**k * phi ** (k + 1) for k in range(20_000)) for rho, phi in pairs]
    return sum(tie * x for tie, x in zip(ties, xs, strict=True)) + math.sqrt(1.0 - sum(t * t for t in ties)) * state

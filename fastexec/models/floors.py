"""Means of what has a floor: max(x, floor) for log-normal and normal x, and of its inverse power, which is what impact sees."""

from __future__ import annotations

import numpy as np

from fastexec.exact import exp_of, log_of, normal_cdf, normal_density, plain_sum, power_of
from fastexec.models.scalar import unit_nodes

_FURTHEST = 9.0  # sd, beyond which a normal is left out: 1e-19 of it


def floored_lognormal(mean: np.ndarray, sd: float, floor: float, e: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """E[v] and E[v^-e] of v = max(mean exp(sd z - sd^2 / 2), floor), float64[t]; ``mean`` must be above 0."""
    plain = mean, power_of(1.0 / mean, e) * exp_of(np.full(mean.size, 0.5 * e * (1.0 + e) * sd * sd))
    if floor == 0.0:
        return plain
    if sd == 0.0:
        level = np.maximum(mean, floor)
        return level, power_of(1.0 / level, e)
    z = (log_of(floor / mean) + 0.5 * sd * sd) / sd  # the floor on the normal scale
    above, at_floor, inverse_above = normal_cdf(np.stack((sd - z, z, -(z + e * sd))))
    at_power = float(power_of(np.array([1.0 / floor]), e)[0])
    # Where the floor is out of reach the chances are exactly 0 and 1, and nothing changes.
    return plain[0] * above + floor * at_floor, plain[1] * inverse_above + at_power * at_floor


def floored_normal(level: np.ndarray, sd: float, floor: float, e: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """E[v], E[v^-e | v > 0] and P(v > 0) of v = max(level + sd z, floor), float64[t].

    Without a floor, an exponent of 1 or more has no mean of v^-e: the thinnest hundredth of the level stands in for less.
    """
    if sd == 0.0:
        fixed = np.maximum(level, floor)
        open_ = fixed > 1e-9 * np.abs(level).max()  # a cosine of -1 leaves rounding
        return fixed, power_of(1.0 / np.where(open_, fixed, 1.0), e) * open_, 1.0 * open_
    u = (level - floor) / sd
    above = normal_cdf(u)
    mean = floor + (level - floor) * above + sd * normal_density(np.minimum(np.abs(u), 37.0))
    traded = np.ones_like(level) if floor > 0.0 else above
    inverse = np.array([_inverse(float(centre), sd, floor, e) for centre in level])
    if floor > 0.0:
        inverse = inverse + float(power_of(np.array([1.0 / floor]), e)[0]) * (1.0 - above)
    return mean, np.where(traded > 0.0, inverse / np.where(traded > 0.0, traded, 1.0), 0.0), traded


def _inverse(centre: float, sd: float, floor: float, e: float) -> float:
    """The integral of v^-e over the normal density above the floor, by panels: even ones, and near 0 even in log v."""
    top, bottom = centre + _FURTHEST * sd, max(floor, centre - _FURTHEST * sd)
    if bottom >= top:
        return 0.0
    cut = max(bottom, 0.02 * top)
    v, weights = _panels(cut, top)
    if cut > bottom:
        least = (
            bottom if bottom > 0.0 else cut * (float(exp_of(np.array([-40.0 / (1.0 - e)]))[0]) if e < 0.9 else 1e-17)
        )
        logs, of_logs = _panels(*log_of(np.array([least, cut])).tolist())
        near = exp_of(logs)
        v, weights = np.concatenate((near, v)), np.concatenate((of_logs * near, weights))
    held = np.maximum(v, 0.01 * abs(centre)) if floor == 0.0 and e >= 1.0 else v
    return plain_sum(weights * normal_density((v - centre) / sd) * power_of(1.0 / held, e)) / sd


def _panels(low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of 32 panels of 12."""
    parts, weights = (np.array(x) for x in unit_nodes(12))
    width = (high - low) / 32
    return (low + width * (np.arange(32)[:, None] + parts)).ravel(), np.tile(width * weights, 32)

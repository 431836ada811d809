"""Means of what follows the size of the move: its normals are not quite normal, and its exponential is larger in the mean."""

from __future__ import annotations

import numpy as np

from fastexec.exact import exp_of, log_of, normal_cdf
from fastexec.kernels.normal import MEAN_ABSOLUTE, SD_ABSOLUTE
from fastexec.models.scalar import Scalar, is_zero


def are_tied(move_and_size: tuple[Scalar, Scalar]) -> bool:
    """Whether innovations with these correlations are no normals."""
    return not is_zero(move_and_size[1])


def raised_by(u: float, keep: float, move: float, size: float, steps: int) -> np.ndarray:
    """E[e^{u x_t}] over that of a normal x_t, after 1, 2, ... steps, float64[t].

    x is an AR(1) of variance 1 with a normal start; its innovation correlates by ``move`` with the step's normal z, and by
    ``size`` with |z|; the rest of it is normal. E[e^{a z + b |z|}] = e^{(b + a)^2 / 2} P(b + a) + e^{(b - a)^2 / 2} P(b - a).
    """
    weights = (
        u
        * float(np.sqrt(1.0 - keep * keep))
        * np.multiply.accumulate(np.concatenate(([1.0], np.full(steps - 1, keep))))
    )
    a, b = weights * move, weights * size / SD_ABSOLUTE
    both = exp_of(0.5 * (b + a) * (b + a)) * normal_cdf(b + a) + exp_of(0.5 * (b - a) * (b - a)) * normal_cdf(b - a)
    logs = log_of(both) - b * MEAN_ABSOLUTE - 0.5 * weights * weights * (move * move + size * size)
    return np.asarray(exp_of(np.add.accumulate(logs)))

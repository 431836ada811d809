"""The cheapest slice given signals, by what is expected of all steps to come: a linear system in place of a recursion.

Cost is quadratic and the moves to come are expected linearly of the signals, so the best next slice is that of the best
schedule against the moves as they are expected now.
"""

from __future__ import annotations

import numpy as np


def first_slice(left, signals, half_spread, slope, drift, risk, told, memory):
    """Arrays float64[t] over the steps that are left; ``told`` float64[j, t], ``memory`` and ``signals`` of each signal j.

    Least over R_1..R_{N-1}: the sum of h n + k n^2 + (m + sum of g_j phi_j^t x_j) R_after + r R_after^2, R_0 = left, R_N = 0.
    """
    steps = len(slope)
    if steps == 1:
        return left
    ahead = np.array(
        [sum(g[t] * phi**t * x for g, phi, x in zip(told, memory, signals, strict=True)) for t in range(steps)]
    )
    matrix, wanted = np.zeros((steps - 1, steps - 1)), np.zeros(steps - 1)
    for t in range(1, steps):  # the derivative by R_t: of slice t - 1, which it ends, and of slice t
        matrix[t - 1, t - 1] = 2.0 * (slope[t - 1] + slope[t] + risk[t - 1])
        wanted[t - 1] = half_spread[t - 1] - half_spread[t] - drift[t - 1] - ahead[t - 1]
        if t > 1:
            matrix[t - 1, t - 2] = -2.0 * slope[t - 1]
        else:
            wanted[0] += 2.0 * slope[0] * left
        if t < steps - 1:
            matrix[t - 1, t] = -2.0 * slope[t]
    return left - np.linalg.solve(matrix, wanted)[0]

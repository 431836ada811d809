"""An AR(1) signal on a grid: few values in place of all, and how they follow each other."""

from __future__ import annotations

import numpy as np

from fastexec.exact import exp_of
from fastexec.models.declarations import MarkovLaw

_HALF_WIDTH, _WIDTH = 5.25, 0.1875  # sd: 28 bins' widths to each side of 0
_COARSEST = 0.45  # sd of an innovation: at twice this spacing the sums below are still right to seven digits
#: Bins in which a table is played: as many as the kernels cut, from -3 to 3 sd; the outermost take what lies beyond.
BINS = 33
BIN_VALUES = _WIDTH * (np.arange(BINS) - BINS // 2)


def intervals_for(memory: float) -> int:
    """Between values of the grid: so many that half of them still resolve an innovation, a multiple of 56."""
    innovation = float(np.sqrt(1.0 - memory * memory))
    return 56 * max(2, int(np.ceil(_WIDTH / (_COARSEST * innovation))))


def normal_grid(memory: float, intervals: int) -> MarkovLaw:
    """Of an AR(1) of unit variance: evenly spaced values, the density of the next one on them, made to add up to 1.

    The trapezoid rule on an analytic density errs by exp(-2 pi^2 (sd / spacing)^2), far below what interpolation between
    values costs (Gauss-Hermite nodes) or a binomial law does (Rouwenhorst); what remains is the kinks of whole lots.
    """
    x = np.linspace(-_HALF_WIDTH, _HALF_WIDTH, intervals + 1)
    apart = x[None, :] - memory * x[:, None]
    moves = exp_of(-0.5 / (1.0 - memory * memory) * apart * apart)
    first = exp_of(-0.5 * x * x)
    totals = np.add.accumulate(moves, axis=1)[:, -1:]
    return MarkovLaw(x, moves / totals, first / np.add.accumulate(first)[-1])


def place_on(grid: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The nearest of a grid's values, by number."""
    return np.rint((values - grid[0]) / (grid[-1] - grid[0]) * (grid.size - 1)).astype(np.int64)

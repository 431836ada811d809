"""An AR(1) signal on a grid: few values in place of all, and how they follow each other."""

from __future__ import annotations

import numpy as np

from fastexec.exact import exp_of
from fastexec.models.declarations import MarkovLaw

_WIDTH, _WIDTHS = 0.2, 52  # sd, of a bin; and how many of them a grid is wide
_APART = 0.45  # sd of an innovation: at twice this spacing the sums below are still right to seven digits
#: The fewest intervals of a grid.
COARSEST = _WIDTHS
#: Bins in which a table is played, about as many as the kernels cut, from -3 to 3 sd; the outermost take what lies beyond.
BINS = 31
BIN_VALUES = _WIDTH * (np.arange(BINS) - BINS // 2)


def intervals_for(memory: float) -> int:
    """Between values of the grid: so many that half of them still resolve an innovation; a multiple of ``COARSEST``."""
    innovation = float(np.sqrt(1.0 - memory * memory))
    return COARSEST * max(2, int(np.ceil(_WIDTH / (_APART * innovation))))


def normal_grid(memory: float, intervals: int) -> MarkovLaw:
    """Of an AR(1) of unit variance: evenly spaced values, the density of the next one on them, made to add up to 1.

    The trapezoid rule on an analytic density errs by exp(-2 pi^2 (sd / spacing)^2), far below what interpolation between
    values costs (Gauss-Hermite nodes) or a binomial law does (Rouwenhorst); what remains is the kinks of whole lots.
    """
    x = 0.5 * _WIDTH * _WIDTHS * np.linspace(-1.0, 1.0, intervals + 1)
    apart = x[None, :] - memory * x[:, None]
    moves = exp_of(-0.5 / (1.0 - memory * memory) * apart * apart)
    first = exp_of(-0.5 * x * x)
    totals = np.add.accumulate(moves, axis=1)[:, -1:]
    return MarkovLaw(x, moves / totals, first / np.add.accumulate(first)[-1])


def place_on(grid: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The nearest of a grid's values, by number."""
    return np.asarray(np.rint((values - grid[0]) / (grid[-1] - grid[0]) * (grid.size - 1)), np.int64)

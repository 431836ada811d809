"""Moments, pairwise wins and histogram counts of a leaf of episodes, by plain loops in one fixed order.

No BLAS and no np.sum: both add in an order that depends on the CPU. Values are ``values[c, e * K + k]``: column c
(shortfall first), episode e, strategy k.
"""

import numpy as np

from fastexec.kernels._jit import entry, stage
from fastexec.kernels.door import F8, I8, held, sizes, within

#: The histogram, both signs, zero in the middle: 128 bins a binade from 2^-20 to 2^40, where a bin's middle is within 1/256;
#: beyond, so that no float64 is out of its range, 8 bins a binade, within 1/16.
BINS_A_BINADE, LOWEST, BINADES = 128, -20, 60
FAR_BINS_A_BINADE, FAR_BINADES = 8, 1024 - (LOWEST + BINADES)
NEAR_BINS = BINS_A_BINADE * BINADES
SIDE_BINS = NEAR_BINS + FAR_BINS_A_BINADE * FAR_BINADES
BINS = 2 * SIDE_BINS + 1
_SHIFT = np.int64(52 - 7)
_FAR_SHIFT = np.int64(52 - 3)
_SIGN_OFF = np.int64(0x7FFFFFFFFFFFFFFF)
_FIRST_KEY = np.int64((1023 + LOWEST) * BINS_A_BINADE)
_FIRST_FAR = np.int64((1023 + LOWEST + BINADES) * FAR_BINS_A_BINADE)


def _check_values(values, first, count, strategies):
    """The number of columns of ``values``, which hold the episodes; ValueError where they do not."""
    columns, rows = sizes("values", values, 2)
    held("values", values, F8, columns, rows)
    within("first", first, 0)
    within("count", count, 0)
    within("values: rows", rows, (first + count) * strategies)
    return columns


def _spread_door(values, first, count, mean, low, high):
    _, strategies = sizes("mean", mean, 2)
    columns = _check_values(values, first, count, strategies)
    held("mean", mean, F8, columns, strategies)
    held("low", low, F8, columns, strategies)
    held("high", high, F8, columns, strategies)


@entry("void(float64[:, ::1], int64, int64, float64[:, ::1], float64[:, ::1], float64[:, ::1])", _spread_door)
def spread_of(values, first, count, mean, low, high):
    """Means, minima and maxima [c, k] of episodes ``first <= e < first + count``."""
    strategies = mean.shape[1]
    for c in range(values.shape[0]):
        for k in range(strategies):
            mean[c, k], low[c, k], high[c, k] = 0.0, np.inf, -np.inf
        for e in range(first, first + count):
            for k in range(strategies):
                x = values[c, e * strategies + k]
                mean[c, k] += x
                low[c, k] = min(low[c, k], x)
                high[c, k] = max(high[c, k], x)
        for k in range(strategies):
            mean[c, k] /= count


def _products_door(values, first, count, mean, timing, squares, products, wins):
    _, strategies = sizes("mean", mean, 2)
    columns = _check_values(values, first, count, strategies)
    within("timing", timing, 0, columns - 1)
    held("mean", mean, F8, columns, strategies)
    held("squares", squares, F8, columns, strategies)
    held("products", products, F8, 2 * strategies, 2 * strategies)
    held("wins", wins, I8, strategies, strategies)


@entry(
    "void(float64[:, ::1], int64, int64, float64[:, ::1], int64, float64[:, ::1], float64[:, ::1], int64[:, ::1])",
    _products_door,
)
def products_of(values, first, count, mean, timing, squares, products, wins):
    """Sums of squared deviations [c, k]; of products of deviations of (shortfall_1..K, timing_1..K); twice the wins
    [k, j] (shortfall of k lower than of j, ties once). ``timing`` is that column's number.
    """
    strategies = mean.shape[1]
    squares[:] = 0.0
    products[:] = 0.0
    deviations = np.empty(2 * strategies)
    for c in range(values.shape[0]):
        for e in range(first, first + count):
            for k in range(strategies):
                d = values[c, e * strategies + k] - mean[c, k]
                squares[c, k] += d * d
    for e in range(first, first + count):
        for k in range(strategies):
            deviations[k] = values[0, e * strategies + k] - mean[0, k]
            deviations[strategies + k] = values[timing, e * strategies + k] - mean[timing, k]
        for a in range(2 * strategies):
            for b in range(2 * strategies):
                products[a, b] += deviations[a] * deviations[b]
        _count_wins(values, e * strategies, strategies, wins)


@stage
def _count_wins(values, row, strategies, wins):
    for k in range(strategies):
        own = values[0, row + k]
        for j in range(strategies):
            other = values[0, row + j]
            wins[k, j] += 2 * (own < other) + (own == other)


def _bins_door(values, first, count, bins):
    _, strategies, _ = sizes("bins", bins, 3)
    held("bins", bins, I8, _check_values(values, first, count, strategies), strategies, BINS)


@entry("void(float64[:, ::1], int64, int64, int64[:, :, ::1])", _bins_door)
def count_bins(values, first, count, bins):
    """Add each value to its bin, ``bins[c, k, bin]``: the top bits of the float are the bin, so no logarithm is taken."""
    strategies = bins.shape[1]
    for c in range(bins.shape[0]):
        for e in range(first, first + count):
            for k in range(strategies):
                bins[c, k, bin_of(values[c, e * strategies + k])] += 1


@stage
def bin_of(x):
    """The number of x's bin: negative ones below the middle, in order."""
    bits = np.float64(x).view(np.int64) & _SIGN_OFF
    near, far = (bits >> _SHIFT) - _FIRST_KEY, (bits >> _FAR_SHIFT) - _FIRST_FAR
    place = np.int64(0) if near < 0 else near + np.int64(1)
    if far >= 0:
        place = min(np.int64(NEAR_BINS + 1) + far, np.int64(SIDE_BINS))
    return np.int64(SIDE_BINS) - place if x < 0.0 else np.int64(SIDE_BINS) + place

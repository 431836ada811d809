"""Quotes that no market showed: a stub, or a figure mistyped, among others that agree with each other."""

from __future__ import annotations

import numpy as np

_FAR = 0.3  # of the log of the mid, from the median of the bars around: a third
_WIDE, _TIMES_USUAL = 0.2, 20.0  # of the mid, and of the symbol's median spread
_AROUND, _FEWEST, _MOST = 5, 4, 0.6


def wild_quotes(day: np.ndarray, bid: np.ndarray, ask: np.ndarray) -> np.ndarray:
    """Rows with a quote that cannot be one, bool[row]; NaN is no quote.

    Its mid is a third or more away from the five bars before and after, on its day, while most of these agree with each other;
    or its spread is wider than a fifth of the mid and than twenty times the symbol's median. A price that jumps and stays is no
    such thing.
    """
    found = np.zeros(day.size, bool)
    rows = np.flatnonzero(np.isfinite(bid) & np.isfinite(ask))
    if rows.size < 3:
        return found
    mid = 0.5 * (bid[rows] + ask[rows])
    width = np.abs(ask[rows] - bid[rows]) / mid
    found[rows] = (width > _WIDE) & (width > _TIMES_USUAL * np.median(width))
    level, same = np.log(mid), day[rows]
    steps = np.flatnonzero((np.abs(np.diff(level)) > _FAR) & (same[1:] == same[:-1]))
    near = np.unique((steps[:, None] + np.arange(1 - _AROUND, _AROUND + 1)).clip(0, rows.size - 1))
    for i in near.tolist():
        around = np.arange(max(i - _AROUND, 0), min(i + _AROUND + 1, rows.size))
        around = around[(same[around] == same[i]) & (around != i)]
        if around.size >= _FEWEST:
            middle = np.median(level[around])
            agree = (np.abs(level[around] - middle) < 0.5 * _FAR).mean() >= _MOST
            found[rows[i]] |= agree and abs(level[i] - middle) > _FAR
    return found

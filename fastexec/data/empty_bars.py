"""Bars without a trade: where a quote stands an order may cross it, and meets the volume that other days lead to expect.

Were it kept from trading, its slices would vanish just where nobody traded, and a volume that knows the coming move would
choose their prices: a martingale would pay for it. A halt is another thing: no quote stands, so nobody trades.
"""

from __future__ import annotations

import numpy as np

from fastexec.data.bars import Bars
from fastexec.data.curves import Curves, expected_curves
from fastexec.data.known_days import Which


def halted_steps(bars: Bars, rows: np.ndarray) -> np.ndarray:
    """Whether nobody can trade in a step, bool[e, t]: no quote stands when it begins, or when it ends."""
    return np.asarray(~(bars.quoted[rows - 1] & bars.quoted[rows]))


def last_quoted(values: np.ndarray) -> np.ndarray:
    """Along each row what is NaN as the last that was there; the first of a row is."""
    missing = ~np.isfinite(values)
    if not missing.any():
        return values
    at = np.maximum.accumulate(np.where(missing, 0, np.arange(values.shape[1])), axis=1)
    return np.take_along_axis(values, at, axis=1)


def rate_volumes(
    bars: Bars, rows: np.ndarray, usable: np.ndarray, given: tuple[np.ndarray, Which], expected: Curves
) -> np.ndarray:
    """What the rates of slices are taken against, float64[e, t]: the bar's volume; in an empty one where a quote stands the
    volume expected of it without the window's own day; 0 in a halt.

    rows, usable: as ``expected_curves`` has them. given: its curve days and which of them. expected: what came of it.
    """
    volume, halted = bars.volume[rows], halted_steps(bars, rows)
    empty = ~(volume > 0.0) & ~halted
    touched = empty.any(axis=1)
    if touched.any():
        days, which = given
        known = expected.volume[touched]
        if which == "all" and days.size > 1:
            known = expected_curves(bars, rows[touched], usable, days, "others").volume
        # A time of day at which nothing was ever seen to trade: the window's mean, which is above 0.
        mean = np.add.accumulate(known, axis=1)[:, -1:] / known.shape[1]
        met = np.where(known > 0.0, known, mean)
        volume[touched] = np.where(empty[touched], met, volume[touched])
    return np.where(halted, 0.0, volume)

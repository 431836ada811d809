"""Bars that are absent for nobody traded: put in where a file leaves them out."""

from __future__ import annotations

import numpy as np

from fastexec.errors import InputError

_BREAK = 1_800


def spacing_of(day: np.ndarray, second: np.ndarray) -> int:
    """The most frequent time from bar to bar within a day, in seconds; a day's length where no day has two."""
    gaps = np.diff(second)[np.diff(day) == 0]
    if not gaps.size:
        return 86_400
    values, counts = np.unique(gaps, return_counts=True)
    return int(values[counts.argmax()])


def absent_bars(day: np.ndarray, second: np.ndarray, where: str) -> tuple[np.ndarray, np.ndarray]:
    """The bar before each absent one, int64[n], and the second at which that one begins, int64[n].

    Absent is what lies on the grid between a day's first bar and its last. Half an hour and more that no day has, where there
    are two days or more, is a break of the market. InputError where a bar lies between two places of the grid.
    """
    spacing = spacing_of(day, second)
    within = np.flatnonzero(np.diff(day) == 0)
    gaps = np.diff(second)[within]
    if (gaps % spacing != 0).any():
        at = within[int((gaps % spacing != 0).argmax())] + 1
        clock = f"{second[at] // 3600:02}:{second[at] // 60 % 60:02}:{second[at] % 60:02}"
        raise InputError(
            f"{where}, day {day[at]}: the bar of {clock} is not on the grid of {spacing} s, so what is absent is not "
            "known; give bars of one spacing"
        )
    missing = gaps // spacing - 1
    before = np.repeat(within, missing)
    first = np.repeat(np.cumsum(missing) - missing, missing)
    begins = second[before] + spacing * (np.arange(before.size) - first + 1)
    inside = ~np.isin(begins, _breaks(day, second, spacing))
    return before[inside], begins[inside]


def _breaks(day: np.ndarray, second: np.ndarray, spacing: int) -> np.ndarray:
    """Times of day in a break of the market."""
    if np.unique(day).size < 2:
        return np.zeros(0, np.int64)
    seen = np.unique(second).astype(np.int64)
    long = np.flatnonzero(np.diff(seen) - spacing >= _BREAK)
    return np.concatenate([np.zeros(0, np.int64), *(np.arange(seen[j] + spacing, seen[j + 1], spacing) for j in long)])

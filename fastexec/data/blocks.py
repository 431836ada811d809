"""Real days cut for a stationary block bootstrap (Politis and Romano 1994) at the same time of day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastexec.data.replay import ReplayWindows


@dataclass(frozen=True, eq=False)
class Blocks:
    """Windows w in order of their time of day, then day; those of one time of day stand together.

    order: int64[w], their numbers among the replayed windows. first, count: int64[w], where a window's time of day
    begins and how many days have it. group: int64[w], number of its time of day. representative: int64[group], a
    replayed window of each time of day.
    """

    order: np.ndarray
    first: np.ndarray
    count: np.ndarray
    group: np.ndarray
    representative: np.ndarray


def blocks_of(windows: ReplayWindows) -> Blocks:
    """Sort replayed windows by time of day."""
    order = np.lexsort((windows.day, windows.start_second))
    _, first, group, count = np.unique(
        windows.start_second[order], return_index=True, return_inverse=True, return_counts=True
    )
    return Blocks(order, first[group], count[group], group.astype(np.int64), order[first])


def other_days(blocks: Blocks) -> float:
    """The share of draws from the windows of the same time of day that give another than the one at hand."""
    return float(np.add.accumulate(1.0 - 1.0 / blocks.count)[-1]) / blocks.count.size

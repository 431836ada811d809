"""A spread that is one tick most of the time: its levels as a Markov chain, counted."""

from __future__ import annotations

from typing import Any

import numpy as np

_MOST_WIDE = 7  # levels above the narrowest
_AT_FLOOR = 1.5  # ticks
_ALIKE = 0.5  # of a step seen in the whole sample, for each row: no level is left without a way to the others


def levels_of(spread: np.ndarray, floor: float) -> np.ndarray:
    """The level of each step, int64[d, t] from 0, -1 where there is no spread. Level 0: one tick, that is below 1.5 times the
    floor; the others hold a like share of the wider ones each. spread, floor: fractions of the mid.
    """
    there = np.isfinite(spread)
    wide = spread[there & (spread >= _AT_FLOOR * floor)]
    edges = np.unique(np.quantile(wide, np.arange(_MOST_WIDE) / _MOST_WIDE)) if wide.size else np.zeros(0)
    found = np.searchsorted(edges, np.where(there, spread, 0.0), side="right")
    return np.where(there, found, -1)


def chain_of(spread: np.ndarray, floor: float) -> dict[str, Any]:
    """The section [market.spread] of a chain whose levels and transitions are those of the data.

    spread: float64[d, t], a fraction of the mid, NaN where a bar is missing; floor: of it.
    """
    level = levels_of(spread, floor)
    names = np.unique(level[level >= 0])
    means = [float(spread[level == name].mean()) for name in names]
    place = np.searchsorted(names, level)
    before, after = level[:, :-1] >= 0, level[:, 1:] >= 0
    both = before & after
    counts = np.zeros((names.size, names.size))
    np.add.at(counts, (place[:, :-1][both], place[:, 1:][both]), 1.0)
    share = np.array([(level == name).sum() for name in names], np.float64)
    counts += _ALIKE * share / share.sum()
    return {
        "model": "markov",
        "levels": [float(f"{mean:.6g}") for mean in means],
        "transition": [_adding_to_one(row / row.sum()) for row in counts],
    }


def share_at_floor(spread: np.ndarray, floor: float) -> float:
    """The share of the steps whose spread is one tick."""
    there = spread[np.isfinite(spread)]
    return float((there < _AT_FLOOR * floor).mean()) if there.size else 0.0


def _adding_to_one(law: np.ndarray) -> list[float]:
    """Probabilities to nine digits after the point; the largest takes what rounding left."""
    rounded = np.round(law, 9)
    largest = int(rounded.argmax())
    rounded[largest] = 0.0
    rounded[largest] = round(1.0 - float(rounded.sum()), 9)
    return [float(x) for x in rounded]

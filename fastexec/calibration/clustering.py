"""Whether large moves follow large ones: moves against their curve over the day, and a permutation test of their logs."""

from __future__ import annotations

import numpy as np

from fastexec.calibration.moves_law import Moves
from fastexec.calibration.panel import Panel
from fastexec.exact import curve

#: A bar without a move is more often a quote that stood still than a normal near 0: of the smallest moves, so many times as
#: many as stand still are only counted as small, at most ``_MOST_SMALL`` of all.
_SMALL_FOR_EACH_STILL, _MOST_SMALL = 3.0, 0.8
_STILL = 1e-9  # a relative move of less is the rounding of one price
#: Of the moves where logs are taken: a log runs to minus infinity at 0, and its noise tells of nothing.
_LEAST_SMALL = 0.25
_ROUNDS, _LAGS, _PERMUTATIONS, _SEED = 10, 10, 999, 20_130_711


def standing_still(panel: Panel) -> float:
    """The share of the steps in which the mid does not move."""
    return float((np.abs(panel.move) < _STILL).sum() / np.isfinite(panel.move).sum())


def moves_of(panel: Panel, bins: int) -> Moves:
    """Log moves, the curve of their volatility over the day out of means of logs, and the border of the small ones."""
    log = np.log1p(panel.move)
    share = min(_SMALL_FOR_EACH_STILL * standing_still(panel), _MOST_SMALL)
    parts = _parts(log, bins)
    level = np.array([_logs(log[:, part], max(share, _LEAST_SMALL))[1] for part in parts])
    shape = _curve_through(level, parts)
    return Moves(log, shape, _border(np.abs(log / shape), share))


def _curve_through(level: np.ndarray, parts: list[np.ndarray]) -> np.ndarray:
    """The model's curve whose mean log over each part is ``level``, float64[t]."""
    knots = np.exp(level - level.mean())
    for _ in range(_ROUNDS):
        logs = np.log(curve(tuple(knots), parts[-1][-1] + 1))
        off = level - [logs[part].mean() for part in parts]
        knots = knots * np.exp(off - off.mean())
    return curve(tuple(knots), parts[-1][-1] + 1, root_mean_square=True)


def clustering(moves: Moves, bins: int) -> tuple[float, float]:
    """(sum of autocovariances of the logs of moves at lags 1 to 10, its p-value), days apart.

    Where the volatility is constant apart from its curve, moves of one part of the day are exchangeable, over all days: the
    p-value is the share of the permutations within parts whose sum is as large, exact whatever the law of a move.
    """
    log = moves.log / moves.curve
    values = np.full(log.shape, np.nan)
    small = max(float(np.nanmean(np.abs(log) < moves.small)), _LEAST_SMALL)
    parts = _parts(log, bins)
    for part in parts:
        logs, level = _logs(log[:, part], small)
        values[:, part] = logs - level
    present = np.isfinite(log)
    values = np.where(present, values, 0.0)
    found, rng = _autocovariance(values), np.random.default_rng(_SEED)
    places = [np.flatnonzero(present & np.isin(np.arange(log.shape[1]), part)) for part in parts]
    larger = 0
    for _ in range(_PERMUTATIONS):
        shuffled = values.copy()
        for place in places:
            shuffled.flat[place] = values.flat[rng.permutation(place)]
        larger += int(_autocovariance(shuffled) >= found)
    return found, (1 + larger) / (1 + _PERMUTATIONS)


def _autocovariance(values: np.ndarray) -> float:
    """Summed over the lags. Later lags tell of what persists, at the cost of the noise of ten products in place of one."""
    days, steps = values.shape
    lags = range(1, min(_LAGS, steps - 1) + 1)
    products: list[float] = [float(np.vdot(values[:, lag:], values[:, :-lag])) / (days * (steps - lag)) for lag in lags]
    return float(sum(products))


def _parts(log: np.ndarray, bins: int) -> list[np.ndarray]:
    return np.array_split(np.arange(log.shape[1]), bins)


def _logs(log: np.ndarray, share: float) -> tuple[np.ndarray, float]:
    """Logs of moves, the smallest ``share`` of them raised to the border above these; and their mean."""
    size = np.abs(log)
    found = np.log(np.maximum(size, max(_border(size, share), _STILL)))
    return found, float(np.nanmean(found))


def _border(size: np.ndarray, share: float) -> float:
    """A number above that share of the sizes, halfway to the next larger one; 0 for none of them."""
    ordered = np.sort(size[np.isfinite(size)])
    count = int(np.ceil(share * ordered.size))
    if count == 0:
        return 0.0
    last = ordered[count - 1]
    larger = ordered[ordered > last]
    return float(0.5 * (last + larger[0])) if larger.size else float(2.0 * last)

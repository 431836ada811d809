"""What is measured of a day, in the data and in the simulated market alike."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np

from fastexec.calibration.panel import Panel

BETWEEN_DAYS = "volume, sd between days"
ROUNDING = 1e-9  # relative: below it a difference is none


class Statistic(NamedTuple):
    """A statistic's unit, factor to it, and its values for each day, float64[d]."""

    unit: str
    values: np.ndarray


def daily(panel: Panel) -> dict[str, Statistic]:
    """Each statistic day by day (float64[d]); a statistic of a sample is the mean over its days.

    Correlations and autocorrelations are a day's own, curves left in: they mean the same in data and simulation, but not
    the parameters of the same name.
    """
    move, spread, volume = panel.move, panel.spread, panel.volume
    log_spread, log_volume = _log(spread), _log(volume)
    size, later = np.abs(move), log_spread[:, 1:]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a day without volume has no mean log: NaN, and shown so
        mean_spread, mean_volume = np.nanmean(spread, axis=1), np.nanmean(volume, axis=1)
        found = {
            "spread, mean": ("bps", 1e4 * mean_spread),
            "spread, median": ("bps", 1e4 * _quantile(spread, 0.5)),
            "spread, 95 %": ("bps", 1e4 * _quantile(spread, 0.95)),
            "spread, sd of the log": ("", _varying(np.nanstd(log_spread, axis=1))),
            "spread, lag-1 autocorrelation": ("", _correlation(log_spread[:, :-1], later)),
            "volume, mean": ("shares", mean_volume),
            "volume, median / mean": ("", _quantile(volume, 0.5) / mean_volume),
            "volume, 95 % / mean": ("", _quantile(volume, 0.95) / mean_volume),
            "volume, sd of the log": ("", np.nanstd(log_volume, axis=1)),
            "volume, lag-1 autocorrelation": ("", _correlation(log_volume[:, :-1], log_volume[:, 1:])),
            "steps without volume": ("%", 100 * _share(volume, volume == 0.0)),
            "move, sd": ("bps", 1e4 * np.sqrt(np.nanmean(move * move, axis=1))),
            "move, kurtosis": ("", _kurtosis(move)),
            "move, lag-1 autocorrelation": ("", _correlation(move[:, :-1], move[:, 1:])),
            "size of move, lag-1 autocorrelation": ("", _correlation(size[:, :-1], size[:, 1:])),
            "correlation move, next spread": ("", _correlation(move[:, :-1], later)),
            "correlation move, volume": ("", _correlation(move, log_volume)),
            "correlation volume, next spread": ("", _correlation(log_volume[:, :-1], later)),
            "correlation size of move, volume": ("", _correlation(size, log_volume)),
            "correlation size of move, next spread": ("", _correlation(size[:, :-1], later)),
            "correlation size of move, spread": ("", _correlation(size, log_spread)),
        }
    return {name: Statistic(unit, values) for name, (unit, values) in found.items()}


def curves(panel: Panel, bins: int) -> dict[str, np.ndarray]:
    """Spread, volume and volatility by part of the day relative to the day's own, float64[d, bin]."""
    square = panel.move * panel.move
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return {
            "spread": _relative(panel.spread, bins),
            "volume": _relative(panel.volume, bins),
            "volatility": np.sqrt(_relative(square, bins)),
        }


def day_levels(panel: Panel) -> np.ndarray:
    """Log of each day's mean volume, float64[d]: what day_volatility moves."""
    return np.asarray(np.log(np.nanmean(panel.volume, axis=1)))


def _relative(x: np.ndarray, bins: int) -> np.ndarray:
    parts = np.array_split(x, bins, axis=1)
    means = np.stack([np.nanmean(part, axis=1) for part in parts], axis=1)
    return np.asarray(means / np.nanmean(x, axis=1)[:, None])


def _log(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.log(np.where(x > 0.0, x, np.nan)))


def _varying(sd: np.ndarray) -> np.ndarray:
    """NaN in place of what is rounding alone: a constant has no law."""
    return np.where(sd > ROUNDING, sd, np.nan)


def _share(x: np.ndarray, which: np.ndarray) -> np.ndarray:
    return np.asarray(which.sum(axis=1) / np.isfinite(x).sum(axis=1))


def _quantile(x: np.ndarray, q: float) -> np.ndarray:
    # nanquantile goes row by row in Python: ten times slower, and simulated days have no gaps.
    return np.asarray(np.quantile(x, q, axis=1) if np.isfinite(x).all() else np.nanquantile(x, q, axis=1))


def _kurtosis(x: np.ndarray) -> np.ndarray:
    square = x * x
    return _ratio(np.nanmean(square * square, axis=1), np.nanmean(square, axis=1) ** 2)


def _correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of each row, over the places where both are there; NaN where one does not vary."""
    both = np.isfinite(a) & np.isfinite(b)
    if both.all():
        x, y = a - a.mean(axis=1)[:, None], b - b.mean(axis=1)[:, None]
    else:
        x, y = _centred(a, both), _centred(b, both)
    xx, yy, xy = (np.einsum("dt,dt->d", u, v) for u, v in ((x, x), (y, y), (x, y)))
    return _ratio(xy, np.sqrt(np.where(np.minimum(xx, yy) > 1e-20, xx * yy, 0.0)))


def _centred(x: np.ndarray, present: np.ndarray) -> np.ndarray:
    mean = np.where(present, x, 0.0).sum(axis=1) / np.maximum(present.sum(axis=1), 1)
    return np.where(present, x - mean[:, None], 0.0)


def _ratio(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.where(b > 0.0, a / np.where(b > 0.0, b, 1.0), np.nan)

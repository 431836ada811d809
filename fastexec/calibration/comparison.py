"""Statistic by statistic: the data, the simulated market, the difference, and the data's own sampling error over days."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from fastexec.calibration.market_fit import market_alone, simulated
from fastexec.calibration.panel import Panel
from fastexec.calibration.statistics import BETWEEN_DAYS, ROUNDING, curves, daily, day_levels
from fastexec.simulation import Prepared

if TYPE_CHECKING:
    import pyarrow as pa

_DAYS_A_CHUNK, _SEED = 500, 7
#: Under so many days a difference as large as the sd between days is missed in more than one of five tables (t test of 5 %).
FEW_DAYS = 10
TOO_FEW = "too few days to tell"


def fit_table(
    panels: tuple[Panel, Panel | None], market: dict[str, Any], bins: int, episodes: int, threads: int
) -> tuple[pa.Table, list[str]]:
    """The table, a row a statistic, and a line a curve.

    panels: the days to compare with, and those that were fitted where they are others: their sampling error then counts
    too. ``within``: the difference lies within the 95 % interval of the data's mean over days (Student's t); null where
    the data or the market do not have the statistic; ``fits`` the same in words: yes, NO, or that days are too few to tell.
    ``episodes`` simulated days.
    """
    import pyarrow as pa

    panel, fitted = panels
    data, also = daily(panel), {} if fitted is None else {name: x.values for name, x in daily(fitted).items()}
    found, found_curves, levels = _simulated(market_alone(market, panel.move.shape[1], _SEED), bins, episodes, threads)
    rows = [_row(name, x.unit, _error(x.values, also.get(name)), found[name]) for name, x in data.items()]
    rows.append(_between_days(panel, fitted, float(np.std(levels, ddof=1))))
    few = _days(panels) < FEW_DAYS
    for row in rows:
        row["fits"] = in_words(row["within"], few)
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    others = {} if fitted is None else curves(fitted, bins)
    lines = [_curve_line(name, x, others.get(name), found_curves[name]) for name, x in curves(panel, bins).items()]
    return pa.table(columns), lines


def _days(panels: tuple[Panel, Panel | None]) -> float:
    """Days behind the error of a difference: of two groups the harmonic sum of both."""
    return 1.0 / sum(1.0 / int(panel.move.shape[0]) for panel in panels if panel is not None)


def in_words(within: bool | None, few: bool) -> str | None:
    """What a table says of a statistic; ``few``: of days so few that nearly anything lies within their interval."""
    if within is None:
        return None
    return "NO" if not within else TOO_FEW if few else "yes"


def _error(values: np.ndarray, also: np.ndarray | None) -> tuple[float, float, float]:
    """(mean, standard error, half of the 95 % interval) over days; with days that were fitted the error of both means."""
    groups = [x[np.isfinite(x)] for x in (values, also) if x is not None]
    if not groups[0].size or any(x.size < 2 for x in groups):
        return np.nan, np.nan, np.nan
    freedom = sum(x.size - 1 for x in groups)
    variance = sum(float(((x - x.mean()) ** 2).sum()) for x in groups) / freedom
    error = float(np.sqrt(variance * sum(1.0 / x.size for x in groups)))
    return float(groups[0].mean()), error, _t95(freedom) * error


def _between_days(panel: Panel, fitted: Panel | None, found: float) -> dict[str, Any]:
    """The sd of the days' volume; its own error by normal theory."""
    groups = [day_levels(x) for x in (panel, fitted) if x is not None]
    sd = float(np.std(groups[0], ddof=1))
    freedom = sum(x.size - 1 for x in groups)
    pooled = np.sqrt(sum(float(((x - x.mean()) ** 2).sum()) for x in groups) / freedom)
    error = float(pooled * np.sqrt(sum(0.5 / (x.size - 1) for x in groups)))
    return _row(BETWEEN_DAYS, "", (sd, error, _t95(freedom) * error), found)


def _row(name: str, unit: str, data: tuple[float, float, float], found: float) -> dict[str, Any]:
    mean, error, half = data
    least = ROUNDING * abs(mean)
    shown = {"data": mean, "standard_error": error, "simulated": found, "difference": found - mean}
    shown |= {key: 0.0 for key in ("standard_error", "difference") if abs(shown[key]) <= least}
    row: dict[str, Any] = {"statistic": name, "unit": unit}
    row |= {key: value if np.isfinite(value) else None for key, value in shown.items()}
    row["within"] = None if row["difference"] is None else abs(found - mean) <= half + least
    return row


def _t95(freedom: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.975))


def _curve_line(name: str, data: np.ndarray, also: np.ndarray | None, found: np.ndarray) -> str:
    """How many parts of the day agree, and where the worst does not."""
    parts = [_error(data[:, j], None if also is None else also[:, j]) for j in range(data.shape[1])]
    mean, half = np.array([part[0] for part in parts]), np.array([part[2] for part in parts])
    off = found - mean
    good = np.abs(off) <= half + 1e-9
    worst = int(np.argmax(np.abs(off)))
    return (
        f"{name} curve: {int(good.sum())} of {good.size} parts of the day within; the largest difference is "
        f"{off[worst]:+.3f} in part {worst + 1}, where the data have {mean[worst]:.3f}"
    )


def _simulated(
    prepared: Prepared, bins: int, episodes: int, threads: int
) -> tuple[dict[str, float], dict[str, np.ndarray], np.ndarray]:
    """Means over simulated days, a chunk on each thread; chunks are added in their order."""
    firsts = range(0, episodes, _DAYS_A_CHUNK)

    def chunk(first: int) -> tuple[dict[str, Any], dict[str, np.ndarray], np.ndarray]:
        panel = simulated(prepared, first, min(_DAYS_A_CHUNK, episodes - first))
        sums = {name: (np.nansum(x.values), np.isfinite(x.values).sum()) for name, x in daily(panel).items()}
        return sums, {name: x.sum(axis=0) for name, x in curves(panel, bins).items()}, day_levels(panel)

    with ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(chunk, firsts))
    totals = {name: [sum(part[0][name][j] for part in parts) for j in (0, 1)] for name in parts[0][0]}
    means = {name: float(total / count) if count else float("nan") for name, (total, count) in totals.items()}
    bent = {name: sum(part[1][name] for part in parts) / episodes for name in parts[0][1]}
    return means, {name: np.asarray(x) for name, x in bent.items()}, np.concatenate([part[2] for part in parts])

"""What a further column of the bars tells of the moves to come: its correlation with them by horizon, and how sure that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastexec.calibration.panel import Session
from fastexec.data.bars import Bars
from fastexec.errors import InputError
from fastexec.wording import counted

if TYPE_CHECKING:
    import pyarrow as pa

HORIZONS = (1, 2, 5, 10, 20)
_CONSTANT = 1e-12  # sd over the mean's size
_FEWEST = 30  # pairs


def predictive(bars: Bars, session: Session, days: list[int]) -> pa.Table:
    """A row for each further column and horizon, over some of the session's days.

    signal: the column. horizon: steps. correlation: of its value when a step begins (that of the bar before) with the log move
    over that step and the next ones, ``horizon`` in all, within a day. standard_error: of that, where moves cannot be told from
    the past otherwise. persistence: lag-1 autocorrelation of the column within days. pairs: how many values and moves.

    Moves over several steps overlap. The sum of value times move is one over single moves, each times the values that stood
    before it, and such products are uncorrelated: no overlap is left in their error (Hodrick 1992).

    Raises InputError where a column hardly varies, or has fewer than 30 values with a move behind.
    """
    import pyarrow as pa

    move = np.log1p(session.of_days(days).move)
    rows: list[dict[str, Any]] = []
    for name in bars.signals:
        values = _lined_up(bars, name, session, days)
        both = np.isfinite(values) & np.isfinite(move)
        _require_life(f"{bars.source}, {bars.symbol!r}: column {name!r}", values[both])
        centred = np.where(both, values - values[both].mean(), np.nan)
        kept = _persistence(centred)
        for horizon in HORIZONS:
            found = _correlation(centred, move, horizon)
            if found is not None:
                keys = ("correlation", "standard_error", "pairs")
                rows.append(
                    {"signal": name, "horizon": horizon} | dict(zip(keys, found, strict=True)) | {"persistence": kept}
                )
    kinds = {"signal": pa.string(), "horizon": pa.int32(), "correlation": pa.float64(), "standard_error": pa.float64()}
    return pa.Table.from_pylist(rows, pa.schema(kinds | {"pairs": pa.int64(), "persistence": pa.float64()}))


def predictive_lines(table: pa.Table) -> list[str]:
    """The table in words, a line a column."""
    lines = []
    for name in dict.fromkeys(table["signal"].to_pylist()):
        rows = [row for row in table.to_pylist() if row["signal"] == name]
        told = ", ".join(f"{x['correlation']:+.3f} +- {x['standard_error']:.3f} ({x['horizon']})" for x in rows)
        lines.append(
            f"signal {name}: persistence {rows[0]['persistence']:.3f}; correlation with the move over the next steps, in "
            f"brackets how many: {told}"
        )
    return lines


def _lined_up(bars: Bars, name: str, session: Session, days: list[int]) -> np.ndarray:
    """The column when each step begins, float64[d, t]; NaN where no bar of the day stands before."""
    step, values = session.step_seconds, np.full((len(days), session.second.size), np.nan)
    place = (bars.second + step - int(session.second[0])) // step
    fits = np.isin(bars.day, days) & (place >= 0) & (place < session.second.size)
    fits &= (bars.second - int(session.second[0])) % step == 0
    values[np.searchsorted(days, bars.day[fits]), place[fits]] = bars.signals[name][fits]
    return values


def _require_life(where: str, values: np.ndarray) -> None:
    if values.size < _FEWEST:
        raise InputError(
            f"{where} has {counted(values.size, 'value')} with a move behind; at least {_FEWEST} are needed"
        )
    if not np.std(values) > _CONSTANT * max(1.0, float(np.abs(values.mean()))):
        raise InputError(f"{where} never varies; there is nothing that it could tell")


def _persistence(centred: np.ndarray) -> float:
    both = np.isfinite(centred[:, 1:]) & np.isfinite(centred[:, :-1])
    a, b = centred[:, 1:][both], centred[:, :-1][both]
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum())) if a.size else float("nan")


def _correlation(centred: np.ndarray, move: np.ndarray, horizon: int) -> tuple[float, float, int] | None:
    """(correlation, its standard error, pairs); None where days are shorter than the horizon."""
    starts = move.shape[1] - horizon + 1
    if starts < 1:
        return None
    ahead = np.sum([move[:, j : j + starts] for j in range(horizon)], axis=0)
    both = np.isfinite(centred[:, :starts]) & np.isfinite(ahead)
    if both.sum() < _FEWEST:
        return None
    value = np.where(both, centred[:, :starts], 0.0)
    ahead = np.where(both, ahead - ahead[both].mean(), 0.0)
    size = float(np.sqrt((value * value).sum() * (ahead * ahead).sum()))
    stood = np.zeros(move.shape)  # the sum of the values whose pairs hold this move
    for j in range(horizon):
        stood[:, j : j + starts] += value
    products = np.where(stood != 0.0, move - np.nanmean(move), 0.0) * stood
    return float((value * ahead).sum()) / size, float(np.sqrt((products * products).sum())) / size, int(both.sum())

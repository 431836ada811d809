"""calibrate(): from a file of bars to a [market] section, with a table of how well it fits, and a [costs] section beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastexec.calibration.comparison import fit_table
from fastexec.calibration.costs import CostBasis, costs_section
from fastexec.calibration.market_fit import CONSTANT_BELOW, fit
from fastexec.calibration.panel import Panel, Session, session_of
from fastexec.calibration.predictive import predictive, predictive_lines
from fastexec.calibration.statistics import ROUNDING
from fastexec.data.bars import Bars
from fastexec.errors import InputError, listed
from fastexec.frames import Frame, rows_html
from fastexec.models.times import clock
from fastexec.printing import harmless
from fastexec.threads import default_threads
from fastexec.wording import counted

if TYPE_CHECKING:
    import pyarrow as pa

_SECONDS_A_BIN, _MOST_BINS, _FEWEST_DAYS = 1800, 24, 2


@dataclass(frozen=True, eq=False, repr=False)
class Calibration(Frame):
    """A fitted market, and costs that are not fitted. market, costs: sections as nested keys. table: a row a statistic
    (``fit_table``). curves: a line a curve. notes: what a reader must know. head: where it comes from, a line each. steps,
    step_seconds: of the fitted part of a day. volume: shares that the market trades in it. signals: what further columns tell
    of coming moves, a row for each column and horizon (``predictive``).
    """

    market: dict[str, Any]
    costs: dict[str, Any]
    table: pa.Table
    curves: list[str]
    notes: list[str]
    head: list[str]
    steps: int
    step_seconds: int
    volume: float
    signals: pa.Table

    def to_arrow(self) -> pa.Table:
        """A row for each statistic: the data's, the simulated, and whether they fit."""
        return self.table

    def __repr__(self) -> str:
        return f"Calibration({self.head[0]!r}, {counted(len(self.table), 'statistic')})"

    def _repr_html_(self) -> str:
        names = ["statistic", "unit", "data", "standard_error", "simulated", "fits"]
        return rows_html(
            self.head[0],
            self.table.select(names),
            [*self.head[1:], *self.curves, *predictive_lines(self.signals), *self.notes],
        )

    def to_toml(self, before: Mapping[str, Any] | None = None) -> str:
        """The two sections, for a study file, behind other keys of one."""
        import tomli_w

        comments = [*self.head, *predictive_lines(self.signals), *self.notes]
        text = tomli_w.dumps({**(before or {}), "market": _without_empty(self.market), "costs": self.costs})
        text = re.sub(r"\[\n([^\]]*?),?\n\]", lambda m: f"[{' '.join(m[1].split())}]", text)  # a curve on one line
        return "".join(f"# {harmless(line)}\n" for line in comments) + "\n" + text


def calibrate(
    bars: Bars,
    *,
    until: int | None = None,
    test: bool = False,
    window: tuple[int, int] | None = None,
    basis: CostBasis = CostBasis(),  # noqa: B008 - frozen
    episodes: int = 100_000,
    threads: int | None = None,
) -> Calibration:
    """Fit a synthetic market to real bars (``read_bars``).

    until: last day (yyyymmdd) that the fit may see. test: measure the fit on the days after ``until`` instead of those
    before. window: (first second, end) since local midnight; default the whole day. basis: of the costs, which no bars tell
    (``calibration.costs``). episodes: simulated days behind the table. ``[market.variance]`` and ``[market.jumps]`` are fitted
    where the data ask for them (``calibration.moves_fit``); the notes say by which test. What ``bars.signals`` tell of coming
    moves is measured on the days of the table.

    Raises InputError where there are fewer than two days on either side, or the price or the volume does not move.

    >>> fitted = fx.calibrate(fx.read_bars("bars.parquet", "S"), episodes=200)
    >>> fx.Study.from_toml(fitted.to_toml({"strategies": [{"model": "twap"}]})).market.price.model
    'geometric'
    """
    session = session_of(bars, window)
    seen, later = _split(session, until, test)
    panel = session.of_days(seen)
    _require_life(panel, f"{bars.source}, {bars.symbol!r}")
    signals = predictive(bars, session, later if test else seen)
    steps = panel.move.shape[1]
    bins = int(np.clip(round(steps * session.step_seconds / _SECONDS_A_BIN), 1, min(steps, _MOST_BINS)))
    parameters = fit(panel, bins, session.tick)
    judged, other = (session.of_days(later), panel) if test else (panel, None)
    market = parameters.market()
    table, lines = fit_table((judged, other), market, bins, episodes, threads or default_threads())
    sigma = parameters.move_sd * float(np.sqrt(session.day_steps))
    daily_volume = float(session.daily_volume[[session.days.index(day) for day in seen]].mean())
    costs, said = costs_section(basis, sigma, daily_volume, parameters.price)
    notes = [*session.notes, *_spread_notes(panel), *parameters.notes, *said]
    market["fitted"] = {"symbol": bars.symbol, "days": seen}
    head = _head(bars, session, seen, later if test else [])
    volume = parameters.volume_mean * steps
    return Calibration(market, costs, table, lines, notes, head, steps, session.step_seconds, volume, signals)


def _split(session: Session, until: int | None, test: bool) -> tuple[list[int], list[int]]:
    if until is None:
        if test:
            raise InputError("--test: needs --until, the last day that the fit may see")
        seen, later = session.days, []
    else:
        seen = [day for day in session.days if day <= until]
        later = [day for day in session.days if day > until]
    for what, days, wanted in (("to calibrate on", seen, True), ("to test on", later, test)):
        if wanted and len(days) < _FEWEST_DAYS:
            others = "".join(f"; {day} is left out: {why}" for day, why in sorted(session.left_out.items()))
            raise InputError(
                f"too few days {what}: {listed(days) or 'none'} of {listed(session.days)}, at least {_FEWEST_DAYS} are "
                f"needed{others}"
            )
    return seen, later


def _require_life(panel: Panel, where: str) -> None:
    if not np.nanmax(np.abs(panel.move)) > 0.0:
        raise InputError(f"{where}: the price never moves; there is no volatility to calibrate")
    if not (np.nansum(panel.volume, axis=1) > 0.0).all():
        raise InputError(f"{where}: a day has no volume at all; there is nothing to calibrate")


def _spread_notes(panel: Panel) -> list[str]:
    sd = float(np.nanmean(np.nanstd(np.log(panel.spread), axis=1))) if (panel.spread > 0.0).all() else np.inf
    if sd > CONSTANT_BELOW:
        return []
    how = "never varies" if sd <= ROUNDING else f"hardly varies (sd of its log {sd:.2g})"
    return [f"the spread {how}: it is constant here, so it has no statistics of change"]


def _head(bars: Bars, session: Session, seen: list[int], tested: list[int]) -> list[str]:
    steps, first = session.panel.move.shape[1], int(session.second[0])
    lines = [
        f"calibrated on {Path(bars.source).name}, {bars.symbol}, {counted(len(seen), 'day')}: {listed(seen)}",
        f"for an order of steps = {steps}, step_seconds = {session.step_seconds:.1f}, from {clock(first)} local time",
    ]
    return [*lines, f"tested on {counted(len(tested), 'later day')}: {listed(tested)}"] if tested else lines


def _without_empty(section: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _without_empty(value) if isinstance(value, dict) else value
        for key, value in section.items()
        if value != []
    }

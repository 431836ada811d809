"""Intervals of the two risks of a strategy's cost, its standard deviation and the mean of its worst 5 %, from the rows.

By the delta method: the error of an estimate is that of a mean over episodes of what each contributes to it, (C - E)^2 to a
variance, max(C - q, 0) / 0.05 to the mean of the tail behind the 95 % point q (Rockafellar and Uryasev 2000); that E and q are
estimated does not matter to the first order. Replayed days are the clusters. The interval of a standard deviation is one of
its logarithm, which is nearer a normal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastexec.statistics.paired import FEWEST_DAYS

_TAIL = 0.05


def t95(freedom: float) -> float:
    """The 97.5 % point of Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.975))


@dataclass
class RiskIntervals:
    """Gathers what each episode contributes, block by block. ``mean``, ``sd``, ``quantile``, ``cvar``: float64[k] of all
    episodes; ``sums`` and ``squares``: float64[risk, k]; ``days``: of a replay day -> (episodes, sums).
    """

    mean: np.ndarray
    sd: np.ndarray
    quantile: np.ndarray
    cvar: np.ndarray
    conditional: bool = False
    count: int = 0
    sums: np.ndarray = field(init=False)
    squares: np.ndarray = field(init=False)
    days: dict[int, tuple[int, np.ndarray]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Nothing has been gathered yet."""
        self.sums, self.squares = np.zeros((2, self.mean.size)), np.zeros((2, self.mean.size))

    @classmethod
    def of(cls, rows: list[dict[str, Any]], per_step: bool) -> RiskIntervals:
        """For the rows of a summary; under the cost rule per_step there is no tail."""

        def column(name: str) -> np.ndarray:
            return np.array([np.nan if row[name] is None else row[name] for row in rows], np.float64)

        conditional = rows[0]["day_ids"] is not None and rows[0]["day_episodes"] is None
        if per_step:
            none = np.full(len(rows), np.nan)
            return cls(column("program_cost_mean"), column("program_cost_sd"), none, none, conditional)
        mean, sd, quantile, cvar = (column(f"shortfall_{name}_bps") for name in ("mean", "sd", "p95", "cvar95"))
        return cls(mean, sd, quantile, cvar, conditional)

    def add(self, costs: np.ndarray, days: np.ndarray | None = None) -> None:
        """costs: float64[e, k]; days: of a replay the day of each episode."""
        parts = np.stack(((costs - self.mean) ** 2 - self.sd**2, np.maximum(costs - self.quantile, 0.0) / _TAIL))
        parts[1] -= self.cvar - self.quantile
        self.count += len(costs)
        self.sums += parts.sum(axis=1)
        self.squares += (parts * parts).sum(axis=1)
        for day in [] if days is None else np.unique(days).tolist():
            own = days == day
            count, sums = self.days.get(day, (0, np.zeros_like(self.sums)))
            self.days[day] = count + int(own.sum()), sums + parts[:, own].sum(axis=1)

    def intervals(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """(low, high) of each risk, float64[k]; NaN where there is no interval."""
        errors, times = self._errors()
        relative = times * errors[0] / (2.0 * np.where(self.sd > 0.0, self.sd, np.nan) ** 2)
        half = times * errors[1]
        return {
            "sd": (self.sd * np.exp(-relative), self.sd * np.exp(relative)),
            "cvar95": (self.cvar - half, self.cvar + half),
        }

    def _errors(self) -> tuple[np.ndarray, float]:
        """Standard errors of variance and tail mean, float64[risk, k], and the multiplier of an interval of 95 %."""
        none, n = np.full_like(self.sums, np.nan), self.count
        if self.conditional or n < 2:
            return none, np.nan
        mean = self.sums / n
        if not self.days:
            return np.sqrt(np.maximum(self.squares / n - mean * mean, 0.0) / (n - 1)), t95(n - 1)
        if (days := len(self.days)) < FEWEST_DAYS:
            return none, np.nan
        scores = np.stack([sums - count * mean for count, sums in self.days.values()])
        return np.sqrt(days / (days - 1) * (scores * scores).sum(axis=0)) / n, t95(days - 1)

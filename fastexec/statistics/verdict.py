"""What may be said of a saving: one definition for the console, the report and the sentences.

A saving is shown where its interval leaves 0 out and it is more than the rounding of the sums behind it. It is then cheaper or
dearer, marked where it is too small to matter, and never in favour of a strategy that left part of the order untraded.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from fastexec.statistics.paired import Paired, compare_pair, rounding, sharper

if TYPE_CHECKING:
    import pyarrow as pa

#: bps: what is significant and smaller is marked.
NEGLIGIBLE = 0.01
#: Share of the order, horizon included, under which a strategy is not called cheaper.
LEAST_FILLED = 0.99
_MOST_DECIMALS = 9


@dataclass(frozen=True)
class Difference:
    """What strategy ``other`` saves against ``base`` (bps) with its interval; NaN where unknown.

    controlled: whether timing is the control variate; rounding: what the saving must exceed to be more than that.
    """

    base: str
    other: str
    saving: float
    error: float
    low: float
    high: float
    controlled: bool
    rounding: float = 0.0

    @property
    def known(self) -> bool:
        """Whether there is an interval."""
        return bool(np.isfinite(self.low))

    @property
    def shown(self) -> bool:
        """Whether the interval leaves 0 out, and rounding does not explain the saving."""
        return self.known and (self.low > 0.0 or self.high < 0.0) and abs(self.saving) > self.rounding


def single(material: Paired, base: int, other: int) -> Difference:
    """A pair with the interval that holds by itself: the one with the control variate where that is valid."""
    saving, error, low, high, controlled = sharper(compare_pair(material, other, base))
    names = material.strategies
    return Difference(names[base], names[other], saving, error, low, high, controlled, rounding(material, base, other))


@dataclass(frozen=True)
class Judge:
    """negligible: bps. short: of each strategy that is not called cheaper, why."""

    negligible: float = NEGLIGIBLE
    short: Mapping[str, str] = field(default_factory=dict)

    def verdict(self, found: Difference) -> str:
        """cheaper, dearer, either of them negligible, or why neither is said."""
        if not found.known:
            return "no interval"
        if not found.shown:
            return "no difference shown"
        if found.saving > 0.0 and found.other in self.short:
            return "lower, unfinished"
        if found.saving < 0.0 and found.base in self.short:
            return "higher, baseline unfinished"
        word = "cheaper" if found.saving > 0.0 else "dearer"
        return f"{word}, negligible" if abs(found.saving) < self.negligible else word


def judge_of(summary: pa.Table, at_horizon: str, negligible: float = NEGLIGIBLE) -> Judge:
    """The judge of a summary's strategies under a horizon rule."""
    short = {}
    for row in summary.select(["strategy", "filled", "unfinished"]).to_pylist():
        left = at_horizon == "leave" and row["unfinished"] > 0
        if left or row["filled"] < LEAST_FILLED:
            text = f"filled {100.0 * min(row['filled'], 0.9999 if left else 1.0):.2f} % of the order"
            short[row["strategy"]] = text + (", and the rest costs nothing here" if left else "")
    return Judge(negligible, short)


def decimals(found: Difference, least: int = 3) -> int:
    """Decimals that show the sign of what is shown, or two digits of the interval's half width; at least ``least``."""
    if not found.known:
        return least
    size = min(abs(found.low), abs(found.high)) if found.shown else 0.1 * (found.high - found.saving)
    return least if size <= 0.0 else min(max(math.ceil(-math.log10(size)), least), _MOST_DECIMALS)


def cost_beside(base: float, saving: float, places: int) -> str:
    """A cost as it stands beside the saving: the printed baseline's minus the printed saving, to the last digit."""
    return f"{round(base, places) - round(saving, places):,.{places}f}"


def told(value: float, places: int) -> str:
    """A saving with its sign; in powers of ten where so many decimals would not show it."""
    text = f"{value:+,.{places}f}"
    return text if value == 0.0 or places < _MOST_DECIMALS or float(text.replace(",", "")) else f"{value:+.1e}"


def told_with_interval(found: Difference, least: int = 3) -> str:
    """``+0.851 [+0.845, +0.857]``; - without an interval, for no saving stands without it."""
    if not found.known:
        return "-"
    saving, low, high = (told(x, decimals(found, least)) for x in (found.saving, found.low, found.high))
    return f"{saving} [{low}, {high}]"

"""Trading halts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np
from pydantic import Field

from fastexec.models._base import Model
from fastexec.models.chains import laws_of
from fastexec.models.declarations import MarkovLaw, OfMarket, Setting, Slot
from fastexec.models.scalar import Scalar, expected, is_zero, limited, mean_of


class Halts(Model):
    """Steps in which nobody trades; behind them the price reopens with the sum of the moves in between."""

    rate: Annotated[Scalar, limited(least=0.0, most=0.5), Slot("halt_rate")] = Field(
        0.0, description="chance that a step behind an open one is halted; 0: off"
    )
    length: Annotated[Scalar, limited(least=1.0, most=1e6), Slot("halt_length")] = Field(
        5.0, description="mean length of a halt (steps), geometric"
    )

    def switches(self) -> Mapping[str, int | str]:
        return {"HALTS": not self.is_off}

    def declares(self) -> OfMarket:
        """A halt is independent of the moves that it holds back."""
        return OfMarket(martingale=True, follows_move=False, idle=not self.is_off)

    @property
    def is_off(self) -> bool:
        return is_zero(self.rate)

    def law(self) -> MarkovLaw | None:
        """Open (1) or halted (0), by the means of what is a range; None where all is open."""
        return None if self.is_off else _law(expected(self.rate), expected(self.length))

    def open_steps(self, steps: int) -> np.ndarray:
        """The chance that each step is open, float64[t]."""
        if self.is_off:
            return np.ones(steps)
        return np.asarray(
            mean_of(lambda rate, length: laws_of(_law(rate, length), steps)[:, 0], self.rate, self.length)
        )

    def doubts(self, setting: Setting) -> list[str]:
        if self.is_off:
            return []
        ends = 1.0 - float(self.open_steps(setting.steps)[-1])
        return [
            f"market.halts: {ends:.2g} of all orders end in a halt, where nothing trades: what is left then is valued by "
            "order.mark_price, under at_horizon = complete too"
        ]


def _law(rate: float, length: float) -> MarkovLaw:
    ends = 1.0 / length
    moves = np.array([[1.0 - rate, rate], [ends, 1.0 - ends]])
    return MarkovLaw(np.array([1.0, 0.0]), moves, moves[0])

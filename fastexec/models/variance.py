"""A volatility that changes from step to step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np
from pydantic import Field

from fastexec.exact import exp_of
from fastexec.models._base import Model
from fastexec.models.declarations import OfMarket, Slot
from fastexec.models.scalar import Scalar, is_zero, limited, mean_of


class Variance(Model):
    """A step's volatility is the price's times exp(x - volatility^2), x an AR(1) with that sd: its mean square is kept."""

    persistence: Annotated[Scalar, limited(least=0.0, most=0.999999), Slot("variance_persistence")] = Field(
        0.95, description="lag-1 autocorrelation of x"
    )
    volatility: Annotated[Scalar, limited(least=0.0, most=2.0), Slot("variance_volatility")] = Field(
        0.0, description="stationary sd of x, the log of the step's volatility, from which it begins; 0: off"
    )

    def switches(self) -> Mapping[str, int | str]:
        return {"VARIANCE": not self.is_off}

    def declares(self) -> OfMarket:
        """Its draws are independent of the moves that it scales, whose mean stays zero."""
        return OfMarket(martingale=True, follows_move=False, idle=False)

    def mean(self, power: float) -> float:
        """E[(volatility of a step / that of the price)^power]: exp(power^2 sd^2 / 2 - power sd^2)."""
        half = 0.5 * power * power - power
        return float(mean_of(lambda sd: exp_of(np.array([half * sd * sd])), self.volatility)[0])

    @property
    def is_off(self) -> bool:
        return is_zero(self.volatility)

"""Jumps of the price."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np
from pydantic import Field

from fastexec.exact import exp_of
from fastexec.models._base import Model
from fastexec.models.declarations import OfMarket, Setting, Slot
from fastexec.models.price import Price, collapsing
from fastexec.models.scalar import Fraction, NonNegative, Scalar, bounds, expected, is_zero, mean_of


class Jumps(Model):
    """A Poisson number of jumps in each move, their mean taken off: geometric with them is Merton's price (1976)."""

    rate: Annotated[Fraction, Slot("jump_rate")] = Field(0.0, description="expected jumps a step, at most 1; 0: off")
    mean: Annotated[Scalar, Slot("jump_mean")] = Field(
        0.0,
        description="mean of a jump (relative, or currency if arithmetic): -0.01 falls by 1 %; drift 0 stays a martingale",
    )
    volatility: Annotated[NonNegative, Slot("jump_volatility")] = Field(
        0.0, description="sd of a jump (of its logarithm, or currency if arithmetic)"
    )

    def switches(self) -> Mapping[str, int | str]:
        return {"JUMPS": not self.is_off}

    def declares(self) -> OfMarket:
        """Their mean is taken off, and they are independent of all else."""
        return OfMarket(martingale=True, follows_move=False, idle=False)

    @property
    def is_off(self) -> bool:
        return is_zero(self.rate)

    def variance(self, relative: bool) -> float:
        """What they add to the variance of a move, in shares of the mid squared or in currency squared."""
        square = float(mean_of(lambda x: (1.0 + x) * (1.0 + x) if relative else x * x, self.mean))
        if relative:
            square *= float(mean_of(lambda own: exp_of(np.array([own * own])), self.volatility)[0])
            return expected(self.rate) * max(square - 1.0 - 2.0 * expected(self.mean), 0.0)
        return expected(self.rate) * (square + float(mean_of(lambda own: own * own, self.volatility)))

    def misfit(self, relative: bool) -> str | None:
        """What of its values does not go with such a price, and what would."""
        if self.is_off or not relative:
            return None
        low, high = bounds(self.mean)
        if low < -0.9 or high > 1.0:
            return "mean must lie between -0.9 and 1: it is a share of the mid"
        return None if bounds(self.volatility)[1] <= 1.0 else "volatility must be at most 1: it is a share of the mid"

    def deepest(self) -> float:
        """A fall by one jump that is met once in some 30,000 of them, at most, as far as it is one."""
        return 0.0 if self.is_off else max(4.0 * bounds(self.volatility)[1] - bounds(self.mean)[0], 0.0)

    def doubts_beside(self, price: Price, setting: Setting) -> list[str]:
        """What ``check`` says of them and the price that they are added to."""
        if self.is_off:
            return []
        jumps, own, most = self.variance(price.RELATIVE), expected(price.volatility), bounds(price.volatility)[1]
        found = []
        if price.RELATIVE and not most * most * setting.steps > 1.0:
            found += collapsing("market.jumps", (most * most + jumps) * setting.steps)
        if jumps > own * own:
            found.append(
                f"market.jumps.rate: jumps make {jumps / (own * own + jumps):.0%} of the variance of a move, and an order "
                f"meets {expected(self.rate) * setting.steps:.3g} of them: means need many episodes, and risk is in the tail"
            )
        return found

"""Models of the mid's moves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from fastexec.exact import curve, exp_of
from fastexec.models._base import Model, default_model
from fastexec.models.declarations import OfMarket, PriceMoments, Setting, Slot
from fastexec.models.scalar import Curve, Fraction, NonNegative, Scalar, bounds, expected, is_zero, limited, mean_of


class _Price(Model):
    KIND: ClassVar[str]

    volatility: Annotated[NonNegative, Slot("volatility")] = Field(
        0.0005, description="sd of a step's move (relative, or currency if arithmetic)"
    )
    drift: Annotated[Scalar, Slot("drift")] = Field(
        0.0, description="expected move of a step (relative, or currency); 0 is a martingale"
    )
    start: Literal["arrival", "moved"] = Field(
        "arrival", description="step 0 trades at initial_price | after a first move"
    )
    diurnal: Curve = Field((), description="curve of the volatility over the order, any length")

    def switches(self) -> Mapping[str, int | str]:
        return {"PRICE_MODEL": self.KIND, "START_MOVED": self.start == "moved"}

    def curves(self, steps: int) -> Mapping[str, np.ndarray]:
        return {"PRICE_CURVE": curve(self.diurnal, steps, root_mean_square=True)}

    def doubts(self, setting: Setting) -> list[str]:
        if is_zero(self.drift):
            return []
        return ["market.price.drift is not 0: timing has a mean, and no control variate is used"]

    def may_fall_below_zero(self, setting: Setting) -> bool:
        """Whether the mid may become negative within the order, so that a spread becomes income."""
        return False

    def _moves(self, steps: int) -> np.ndarray:
        """Moves since arrival when step t begins, float64[t]."""
        return np.arange(steps) + (1.0 if self.start == "moved" else 0.0)


class GeometricPrice(_Price):
    """S_{t+1} = S_t exp(drift - volatility^2/2 + volatility z)."""

    KIND = "GEOMETRIC"

    model: Literal["geometric"] = "geometric"
    volatility: Annotated[Fraction, Slot("volatility")] = Field(0.0005, description="sd of a step's relative move")

    def declares(self) -> OfMarket:
        """The move has mean zero where drift is 0."""
        return OfMarket(martingale=is_zero(self.drift), follows_move=True, idle=False)

    def moments(self, setting: Setting) -> PriceMoments:
        """Of the mid, in currency."""
        growth = mean_of(lambda drift: exp_of(drift * self._moves(setting.steps)), self.drift)
        sd = setting.price * _root_mean_square(self.volatility) * curve(self.diurnal, setting.steps, True)
        return PriceMoments(setting.price * (growth - 1.0), sd)

    def doubts(self, setting: Setting) -> list[str]:
        most = bounds(self.volatility)[1]
        return [*super().doubts(setting), *_collapsing(most * most * setting.steps)]


class ArithmeticPrice(_Price):
    """S_{t+1} = S_t + drift + volatility z."""

    KIND = "ARITHMETIC"

    model: Literal["arithmetic"]

    def declares(self) -> OfMarket:
        """The move has mean zero where drift is 0."""
        return OfMarket(martingale=is_zero(self.drift), follows_move=True, idle=False)

    def moments(self, setting: Setting) -> PriceMoments:
        """Of the mid, in currency."""
        sd = _root_mean_square(self.volatility) * curve(self.diurnal, setting.steps, True)
        return PriceMoments(expected(self.drift) * self._moves(setting.steps), sd)

    def doubts(self, setting: Setting) -> list[str]:
        found = super().doubts(setting)
        if self.may_fall_below_zero(setting):
            found.append(
                "market.price.volatility: an arithmetic price may fall below 0 within the order, where a spread that is a "
                "share of it becomes income"
            )
        return found

    def may_fall_below_zero(self, setting: Setting) -> bool:
        fall = max(-bounds(self.drift)[0], 0.0) * setting.steps
        return fall + 4.0 * bounds(self.volatility)[1] * float(np.sqrt(setting.steps)) > setting.least_price


def _collapsing(variance: float) -> list[str]:
    """``variance``: of the log of a geometric price over the order; a mean is then carried by paths that nobody meets."""
    if not variance > 1.0:
        return []
    half = float(exp_of(np.array([-0.5 * variance]))[0])
    return [
        f"market.price.volatility: half of the paths end below {half:.2g} of the arrival price while its mean stays, carried "
        f"by a few that a run does not meet (variance of its log over the order: {variance:.3g}): sums over episodes miss it, "
        "so do not believe mean costs and their intervals"
    ]


def _root_mean_square(value: Scalar) -> float:
    return float(np.sqrt(mean_of(lambda x: x * x, value)))


class MertonPrice(_Price):
    """The geometric price with a Poisson number of log-normal jumps in each move (Merton 1976), their mean taken off."""

    KIND = "price.MERTON"

    model: Literal["merton"]
    volatility: Annotated[Fraction, Slot("volatility")] = Field(
        0.0005, description="sd of a step's relative move without its jumps"
    )
    rate: Annotated[Fraction, Slot("price.JUMP_RATE")] = Field(0.0, description="expected jumps a step, at most 1")
    jump_mean: Annotated[Scalar, limited(least=-0.9, most=1.0), Slot("price.JUMP_MEAN")] = Field(
        0.0, description="mean of a jump, relative: -0.01 falls by 1 %; whatever it is, drift 0 is a martingale"
    )
    jump_volatility: Annotated[Fraction, Slot("price.JUMP_VOLATILITY")] = Field(
        0.005, description="sd of the logarithm of a jump"
    )

    def declares(self) -> OfMarket:
        """The move has mean zero where drift is 0, however often and far it jumps."""
        return OfMarket(martingale=is_zero(self.drift), follows_move=True, idle=False)

    def moments(self, setting: Setting) -> PriceMoments:
        """Of the mid, in currency."""
        growth = mean_of(lambda drift: exp_of(drift * self._moves(setting.steps)), self.drift)
        own = _root_mean_square(self.volatility) * curve(self.diurnal, setting.steps, True)
        return PriceMoments(setting.price * (growth - 1.0), setting.price * np.sqrt(own * own + self._jump_variance()))

    def _jump_variance(self) -> float:
        """What jumps add to the variance of a step's relative move: rate * E[(J - 1)^2]."""
        squared = float(mean_of(lambda mean: (1.0 + mean) * (1.0 + mean), self.jump_mean))
        squared *= float(mean_of(lambda own: exp_of(np.array([own * own])), self.jump_volatility)[0])
        return expected(self.rate) * max(squared - 1.0 - 2.0 * expected(self.jump_mean), 0.0)

    def doubts(self, setting: Setting) -> list[str]:
        found, own, jumps = super().doubts(setting), expected(self.volatility), self._jump_variance()
        most = bounds(self.volatility)[1]
        found += _collapsing((most * most + jumps) * setting.steps)
        if jumps > own * own:
            found.append(
                f"market.price.rate: jumps make {jumps / (own * own + jumps):.0%} of the variance of a move, and an order "
                f"meets {expected(self.rate) * setting.steps:.3g} of them: means need many episodes, and risk is in the tail"
            )
        return found


Price = Annotated[
    GeometricPrice | ArithmeticPrice | MertonPrice, Field(discriminator="model"), default_model("geometric")
]

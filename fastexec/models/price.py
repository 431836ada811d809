"""Models of the mid's moves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from fastexec.exact import curve, exp_of
from fastexec.models._base import Model, default_model
from fastexec.models.declarations import Foreseen, OfMarket, PriceMoments, Setting, Slot
from fastexec.models.scalar import Curve, Fraction, NonNegative, Scalar, bounds, expected, is_zero, mean_of


class _Price(Model):
    KIND: ClassVar[str]
    #: Whether its moves are shares of the mid; else they are in currency.
    RELATIVE: ClassVar[bool] = True

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
        return [
            "market.price.drift is not 0: timing has a mean; only the unexpected part of it can be a control variate"
        ]

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

    def foreseen(self, price: float, volatility: np.ndarray, told: np.ndarray, known: float) -> Foreseen:
        """Of a step with these volatilities whose normal has mean ``told`` and variance 1 - ``known``, float64[x]; ``price``:
        at arrival.
        """
        growth = exp_of(expected(self.drift) + volatility * told - 0.5 * known * volatility * volatility)
        return Foreseen(growth - 1.0, growth)

    def doubts(self, setting: Setting) -> list[str]:
        most = bounds(self.volatility)[1]
        return [*super().doubts(setting), *collapsing("market.price.volatility", most * most * setting.steps)]


class ArithmeticPrice(_Price):
    """S_{t+1} = S_t + drift + volatility z."""

    KIND = "ARITHMETIC"
    RELATIVE = False

    model: Literal["arithmetic"]

    def declares(self) -> OfMarket:
        """The move has mean zero where drift is 0."""
        return OfMarket(martingale=is_zero(self.drift), follows_move=True, idle=False)

    def moments(self, setting: Setting) -> PriceMoments:
        """Of the mid, in currency."""
        sd = _root_mean_square(self.volatility) * curve(self.diurnal, setting.steps, True)
        return PriceMoments(expected(self.drift) * self._moves(setting.steps), sd)

    def foreseen(self, price: float, volatility: np.ndarray, told: np.ndarray, known: float) -> Foreseen:
        """As of a geometric price; what is to come grows no more."""
        return Foreseen((expected(self.drift) + volatility * told) / price, np.ones(told.shape))

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


def collapsing(key: str, variance: float) -> list[str]:
    """What to say of a ``key`` that gives the log of a geometric price this variance over the order: a mean is then carried by
    paths that nobody meets.
    """
    if not variance > 1.0:
        return []
    half = float(exp_of(np.array([-0.5 * variance]))[0])
    return [
        f"{key}: half of the paths end below {half:.2g} of the arrival price while its mean stays, carried "
        f"by a few that a run does not meet (variance of its log over the order: {variance:.3g}): sums over episodes miss it, "
        "so do not believe mean costs and their intervals"
    ]


def _root_mean_square(value: Scalar) -> float:
    return float(np.sqrt(mean_of(lambda x: x * x, value)))


Price = Annotated[
    GeometricPrice | ArithmeticPrice,
    Field(discriminator="model"),
    default_model("geometric"),
]

"""Models of the quoted spread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from fastexec.exact import curve, normal_cdf, normal_density, plain_sum
from fastexec.models._base import Model, default_model
from fastexec.models.chains import MOST_LEVELS, Chain, laws
from fastexec.models.declarations import MarkovLaw, OfMarket, Setting, Slot
from fastexec.models.floors import floored_lognormal
from fastexec.models.scalar import Curve, NonNegative, Scalar, bounds, expected, limited, mean_of
from fastexec.models.tied import are_tied, raised_by

_Level = Annotated[Scalar, limited(least=0.0, most=1.0), Slot("spread_level")]
#: A spread moves no mid. It is drawn with the move before it, and known when its step begins.
_MOVES_NOTHING = OfMarket(martingale=True, follows_move=False, idle=False)


class _Spread(Model):
    volatility_exponent: Annotated[Scalar, limited(least=0.0, most=4.0), Slot("spread_volatility_exponent")] = Field(
        0.0,
        description="times (a step's volatility / the price's)^this, as variance and regimes change it (not diurnal)",
    )


class ConstantSpread(_Spread):
    """The same quoted spread in every step."""

    model: Literal["constant"]
    initial: _Level = Field(0.0003, description="full quoted spread (fraction of the mid)")

    def switches(self) -> Mapping[str, int | str]:
        return {"SPREAD_MODEL": "SPREAD_CONSTANT"}

    def declares(self) -> OfMarket:
        """It moves no mid."""
        return _MOVES_NOTHING

    def moments(self, setting: Setting) -> np.ndarray:
        """E of the spread when step t begins (fraction of the mid), float64[t]."""
        return np.full(setting.steps, expected(self.initial))

    def law(self) -> MarkovLaw | None:
        """One level."""
        return MarkovLaw(np.array([expected(self.initial)]), np.ones((1, 1)), np.ones(1))


class RandomWalkSpread(_Spread):
    """s_{t+1} = |s_t + volatility z|."""

    model: Literal["random_walk"]
    initial: _Level = Field(0.0003, description="full quoted spread in step 0 (fraction of the mid)")
    volatility: Annotated[NonNegative, Slot("spread_volatility")] = Field(
        0.00005, description="sd of a step's change (fraction of the mid)"
    )

    def switches(self) -> Mapping[str, int | str]:
        return {"SPREAD_MODEL": "SPREAD_RANDOM_WALK"}

    def declares(self) -> OfMarket:
        """It moves no mid."""
        return _MOVES_NOTHING

    def moments(self, setting: Setting) -> np.ndarray:
        """E of the spread when step t begins (fraction of the mid), float64[t]."""
        root = np.sqrt(np.arange(setting.steps, dtype=np.float64))
        return np.asarray(mean_of(lambda first, sd: _mean_absolute(first, sd * root), self.initial, self.volatility))

    def law(self) -> MarkovLaw | None:
        """None over few levels."""
        return None


class MeanRevertingSpread(_Spread):
    """mean * diurnal * exp(x - sd^2/2), x_{t+1} = (1 - reversion) x_t + volatility z, from its stationary law."""

    model: Literal["mean_reverting"] = "mean_reverting"
    mean: _Level = Field(0.0003, description="mean quoted spread before the floor (fraction of the mid)")
    reversion: Annotated[Scalar, limited(above=0.0, most=1.0), Slot("spread_reversion")] = Field(
        0.3, description="share of x lost in a step"
    )
    volatility: Annotated[NonNegative, Slot("spread_volatility")] = Field(
        0.3, description="sd of a step's innovation (log)"
    )
    floor: Annotated[Scalar, limited(least=0.0, most=1.0), Slot("spread_floor")] = Field(
        0.0, description="least spread, such as one tick (fraction of the mid)"
    )
    diurnal: Curve = Field((), description="curve of the spread over the order, any length")

    def switches(self) -> Mapping[str, int | str]:
        return {"SPREAD_MODEL": "SPREAD_MEAN_REVERTING"}

    def curves(self, steps: int) -> Mapping[str, np.ndarray]:
        return {"SPREAD_CURVE": curve(self.diurnal, steps)}

    def declares(self) -> OfMarket:
        """It moves no mid."""
        return _MOVES_NOTHING

    def moments(self, setting: Setting) -> np.ndarray:
        """E of the spread when step t begins (fraction of the mid), float64[t]."""
        shape = curve(self.diurnal, setting.steps)

        def given(mean: float, reversion: float, volatility: float, floor: float) -> np.ndarray:
            keep = 1.0 - reversion
            sd = volatility / float(np.sqrt(1.0 - keep * keep))
            return floored_lognormal(mean * shape, sd, floor)[0]

        def tied(
            mean: float, reversion: float, volatility: float, floor: float, move: float, size: float
        ) -> np.ndarray:
            keep = 1.0 - reversion
            sd = volatility / float(np.sqrt(1.0 - keep * keep))
            raised = raised_by(sd, keep, move, size, setting.steps)
            before = np.concatenate(([1.0], raised[:-1]))  # the move out of a step is tied to the spread of the next
            return floored_lognormal(mean * shape * before, sd, floor)[0]

        drawn = (self.mean, self.reversion, self.volatility, self.floor)
        if are_tied(setting.spread_follows):
            return np.asarray(mean_of(tied, *drawn, *setting.spread_follows))
        return np.asarray(mean_of(given, *drawn))

    def law(self) -> MarkovLaw | None:
        """None over few levels."""
        return None

    def doubts(self, setting: Setting) -> list[str]:
        if bounds(self.floor)[1] > bounds(self.mean)[0]:
            return ["market.spread.floor lies above mean: the spread sits on its floor most of the time"]
        return []


class MarkovSpread(Chain, _Spread):
    """A Markov chain over a few quoted spreads."""

    TABLE: ClassVar[str] = "SPREAD_CHAIN"

    model: Literal["markov"]
    levels: Annotated[
        tuple[Annotated[float, Field(ge=0.0, le=1.0)], ...], Field(strict=False, min_length=1, max_length=MOST_LEVELS)
    ] = Field(description="full quoted spreads, rising, at most 32 (fractions of the mid)")

    def switches(self) -> Mapping[str, int | str]:
        return {"SPREAD_MODEL": "SPREAD_MARKOV", "SPREAD_LEVELS": len(self.levels)}

    def declares(self) -> OfMarket:
        """It moves no mid."""
        return _MOVES_NOTHING

    def moments(self, setting: Setting) -> np.ndarray:
        """E of the spread when step t begins (fraction of the mid), float64[t]."""
        return np.array([plain_sum(law * np.array(self.levels)) for law in laws(self, setting.steps)])


Spread = Annotated[
    ConstantSpread | RandomWalkSpread | MeanRevertingSpread | MarkovSpread,
    Field(discriminator="model"),
    default_model("mean_reverting"),
]


def _mean_absolute(mean: float, sd: np.ndarray) -> np.ndarray:
    """E|mean + sd z| for mean >= 0, which is also what a walk reflected at zero has."""
    z = mean / np.where(sd > 0.0, sd, 1.0)
    below = np.where(sd > 0.0, normal_cdf(-z), 0.0)
    return np.asarray(mean * (1.0 - 2.0 * below) + 2.0 * sd * normal_density(np.minimum(z, 37.0)))

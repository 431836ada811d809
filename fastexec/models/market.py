"""The market: synthetic price, spread and volume, or real days replayed."""

from __future__ import annotations

from itertools import product
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from fastexec.models._base import Model, default_model
from fastexec.models.chains import MOST_LEVELS, Chain
from fastexec.models.scalar import NonNegative, Positive, Scalar, bounds, limited

Curve = Annotated[tuple[Annotated[float, Field(ge=1e-6, le=1e6)], ...], Field(strict=False)]
StartPrice = Annotated[Positive, limited(least=1e-9, most=1e12)]
Fraction = Annotated[Scalar, limited(least=0.0, most=1.0)]


class _Price(Model):
    volatility: NonNegative = Field(0.0005, description="sd of a step's move (relative, or currency if arithmetic)")
    drift: Scalar = Field(0.0, description="expected move of a step (relative, or currency); 0 is a martingale")
    start: Literal["arrival", "moved"] = Field(
        "arrival", description="step 0 trades at initial_price | after a first move"
    )
    diurnal: Curve = Field((), description="curve of the volatility over the order, any length")


class GeometricPrice(_Price):
    """S_{t+1} = S_t exp(drift - volatility^2/2 + volatility z)."""

    model: Literal["geometric"] = "geometric"
    volatility: Fraction = Field(0.0005, description="sd of a step's relative move")


class ArithmeticPrice(_Price):
    """S_{t+1} = S_t + drift + volatility z."""

    model: Literal["arithmetic"]


Price = Annotated[GeometricPrice | ArithmeticPrice, Field(discriminator="model"), default_model("geometric")]
_Level = Annotated[Scalar, limited(least=0.0, most=1.0)]


class ConstantSpread(Model):
    """The same quoted spread in every step."""

    model: Literal["constant"]
    initial: _Level = Field(0.0003, description="full quoted spread (fraction of the mid)")


class RandomWalkSpread(Model):
    """s_{t+1} = |s_t + volatility z|."""

    model: Literal["random_walk"]
    initial: _Level = Field(0.0003, description="full quoted spread in step 0 (fraction of the mid)")
    volatility: NonNegative = Field(0.00005, description="sd of a step's change (fraction of the mid)")


class MeanRevertingSpread(Model):
    """mean * diurnal * exp(x - sd^2/2), x_{t+1} = (1 - reversion) x_t + volatility z, from its stationary law."""

    model: Literal["mean_reverting"] = "mean_reverting"
    mean: _Level = Field(0.0003, description="mean quoted spread before the floor (fraction of the mid)")
    reversion: Annotated[Scalar, limited(above=0.0, most=1.0)] = Field(0.3, description="share of x lost in a step")
    volatility: NonNegative = Field(0.3, description="sd of a step's innovation (log)")
    floor: _Level = Field(0.0, description="least spread, such as one tick (fraction of the mid)")
    diurnal: Curve = Field((), description="curve of the spread over the order, any length")


class MarkovSpread(Chain):
    """A Markov chain over a few quoted spreads."""

    model: Literal["markov"]
    levels: Annotated[
        tuple[Annotated[float, Field(ge=0.0, le=1.0)], ...], Field(strict=False, min_length=1, max_length=MOST_LEVELS)
    ] = Field(description="full quoted spreads, rising, at most 32 (fractions of the mid)")


Spread = Annotated[
    ConstantSpread | RandomWalkSpread | MeanRevertingSpread | MarkovSpread,
    Field(discriminator="model"),
    default_model("mean_reverting"),
]


class _Known(Model):
    known: Literal["after", "during"] = Field(
        "after", description="known when the step is over | while it lasts (mini-project)"
    )


class _Volume(_Known):
    mean: Annotated[Positive, limited(least=1e-9, most=1e15)] = Field(
        10_000.0, description="mean volume of the market (shares a step)"
    )


class ConstantVolume(_Volume):
    """The same volume in every step."""

    model: Literal["constant"]


class CosineVolume(_Volume):
    """mean (1 + amplitude cos theta) + N(0, noise), theta from 0 to 2 pi over the steps; amplitude > 0 is a U."""

    model: Literal["cosine"]
    amplitude: Annotated[Scalar, limited(least=-1.0, most=1.0)] = Field(
        0.5, description="depth of the U (share of mean)"
    )
    noise: NonNegative = Field(0.0, description="sd (shares a step)")
    floor: NonNegative = Field(0.0, description="least volume (shares a step)")


class LognormalVolume(_Volume):
    """mean * curve * exp(volatility x + day_volatility d - half their variance), x an AR(1) with sd 1, d one an episode."""

    model: Literal["lognormal"] = "lognormal"
    volatility: NonNegative = Field(0.7, description="sd of the log around curve and day")
    persistence: Annotated[Scalar, limited(least=0.0, most=0.999999)] = Field(
        0.3, description="lag-1 autocorrelation of the log"
    )
    day_volatility: NonNegative = Field(0.3, description="sd of the log between days")
    curve: Curve = Field((), description="curve of the volume over the order, any length")
    floor: NonNegative = Field(1.0, description="least volume (shares a step)")


class MarkovVolume(Chain, _Known):
    """A Markov chain over a few volumes."""

    model: Literal["markov"]
    levels: Annotated[
        tuple[Annotated[float, Field(ge=0.0)], ...], Field(strict=False, min_length=1, max_length=MOST_LEVELS)
    ] = Field(description="volumes, rising, at most 32 (shares a step)")

    @model_validator(mode="after")
    def _trades(self) -> MarkovVolume:
        if self.levels[-1] == 0.0:
            raise PydanticCustomError("volume", "levels are all 0: nobody could trade; give one above 0")
        return self


Volume = Annotated[
    ConstantVolume | CosineVolume | LognormalVolume | MarkovVolume,
    Field(discriminator="model"),
    default_model("lognormal"),
]
_Correlation = Annotated[Scalar, limited(least=-1.0, most=1.0)]


class Correlation(Model):
    """Correlations of the step's normals: the move z_p, its size |z_p|, the spread's z_s and the volume's z_v."""

    price_spread: _Correlation = Field(0.0, description="move and next spread")
    price_volume: _Correlation = Field(0.0, description="move and volume of the step")
    spread_volume: _Correlation = Field(0.0, description="volume and next spread")
    volume_absolute_return: _Correlation = Field(0.0, description="size of the move and volume of the step")
    spread_absolute_return: _Correlation = Field(0.0, description="size of the move and next spread")

    @model_validator(mode="after")
    def _is_a_correlation_matrix(self) -> Correlation:
        # The matrices that are positive semi-definite are a convex set: if all corners of the ranges are in it, so is all.
        ends = [bounds(getattr(self, name)) for name in type(self).model_fields]
        for ps, pv, sv, va, sa in product(*(sorted(set(pair)) for pair in ends)):
            matrix = np.array([[1, 0, ps, pv], [0, 1, sa, va], [ps, sa, 1, sv], [pv, va, sv, 1]], dtype=float)
            if np.linalg.eigvalsh(matrix)[0] < -1e-12:
                raise PydanticCustomError(
                    "correlation",
                    "these five are no correlation matrix (it has a negative eigenvalue); bring them nearer 0",
                )
        return self


class SyntheticMarket(Model):
    """Price, spread and volume from models."""

    model: Literal["synthetic"] = "synthetic"
    initial_price: StartPrice = Field(100.0, description="arrival price (currency)")
    price: Price = Field(default_factory=GeometricPrice)
    spread: Spread = Field(default_factory=MeanRevertingSpread)
    volume: Volume = Field(default_factory=LognormalVolume)
    correlation: Correlation = Field(default_factory=Correlation)

    @model_validator(mode="after")
    def _chains_follow_normals(self) -> SyntheticMarket:
        # |z| is no normal: mixed into a chain's draw it would bend the chain's own law.
        for section, key in ((self.spread, "spread_absolute_return"), (self.volume, "volume_absolute_return")):
            if section.model == "markov" and bounds(getattr(self.correlation, key)) != (0.0, 0.0):
                raise PydanticCustomError(
                    "correlation", "correlation.{key} must be 0 beside a markov chain", {"key": key}
                )
        return self


class _RealDays(Model):
    bars: str = Field(description="Parquet file of bars with quotes (path, from the study file's folder)")
    symbol: str = Field(description="symbol in that file")
    window: Annotated[int, Field(ge=1)] | None = Field(None, description="steps a window; order.steps")
    stride: Annotated[int, Field(ge=1)] | None = Field(None, description="steps between windows; default the window")
    days: Annotated[tuple[int, ...], Field(strict=False)] = Field((), description="days to use (yyyymmdd); all")
    curve_days: Annotated[tuple[int, ...], Field(strict=False)] = Field(
        (), description="days that curves and expectations come from; replay: for each day all others; bootstrap: all"
    )
    known: Literal["after", "during"] = Field("after", description="as market.volume.known")


class ReplayMarket(_RealDays):
    """Windows of real days: each is an episode, in order."""

    model: Literal["replay"]


class BootstrapMarket(_RealDays):
    """Blocks of real days joined at the same time of day (stationary bootstrap), rescaled to the arrival price."""

    model: Literal["bootstrap"]
    block: Annotated[float, Field(ge=1.0)] = Field(
        30.0, description="mean length of a block (steps); from order.steps on whole windows, never joined"
    )
    initial_price: StartPrice | None = Field(None, description="arrival price (currency); the mean of the windows'")


RealMarket = ReplayMarket | BootstrapMarket
Market = SyntheticMarket | ReplayMarket | BootstrapMarket

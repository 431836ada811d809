"""The market: synthetic price, spread and volume, or real days replayed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import BeforeValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from fastexec.models._base import Model
from fastexec.models.chains import Chain
from fastexec.models.correlation import Correlation
from fastexec.models.costs import Temporary
from fastexec.models.declarations import OFF, Knowledge, OfMarket, Powers, PriceMoments, Setting, Slot
from fastexec.models.halts import Halts
from fastexec.models.jumps import Jumps
from fastexec.models.names import quoted
from fastexec.models.noise import Noise
from fastexec.models.price import GeometricPrice, Price
from fastexec.models.regimes import Regimes
from fastexec.models.scalar import Positive, is_zero, limited, mean_of
from fastexec.models.spread import MeanRevertingSpread, Spread
from fastexec.models.times import RIGHT, seconds_between
from fastexec.models.variance import Variance
from fastexec.models.volume import LognormalVolume, Volume

_StartPrice = Annotated[Positive, limited(least=1e-9, most=1e12)]
_INITIAL_PRICE = Slot("initial_price")
#: What a market of models may have besides its price, spread and volume.
CONDITIONS = ("variance", "jumps", "regimes", "halts", "noise")


class Fitted(Model):
    """The real days that a market was fitted to; nothing of the market depends on it."""

    symbol: Annotated[str, Field(min_length=1)] = Field(description="symbol of the bars")
    days: Annotated[tuple[Annotated[int, Field(ge=1, le=99_999_999)], ...], Field(strict=False, min_length=1)] = Field(
        description="days (yyyymmdd)"
    )

    def declares(self) -> OfMarket:
        """Nothing of the market."""
        return OfMarket(martingale=True, follows_move=False, idle=False)


class SyntheticMarket(Model):
    """Price, spread and volume from models."""

    #: Whether each episode is a window of real days, in order.
    in_windows: ClassVar[bool] = False

    model: Literal["synthetic"] = "synthetic"
    initial_price: Annotated[_StartPrice, _INITIAL_PRICE] = Field(100.0, description="arrival price (currency)")
    price: Price = Field(default_factory=GeometricPrice)
    spread: Spread = Field(default_factory=MeanRevertingSpread)
    volume: Volume = Field(default_factory=LognormalVolume)
    correlation: Correlation = Field(default_factory=Correlation)
    variance: Variance = Field(default_factory=Variance)
    jumps: Jumps = Field(default_factory=Jumps)
    regimes: Regimes | None = Field(
        None, description="a Markov chain that multiplies volatility, spread, volume, impact"
    )
    halts: Halts = Field(default_factory=Halts)
    noise: Noise = Field(default_factory=Noise)
    fitted: Fitted | None = Field(
        None,
        description="the days that it was fitted to, by `fastexec calibrate`: a replay of them with its agents says so",
    )

    @model_validator(mode="after")
    def _chains_follow_normals(self) -> SyntheticMarket:
        # |z| is no normal: mixed into a chain's draw it would bend the chain's own law.
        for section, key in ((self.spread, "spread_absolute_return"), (self.volume, "volume_absolute_return")):
            if isinstance(section, Chain) and not is_zero(getattr(self.correlation, key)):
                raise PydanticCustomError(
                    "correlation", "correlation.{key} must be 0 beside a markov chain", {"key": key}
                )
        return self

    @property
    def conditions(self) -> list[Variance | Jumps | Regimes | Halts | Noise]:
        """Its sections of ``CONDITIONS``, off or on."""
        return [getattr(self, key) for key in CONDITIONS if getattr(self, key) is not None]

    def switches(self) -> Mapping[str, int | str]:
        return {"SOURCE": "SYNTHETIC", "VOLATILITY_EXPONENT": not is_zero(self.spread.volatility_exponent)}

    @model_validator(mode="after")
    def _jumps_fit(self) -> SyntheticMarket:
        if (said := self.jumps.misfit(self.price.RELATIVE)) is not None:
            raise PydanticCustomError("jumps", "jumps.{said}", {"said": said})
        return self

    def moves(self, setting: Setting) -> PriceMoments:
        """Of the mid, in currency: the price's own, and what conditions make of them."""
        own = self.price.moments(setting)
        if self.regimes is not None:
            times = np.sqrt(self.means(setting.steps, Powers(volatility=2.0))[:-1])
            own = own._replace(volatility=own.volatility * times)
        if self.jumps.is_off:
            return own
        scale = setting.price if self.price.RELATIVE else 1.0
        jumps = scale * scale * self.jumps.variance(self.price.RELATIVE)
        return own._replace(volatility=np.sqrt(own.volatility * own.volatility + jumps))

    def means(self, steps: int, powers: Powers) -> np.ndarray:
        """E of the product of what conditions multiply, each to its power, in each step and at the end, float64[t + 1]."""
        found = np.full(steps + 1, self.variance.mean(powers.volatility))
        return found if self.regimes is None else found * self.regimes.means(steps, powers)

    def of_spread(self, steps: int) -> np.ndarray:
        """What conditions make of the expected spread in each step, float64[t]."""

        def given(exponent: float) -> np.ndarray:
            return self.means(steps, Powers(volatility=exponent, spread=1.0))[:-1]

        return np.asarray(mean_of(given, self.spread.volatility_exponent))

    def of_impact(self, steps: int, exponent: float, nodes: tuple[list[float], list[float]]) -> np.ndarray:
        """What they make of temporary cost, where it goes by volume^-exponent and by the volatility to a power of these values
        and weights, float64[t + 1].
        """
        found = np.zeros(steps + 1)
        for of_volatility, weight in zip(*nodes, strict=True):
            found = found + weight * self.means(steps, Powers(of_volatility, 0.0, -exponent, 1.0))
        return found

    def changing(self, temporary: Temporary) -> str | None:
        """The key of a condition that changes what trading costs, if there is one."""
        if self.regimes is not None or not self.halts.is_off:
            return "market.halts" if self.regimes is None else "market.regimes"
        follows = not (is_zero(self.spread.volatility_exponent) and temporary.terms().volatility_nodes[0] == [0.0])
        return None if self.variance.is_off or not follows else "market.variance with a volatility_exponent"

    def may_fall_below_zero(self, setting: Setting) -> bool:
        """Whether the mid may become negative within the order, so that a spread becomes income."""
        deepest = 0.0 if self.price.RELATIVE else self.jumps.deepest()
        return self.price.may_fall_below_zero(setting._replace(least_price=setting.least_price - deepest))

    def doubts(self, setting: Setting) -> list[str]:
        found = self.jumps.doubts_beside(self.price, setting)
        if self.may_fall_below_zero(setting) and not self.price.may_fall_below_zero(setting):
            found.append(
                "market.jumps: a jump may take the price below 0, where a spread that is a share of it becomes income"
            )
        return found

    def declares(self) -> Knowledge:
        """What its parts say together."""
        sections = (self.price, self.spread, self.volume, self.correlation, *self.conditions)
        parts = [part.declares() for part in sections]
        return Knowledge(
            martingale=all(part.martingale for part in parts),
            volume_tells_move=self.volume.declares().follows_move and self.correlation.declares().follows_move,
            volume_idles=self.volume.declares().idle,
            idle=any(part.idle for part in parts),
            known_after=self.volume.known == "after",
        )


def _curve_days(value: Any) -> Any:
    """Refused here where it is neither a word nor a list, in one line for both."""
    days = isinstance(value, (list, tuple)) and all(isinstance(day, int) for day in value)
    if not days and value not in ("others", "earlier"):
        raise PydanticCustomError("curve_days", 'must be "others", "earlier" or a list of days such as 20131004')
    return value or "others"


class _RealDays(Model):
    bars: str = Field(description="Parquet file of bars with quotes (path, from the study file's folder)")
    symbol: str = Field(description="symbol in that file")
    window: Annotated[int, Field(ge=1)] | None = Field(None, description="steps a window; order.steps")
    stride: Annotated[int, Field(ge=1)] | None = Field(None, description="steps between windows; default the window")
    columns: dict[str, str] = Field(
        {},
        description='columns of the file, ours = "its name" or its number from 1; known names are found',
    )
    zone: str | None = Field(
        None, description="zone of the local times (America/New_York); times with an offset need it"
    )
    time_format: str | None = Field(
        None, description='how times are written ("%d.%m.%Y %H:%M"); recognised where it is sure'
    )
    decimal: Annotated[str, OFF] = Field(".", description="decimal point of a CSV file's numbers")
    thousands: str | None = Field(None, description="what marks thousands there")
    fill: bool = Field(
        False, description="whether an absent bar is one without volume, in which the quote before stands"
    )
    spread: Annotated[float, Field(gt=0.0, le=5_000.0)] | None = Field(
        None, description="full spread (bps) around the close, for bars without quotes"
    )
    drop_outliers: bool = Field(False, description="whether wild quotes are left out; else their days cannot be used")
    days: Annotated[tuple[int, ...], Field(strict=False)] = Field((), description="days to use (yyyymmdd); all")
    times: str | None = Field(
        None, description='part of the day that windows lie in, by the bars\' own clock: "10:30-11:30"; all of it'
    )
    auction: bool = Field(
        False, description="whether windows may hold the closing auction's bar (found as by `fastexec calibrate`)"
    )
    curve_days: Annotated[
        Literal["others", "earlier"] | Annotated[tuple[int, ...], Field(strict=False)],
        BeforeValidator(_curve_days),
        OFF,
    ] = Field(
        "others",
        description="days that curves and expectations come from: of each replayed day the others | the earlier ones | a list; "
        "a bootstrap: all | those before its first | a list",
    )
    known: Literal["after", "during"] = Field("after", description="as market.volume.known")

    @field_validator("times")
    @classmethod
    def _is_part_of_a_day(cls, times: str | None) -> str | None:
        if times is not None and seconds_between(times) is None:
            raise PydanticCustomError(
                "times", "{times} is no part of a day; {right}", {"times": quoted(times), "right": RIGHT}
            )
        return times

    @model_validator(mode="before")
    @classmethod
    def _has_its_own_conditions(cls, data: Any) -> Any:
        for key in CONDITIONS if isinstance(data, dict) else ():
            if key in data:
                hint = f"real days have their own; leave [market.{key}] out, or use a synthetic market"
                raise PydanticCustomError("unknown_key", "{hint}", {"key": key, "hint": hint})
        return data

    @property
    def between(self) -> tuple[int, int] | None:
        """``times`` as (first second, end) since local midnight."""
        return None if self.times is None else seconds_between(self.times)

    def reading(self) -> dict[str, Any]:
        """How the file of bars is to be read, as ``read_bars`` takes it."""
        words = ("columns", "zone", "time_format", "decimal", "thousands", "fill", "spread", "drop_outliers")
        return {"door": "key"} | {word: getattr(self, word) for word in words}

    def switches(self) -> Mapping[str, int | str]:
        return {"SOURCE": "GIVEN"}  # or joined from blocks: ``simulation`` knows the windows

    def doubts(self, setting: Setting) -> list[str]:
        if self.known == "after":
            return []
        return ['market.known = "during": POV sees a step\'s volume before it trades, as nobody can']


class ReplayMarket(_RealDays):
    """Windows of real days: each is an episode, in order."""

    in_windows: ClassVar[bool] = True

    model: Literal["replay"]

    def declares(self) -> Knowledge:
        """Of real days nothing is known."""
        return Knowledge(False, volume_tells_move=True, volume_idles=True, idle=True, known_after=self.known == "after")


class BootstrapMarket(_RealDays):
    """Blocks of real days joined at the same time of day (stationary bootstrap), rescaled to the arrival price."""

    in_windows: ClassVar[bool] = False

    model: Literal["bootstrap"]
    block: Annotated[float, Field(ge=1.0)] = Field(
        30.0, description="mean length of a block (steps); from order.steps on whole windows, never joined"
    )
    initial_price: Annotated[_StartPrice | None, _INITIAL_PRICE] = Field(
        None, description="arrival price (currency); the mean of the windows'"
    )

    def declares(self) -> Knowledge:
        """Of real days nothing is known."""
        return Knowledge(False, volume_tells_move=True, volume_idles=True, idle=True, known_after=self.known == "after")


RealMarket = ReplayMarket | BootstrapMarket
Market = SyntheticMarket | ReplayMarket | BootstrapMarket

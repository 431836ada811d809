"""The market: synthetic price, spread and volume, or real days."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from fastexec.exact import curve
from fastexec.models._base import Model
from fastexec.models.chains import Chain
from fastexec.models.correlation import Correlation
from fastexec.models.costs import Temporary
from fastexec.models.declarations import Knowledge, OfMarket, Powers, PriceMoments, Setting
from fastexec.models.halts import Halts
from fastexec.models.jumps import Jumps
from fastexec.models.noise import Noise
from fastexec.models.price import GeometricPrice, Price
from fastexec.models.real_days import CONDITIONS, INITIAL_PRICE, BootstrapMarket, ReplayMarket, StartPrice
from fastexec.models.regimes import Regimes
from fastexec.models.scalar import expected, is_zero, mean_of
from fastexec.models.signal_fit import doubts_of_signals, misfit_of_signals
from fastexec.models.signals import Signal
from fastexec.models.spread import MeanRevertingSpread, Spread
from fastexec.models.variance import Variance
from fastexec.models.volume import LognormalVolume, Volume


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
    initial_price: Annotated[StartPrice, INITIAL_PRICE] = Field(100.0, description="arrival price (currency)")
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
    signals: Annotated[tuple[Signal, ...], Field(strict=False)] = Field(
        (), description="[[market.signals]], at most 4: what is known when a step begins and predicts something of it"
    )
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
        """Its sections of ``CONDITIONS`` that there is one of, off or on."""
        return [getattr(self, key) for key in CONDITIONS if getattr(self, key) is not None]

    def switches(self) -> Mapping[str, int | str]:
        return {"SOURCE": "SYNTHETIC", "VOLATILITY_EXPONENT": not is_zero(self.spread.volatility_exponent)}

    @model_validator(mode="after")
    def _signals_fit(self) -> SyntheticMarket:
        for number, signal in enumerate(self.signals):
            signal._number = number
        if (said := misfit_of_signals(self.signals, self.spread, self.volume, self.correlation)) is not None:
            raise PydanticCustomError("signals", "signals{said}", {"said": said})
        return self

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

    def mean_volatility(self, setting: Setting) -> np.ndarray:
        """The mean sd of the move out of a step but for jumps, currency, float64[t]."""
        own = expected(self.price.volatility) * curve(self.price.diurnal, setting.steps, True)
        scale = setting.price if self.price.RELATIVE else 1.0
        return np.asarray(scale * own * self.means(setting.steps, Powers(volatility=1.0))[:-1])

    def means(self, steps: int, powers: Powers) -> np.ndarray:
        """E of the product of what conditions multiply, each to its power, in each step and at the end, float64[t + 1]."""
        found = np.full(steps + 1, self.variance.mean(powers.volatility) * self._varied(powers.volatility))
        return found if self.regimes is None else found * self.regimes.means(steps, powers)

    def _varied(self, power: float) -> float:
        """E[(volatility of a step / that of the price)^power] for the sake of signals."""
        found = 1.0
        for signal in self.signals:
            found *= signal.mean(power)
        return found

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

    @property
    def foretells(self) -> bool:
        """Whether signals tell of moves to come."""
        return any(signal.foretells for signal in self.signals)

    def volatility_matters(self, temporary: Temporary) -> bool:
        """Whether the volatility of a step enters what an order is expected to cost: by an exponent, or by what is foretold."""
        follows = not (is_zero(self.spread.volatility_exponent) and temporary.terms().volatility_nodes[0] == [0.0])
        return follows or self.foretells

    def telling(self, temporary: Temporary, risk: bool = False) -> list[Signal]:
        """The signals that an order's expected cost (or, with ``risk``, its variance) depends on: they tell of moves, or of a
        volatility that matters.
        """
        matters = risk or self.volatility_matters(temporary)
        return [signal for signal in self.signals if signal.foretells or (matters and signal.varies)]

    def of_no_matter(self, temporary: Temporary) -> list[str]:
        """The keys of what changes from step to step and no order's expected cost."""
        if self.volatility_matters(temporary):
            return []
        idle = [] if self.variance.is_off else ["market.variance"]
        if self.regimes is not None and not self.regimes.scales_costs:
            idle.append("market.regimes")
        return idle + [f"market.signals.{signal.name}" for signal in self.signals if signal.varies]

    def variance_given(self, setting: Setting, times: np.ndarray, known: float) -> np.ndarray:
        """Of the move out of each step, currency squared, where its volatility is known to be ``times`` the price's and this
        share of its normal's variance is foretold; float64[t, x].
        """
        own = self.price.moments(setting).volatility[:, None] * times
        scale = setting.price if self.price.RELATIVE else 1.0
        jumps = 0.0 if self.jumps.is_off else scale * scale * self.jumps.variance(self.price.RELATIVE)
        return np.asarray(own * own * (1.0 - known) + jumps)

    def unseen(self, temporary: Temporary) -> str | None:
        """What changes the expected cost of a trade from step to step while nobody sees it, if anything does."""
        matters, regimes = self.volatility_matters(temporary), self.regimes
        if not self.halts.is_off:
            return "market.halts changes what trading costs from step to step"
        if regimes is not None and not regimes.known:
            if regimes.scales_costs or (matters and regimes.scales_volatility):
                return (
                    "market.regimes changes what trading costs from step to step, and nobody sees it; set "
                    "market.regimes.known = true"
                )
        if matters and not self.variance.is_off:
            what = "what signals foretell" if self.foretells else "what trading costs"
            return (
                f"market.variance changes {what} from step to step, and nobody sees it; a signal that predicts the volatility "
                "is seen"
            )
        return None

    def may_fall_below_zero(self, setting: Setting) -> bool:
        """Whether the mid may become negative within the order, so that a spread becomes income."""
        deepest = 0.0 if self.price.RELATIVE else self.jumps.deepest()
        return self.price.may_fall_below_zero(setting._replace(least_price=setting.least_price - deepest))

    def doubts(self, setting: Setting) -> list[str]:
        found = [
            *self.jumps.doubts_beside(self.price, setting),
            *doubts_of_signals(self.signals, self.price, self.spread, setting),
        ]
        if self.may_fall_below_zero(setting) and not self.price.may_fall_below_zero(setting):
            found.append(
                "market.jumps: a jump may take the price below 0, where a spread that is a share of it becomes income"
            )
        return found

    def declares(self) -> Knowledge:
        """What its parts say together."""
        sections = (self.price, self.spread, self.volume, self.correlation, *self.conditions, *self.signals)
        parts = [part.declares() for part in sections]
        return Knowledge(
            martingale=all(part.martingale for part in parts),
            foreseen=True,
            volume_tells_move=self.volume.declares().follows_move and self.correlation.declares().follows_move,
            volume_idles=self.volume.declares().idle,
            idle=any(part.idle for part in parts),
            known_after=self.volume.known == "after",
        )


Market = SyntheticMarket | ReplayMarket | BootstrapMarket

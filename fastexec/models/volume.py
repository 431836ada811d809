"""Models of the market's volume."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from fastexec.exact import cosine_of_turns, curve, plain_sum, power_of
from fastexec.models._base import Model, default_model
from fastexec.models.chains import MOST_LEVELS, Chain, laws
from fastexec.models.declarations import MarkovLaw, OfMarket, Setting, Slot, VolumeMoments
from fastexec.models.floors import floored_lognormal, floored_normal
from fastexec.models.scalar import Curve, NonNegative, Positive, Scalar, bounds, expected, is_zero, limited, mean_of
from fastexec.models.tied import are_tied, raised_by

_FOLLOWS = OfMarket(martingale=True, follows_move=True, idle=False)
_Floor = Annotated[NonNegative, Slot("volume_floor")]


class _Known(Model):
    known: Literal["after", "during"] = Field(
        "after", description="known when the step is over | while it lasts (mini-project)"
    )

    def doubts(self, setting: Setting) -> list[str]:
        if self.known == "after":
            return []
        return ['market.volume.known = "during": POV sees a step\'s volume before it trades, as nobody can']


class _Volume(_Known):
    mean: Annotated[Positive, limited(least=1e-9, most=1e15), Slot("volume_mean")] = Field(
        10_000.0,
        description="mean volume of the market (shares a step), before what a tie to the size of the move adds",
    )


class ConstantVolume(_Volume):
    """The same volume in every step."""

    model: Literal["constant"]

    def switches(self) -> Mapping[str, int | str]:
        return {"VOLUME_MODEL": "VOLUME_CONSTANT"}

    def declares(self) -> OfMarket:
        """Nothing of it is drawn."""
        return OfMarket(martingale=True, follows_move=False, idle=False)

    def moments(self, setting: Setting) -> VolumeMoments:
        """Of v_t and v_t^-exponent."""
        inverse = mean_of(lambda mean: power_of(np.array([1.0 / mean]), setting.exponent)[0], self.mean)
        return VolumeMoments(*(np.full(setting.steps, x) for x in (expected(self.mean), inverse, 1.0)))

    def law(self) -> MarkovLaw | None:
        """One level."""
        return MarkovLaw(np.array([expected(self.mean)]), np.ones((1, 1)), np.ones(1))


class CosineVolume(_Volume):
    """mean (1 + amplitude cos theta) + N(0, noise), theta from 0 to 2 pi over the steps; amplitude > 0 is a U."""

    model: Literal["cosine"]
    amplitude: Annotated[Scalar, limited(least=-1.0, most=1.0), Slot("volume_amplitude")] = Field(
        0.5, description="depth of the U (share of mean)"
    )
    noise: Annotated[NonNegative, Slot("volume_noise")] = Field(0.0, description="sd (shares a step)")
    floor: _Floor = Field(0.0, description="least volume (shares a step)")

    def switches(self) -> Mapping[str, int | str]:
        return {"VOLUME_MODEL": "VOLUME_COSINE"}

    def curves(self, steps: int) -> Mapping[str, np.ndarray]:
        return {"COSINE_CURVE": _cosine(steps)}

    def declares(self) -> OfMarket:
        """A step may be without volume where no floor forbids it."""
        return _FOLLOWS._replace(idle=bounds(self.floor)[0] == 0.0 and not is_zero(self.noise))

    def moments(self, setting: Setting) -> VolumeMoments:
        """Of v_t and v_t^-exponent."""
        turn = _cosine(setting.steps)

        def given(mean: float, amplitude: float, noise: float, floor: float) -> np.ndarray:
            volume, inverse, traded = floored_normal(mean * (1.0 + amplitude * turn), noise, floor, setting.exponent)
            return np.stack((volume, inverse * traded, traded))

        volume, inverse, traded = mean_of(given, self.mean, self.amplitude, self.noise, self.floor)
        return VolumeMoments(volume, inverse / np.where(traded > 0.0, traded, 1.0), traded)

    def law(self) -> MarkovLaw | None:
        """None over few levels."""
        return None

    def doubts(self, setting: Setting) -> list[str]:
        return [*(_idle("market.volume.floor is 0") if self.declares().idle else []), *super().doubts(setting)]


class LognormalVolume(_Volume):
    """mean * curve * exp(volatility x + day_volatility d - half their variance), x an AR(1) with sd 1, d one an episode."""

    model: Literal["lognormal"] = "lognormal"
    volatility: Annotated[NonNegative, Slot("volume_noise")] = Field(
        0.7, description="sd of the log around curve and day"
    )
    persistence: Annotated[Scalar, limited(least=0.0, most=0.999999), Slot("volume_persistence")] = Field(
        0.3, description="lag-1 autocorrelation of the log"
    )
    day_volatility: Annotated[NonNegative, Slot("day_volatility")] = Field(
        0.3, description="sd of the log between days"
    )
    curve: Curve = Field((), description="curve of the volume over the order, any length")
    floor: _Floor = Field(1.0, description="least volume (shares a step)")

    def switches(self) -> Mapping[str, int | str]:
        return {"VOLUME_MODEL": "VOLUME_LOGNORMAL"}

    def curves(self, steps: int) -> Mapping[str, np.ndarray]:
        return {"VOLUME_CURVE": curve(self.curve, steps)}

    def declares(self) -> OfMarket:
        """Always some volume."""
        return _FOLLOWS

    def moments(self, setting: Setting) -> VolumeMoments:
        """Of v_t and v_t^-exponent."""
        shape = curve(self.curve, setting.steps)

        def given(mean: float, own: float, day: float, floor: float) -> np.ndarray:
            sd = float(np.sqrt(own * own + day * day))
            return np.stack(floored_lognormal(mean * shape, sd, floor, setting.exponent))

        def tied(
            mean: float, own: float, day: float, floor: float, keep: float, move: float, size: float
        ) -> np.ndarray:
            sd, e = float(np.sqrt(own * own + day * day)), setting.exponent
            raised, lowered = (raised_by(u, keep, move, size, setting.steps) for u in (own, -e * own))
            volume = floored_lognormal(mean * shape * raised, sd, floor, e)[0]
            level = shape if e == 0.0 else shape * power_of(1.0 / lowered, 1.0 / e)
            return np.stack((volume, floored_lognormal(mean * level, sd, floor, e)[1]))

        drawn = (self.mean, self.volatility, self.day_volatility, self.floor)
        if are_tied(setting.volume_follows):
            volume, inverse = mean_of(tied, *drawn, self.persistence, *setting.volume_follows)
        else:
            volume, inverse = mean_of(given, *drawn)
        return VolumeMoments(volume, inverse, np.ones(setting.steps))

    def law(self) -> MarkovLaw | None:
        """None over few levels."""
        return None


class MarkovVolume(Chain, _Known):
    """A Markov chain over a few volumes."""

    TABLE: ClassVar[str] = "VOLUME_CHAIN"

    model: Literal["markov"]
    levels: Annotated[
        tuple[Annotated[float, Field(ge=0.0)], ...], Field(strict=False, min_length=1, max_length=MOST_LEVELS)
    ] = Field(description="volumes, rising, at most 32 (shares a step)")

    @model_validator(mode="after")
    def _trades(self) -> MarkovVolume:
        if self.levels[-1] == 0.0:
            raise PydanticCustomError("volume", "levels are all 0: nobody could trade; give one above 0")
        return self

    def switches(self) -> Mapping[str, int | str]:
        return {"VOLUME_MODEL": "VOLUME_MARKOV", "VOLUME_LEVELS": len(self.levels)}

    def declares(self) -> OfMarket:
        """The lowest level may be none."""
        return _FOLLOWS._replace(idle=self.levels[0] == 0.0)

    def doubts(self, setting: Setting) -> list[str]:
        return [*(_idle("a level of market.volume is 0") if self.declares().idle else []), *super().doubts(setting)]

    def moments(self, setting: Setting) -> VolumeMoments:
        """Of v_t and, over the steps with a volume, of v_t^-exponent: in the others nobody trades."""
        levels, chances = np.array(self.levels), laws(self, setting.steps)
        traded = levels > 0.0
        inverse = power_of(1.0 / np.where(traded, levels, 1.0), setting.exponent) * traded
        means = np.array([plain_sum(law * levels) for law in chances])
        shares = np.array([plain_sum(law * traded) for law in chances])
        inverses = np.array([plain_sum(law * inverse) for law in chances])
        return VolumeMoments(means, inverses / np.where(shares > 0.0, shares, 1.0), shares)


def _idle(why: str) -> list[str]:
    return [
        f"{why}: some steps have no volume, and nobody trades in them, so fills know a step's volume before it is over"
    ]


Volume = Annotated[
    ConstantVolume | CosineVolume | LognormalVolume | MarkovVolume,
    Field(discriminator="model"),
    default_model("lognormal"),
]


def _cosine(steps: int) -> np.ndarray:
    """cos theta, theta from 0 to 2 pi over the steps, float64[t]."""
    return cosine_of_turns(np.arange(steps) / max(steps - 1, 1))

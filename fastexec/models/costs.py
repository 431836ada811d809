"""What a trade costs beyond the spread: temporary, permanent, transient impact, and fees."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fastexec.models._base import Model, default_model
from fastexec.models.scalar import NonNegative, limited

_Exponent = Annotated[NonNegative, limited(most=4.0)]


class PowerTemporary(Model):
    """mid * coefficient * (shares / volume)^exponent a share."""

    model: Literal["power"] = "power"
    coefficient: NonNegative = Field(0.001, description="cost of trading as much as the market (fraction of the mid)")
    exponent: _Exponent = Field(0.6, description="0.6 in Almgren et al. 2005, 0.5 square root, 1 proportional")


class LinearTemporary(Model):
    """fixed + coefficient * shares, in currency a share."""

    model: Literal["linear"]
    fixed: NonNegative = Field(0.0, description="currency a share")
    coefficient: NonNegative = Field(0.0, description="currency a share, for each share of the slice")


Temporary = Annotated[PowerTemporary | LinearTemporary, Field(discriminator="model"), default_model("power")]


class Permanent(Model):
    """gamma * (shares traded before + own * the slice)."""

    coefficient: NonNegative = Field(0.0, description="gamma (currency a share, for each share traded)")
    own: Annotated[NonNegative, limited(most=1.0)] = Field(
        0.5, description="share of its own impact that a trade pays; 0.5 nets to zero, 0 is Almgren-Chriss 2000"
    )


class Transient(Model):
    """Each trade adds coefficient * shares^exponent and pays what is left of earlier impact and half of its own."""

    coefficient: NonNegative = Field(0.0, description="currency a share for each share^exponent")
    exponent: _Exponent = Field(1.0, description="1: Obizhaeva and Wang")
    resilience: NonNegative = Field(0.5, description="impact left after a step: times exp(-resilience)")


class Fees(Model):
    """Commission."""

    per_share: NonNegative = Field(0.0, description="currency a share")


class Costs(Model):
    """The cost model of a study."""

    temporary: Temporary = Field(default_factory=PowerTemporary)
    permanent: Permanent = Field(default_factory=Permanent)
    transient: Transient = Field(default_factory=Transient)
    fees: Fees = Field(default_factory=Fees)

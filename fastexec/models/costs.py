"""What a trade costs beyond the spread: temporary, permanent, transient impact, and fees."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from fastexec.models._base import Model, default_model
from fastexec.models.scalar import NonNegative, bounds, limited

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
    """The cost model of a study. ``per_step`` is no execution cost: the README's page on the mini-project explains it."""

    rule: Literal["by_fill", "per_step"] = Field(
        "by_fill",
        description="by_fill: cost = shares * price a share | per_step: the mini-project's, into program_cost",
    )
    temporary: Temporary = Field(default_factory=PowerTemporary)
    permanent: Permanent = Field(default_factory=Permanent)
    transient: Transient = Field(default_factory=Transient)
    fees: Fees = Field(default_factory=Fees)

    @model_validator(mode="after")
    def _per_step_has_spread_and_temporary_only(self) -> Costs:
        if self.rule == "per_step":
            others = {
                "permanent.coefficient": self.permanent.coefficient,
                "transient.coefficient": self.transient.coefficient,
                "fees.per_share": self.fees.per_share,
            }
            if self.temporary.model != "power":
                raise PydanticCustomError("rule", "rule per_step needs temporary.model = power")
            for key, value in others.items():
                if bounds(value) != (0.0, 0.0):
                    raise PydanticCustomError("rule", "rule per_step knows no {key}; set it to 0", {"key": key})
        return self

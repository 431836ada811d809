"""What a trade costs beyond the spread: temporary, permanent, transient impact, and fees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from fastexec.models._base import Model, default_model
from fastexec.models.declarations import OfCost, Slot, TemporaryTerms
from fastexec.models.scalar import NonNegative, bounds, expected, is_zero, limited, nodes


class Part(NamedTuple):
    """A part of the cost: what it means, and the number of its stage, by its name in a kernel file. ``kind`` "" has no stage of
    its own: every study has the part.
    """

    meaning: str
    kind: str = ""


#: The parts of the shortfall, in the order of the sum. One that has a ``kind`` is there where a section says so (``parts``).
PARTS = {
    "spread": Part("Half spreads paid"),
    "temporary": Part("Temporary impact paid"),
    "permanent": Part("Permanent impact of the order's own trades paid"),
    "transient": Part("Transient impact of the order's own trades paid"),
    "timing": Part(
        "Price moves between arrival and fills (and the end, for what is marked); mean zero under a martingale"
    ),
    "fees": Part("Fees paid"),
    "residual": Part("Cost beyond its price move of what was left and marked at the end (order.mark_price)"),
    "adversary": Part("What a market maker who foresees the slices adds to the price", "parts.ADVERSARY"),
}
#: Those that every study has.
ALWAYS = tuple(name for name, part in PARTS.items() if not part.kind)
#: What timing is the sum of, where the price is no martingale (DESIGN: timing split): columns beside the parts.
SPLIT = {
    "timing_expected": Part(
        "Of timing: moves of the price that were expected when their steps began (only where it is no martingale; 0 on given "
        "paths)"
    ),
    "timing_unexpected": Part(
        "Of timing: the rest; mean zero for who does not look ahead (only where the price is no martingale)"
    ),
}

_Exponent = Annotated[NonNegative, limited(most=4.0)]


class PowerTemporary(Model):
    """mid * coefficient * (shares / volume)^exponent a share."""

    model: Literal["power"] = "power"
    coefficient: Annotated[NonNegative, Slot("temporary_coefficient")] = Field(
        0.001, description="cost of trading as much as the market (fraction of the mid)"
    )
    exponent: Annotated[_Exponent, Slot("temporary_exponent")] = Field(
        0.6, description="0.6 in Almgren et al. 2005, 0.5 square root, 1 proportional"
    )

    volatility_exponent: Annotated[_Exponent, Slot("temporary_volatility_exponent")] = Field(
        0.0,
        description="times (a step's volatility / the price's)^this, as variance and regimes change it (not diurnal)",
    )

    def switches(self) -> Mapping[str, int | str]:
        special = {(1.0, 1.0): "TEMPORARY_PROPORTIONAL", (0.5, 0.5): "TEMPORARY_SQRT"}
        follows = not is_zero(self.volatility_exponent)
        kind = special.get(bounds(self.exponent), "TEMPORARY_POWER")
        return {"TEMPORARY_KIND": kind, "VOLATILITY_EXPONENT": follows, "IMPACT_SCALED": follows}

    def declares(self) -> OfCost:
        """A share of the mid, of the step alone."""
        return OfCost(scales=True, remembers=False)

    def least_slope(self) -> float:
        """None is sure: it depends on the volume."""
        return 0.0

    def terms(self) -> TemporaryTerms:
        """What it is expected to cost."""
        coefficient, exponent = self.coefficient, self.exponent
        return TemporaryTerms(
            0.0,
            0.0,
            expected(coefficient),
            expected(exponent),
            bounds(exponent),
            bounds(coefficient)[1],
            nodes(exponent),
            nodes(self.volatility_exponent),
        )


class LinearTemporary(Model):
    """fixed + coefficient * shares, in currency a share."""

    model: Literal["linear"]
    fixed: Annotated[NonNegative, Slot("temporary_fixed")] = Field(0.0, description="currency a share")
    coefficient: Annotated[NonNegative, Slot("temporary_coefficient")] = Field(
        0.0, description="currency a share, for each share of the slice"
    )

    def switches(self) -> Mapping[str, int | str]:
        return {"TEMPORARY_KIND": "TEMPORARY_LINEAR", "SQUARES": True}

    def declares(self) -> OfCost:
        """Currency, of the step alone."""
        return OfCost(scales=False, remembers=False)

    def least_slope(self) -> float:
        """The lowest cost a share for each share of the slice that an episode may have, currency."""
        return bounds(self.coefficient)[0]

    def terms(self) -> TemporaryTerms:
        """What it is expected to cost; it knows no volume."""
        return TemporaryTerms(expected(self.fixed), expected(self.coefficient), 0.0, 0.0, (0.0, 0.0), 0.0, nodes(0.0))


Temporary = Annotated[PowerTemporary | LinearTemporary, Field(discriminator="model"), default_model("power")]


class Permanent(Model):
    """gamma * (shares traded before + own * the slice)."""

    coefficient: Annotated[NonNegative, Slot("permanent_coefficient")] = Field(
        0.0, description="gamma (currency a share, for each share traded)"
    )
    own: Annotated[NonNegative, limited(most=1.0), Slot("permanent_own")] = Field(
        0.5, description="share of its own impact that a trade pays; 0.5 nets to zero, 0 is Almgren-Chriss 2000"
    )

    def switches(self) -> Mapping[str, int | str]:
        return {"SQUARES": not self.is_off}

    def declares(self) -> OfCost:
        """Currency; of earlier trades their sum counts."""
        return OfCost(scales=None if self.is_off else False, remembers=False)

    @property
    def is_off(self) -> bool:
        return is_zero(self.coefficient)


class Transient(Model):
    """Each trade adds coefficient * shares^exponent and pays what is left of earlier impact and half of its own."""

    coefficient: Annotated[NonNegative, Slot("transient_coefficient")] = Field(
        0.0, description="currency a share for each share^exponent"
    )
    exponent: Annotated[_Exponent, Slot("transient_exponent")] = Field(1.0, description="1: Obizhaeva and Wang")
    resilience: Annotated[NonNegative, Slot("resilience")] = Field(
        0.5, description="impact left after a step: times exp(-resilience)"
    )

    def switches(self) -> Mapping[str, int | str]:
        if self.is_off:
            return {"TRANSIENT_KIND": "TRANSIENT_OFF"}
        linear = bounds(self.exponent) == (1.0, 1.0)
        return {"TRANSIENT_KIND": "TRANSIENT_LINEAR" if linear else "TRANSIENT_POWER"}

    def declares(self) -> OfCost:
        """Currency; every earlier trade counts by its age."""
        return OfCost(scales=None if self.is_off else False, remembers=not self.is_off)

    @property
    def is_off(self) -> bool:
        return is_zero(self.coefficient)


class Fees(Model):
    """Commission."""

    per_share: Annotated[NonNegative, Slot("fee")] = Field(0.0, description="currency a share")

    def declares(self) -> OfCost:
        """Currency, whatever the price."""
        return OfCost(scales=None if self.is_off else False, remembers=False)

    @property
    def is_off(self) -> bool:
        return is_zero(self.per_share)


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
            if not isinstance(self.temporary, PowerTemporary):
                raise PydanticCustomError("rule", "rule per_step needs temporary.model = power")
            for key, value in others.items():
                if not is_zero(value):
                    raise PydanticCustomError("rule", "rule per_step knows no {key}; set it to 0", {"key": key})
        return self

    def switches(self) -> Mapping[str, int | str]:
        return {"COST_RULE": self.rule.upper()}

    @property
    def convex(self) -> bool:
        """Whether what a schedule costs is convex in its slices, in every episode: then it has one minimum.

        Temporary cost is; permanent impact is where a trade pays half of its own, or a linear temporary cost makes up for
        the rest; transient impact is where it is linear (its decay is exponential).
        """
        missing = max(0.5 - bounds(self.permanent.own)[0], 0.0) * bounds(self.permanent.coefficient)[1]
        linear = self.transient.is_off or bounds(self.transient.exponent) == (1.0, 1.0)
        return linear and self.temporary.least_slope() >= missing

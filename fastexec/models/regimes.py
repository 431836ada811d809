"""Regimes of the market: a Markov chain that multiplies volatility, spread, volume and impact together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from fastexec.exact import plain_sum, power_of
from fastexec.models.chains import MOST_LEVELS, Probabilities, Transitions, laws
from fastexec.models.declarations import OfMarket, Powers
from fastexec.models.names import Name

_Multiplier = Annotated[float, Field(gt=0.0, le=1000.0)]
_Multipliers = Annotated[tuple[_Multiplier, ...], Field(strict=False)]
_KINDS = ("volatility", "spread", "volume", "impact")


class Regimes(Transitions):
    """A Markov chain of regimes. Its multipliers count as they are: means are not kept."""

    TABLE: ClassVar[str] = "REGIME_CHAIN"

    names: Annotated[tuple[Name, ...], Field(strict=False, min_length=1, max_length=MOST_LEVELS)] = Field(
        description="of the regimes, at most 32"
    )
    initial: Probabilities = Field((), description="law of the regime in step 0; the stationary one if empty")
    known: bool = Field(
        False, description="whether agents may see the regime of a step when it begins (feature regime)"
    )
    volatility: _Multipliers = Field(
        (), description="a multiplier of the price's volatility for each regime; 1 if empty"
    )
    spread: _Multipliers = Field((), description="likewise of the quoted spread")
    volume: _Multipliers = Field((), description="likewise of the market's volume")
    impact: _Multipliers = Field(
        (), description="likewise of the temporary cost (of model power), not of lasting impact"
    )

    def values(self) -> tuple[float, ...]:
        return tuple(float(i) for i in range(len(self.names)))

    @model_validator(mode="after")
    def _has_one_of_each(self) -> Regimes:
        if len(set(self.names)) < len(self.names):
            raise PydanticCustomError("regimes", "two names are the same; give each regime one of its own")
        for kind in _KINDS:
            if (given := len(getattr(self, kind))) not in (0, len(self.names)):
                told = {"kind": kind, "given": given, "wanted": len(self.names)}
                raise PydanticCustomError(
                    "regimes", "{kind} has {given} multipliers for {wanted} regimes; give one each", told
                )
        return self

    def multipliers(self, kind: str) -> tuple[float, ...]:
        """Of each regime."""
        return getattr(self, kind) or (1.0,) * len(self.names)

    def switches(self) -> Mapping[str, int | str]:
        return {"REGIMES": len(self.names), "IMPACT_SCALED": self.scales_impact}

    def tables(self) -> Mapping[str, Sequence[float]]:
        return {f"TIMES_{kind.upper()}": self.multipliers(kind) for kind in _KINDS}

    def declares(self) -> OfMarket:
        """Which regime it is, and what it multiplies, is independent of the moves, whose mean stays zero."""
        return OfMarket(martingale=True, follows_move=False, idle=False)

    @property
    def scales_impact(self) -> bool:
        return set(self.multipliers("impact")) != {1.0}

    @property
    def scales_costs(self) -> bool:
        """Whether what they multiply besides the volatility differs from what the study says."""
        return any(set(self.multipliers(kind)) != {1.0} for kind in _KINDS[1:])

    @property
    def scales_volatility(self) -> bool:
        return set(self.multipliers("volatility")) != {1.0}

    def means(self, steps: int, powers: Powers) -> np.ndarray:
        """E of the product of multipliers, each to its power, in each step and at the end, float64[t + 1]."""
        product = np.ones(len(self.names))
        for kind, power in zip(_KINDS, powers, strict=True):
            product = product * power_of(np.array(self.multipliers(kind)), power)
        return np.array([plain_sum(law * product) for law in laws(self, steps + 1)])

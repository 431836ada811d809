"""A number, or a range from which each episode draws its own."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from fastexec.exact import log_of
from fastexec.models._base import Model


class Range(Model):
    """A value of its own for each episode: uniform between low and high, or (scale "log") uniform in the logarithm."""

    low: float
    high: float
    scale: Literal["linear", "log"] = "linear"

    @model_validator(mode="after")
    def _ordered(self) -> Range:
        if not self.low < self.high:
            raise PydanticCustomError("range", "low must be below high")
        if self.scale == "log" and self.low <= 0.0:
            raise PydanticCustomError("range", "a log range must lie above 0")
        return self


def _kind(value: Any) -> str:
    return "range" if isinstance(value, (dict, Range)) else "number"


#: A number or a range; limits are added by ``limited``.
Scalar = Annotated[Annotated[float, Tag("number")] | Annotated[Range, Tag("range")], Discriminator(_kind)]


def limited(least: float | None = None, most: float | None = None, above: float | None = None) -> AfterValidator:
    """A validator for both ends of a scalar: at least ``least``, at most ``most``, above ``above``."""

    def check(value: float | Range) -> float | Range:
        low, high = bounds(value)
        if least is not None and low < least:
            raise PydanticCustomError("limit", "must be at least {bound}", {"bound": f"{least:g}"})
        if above is not None and low <= above:
            raise PydanticCustomError("limit", "must be above {bound}", {"bound": f"{above:g}"})
        if most is not None and high > most:
            raise PydanticCustomError("limit", "must be at most {bound}", {"bound": f"{most:g}"})
        return value

    return AfterValidator(check)


NonNegative = Annotated[Scalar, limited(least=0.0)]
Positive = Annotated[Scalar, limited(above=0.0)]
Fraction = Annotated[Scalar, limited(least=0.0, most=1.0)]
Curve = Annotated[tuple[Annotated[float, Field(ge=1e-6, le=1e6)], ...], Field(strict=False)]


def bounds(value: float | Range) -> tuple[float, float]:
    """(low, high); equal for a plain number."""
    return (value.low, value.high) if isinstance(value, Range) else (float(value), float(value))


def is_zero(value: float | Range) -> bool:
    """Whether a scalar is 0 in every episode."""
    return bounds(value) == (0.0, 0.0)


def expected(value: float | Range) -> float:
    """The mean over episodes."""
    if not isinstance(value, Range):
        return float(value)
    if value.scale == "linear":
        return 0.5 * (value.low + value.high)
    return (value.high - value.low) / float(log_of(np.array([value.high / value.low]))[0])

"""A number, or a range from which each episode draws its own."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from fastexec.exact import exp_of, log_of
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


def nodes(value: float | Range, count: int = 12) -> tuple[list[float], list[float]]:
    """Values and weights whose weighted sum is a mean over episodes: a number alone, or Gauss and Legendre's of a range.

    count: 4, 6 or 12; exact for polynomials of degree 2 count - 1 in what is uniform.
    """
    if not isinstance(value, Range):
        return [float(value)], [1.0]
    parts, weights = unit_nodes(count)
    if value.scale == "linear":
        found = [value.low + (value.high - value.low) * part for part in parts]
    else:
        span = float(log_of(np.array([value.high / value.low]))[0])
        found = [value.low * float(growth) for growth in exp_of(span * np.array(parts))]
    return found, weights


def unit_nodes(count: int) -> tuple[list[float], list[float]]:
    """Gauss and Legendre's nodes between 0 and 1, and their weights."""
    at, weights = _GAUSS[count]
    parts = [0.5 - 0.5 * x for x in reversed(at)] + [0.5 + 0.5 * x for x in at]
    return parts, [*reversed(weights), *weights]


def mean_of(function: Callable[..., Any], *scalars: float | Range) -> Any:
    """The mean over episodes of a smooth function (a number or an array) of scalars that are drawn independently."""
    ranged = sum(isinstance(scalar, Range) for scalar in scalars)
    count = 12 if ranged <= 1 else 6 if ranged <= 3 else 4
    total: Any = 0.0
    for point in product(*(zip(*nodes(scalar, count), strict=True) for scalar in scalars)):
        weight = 1.0
        for _, part in point:
            weight *= part
        total = total + weight * function(*(value for value, _ in point))
    return total


#: Nodes above 0 and their weights (which add up to 1/2), by the number of nodes.
_GAUSS = {
    4: ((0.33998104358485626, 0.8611363115940526), (0.3260725774312732, 0.17392742256872679)),
    6: (
        (0.2386191860831969, 0.6612093864662645, 0.9324695142031519),
        (0.23395696728634552, 0.18038078652406936, 0.08566224618958514),
    ),
    12: (
        (0.1252334085114689, 0.3678314989981802, 0.5873179542866175, 0.7699026741943047, 0.9041172563704748,
         0.9815606342467192),
        (0.12457352290670134, 0.1167462682691773, 0.10158371336153287, 0.08003916427167321, 0.05346966299765953,
         0.023587668193255706),
    ),
}  # fmt: skip


def expected(value: float | Range) -> float:
    """The mean over episodes."""
    if not isinstance(value, Range):
        return float(value)
    if value.scale == "linear":
        return 0.5 * (value.low + value.high)
    return (value.high - value.low) / float(log_of(np.array([value.high / value.low]))[0])

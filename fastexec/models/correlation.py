"""Correlations of the normals of a step."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Annotated

import numpy as np
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from fastexec.models._base import Model
from fastexec.models.declarations import OfMarket, Slot
from fastexec.models.scalar import Scalar, bounds, is_zero, limited

_Correlation = Annotated[Scalar, limited(least=-1.0, most=1.0)]


def is_semidefinite(matrix: np.ndarray) -> bool:
    """Whether it has no negative eigenvalue, but for rounding."""
    return bool(np.linalg.eigvalsh(matrix)[0] >= -1e-12)


class Correlation(Model):
    """Correlations of the step's normals: the move z_p, its size |z_p|, the spread's z_s and the volume's z_v."""

    price_spread: Annotated[_Correlation, Slot("price_spread")] = Field(0.0, description="move and next spread")
    price_volume: Annotated[_Correlation, Slot("price_volume")] = Field(0.0, description="move and volume of the step")
    spread_volume: Annotated[_Correlation, Slot("spread_volume")] = Field(0.0, description="volume and next spread")
    volume_absolute_return: Annotated[_Correlation, Slot("volume_absolute_return")] = Field(
        0.0, description="size of the move and volume of the step"
    )
    spread_absolute_return: Annotated[_Correlation, Slot("spread_absolute_return")] = Field(
        0.0, description="size of the move and next spread"
    )

    @model_validator(mode="after")
    def _is_a_correlation_matrix(self) -> Correlation:
        # The matrices that are positive semi-definite are a convex set: if all corners of the ranges are in it, so is all.
        ends = [bounds(getattr(self, name)) for name in type(self).model_fields]
        for ps, pv, sv, va, sa in product(*(sorted(set(pair)) for pair in ends)):
            matrix = np.array([[1, 0, ps, pv], [0, 1, sa, va], [ps, sa, 1, sv], [pv, va, sv, 1]], dtype=float)
            if not is_semidefinite(matrix):
                raise PydanticCustomError(
                    "correlation",
                    "these five are no correlation matrix (it has a negative eigenvalue); bring them nearer 0",
                )
        return self

    @property
    def independent(self) -> bool:
        """Whether all are 0 in every episode."""
        return all(is_zero(getattr(self, name)) for name in type(self).model_fields)

    def with_moves(self) -> tuple[tuple[Scalar, Scalar], tuple[Scalar, Scalar]]:
        """Of the volume's normal and of the spread's: the correlation with the move, and with its size."""
        return (self.price_volume, self.volume_absolute_return), (self.price_spread, self.spread_absolute_return)

    def switches(self) -> Mapping[str, int | str]:
        return {"CORRELATED": not self.independent}

    def declares(self) -> OfMarket:
        """The volume follows the move where it is tied to its sign or its size."""
        tied = not (is_zero(self.price_volume) and is_zero(self.volume_absolute_return))
        return OfMarket(martingale=True, follows_move=tied, idle=False)

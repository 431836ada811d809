"""What a random strategy or an agent may do in a step."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from fastexec.models._base import Model
from fastexec.models.order import Order
from fastexec.models.scalar import bounds

MOST_ACTIONS = 32
Levels = Annotated[
    tuple[Annotated[float, Field(ge=0)], ...], Field(strict=False, min_length=1, max_length=MOST_ACTIONS)
]


class Actions(Model):
    """What a random strategy or an agent may do in a step; agents and optima also all that is left."""

    set: Literal["fractions", "multiples", "lots"] = Field(
        "fractions", description="of the rest | of the TWAP slice | so many lots"
    )
    levels: Levels = Field(
        (0.0, 0.25, 0.5, 0.75, 1.0),
        description='the actions; where none of them takes all that is left, agents and optima have "all that is left" as '
        "well, at most 32 together",
    )

    @model_validator(mode="after")
    def _levels_fit(self) -> Actions:
        if self.set == "fractions" and max(self.levels) > 1.0:
            raise PydanticCustomError("levels", "levels of fractions lie between 0 and 1")
        return self

    def takes_all(self, order: Order) -> bool:
        """Whether one of the levels takes all that is left of an order, however much that is."""
        whole = {
            "fractions": 1.0,
            "multiples": float(order.steps),
            "lots": bounds(order.shares)[1] / (order.lot or 1.0),
        }[self.set]
        return max(self.levels) >= whole

    def levels_for(self, order: Order) -> tuple[float, ...]:
        """The levels by which an agent or an optimum trades an order: these, and behind them all that is left (1 of the rest,
        else infinity) where none of them takes it.
        """
        if self.takes_all(order):
            return self.levels
        return (*self.levels, 1.0 if self.set == "fractions" else float("inf"))

    def require_few(self, order: Order) -> None:
        """ValueError where these and all that is left are too many."""
        if len(self.levels_for(order)) > MOST_ACTIONS:
            raise PydanticCustomError(
                "levels",
                'levels: with "all that is left", which an agent has beside them, they are more than {most}; give {fewer}, or '
                "one that takes the whole rest",
                {"most": MOST_ACTIONS, "fewer": MOST_ACTIONS - 1},
            )

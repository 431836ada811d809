"""What a random strategy or an agent may do in a step."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from fastexec.models._base import Model

Levels = Annotated[tuple[Annotated[float, Field(ge=0)], ...], Field(strict=False, min_length=1, max_length=32)]


class Actions(Model):
    """What a random strategy or an agent may do in a step."""

    set: Literal["fractions", "multiples", "lots"] = Field(
        "fractions", description="of the rest | of the TWAP slice | so many lots"
    )
    levels: Levels = Field((0.0, 0.25, 0.5, 0.75, 1.0), description="the actions, at most 32")

    @model_validator(mode="after")
    def _levels_fit(self) -> Actions:
        if self.set == "fractions" and max(self.levels) > 1.0:
            raise PydanticCustomError("levels", "levels of fractions lie between 0 and 1")
        return self

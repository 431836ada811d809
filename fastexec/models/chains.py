"""A Markov chain over a few levels: the levels, the transition matrix, the law of the first step."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from fastexec.models._base import Model

MOST_LEVELS = 32
_SUM_TOLERANCE = 1e-9

_Probability = Annotated[float, Field(ge=0.0, le=1.0)]
Probabilities = Annotated[tuple[_Probability, ...], Field(strict=False)]
_Row = Annotated[tuple[_Probability, ...], Field(strict=False, min_length=1)]


class Chain(Model):
    """What spread and volume chains share. ``levels`` rise; row i of ``transition`` is the law of the next level after i."""

    levels: Annotated[
        tuple[Annotated[float, Field(ge=0.0)], ...], Field(strict=False, min_length=1, max_length=MOST_LEVELS)
    ]
    transition: Annotated[tuple[_Row, ...], Field(strict=False)] = Field(
        description="matrix: row i is the law of the next level after level i"
    )
    initial: Probabilities = Field((), description="law of the level in step 0; the stationary one if empty")

    @model_validator(mode="after")
    def _is_a_chain(self) -> Chain:
        n = len(self.levels)
        if any(low >= high for low, high in zip(self.levels, self.levels[1:], strict=False)):
            raise _error("levels must rise from one to the next")
        if len(self.transition) != n or any(len(row) != n for row in self.transition):
            raise _error(f"transition must be a matrix of {n} rows and {n} columns, one of each a level")
        for i, row in enumerate(self.transition):
            _require_sum(f"transition, row {i + 1}", row)
        if self.initial:
            if len(self.initial) != n:
                raise _error(f"initial has {len(self.initial)} probabilities for {n} levels; give one a level")
            _require_sum("initial", self.initial)
        elif len(closed := closed_classes(self.transition)) > 1:
            raise _error(
                f"the chain has no single stationary law (levels {closed[0]} and {closed[1]} never meet, counted from 0); "
                "give initial"
            )
        return self


def closed_classes(transition: tuple[tuple[float, ...], ...]) -> list[list[int]]:
    """The sets of states that the chain never leaves and that each of their states leads to; ascending."""
    n = len(transition)
    reach = [[i == j or transition[i][j] > 0.0 for j in range(n)] for i in range(n)]
    for k in range(n):
        for i in range(n):
            if reach[i][k]:
                reach[i] = [a or b for a, b in zip(reach[i], reach[k], strict=True)]
    found: list[list[int]] = []
    for i in range(n):
        members = [j for j in range(n) if reach[i][j]]
        if all(reach[j][i] for j in members) and members not in found:
            found.append(members)
    return found


def _require_sum(what: str, row: tuple[float, ...]) -> None:
    total = sum(row)
    if abs(total - 1.0) > _SUM_TOLERANCE:
        raise _error(f"{what} adds up to {total:.10g}; probabilities must add up to 1")


def _error(text: str) -> PydanticCustomError:
    return PydanticCustomError("chain", "{text}", {"text": text})

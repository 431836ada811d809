"""A Markov chain over a few levels: the levels, the transition matrix, the law of the first step; its laws step by step.

The laws are made by plain loops, so that they have the same bits on every machine.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from fastexec.models._base import Model
from fastexec.models.declarations import MarkovLaw

MOST_LEVELS = 32
_SUM_TOLERANCE = 1e-9

_Probability = Annotated[float, Field(ge=0.0, le=1.0)]
Probabilities = Annotated[tuple[_Probability, ...], Field(strict=False)]
Row = Annotated[tuple[_Probability, ...], Field(strict=False, min_length=1)]


class Transitions(Model):
    """What chains share. Row i of ``transition`` is the law of the next state after i.

    TABLE: the name of the place that the chain has among those of the kernels.
    """

    TABLE: ClassVar[str]

    transition: Annotated[tuple[Row, ...], Field(strict=False)] = Field(
        description="matrix: row i is the law of the next level after level i"
    )
    initial: Probabilities = Field((), description="law of the level in step 0; the stationary one if empty")

    def values(self) -> tuple[float, ...]:
        """Of its states, in their order."""
        raise NotImplementedError

    @model_validator(mode="after")
    def _is_a_chain(self) -> Self:
        n = len(self.values())
        if len(self.transition) != n or any(len(row) != n for row in self.transition):
            raise _error(f"transition must be a matrix of {n} rows and {n} columns, one of each a level")
        for i, row in enumerate(self.transition):
            require_sum(f"transition, row {i + 1}", row)
        if self.initial:
            if len(self.initial) != n:
                raise _error(f"initial has {len(self.initial)} probabilities for {n} levels; give one a level")
            require_sum("initial", self.initial)
        elif len(closed := closed_classes(self.transition)) > 1:
            raise _error(
                f"the chain has no single stationary law (levels {closed[0]} and {closed[1]} never meet, counted from 0); "
                "give initial"
            )
        return self

    def law(self) -> MarkovLaw | None:
        """Values, transition and first law as arrays."""
        return markov_law(self)

    def chain(self) -> tuple[str, MarkovLaw] | None:
        return self.TABLE, markov_law(self)


class Chain(Transitions):
    """What spread and volume chains share. ``levels`` rise."""

    levels: Annotated[
        tuple[Annotated[float, Field(ge=0.0)], ...], Field(strict=False, min_length=1, max_length=MOST_LEVELS)
    ]

    def values(self) -> tuple[float, ...]:
        return self.levels

    @field_validator("levels")
    @classmethod
    def _rise(cls, levels: tuple[float, ...]) -> tuple[float, ...]:
        if any(low >= high for low, high in zip(levels, levels[1:], strict=False)):
            raise _error("levels must rise from one to the next")
        return levels


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


def stationary_law(transition: tuple[tuple[float, ...], ...]) -> np.ndarray:
    """The law that a step of the chain leaves as it is, float64[level]; the chain has one closed class.

    Grassmann, Taksar and Heyman (1985): elimination without a subtraction, so every probability is right to its last
    digits, also a tiny one.
    """
    states = closed_classes(transition)[0]
    n = len(states)
    p = [[transition[i][j] for j in states] for i in states]
    for k in range(n - 1, 0, -1):
        leaving = 0.0
        for j in range(k):
            leaving += p[k][j]
        for i in range(k):
            p[i][k] /= leaving
            for j in range(k):
                p[i][j] += p[i][k] * p[k][j]
    weights = [1.0]
    for k in range(1, n):
        weight = 0.0
        for i in range(k):
            weight += weights[i] * p[i][k]
        weights.append(weight)
    total = 0.0
    for weight in weights:
        total += weight
    law = np.zeros(len(transition))
    law[states] = [weight / total for weight in weights]
    return law


def markov_law(chain: Transitions) -> MarkovLaw:
    """A chain as arrays."""
    return MarkovLaw(np.array(chain.values()), np.array(chain.transition), first_law(chain))


def first_law(chain: Transitions) -> np.ndarray:
    """The law of the level in step 0, float64[level]."""
    return np.array(chain.initial) if chain.initial else stationary_law(chain.transition)


def laws(chain: Transitions, steps: int) -> np.ndarray:
    """The law of the level in each step, float64[t, level]."""
    return laws_of(markov_law(chain), steps)


def laws_of(chain: MarkovLaw, steps: int) -> np.ndarray:
    """The law of the level in each step, float64[t, level]."""
    law = chain.first
    found = np.empty((steps, law.size))
    for t in range(steps):
        found[t] = law
        following = np.zeros(law.size)
        for i, row in enumerate(chain.transition):
            following = following + law[i] * row
        law = following
    return found


def require_sum(what: str, row: tuple[float, ...]) -> None:
    """An error of validation unless probabilities add up to 1."""
    total = sum(row)
    if abs(total - 1.0) > _SUM_TOLERANCE:
        raise _error(f"{what} adds up to {total:.10g}; probabilities must add up to 1")


def _error(text: str) -> PydanticCustomError:
    return PydanticCustomError("chain", "{text}", {"text": text})

"""A network as a strategy: a small multilayer perceptron, made anywhere, evaluated in the lanes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from fastexec.models.declarations import OfStrategy
from fastexec.models.strategy import Named


class NetworkStrategy(Named):
    """A network from a file, which ``fx.Network.from_layers`` writes of weights trained with any library."""

    KIND = "NETWORK"
    is_agent = True
    DECLARES = OfStrategy(sees_volume=True, fills_at_next=False)

    model: Literal["network"]
    agent: str = Field(description="file of a network (path, from the study file's folder)")

    def policy(self) -> str | None:
        return self.name

"""Microstructure noise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np
from pydantic import Field

from fastexec.exact import normal_cdf, normal_density
from fastexec.models._base import Model
from fastexec.models.declarations import OfMarket, Setting, Slot
from fastexec.models.scalar import Scalar, expected, is_zero, limited


class Noise(Model):
    """Strategies see the mid times 1 + sd z, z anew in each step; fills are at the mid itself unless the noise is tradable."""

    sd: Annotated[Scalar, limited(least=0.0, most=0.1), Slot("noise_sd")] = Field(
        0.0, description="sd of the observed mid's bounce around the efficient one (relative); 0: off"
    )
    tradable: bool = Field(
        False,
        description="whether fills, too, are at the observed mid: waiting for a good draw then pays, `check` says what",
    )

    def switches(self) -> Mapping[str, int | str]:
        return {"NOISE": "NOISE_OFF" if self.is_off else "NOISE_TRADABLE" if self.tradable else "NOISE_SEEN"}

    def declares(self) -> OfMarket:
        """A bounce that fills meet falls back in the next step; one that is only seen says nothing of the moves."""
        return OfMarket(martingale=self.is_off or not self.tradable, follows_move=False, idle=False)

    @property
    def is_off(self) -> bool:
        return is_zero(self.sd)

    def worth_of_waiting(self, steps: int) -> float:
        """What the best rule of when to trade all at once gains (share of the mid): optimal stopping of independent draws,
        v <- E max(z, v) = density(v) + v P(z <= v), from the last step's 0.
        """
        v = np.zeros(1)
        for _ in range(steps - 1):
            v = normal_density(v) + v * normal_cdf(v)
        return expected(self.sd) * float(v[0])

    def doubts(self, setting: Setting) -> list[str]:
        if self.is_off or not self.tradable:
            return []
        worth = 1e4 * self.worth_of_waiting(setting.steps)
        return [
            f"market.noise.tradable: fills bounce with the observed mid, so waiting for a good draw is worth {worth:.3g} bps "
            f"(all at once, in the best of {setting.steps} steps as they come), which no market pays for nothing"
        ]

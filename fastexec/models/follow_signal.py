"""The strategy that follows signals of the move."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from fastexec.models.declarations import OfStrategy
from fastexec.models.names import Name
from fastexec.models.strategy import Named, RiskAversion
from fastexec.wording import did_you_mean

if TYPE_CHECKING:
    from fastexec.models.market import SyntheticMarket
    from fastexec.models.signals import Signal


class FollowSignal(Named):
    """Least cost given signals of the move where temporary cost is linear (Lehalle and Neuman 2019, in steps), each slice then
    held between 0 and what is left; for a power cost the linear one that equals it along the expected volume.
    """

    KIND = "FOLLOW_SIGNAL"
    DECLARES = OfStrategy(sees_volume=False, fills_at_next=False)

    model: Literal["follow_signal"]
    signals: Annotated[tuple[Name, ...], Field(strict=False)] = Field(
        (), description="names of signals that predict the move; all of them if left out"
    )
    risk_aversion: RiskAversion = Field(0.0, description="1/currency")

    def followed(self, market: SyntheticMarket) -> list[Signal]:
        """The signals of the market that it looks at."""
        told = [signal for signal in market.signals if signal.predicts == "move"]
        return [signal for signal in told if signal.name in self.signals or not self.signals]

    def misfit(self, market: SyntheticMarket | None) -> str | None:
        if market is None:
            return ".model: of real days no signal's law is known; follow_signal needs a synthetic market"
        told = [signal.name for signal in market.signals if signal.predicts == "move"]
        if not told:
            return '.model: the market has no signal that predicts the move; add one of predicts = "move" to market.signals'
        for name in self.signals:
            if self.signals.count(name) > 1:
                return f".signals: {name!r} is named twice; name it once"
            if name not in told:
                return f".signals: no signal {name!r} that predicts the move; {did_you_mean(name, told)}"
        return None

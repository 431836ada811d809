"""The parent order."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from fastexec.models._base import Model
from fastexec.models.declarations import Setting, Slot
from fastexec.models.scalar import Positive, Range, limited


class Order(Model):
    """What is to be traded, by when, and what happens to what is left."""

    side: Literal["sell", "buy"] = Field("sell", description="sell or buy")
    shares: Annotated[Positive, limited(most=1e12), Slot("shares")] = Field(
        10_000.0, description="size of the order (shares; may be a range)"
    )
    steps: Annotated[int, Field(ge=1, le=100_000)] = Field(60, description="number of steps")
    step_seconds: Annotated[float, Field(gt=0)] = Field(60.0, description="length of a step (seconds)")
    lot: Annotated[float, Field(ge=0)] = Field(1.0, description="whole lots of so many shares; 0 trades fractions")
    at_horizon: Literal["complete", "mark", "leave"] = Field(
        "complete", description="what is left joins the last slice | is valued at the end | is ignored (flatters)"
    )
    mark_price: Literal["trade", "quote"] = Field(
        "trade",
        description="what is left costs under mark: as much as a trade in one step more, at the last step's expected volume | "
        "half the last spread and the impact of what was traded (flatters)",
    )
    mark_penalty: Annotated[float, Field(ge=0)] = Field(0.0, description="charge on what is left (currency a share)")
    mark_penalty_slope: Annotated[float, Field(ge=0)] = Field(
        0.0, description="further charge for each share left (currency a share and share)"
    )

    @model_validator(mode="after")
    def _whole_lots(self) -> Order:
        if self.lot > 0 and isinstance(self.shares, Range) and self.shares.low < self.lot:
            raise PydanticCustomError("lots", "shares.low lies below one lot; raise it, or use lot = 0")
        if self.lot > 0 and not isinstance(self.shares, Range):
            lots = self.shares / self.lot
            if abs(lots - round(lots)) > 1e-9 * max(lots, 1.0):
                raise PydanticCustomError(
                    "lots", "shares = {shares} is no multiple of lot = {lot}; use a multiple, or lot = 0",
                    {"shares": f"{self.shares:g}", "lot": f"{self.lot:g}"},
                )  # fmt: skip
        return self

    @property
    def rest(self) -> Literal["complete", "trade", "quote", "leave"]:
        """What becomes of what is left: it joins the last slice, is valued as a trade or at the last quote, or is ignored."""
        return self.mark_price if self.at_horizon == "mark" else self.at_horizon

    def doubts(self, setting: Setting) -> list[str]:
        if self.rest == "leave":
            return ["at_horizon = leave ignores what is not traded: whoever does less looks cheaper; see completion"]
        if self.rest == "quote":
            return [
                "mark_price = quote values what is not traded at the last quote, whatever its size: whoever does less looks "
                "cheaper; see completion"
            ]
        return []

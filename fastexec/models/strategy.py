"""What every strategy declares.

KIND: the name of the kernels' way of deciding. SCHEDULE: of one that does not look at the market, the name of its trajectory in
``planning.schedules``. The other class variables say what a strategy is to a comparison.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field, model_validator

from fastexec.models._base import Model
from fastexec.models.actions import Actions
from fastexec.models.declarations import OfStrategy
from fastexec.models.names import Name

if TYPE_CHECKING:
    from fastexec.models.market import SyntheticMarket

RiskAversion = Annotated[float, Field(ge=0)]


class Named(Model):
    """A strategy with a name in the results."""

    DECLARES: ClassVar[OfStrategy]  # of each class by itself
    KIND: ClassVar[str] = "SCHEDULE"
    SCHEDULE: ClassVar[str] = "even"
    #: What others are compared with unless a baseline is named.
    is_baseline: ClassVar[bool] = False
    #: An adaptive policy must beat it, not only TWAP.
    is_control: ClassVar[bool] = False
    is_agent: ClassVar[bool] = False
    is_exact_optimum: ClassVar[bool] = False
    #: Its trajectory is that of a linear temporary cost; a power law is replaced by the one that equals it at the TWAP rate.
    linearises: ClassVar[bool] = False

    name: Name = Field("", description="name in the results; the model's by default")

    @model_validator(mode="before")
    @classmethod
    def _default_name(cls, data: Any) -> Any:
        if isinstance(data, dict) and "name" not in data and "model" in data:
            return {**data, "name": data["model"]}
        return data

    def numbers(self) -> tuple[float, ...]:
        """What its kernel is told: a rate, or the levels of its actions."""
        return ()

    def misfit(self, market: SyntheticMarket | None) -> str | None:
        """Why it cannot be played in this market (None: real days), and what would be right, behind its name."""
        return None

    def chance(self) -> Actions | None:
        """The actions of which chance chooses; None where it does not."""
        return None

    def policy(self) -> str | None:
        """The strategy whose policy it plays, or whose mean schedule; None where there is none."""
        return None

    def plays_mean_of(self) -> str | None:
        """The agent whose own mean schedule it plays without looking; None where it plays none."""
        return None

    def minimises_with(self) -> float | None:
        """Of a schedule of least expected cost + risk aversion * variance the risk aversion, else None. Against 0 it is
        measured what adapting is worth.
        """
        return None

"""Signals of real days: further columns of the bars, each as it is known when a step begins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field, PrivateAttr, model_validator
from pydantic_core import PydanticCustomError

from fastexec.models._base import Model
from fastexec.models.declarations import OfMarket
from fastexec.models.names import Name
from fastexec.models.signal_names import misfit_of_names, require_free

#: Keys that say what a signal of a synthetic market is; of real days its column says it.
OF_MODELS = ("predicts", "persistence", "correlation", "levels", "transition")


class ColumnSignal(Model):
    """A further column of the bars: its value at the end of the bar before a step, scaled by earlier days."""

    LISTED: ClassVar[bool] = True

    name: Name = Field(description="its name: a feature of agents, and signal_NAME of the steps")
    column: Annotated[str, Field(min_length=1)] = Field(
        description="the bars' column (its name, or its number from 1), in sd from its mean by the steps of all earlier days; "
        "a day without such is left out, and where a bar has no value the last of the day stands in"
    )

    _number: int = PrivateAttr(0)  # its place in the market

    @model_validator(mode="before")
    @classmethod
    def _is_a_column(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        for key in OF_MODELS:
            if key in data:
                hint = "of real days a signal is a column of the bars as it is; leave it out"
                raise PydanticCustomError("unknown_key", "{hint}", {"key": key, "hint": hint})
        if "column" not in data:
            hint = 'is missing; name a further column of the bars, such as column = "index"'
            raise PydanticCustomError("signal_column", "{hint}", {"key": "column", "hint": hint})
        return data

    @model_validator(mode="after")
    def _has_a_name_of_its_own(self) -> ColumnSignal:
        require_free(self.name)
        return self

    def switches(self) -> Mapping[str, int | str]:
        return {"SIGNALS": self._number + 1}

    def declares(self) -> OfMarket:
        """It may tell the move; by how much nobody knows."""
        return OfMarket(martingale=False, follows_move=False, idle=False)


def number_columns(signals: tuple[ColumnSignal, ...]) -> None:
    """Give each its place; an error of validation where they cannot be those of one market."""
    for number, signal in enumerate(signals):
        signal._number = number
    if (said := misfit_of_names([signal.name for signal in signals])) is not None:
        raise PydanticCustomError("signals", "signals{said}", {"said": said})

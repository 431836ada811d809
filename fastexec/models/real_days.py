"""Markets of real days: replayed, or joined from blocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from fastexec.models._base import Model
from fastexec.models.column_signals import ColumnSignal, number_columns
from fastexec.models.declarations import OFF, Knowledge, Setting, Slot
from fastexec.models.names import quoted
from fastexec.models.scalar import Positive, limited
from fastexec.models.times import RIGHT, seconds_between

StartPrice = Annotated[Positive, limited(least=1e-9, most=1e12)]
INITIAL_PRICE = Slot("initial_price")
#: What a market of models alone may have besides its price, spread and volume.
CONDITIONS = ("variance", "jumps", "regimes", "halts", "noise")


def _curve_days(value: Any) -> Any:
    """Refused here where it is neither a word nor a list, in one line for both."""
    days = isinstance(value, (list, tuple)) and all(isinstance(day, int) for day in value)
    if not days and value not in ("others", "earlier"):
        raise PydanticCustomError("curve_days", 'must be "others", "earlier" or a list of days such as 20131004')
    return value or "others"


class _RealDays(Model):
    bars: str = Field(description="Parquet file of bars with quotes (path, from the study file's folder)")
    symbol: str = Field(description="symbol in that file")
    window: Annotated[int, Field(ge=1)] | None = Field(None, description="steps a window; order.steps")
    stride: Annotated[int, Field(ge=1)] | None = Field(None, description="steps between windows; default the window")
    columns: dict[str, str] = Field(
        {},
        description='columns of the file, ours = "its name" or its number from 1; known names are found',
    )
    zone: str | None = Field(
        None, description="zone of the local times (America/New_York); times with an offset need it"
    )
    time_format: str | None = Field(
        None, description='how times are written ("%d.%m.%Y %H:%M"); recognised where it is sure'
    )
    decimal: Annotated[str, OFF] = Field(".", description="decimal point of a CSV file's numbers")
    thousands: str | None = Field(None, description="what marks thousands there")
    fill: bool = Field(
        False, description="whether an absent bar is one without volume, in which the quote before stands"
    )
    spread: Annotated[float, Field(gt=0.0, le=5_000.0)] | None = Field(
        None, description="full spread (bps) around the close, for bars without quotes"
    )
    drop_outliers: bool = Field(False, description="whether wild quotes are left out; else their days cannot be used")
    days: Annotated[tuple[int, ...], Field(strict=False)] = Field((), description="days to use (yyyymmdd); all")
    times: str | None = Field(
        None, description='part of the day that windows lie in, by the bars\' own clock: "10:30-11:30"; all of it'
    )
    auction: bool = Field(
        False, description="whether windows may hold the closing auction's bar (found as by `fastexec calibrate`)"
    )
    curve_days: Annotated[
        Literal["others", "earlier"] | Annotated[tuple[int, ...], Field(strict=False)],
        BeforeValidator(_curve_days),
        OFF,
    ] = Field(
        "others",
        description="days that curves and expectations come from: of each replayed day the others | the earlier ones | a list; "
        "a bootstrap: all | those before its first | a list",
    )
    known: Literal["after", "during"] = Field("after", description="as market.volume.known")
    signals: Annotated[tuple[ColumnSignal, ...], Field(strict=False)] = Field(
        (), description="[[market.signals]], at most 4: further columns of the bars"
    )

    @field_validator("times")
    @classmethod
    def _is_part_of_a_day(cls, times: str | None) -> str | None:
        if times is not None and seconds_between(times) is None:
            raise PydanticCustomError(
                "times", "{times} is no part of a day; {right}", {"times": quoted(times), "right": RIGHT}
            )
        return times

    @model_validator(mode="before")
    @classmethod
    def _has_its_own_conditions(cls, data: Any) -> Any:
        for key in CONDITIONS if isinstance(data, dict) else ():
            if key in data:
                hint = f"real days have their own; leave [market.{key}] out, or use a synthetic market"
                raise PydanticCustomError("unknown_key", "{hint}", {"key": key, "hint": hint})
        return data

    @model_validator(mode="after")
    def _signals_fit(self) -> Self:
        number_columns(self.signals)
        return self

    @property
    def between(self) -> tuple[int, int] | None:
        """``times`` as (first second, end) since local midnight."""
        return None if self.times is None else seconds_between(self.times)

    def reading(self) -> dict[str, Any]:
        """How the file of bars is to be read, as ``read_bars`` takes it."""
        words = ("columns", "zone", "time_format", "decimal", "thousands", "fill", "spread", "drop_outliers")
        return {"door": "key", "signals": self.signal_columns} | {word: getattr(self, word) for word in words}

    @property
    def signal_columns(self) -> tuple[str, ...]:
        """The bars' column of each signal, in their order."""
        return tuple(signal.column for signal in self.signals)

    def switches(self) -> Mapping[str, int | str]:
        return {"SOURCE": "GIVEN"}  # or joined from blocks: ``simulation`` knows the windows

    def doubts(self, setting: Setting) -> list[str]:
        if self.known == "after":
            return []
        return ['market.known = "during": POV sees a step\'s volume before it trades, as nobody can']


class ReplayMarket(_RealDays):
    """Windows of real days: each is an episode, in order."""

    in_windows: ClassVar[bool] = True

    model: Literal["replay"]

    def declares(self) -> Knowledge:
        """Of real days nothing is known."""
        return Knowledge(
            False, False, volume_tells_move=True, volume_idles=True, idle=True, known_after=self.known == "after"
        )


class BootstrapMarket(_RealDays):
    """Blocks of real days joined at the same time of day (stationary bootstrap), rescaled to the arrival price."""

    in_windows: ClassVar[bool] = False

    model: Literal["bootstrap"]
    block: Annotated[float, Field(ge=1.0)] = Field(
        30.0, description="mean length of a block (steps); from order.steps on whole windows, never joined"
    )
    initial_price: Annotated[StartPrice | None, INITIAL_PRICE] = Field(
        None, description="arrival price (currency); the mean of the windows'"
    )

    def ends_of_blocks(self, steps: int) -> float:
        """The chance that a step behind an order's first begins a new block; 0 where windows are never joined."""
        return 0.0 if self.block >= steps else 1.0 / self.block

    def declares(self) -> Knowledge:
        """Of real days nothing is known."""
        return Knowledge(
            False, False, volume_tells_move=True, volume_idles=True, idle=True, known_after=self.known == "after"
        )


RealMarket = ReplayMarket | BootstrapMarket

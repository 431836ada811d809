"""How a file of bars is to be read: one set of words for the command line, for [market] and for Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypedDict
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastexec.errors import InputError

Door = Literal["option", "key", "argument"]
_MOST_SPREAD = 5_000.0


class Words(TypedDict, total=False):
    """The fields of ``Reading``, each by its name."""

    columns: Mapping[str, str]
    zone: str | None
    time_format: str | None
    decimal: str
    thousands: str | None
    fill: bool
    spread: float | None
    drop_outliers: bool
    signals: Sequence[str]
    door: Door


@dataclass(frozen=True)
class Reading:
    """How a file of bars is read.

    columns: ours -> the file's, or its number from 1. zone: of the local times, such as America/New_York. time_format: of the
    times, as Python's strftime writes it. decimal, thousands: the characters in the file's numbers. fill: a bar that is absent
    between a day's first and last is one without volume, in which the quote before stands. spread: bps of the price, full,
    instead of quotes. drop_outliers: wild quotes are left out, else the days that have them are. signals: further columns of
    the file that are kept, numbers each. door: whose words a message uses.

    Raises InputError where a word can be none.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    zone: str | None = None
    time_format: str | None = None
    decimal: str = "."
    thousands: str | None = None
    fill: bool = False
    spread: float | None = None
    drop_outliers: bool = False
    signals: Sequence[str] = ()
    door: Door = "argument"

    def __post_init__(self) -> None:
        for name, text in (("decimal", self.decimal), ("thousands", self.thousands)):
            if text is not None and (len(text) != 1 or text.isalnum() or text in '-+"'):
                raise InputError(f"{self.say(name, text)}: must be one character, such as a comma")
        if self.decimal == self.thousands:
            raise InputError(f"{self.say('thousands', self.decimal)}: is the decimal point already; one must differ")
        if self.spread is not None and not 0.0 < self.spread <= _MOST_SPREAD:
            raise InputError(
                f"{self.say('spread', self.spread)}: must be above 0 and at most {_MOST_SPREAD:g} basis points"
            )
        if self.time_format is not None and "%" not in self.time_format:
            raise InputError(
                f"{self.say('time_format', self.time_format)}: is no format; write for example %d.%m.%Y %H:%M"
            )

    def say(self, name: str, value: object = None) -> str:
        """How one of the words is written, with a value where one is given."""
        if self.door == "option":
            option = "--" + name.replace("_", "-").replace("columns", "column").replace("signals", "signal")
            text = str(value)
            quoted = f'"{text}"' if set(text) & set(" ;,|\t") else text
            return option if value is None or value is True else f"{option} {quoted}"
        if isinstance(value, str):
            value = f'"{value}"'
        shown = str(value).lower() if value is True and self.door == "key" else value
        name = f"market.{name}" if self.door == "key" else name
        return name if value is None else f"{name} = {shown}"

    def say_column(self, ours: str, theirs: str = "NAME") -> str:
        """How a column is named."""
        if self.door == "option":
            return f"--column {ours}={theirs}"
        mapping = f'{{{ours} = "{theirs}"}}' if self.door == "key" else f'{{"{ours}": "{theirs}"}}'
        return f"{'market.' if self.door == 'key' else ''}columns = {mapping}"

    @property
    def clock(self) -> ZoneInfo | None:
        """The zone of the local times; InputError where there is none of that name."""
        if self.zone is None:
            return None
        try:
            return ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise InputError(
                f"{self.say('zone', self.zone)}: no such time zone; write for example America/New_York"
            ) from None

"""What makes a day of bars unusable, within the part of the day that is used."""

from __future__ import annotations

import numpy as np

from fastexec.data.absent_bars import spacing_of
from fastexec.data.bar_rows import Rows
from fastexec.data.bar_table import Table
from fastexec.data.reading import Reading
from fastexec.errors import InputError
from fastexec.models.times import clock

MOST_LOCKED = 0.01
_MOST_TOLD = 3


def inside(table: Table, between: tuple[int, int] | None) -> np.ndarray:
    """Rows in a part of the day, bool: from the bar before it on, with whose quotes it begins."""
    if between is None:
        return np.ones(table.day.size, bool)
    first = between[0] - spacing_of(table.day, table.second)
    return np.asarray((table.second >= first) & (table.second < between[1]))


def faults_of(table: Table, wild: np.ndarray, used: np.ndarray, rows: Rows, reading: Reading) -> dict[int, str]:
    """For each day with a bad row among those used what is wrong with it."""
    untraded = ~(np.isfinite(table.volume) & (table.volume >= 0))
    found = _counted(table, used & table.twice, used, "a time that the clock shows twice, as summer time ends")
    found |= {
        int(
            day
        ): f"{told_wild(table, wild & used & (table.day == day), rows)}; {reading.say('drop_outliers', True)} leaves it out"
        for day in np.unique(table.day[wild & used])
    }
    found |= _counted(table, used & untraded, used, "no volume of 0 or more")
    return found | _counted(table, used & ~table.quoted & ~table.halted, used, "no positive bid and ask")


def told_wild(table: Table, wild: np.ndarray, rows: Rows) -> str:
    """Wild quotes for a line: what, when, in which row of the file."""
    places = np.flatnonzero(wild)
    told = ", ".join(f"{table.told(i)} ({rows.place(int(table.place[i]))})" for i in places[:_MOST_TOLD].tolist())
    more = f" and {places.size - _MOST_TOLD} more" if places.size > _MOST_TOLD else ""
    return f"far from the quotes around: {told}{more}"


def _counted(table: Table, bad: np.ndarray, used: np.ndarray, what: str) -> dict[int, str]:
    found = {}
    for day in np.unique(table.day[bad]).tolist():
        rows = np.flatnonzero(bad & (table.day == day))
        last = f", the last at {clock(int(table.second[rows[-1]]))}" if rows.size > 1 else ""
        count = f"{rows.size} of {int((used & (table.day == day)).sum())} bars have {what}"
        found[day] = f"{count}, the first at {clock(int(table.second[rows[0]]))}{last}"
    return found


def require_few_touching(where: str, table: Table, touching: np.ndarray, used: np.ndarray) -> None:
    """InputError where more quotes of those used are locked or crossed than one in a hundred of the symbol's."""
    bad, quoted = touching & used, int(table.quoted.sum())
    count = int(bad.sum())
    if count > MOST_LOCKED * quoted:
        at = int(bad.argmax())
        raise InputError(
            f"{where}: {count} of {quoted} quotes are locked or crossed (ask_px_1 <= bid_px_1, the first on day "
            f"{table.day[at]} at {clock(int(table.second[at]))}); at most {100 * MOST_LOCKED:g} % may be; "
            "use a part of the day with fewer"
        )

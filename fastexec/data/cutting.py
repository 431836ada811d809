"""Days cut into windows: which bars may be steps, and where windows begin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastexec.data.auctions import ClosingAuction, bars_before_are_there, closing_auction
from fastexec.data.bars import Bars
from fastexec.errors import InputError, listed
from fastexec.models.times import clock


@dataclass(frozen=True, eq=False)
class Steps:
    """Bars that may be steps of a window. spacing: seconds a bar. follows: bool[row], the bar before is there. taken:
    bool[row], it may be a step. left_out: bars of the closing auction that for its sake may not; ``auction``: what is known of
    it, None where it may be a step or there is none.
    """

    bars: Bars
    spacing: int
    follows: np.ndarray
    taken: np.ndarray
    times: tuple[int, int] | None
    auction: ClosingAuction | None
    left_out: np.ndarray


def steps_of(bars: Bars, replayed: np.ndarray, times: tuple[int, int] | None, with_auction: bool) -> Steps:
    """The bars that may be steps: those within ``times`` (first second, end) since local midnight, whose bar before is there,
    and but for ``with_auction`` not the closing auction's.
    """
    spacing = _spacing(bars, replayed)
    follows = bars_before_are_there(bars, spacing)
    taken = follows.copy()
    if times is not None:
        taken &= (bars.second >= times[0]) & (bars.second + spacing <= times[1])
    found = None if with_auction else closing_auction(bars, spacing)
    held = np.zeros(0, np.int64) if found is None else np.flatnonzero(found.rows & taken & np.isin(bars.day, replayed))
    if found is not None:
        taken &= ~found.rows
    return Steps(bars, spacing, follows, taken, times, found if held.size else None, held)


def _spacing(bars: Bars, replayed: np.ndarray) -> int:
    """The smallest time from bar to bar within a day, in seconds, the same on all replayed days."""
    within = np.flatnonzero((np.diff(bars.day) == 0) & np.isin(bars.day[1:], replayed))
    if within.size == 0:
        raise InputError(
            f"{bars.source}, {bars.symbol!r}: the replayed days have one bar each; a window needs two or more"
        )
    days, place = np.unique(bars.day[within], return_inverse=True)
    smallest = np.full(days.size, 86_400)
    np.minimum.at(smallest, place, np.diff(bars.second)[within])
    shortest, longest = int(smallest.argmin()), int(smallest.argmax())
    if smallest[shortest] != smallest[longest]:
        raise InputError(
            f"{bars.source}, {bars.symbol!r}: bars of {smallest[shortest]} s on day {days[shortest]}, of "
            f"{smallest[longest]} s on day {days[longest]}; replay days of one kind, by market.days"
        )
    return int(smallest[shortest])


def first_rows(cut: Steps, replayed: np.ndarray, steps: int, stride: int) -> tuple[np.ndarray, np.ndarray]:
    """The row of each window's first step, int64[e], ascending, and of those left out for no quote stands there."""
    taken, row = cut.taken, np.arange(cut.taken.size)
    head = np.maximum.accumulate(np.where(taken, 0, row))  # the bar before the first step of the unbroken run
    tail = np.append(np.flatnonzero(~taken), row.size)
    length = tail[np.searchsorted(tail, head, side="right")] - head - 1
    offset = row - head - 1
    wanted = np.isin(cut.bars.day, replayed)
    fits = np.flatnonzero(wanted & taken & (offset % stride == 0) & (offset + steps <= length))
    if fits.size == 0:
        raise _no_window(cut, steps, int(length[wanted].max()))
    quoted = cut.bars.quoted[fits - 1]
    if not quoted.any():
        which = "the only window" if fits.size == 1 else f"any of the {fits.size:,} windows"
        raise InputError(
            f"{cut.bars.source}, {cut.bars.symbol!r}: no quote stands where {which} would begin; "
            "replay other days, by market.days"
        )
    return fits[quoted], fits[~quoted]


def _no_window(cut: Steps, steps: int, longest: int) -> InputError:
    where, held = f"{cut.bars.source}, {cut.bars.symbol!r}", f"the replayed days hold at most {longest + 1}"
    right = "make order.steps smaller"
    if cut.auction is not None:
        held += f", the closing auction's of {clock(cut.auction.second)} left out"
        right += ", or take that one in by market.auction = true"
    if cut.times is not None:
        held += f", the first of them before market.times = {_told(cut.times)}"
        right += ", or market.times longer"
    return InputError(
        f"{where}: a window of {steps} steps needs {steps + 1} bars of one day without a gap, and {held}; {right}"
    )


def _told(times: tuple[int, int]) -> str:
    return "-".join(clock(second)[:5] for second in times)


def notes_of_auction(cut: Steps, replayed: np.ndarray) -> list[str]:
    """What was left out for the closing auction's sake, in a line: how many bars, and of what time."""
    held = cut.left_out[np.isin(cut.bars.day[cut.left_out], replayed)]
    if cut.auction is None or not held.size:
        return []
    seconds, counts = (x.tolist() for x in np.unique(cut.bars.second[held], return_counts=True))
    told = [
        f"{n} bar{'s' if n > 1 else ''} of {clock(at)}" for at, n in reversed(list(zip(seconds, counts, strict=True)))
    ]
    return [
        f"closing auction: {', '.join(told)} left out of the windows ({cut.auction.factor:.0f} times the volume of the minutes "
        f"before); market.auction = true takes {'them' if held.size > 1 else 'it'} in"
    ]


def notes_of_gaps(cut: Steps, replayed: np.ndarray) -> list[str]:
    """Days whose bars have gaps."""
    days, counts = np.unique(cut.bars.day[~cut.follows & np.isin(cut.bars.day, replayed)], return_counts=True)
    return (
        [f"gaps in the bars of {listed(days[counts > 1].tolist())}: no window crosses one"]
        if (counts > 1).any()
        else []
    )

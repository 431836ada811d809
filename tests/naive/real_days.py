"""Windows of real days, bar by bar: the slow and obvious twin of what a replay cuts, leaves out and expects."""

from __future__ import annotations

from itertools import pairwise
from statistics import fmean, median
from typing import NamedTuple

import numpy as np

from naive.market import MarketPath


class Bar(NamedTuple):
    """bid, ask: at its end; None where no quote stands."""

    day: int
    second: int
    bid: float | None
    ask: float | None
    volume: float

    @property
    def mid(self) -> float | None:
        return None if self.bid is None or self.ask is None else (self.bid + self.ask) / 2.0


class Window(NamedTuple):
    """expected: shares that the other days traded at the time of each step."""

    day: int
    second: int
    path: MarketPath
    expected: list[float]


def closing_auctions(days: dict[int, list[Bar]]) -> set[tuple[int, int]]:
    """(day, second) of the bars that hold one: four times the thirty bars before, on the median day that ends when most do."""
    usual = max(bar.second for bars in days.values() for bar in bars if _share_at(days, bar.second) >= 0.5)
    held = {day: next((i for i, bar in enumerate(bars) if bar.second == usual), None) for day, bars in days.items()}
    factors = [x for day, i in held.items() if i is not None and (x := _factor(days[day], i)) is not None]
    if not factors or median(factors) <= 4.0:
        return set()
    found = {(day, usual) for day, i in held.items() if i is not None}
    for day, bars in days.items():
        if bars[-1].second < usual and (_factor(bars, len(bars) - 1) or 0.0) > 4.0:
            found.add((day, bars[-1].second))
    return found


def _share_at(days: dict[int, list[Bar]], second: int) -> float:
    return sum(any(bar.second == second for bar in bars) for bars in days.values()) / len(days)


def _factor(bars: list[Bar], i: int) -> float | None:
    before = [bar.volume for bar in bars[max(i - 30, 0) : i]]
    return bars[i].volume / fmean(before) if len(before) == 30 and sum(before) > 0.0 else None


def windows(
    days: dict[int, list[Bar]],
    steps: int,
    times: tuple[int, int] = (0, 86_400),
    auction: bool = False,
    earlier: bool = False,
) -> list[Window]:
    """Of days without gaps. Step i of a day trades at the quotes with which bar i - 1 closes, in the volume of bar i."""
    out = set() if auction else closing_auctions(days)
    spacing = next(iter(days.values()))[1].second - next(iter(days.values()))[0].second
    found = []
    for day, bars in days.items():
        curve = [other for other in days if (other < day if earlier else other != day)]
        if not curve:
            continue
        steps_of_day = [
            i
            for i in range(1, len(bars))
            if times[0] <= bars[i].second and bars[i].second + spacing <= times[1] and (day, bars[i].second) not in out
        ]
        for first in range(0, len(steps_of_day) - steps + 1, steps):
            chosen = steps_of_day[first : first + steps]
            if bars[chosen[0] - 1].mid is not None:
                known = {
                    other: [bar for bar in _whole(days[other]) if (other, bar.second) not in out] for other in curve
                }
                found.append(_window(bars, chosen, known))
    return found


def _whole(bars: list[Bar]) -> list[Bar]:
    """Those between two quotes."""
    return [bar for before, bar in pairwise(bars) if before.mid is not None and bar.mid is not None]


def _window(bars: list[Bar], chosen: list[int], curve: dict[int, list[Bar]]) -> Window:
    """``curve``: the bars of other days that expectations come from."""
    others = [bar for day in curve.values() for bar in day]
    expected = [fmean(bar.volume for bar in others if bar.second == bars[i].second) for i in chosen]
    if sum(expected) == 0.0:
        expected = [fmean(bar.volume for bar in others)] * len(chosen)
    instead = fmean(expected)
    mids, spreads, met = [], [], []
    for i, usual in zip(chosen, expected, strict=True):
        before, bar = bars[i - 1], bars[i]
        if before.mid is not None:
            mid, spread = before.mid, (before.ask - before.bid) / before.mid
        mids.append(mid)
        spreads.append(spread)
        halted = before.mid is None or bar.mid is None
        met.append(0.0 if halted else bar.volume or usual or instead)
    last = bars[chosen[-1]]
    mids.append(mids[-1] if last.mid is None else last.mid)
    spreads.append(spreads[-1] if last.mid is None else (last.ask - last.bid) / last.mid)
    volumes = [bars[i].volume for i in chosen]
    path = MarketPath(np.array(mids), np.array(spreads), np.array(volumes), mids[0], np.array(met))
    return Window(bars[0].day, bars[chosen[0]].second, path, expected)

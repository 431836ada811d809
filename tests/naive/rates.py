"""What a schedule costs on the days that a window may know, bar by bar: the slow and obvious twin of the planner's sums.

Buying, one spread and temporary cost (power) only, nothing in lots: each day's cost is that of a replay of its own bars.
"""

from __future__ import annotations

from statistics import fmean

from naive.real_days import Bar


def met_on(day: int, second: int, days: dict[int, list[Bar]], expected: list[float]) -> float:
    """Shares that the rate of a slice is taken against in a bar of a known day: its volume; if it is empty the mean of the
    other known days or, where these have none either, that of the window's steps.
    """
    volumes = {d: bar.volume for d, bars in days.items() for bar in bars[1:] if bar.second == second}
    if volumes[day] > 0.0:
        return volumes[day]
    others = [v for d, v in volumes.items() if d != day]
    return fmean(others) if sum(others) > 0.0 else fmean(expected)


def inverse_volumes(
    seconds: list[int], days: dict[int, list[Bar]], expected: list[float], exponent: float
) -> list[float]:
    """E[v^-exponent] of a window's steps over the known ``days``; the mean of its other steps where none has the time."""
    found: list[float | None] = []
    for second in seconds:
        known = [d for d, bars in days.items() if any(bar.second == second for bar in bars[1:])]
        found.append(fmean(met_on(d, second, days, expected) ** -exponent for d in known) if known else None)
    instead = fmean(x for x in found if x is not None)
    return [instead if x is None else x for x in found]


def mean_cost(
    slices: list[float],
    seconds: list[int],
    days: dict[int, list[Bar]],
    expected: list[float],
    coefficient: float,
    exponents: list[float],
) -> float:
    """Shares of the order's value, the mean over the known days and ``exponents``; ``slices`` in shares, of all steps."""
    costs = []
    for day, bars in days.items():
        at = {bar.second: i for i, bar in enumerate(bars)}
        for exponent in exponents:
            total = 0.0
            for q, second in zip(slices, seconds, strict=True):
                before = bars[at[second] - 1]
                half = (before.ask - before.bid) / 2.0 / before.mid
                rate = q / met_on(day, second, days, expected)
                total += q * (half + coefficient * rate**exponent)
            costs.append(total / sum(slices))
    return fmean(costs)

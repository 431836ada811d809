"""Signals of real days, bar by bar: the slow and obvious twin of what a column tells when a step begins."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from statistics import fmean, pstdev

Values = dict[int, list[float | None]]


def begun(values: list[float | None], step: int) -> float | None:
    """The last value of the day in the bars before the step's own."""
    there = [x for x in values[:step] if x is not None]
    return there[-1] if there else None


def scaled(days: Values, steps_of: Callable[[int], Iterable[int]]) -> dict[int, dict[int, float | None]]:
    """Of each day that has days before it with values that differ: the signal of each of its steps. days: of each day, in
    order, the values of its bars. steps_of: the bars of a day that may be steps.
    """
    found: dict[int, dict[int, float | None]] = {}
    before: list[float] = []
    for day, values in days.items():
        known = {step: begun(values, step) for step in steps_of(day)}
        if len(set(before)) > 1:
            mean, sd = fmean(before), pstdev(before)
            found[day] = {step: None if x is None else (x - mean) / sd for step, x in known.items()}
        before += [x for x in known.values() if x is not None]
    return found

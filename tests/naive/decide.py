"""One strategy in one step of one episode: the slice that it trades."""

from __future__ import annotations

import math

HAIR = 1e-9  # of a lot: 0.3 / 0.1 is 2.9999999999999996


def follow(fraction: float, shares: float, lot: float, remaining: float) -> float:
    """A schedule: what is missing until ``fraction`` of the order is done, rounded to whole lots; never a purchase back."""
    due = lot * math.floor(fraction * (shares / lot) + 0.5) if lot else fraction * shares
    return max(due - (shares - remaining), 0.0)


def participate(rate: float, seen: float, shares: float, lot: float, remaining: float) -> float:
    """Percentage of volume: ``rate`` of the market's volume so far, less what is traded; whole lots, not more than is left."""
    due = lot * math.floor(seen * (rate / lot) + HAIR) if lot else rate * seen
    return min(max(due - (shares - remaining), 0.0), remaining)


def chosen(word: int, actions: int) -> int:
    """One of the actions, each as likely."""
    return word * actions // 2**32


def action(kind: str, level: float, shares: float, steps: int, lot: float, remaining: float) -> float:
    """The slice of an action: a fraction of the rest, a multiple of an even slice, lots, or lots that come whole already."""
    wanted = level * {"fractions": remaining, "multiples": shares / steps}.get(kind, lot or 1.0)
    if lot and kind != "whole lots":
        wanted = lot * math.floor(wanted / lot + HAIR)
    return min(wanted, remaining)


def rounded_down(wanted: float, lot: float, remaining: float) -> float:
    """What a user's strategy asks for in whole lots; all that is left, and what is not allowed, stay as they are."""
    if not lot or not wanted < remaining:
        return wanted
    return min(lot * math.floor(wanted / lot + HAIR), remaining)


def as_said(wanted: float, shares: float, lot: float, remaining: float) -> float:
    """Shares that another programme decided on: whole lots of them, to a hair as many as it said; not more than is left."""
    if wanted >= remaining - HAIR * shares:
        return remaining
    if lot and abs(wanted / lot - math.floor(wanted / lot + 0.5)) > HAIR:
        return lot * math.floor(wanted / lot)
    return wanted


def fault(wanted: float, remaining: float) -> int | None:
    """What is wrong with a slice: no number (0), negative (1), more than is left (2)."""
    if math.isnan(wanted):
        return 0
    if wanted < 0.0:
        return 1
    return 2 if wanted > remaining else None


def by_rule(of_rest: float, fixed: float, weights: list[float], signals: list[float], remaining: float) -> float:
    """A rule that is linear in what is left and in signals, added up from left to right: half a lot is rounded up."""
    wanted = of_rest * remaining + fixed
    for weight, x in zip(weights, signals, strict=True):
        wanted += weight * x
    return wanted


def kept_within(wanted: float, lot: float, remaining: float) -> float:
    """The nearest whole lots, not below 0 and not more than is left."""
    if not lot:
        return min(max(wanted, 0.0), remaining)
    lots = min(max(math.floor(wanted / lot + 0.5), 0), round(remaining / lot))
    return remaining if lots == round(remaining / lot) else lots * lot

"""One episode on given paths, or on rows of them joined: Politis and Romano's stationary bootstrap, at the same time of day."""

from __future__ import annotations


def drawn_row(word: int, first: int, count: int) -> int:
    """One of ``count`` rows from ``first`` on, each as likely."""
    return first + word * count // 2**32


def row_of_step(row: int, ends: float, word: int, choice: int, first: int, count: int) -> int:
    """The row that is followed in a step: another of the same time of day with probability ``ends``, else the same."""
    return drawn_row(choice, first, count) if word < ends * 2**32 else row


def mid_after(mid: float, mids: list[float], t: int, as_they_are: bool) -> float:
    """The row's own mid at the step's end, or the row's relative move from where the price is."""
    return mids[t + 1] if as_they_are else mid * (mids[t + 1] / mids[t])

"""Further parts of the cost: what a part charges a slice, and how the closed books tell it."""

from __future__ import annotations

from collections.abc import Sequence


def charged(slice_: float, share: float, before: dict[str, float]) -> dict[str, float]:
    """The charge of a slice, in currency a share, and the sums of the charges in currency, after one part more."""
    cost = slice_ * share
    return {name: value + (share if name == "charged" else cost) for name, value in before.items()}


def closed(sums: Sequence[float], asked: Sequence[bool], value: float, shortfall: float) -> tuple[list[float], float]:
    """Basis points of the order's ``value`` of each part that the study asks for, and the shortfall that much larger."""
    columns = [cost / value * 1e4 for cost, wanted in zip(sums, asked, strict=True) if wanted]
    return columns, shortfall + sum(columns)

"""The backward programme in one state: what an action costs, and what follows."""

from __future__ import annotations

from collections.abc import Sequence

from naive.learning import mark, step_cost


def expected(chances: Sequence[float], values: Sequence[float]) -> float:
    """The mean of what follows."""
    return sum(chance * value for chance, value in zip(chances, values, strict=True))


def between(values: Sequence[float], left: float) -> float:
    """Linear interpolation over inventories 0 .. 1 evenly spaced."""
    place = left * (len(values) - 1)
    below = min(int(place), len(values) - 2)
    return values[below] + (place - below) * (values[below + 1] - values[below])


def price(
    u: float, taken: float, left: float, sure: float, factors: tuple[float, float, Sequence[float]], numbers: dict[str, float],
    risk: float, rule: str,
) -> float:  # fmt: skip
    """Expected cost of a step in which there is volume with probability ``sure`` and nothing is traded without.

    ``factors``: means of the half spread and of the temporary factor, 0 where there is no volume, and both of
    what is left at the step's end. ``rule``: what happens to the rest at the end, "none" before the last step.
    """
    half_spread, temporary, end = factors
    own = step_cost(
        u, taken, left, 0.0, 0.0, numbers["linear"], numbers["squared"], numbers["permanent"], numbers["own"]
    )
    cost = half_spread * u + temporary * taken + sure * own
    cost += risk * (sure * (left - u) ** 2 + (1.0 - sure) * left**2)
    if rule in ("mark", "mark as trade"):
        cost += sure * mark(left - u, end, numbers, rule == "mark as trade")
    if rule in ("mark", "mark as trade", "complete"):
        cost += (1.0 - sure) * mark(left, end, numbers, rule == "mark as trade")
    return cost

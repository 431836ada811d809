"""The learners' rules on one state or one transition: costs are to be small, rewards large."""

from __future__ import annotations

import math
from collections.abc import Sequence


def least(values: Sequence[float]) -> int:
    """The first of the smallest."""
    return list(values).index(min(values))


def target(cost: float, discount: float, ahead: float) -> float:
    """What a transition says of the action's cost to go."""
    return cost + discount * ahead


def share_of_way(alpha: float, n: int) -> float:
    """How far n updates on equal targets lead towards them."""
    left = 1.0
    for _ in range(n):
        left *= 1.0 - alpha
    return 1.0 - left


def as_integer(y: float, scale: float) -> int:
    """A target in fixed point, to the nearest."""
    return math.floor(y * scale + 0.5)


def moved(old: float, share: float, mean: float) -> float:
    """Towards the target."""
    return (1.0 - share) * old + share * mean


def double_ahead(own: Sequence[float], other: Sequence[float]) -> float:
    """Van Hasselt (2010): the other table's value of this one's best action."""
    return other[least(own)]


def chosen(values: Sequence[float], word: int, other: int, epsilon: float) -> int:
    """The best action, or with probability epsilon any; from two words."""
    return other * len(values) // 2**32 if word < epsilon * 2**32 else least(values)


def step_cost(
    u: float, taken: float, left: float, half_spread: float, temporary: float, linear: float, squared: float, permanent: float,
    own: float,
) -> float:  # fmt: skip
    """Of trading the share ``u`` of the order with ``left`` to do; ``taken``: u to the power 1 + exponent."""
    return half_spread * u + temporary * taken + linear * u + squared * u**2 + permanent * u * ((1.0 - left) + own * u)


def mark(rest: float, end: Sequence[float], numbers: dict[str, float], as_trade: bool) -> float:
    """What is left at the end: traded like any slice when all else is done, or at the last quote, half the spread and all
    impact of what is traded; and a penalty. ``end``: half spread and temporary factor there.
    """
    half_spread, temporary = end
    permanent, penalty, slope = numbers["permanent"], numbers["penalty"], numbers["slope"]
    if as_trade:
        known = (numbers[name] for name in ("linear", "squared", "permanent", "own"))
        raised = rest ** (1.0 + numbers["exponent"])
        return step_cost(rest, raised, rest, half_spread, temporary, *known) + rest * penalty + slope * rest**2
    return rest * half_spread + rest * permanent * (1.0 - rest) + rest * penalty + slope * rest**2

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


def share_of_falling(alpha: float, before: int, n: int) -> float:
    """The same where the rate of the k-th visit is 1 / (1 / alpha + (k - 1) / 5)."""
    left = 1.0
    for k in range(before + 1, before + n + 1):
        left *= 1.0 - falling(alpha, k)
    return 1.0 - left


def falling(alpha: float, visit: int) -> float:
    """The rate of a visit, the first is 1."""
    return 1.0 / (1.0 / alpha + (visit - 1) / 5)


def value_between(near: float, beside: float, moved: float) -> float:
    """Of a place between two bins, ``moved`` of the way from the nearer one's middle; NaN: nothing is known of the other."""
    return near if math.isnan(beside) else (1.0 - abs(moved)) * near + abs(moved) * beside


def squared_error(mean: float, second: float, n: float) -> float:
    """Of a mean of n values, squared; second: their mean square."""
    return max(second - mean**2, 0.0) / (n - 1)


def preferred(now: int, cells: Sequence[tuple[float, float, float]], caution: float, fewest: float) -> int:
    """The action that is below the one taken now by most, ``caution`` standard errors added, if ``fewest`` targets say so of
    both; each is (mean, mean square, n).
    """
    own = cells[now]
    gaps = {now: 0.0}
    for action, one in enumerate(cells):
        if action != now and min(one[2], own[2]) >= fewest:
            gaps[action] = one[0] - own[0] + caution * math.sqrt(squared_error(*one) + squared_error(*own))
    return min(gaps, key=lambda action: (gaps[action], action != now, action))


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

"""The books of one strategy in one episode: a slice's outcome added to the sums, and what they say at the end."""

from __future__ import annotations

import math
from typing import Any

from naive.execution import costs_a_share, transient_addition


def booked(
    sums: dict[str, float], q: float, t: int, mid: float, market: dict[str, float], costs: dict[str, Any]
) -> dict[str, float]:
    """The sums after a slice ``q`` at ``mid``; ``market``: arrival, spread, volume of the step and until its end."""
    shares, seen = costs_a_share(costs, q, mid, market["spread"], market["volume"] or 1.0, 0.0, sums["impact"]), {}
    seen["remaining"] = sums["remaining"] - q
    seen["sum_timing"] = sums["sum_timing"] + q * (mid - market["arrival"])
    seen["sum_half_spread"] = sums["sum_half_spread"] + q * shares["spread"]
    seen["sum_temporary"] = sums["sum_temporary"] + q * shares["temporary"]
    seen["sum_transient"] = sums["sum_transient"] + q * shares["transient"]
    seen["sum_squares"] = sums["sum_squares"] + q * q
    seen["impact"] = (sums["impact"] + transient_addition(costs, q)) * math.exp(-costs["transient"]["resilience"])
    seen["largest_rate"] = max(sums["largest_rate"], q / market["volume"] if market["volume"] else 0.0)
    seen["orders"] = sums["orders"] + (q > 0)
    seen["last_step"] = t if q > 0 else sums["last_step"]
    seen["volume_at_last"] = market["cumulative"] if q > 0 else sums["volume_at_last"]
    return seen


def program_charge(
    q: float, left: float, mid: float, spread: float, volume: float, coefficient: float, exponent: float
) -> float:
    """The mini-project's cost of a step: the price of one share, as long as any are left."""
    rate = q / volume if volume else 0.0
    return mid * spread / 2.0 + mid * coefficient * rate**exponent if left > 0 else 0.0


def parts(trades: list[float], half: float, transient: float, timing: float, shares: float, rest: dict[str, float],
          costs: dict[str, Any], rule: str) -> dict[str, float]:  # fmt: skip
    """The seven parts in currency of ``trades`` in their order, some from sums; ``rest``: last mid, arrival, sign, and what a
    share left costs beyond its move (value).
    """
    permanent = temporary = done = 0.0
    for q in trades:
        a_share = costs_a_share(costs, q, 1.0, 0.0, 1.0, done, 0.0)
        permanent += q * a_share["permanent"]
        temporary += q * a_share["temporary"]
        done += q
    left = 0.0 if rule == "leave" else shares - done
    return {
        "spread": half, "temporary": temporary, "permanent": permanent, "transient": transient,
        "timing": rest["sign"] * (timing + left * (rest["mid"] - rest["arrival"])),
        "fees": costs["fees"]["per_share"] * done, "residual": left * rest["value"],
    }  # fmt: skip


def value_of_rest(
    left: float, done: float, market: dict[str, float], impact: float, costs: dict[str, Any], as_trade: bool
) -> float:
    """Of each share left, beyond its move and without penalties: as a slice of one step more, or at the last quote. ``market``:
    mid at the end, spread of the last step and at the end, expected volume.
    """
    if as_trade:
        a_share = costs_a_share(costs, left, market["mid"], market["next_spread"], market["volume"], done, impact)
        return sum(a_share.values()) + float(costs["fees"]["per_share"])
    return market["mid"] * market["spread"] / 2.0 + float(costs["permanent"]["coefficient"]) * done + impact

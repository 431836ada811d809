"""The columns of a result's row from the parts in currency, and of the market's own row from its sums."""

from __future__ import annotations

import math
from collections.abc import Mapping

from naive.execution import PARTS


def of_episode(
    parts: Mapping[str, float],
    shares: float,
    left: float,
    arrival: float,
    sign: float,
    timing: float,
    charged: float,
) -> dict[str, float]:
    """Basis points of the order's value, their sum from left to right, and the average price of what is filled: the mids it
    was filled at (``timing``: sum of shares times their distance from arrival) and what it paid over them, what further
    parts ``charged`` included.
    """
    value, filled = shares * arrival, shares - left
    bps = {f"row_{part}": parts[part] / value * 1e4 for part in PARTS}
    total = 0.0
    for part in PARTS:
        total += bps[f"row_{part}"]
    paid = sum(parts[part] for part in ("spread", "temporary", "permanent", "transient")) + charged
    average = (filled * arrival + timing + sign * paid) / filled if filled > 0.0 else math.nan
    return bps | {"row_shortfall": total, "row_filled": filled, "row_average": average, "row_arrival": arrival}


def of_market(sums: Mapping[str, float], steps: int) -> dict[str, float]:
    """Averages over the steps."""
    volume = sums["cumulative_volume"]
    return {
        "market_vwap": sums["sum_volume_price"] / volume if volume else math.nan,
        "market_twap": sums["sum_price"] / steps,
        "market_volume": volume,
        "mean_spread_bps": sums["sum_spread"] / steps * 1e4,
        "realised_volatility": math.sqrt(sums["sum_squared_moves"] / steps),
    }

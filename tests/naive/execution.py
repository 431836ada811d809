"""One order on one path in plain Python: slices, fills, costs by their definitions."""

from __future__ import annotations

import math
from typing import Any

from naive.market import MarketPath

PARTS = ("spread", "temporary", "permanent", "transient", "timing", "fees", "residual")


def wanted(strategy: dict[str, Any], t: int, order: dict[str, Any], path: MarketPath, left: float, word: int) -> float:
    """What the strategy would trade in step t, before it is cut to what is left."""
    total, lot = order["shares"], order["lot"]
    done = total - left
    if strategy["model"] == "pov":
        seen = sum(path.volume[: t + 1])
        target = lot * math.floor(seen * (strategy["rate"] / lot) + 1e-9) if lot else strategy["rate"] * seen
        return target - done
    if strategy["model"] == "random":
        levels = strategy["levels"]
        level = levels[(word * len(levels)) >> 32]
        size = {"fractions": level * left, "multiples": level * (total / order["steps"]), "lots": level * (lot or 1.0)}
        raw = size[strategy["set"]]
        return lot * math.floor(raw / lot + 1e-9) if lot else raw
    share = strategy["fractions"][t + 1]
    return (lot * math.floor(share * (total / lot) + 0.5) if lot else share * total) - done


def temporary(costs: dict[str, Any], mid: float, shares: float, volume: float) -> float:
    """Currency a share."""
    model = costs["temporary"]
    if model["model"] == "linear":
        return float(model["fixed"] + model["coefficient"] * shares)
    return float(mid * model["coefficient"] * (shares / volume) ** model["exponent"])


def execute(
    path: MarketPath, order: dict[str, Any], costs: dict[str, Any], strategy: dict[str, Any], words: list[int]
) -> dict[str, float]:
    """The `episodes` columns of the order."""
    n, total = order["steps"], order["shares"]
    sign = 1.0 if order["side"] == "buy" else -1.0
    gamma, own = costs["permanent"]["coefficient"], costs["permanent"]["own"]
    transient = costs["transient"]
    money = dict.fromkeys(PARTS, 0.0)
    paid, left, impact, own_left, last, largest, count = 0.0, total, 0.0, total, -1, 0.0, 0
    for t in range(n):
        volume = path.volume[t]
        q = min(max(wanted(strategy, t, order, path, left, words[t]), 0.0), left) if volume > 0 else 0.0
        own_left -= q
        if t == n - 1 and order["at_horizon"] == "complete" and volume > 0:
            q = left
        if q > 0:
            mid = path.mid[t + 1] if strategy.get("fills_at_end") else path.mid[t]
            push = transient["coefficient"] * q ** transient["exponent"] if transient["coefficient"] else 0.0
            adds = {
                "spread": mid * path.spread[t] / 2,
                "temporary": temporary(costs, mid, q, volume),
                "permanent": gamma * (total - left + own * q),
                "transient": impact + push / 2,
            }
            price = mid + sign * sum(adds.values())
            for part, amount in adds.items():
                money[part] += q * amount
            money["timing"] += sign * q * (mid - path.arrival)
            money["fees"] += q * costs["fees"]["per_share"]
            paid += q * price
            impact += push
            left -= q
            last, count, largest = t, count + 1, max(largest, q / volume)
        impact *= math.exp(-transient["resilience"])
    if left > 0 and order["at_horizon"] != "leave":
        end = path.mid[n]
        money["timing"] += sign * left * (end - path.arrival)
        held = end * path.spread[n - 1] / 2 + gamma * (total - left) + impact
        money["residual"] = left * held + order["mark_penalty"] * left + order["mark_penalty_slope"] * left * left
    return columns(path, order, money, {"filled": total - left, "paid": paid, "own": total - own_left, "last": last,
                                        "largest": largest, "count": count})  # fmt: skip


def columns(
    path: MarketPath, order: dict[str, Any], money: dict[str, float], seen: dict[str, float]
) -> dict[str, float]:
    """Money as bps of Q S_0, and what else a row holds."""
    unit = 1e4 / (order["shares"] * path.arrival)
    row = {f"{part}_bps": amount * unit for part, amount in money.items()}
    row["shortfall_bps"] = sum(row.values())
    filled, last = seen["filled"], int(seen["last"])
    traded = sum(path.volume[: last + 1])
    average = seen["paid"] / filled if filled > 0 else math.nan
    vwap = describe(path)["market_vwap"]
    sign = 1.0 if order["side"] == "buy" else -1.0
    return row | {
        "filled_shares": filled,
        "completion": seen["own"] / order["shares"],
        "average_price": average,
        "arrival_price": path.arrival,
        "vwap_slippage_bps": 1e4 * sign * (average - vwap) / vwap,
        "participation": filled / traded if filled > 0 else 0.0,
        "max_participation": seen["largest"],
        "child_orders": seen["count"],
        "last_step": last,
    }


def describe(path: MarketPath) -> dict[str, float]:
    """The market's own columns."""
    n = len(path.volume)
    middle = [(path.mid[t] + path.mid[t + 1]) / 2 for t in range(n)]
    total = sum(path.volume)
    return {
        "arrival_price": path.arrival,
        "last_price": path.mid[n],
        "market_vwap": sum(v * p for v, p in zip(path.volume, middle, strict=True)) / total if total > 0 else math.nan,
        "market_twap": sum(middle) / n,
        "market_volume": total,
        "arrival_spread_bps": 1e4 * path.spread[0],
        "mean_spread_bps": 1e4 * sum(path.spread) / n,
        "realised_volatility": math.sqrt(sum((path.mid[t + 1] / path.mid[t] - 1) ** 2 for t in range(n)) / n),
    }

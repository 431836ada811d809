"""One strategy in one episode, share by share: the slow and obvious twin of the simulated executions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from naive.market import MarketPath

PARTS = ("spread", "temporary", "permanent", "transient", "timing", "fees", "residual")


def execute(
    path: MarketPath,
    order: dict[str, Any],
    costs: dict[str, Any],
    strategy: dict[str, Any],
    known: str,
    fractions: Sequence[float] | None = None,
    words: Sequence[int] | None = None,
    last_volume: float = math.nan,
) -> dict[str, float]:
    """Columns of ``episodes`` (without episode and strategy) of one strategy in one episode.

    ``order``, ``costs``: resolved sections of the study. ``strategy``: model and what it needs (rate; actions).
    ``known``: when a step's volume is known, "after" or "during". ``fractions``: cumulative F_0 .. F_N of a schedule.
    ``words``: a 32-bit word for each step of a random strategy. ``last_volume``: what is expected of the last step.
    """
    steps = len(path.volume)
    sign = 1.0 if order["side"] == "buy" else -1.0
    remaining = float(order["shares"])
    own_shares = 0.0  # traded by the strategy's own decisions
    traded = 0.0
    volume_so_far = 0.0
    transient = 0.0  # impact left of earlier trades, currency a share
    parts = dict.fromkeys(PARTS, 0.0)  # costs in currency
    fills: list[tuple[int, float, float]] = []  # step, shares, price

    for t in range(steps):
        volume_so_far += path.volume[t]
        if path.met[t] > 0.0:
            word = int(words[t]) if words is not None else None
            left = left_by_strategy(strategy, order, remaining, t, steps, volume_so_far, fractions, word)
            if strategy["model"] == "pov" and path.volume[t] == 0.0:
                left = remaining  # an empty bar: there is a quote to cross, and no volume to take part in
            own_shares += remaining - left
            if t == steps - 1 and order["at_horizon"] == "complete":
                left = 0.0
            shares = remaining - left
            if shares > 0.0:
                fills_after = strategy["model"] == "pov" and known == "after"
                then = t + 1 if fills_after else t
                mid, spread = path.mid[then], path.spread[then]
                a_share = costs_a_share(costs, shares, mid, spread, path.met[t], traded, transient)
                for part, cost in a_share.items():
                    parts[part] += shares * cost
                parts["timing"] += sign * shares * (mid - path.arrival)
                parts["fees"] += shares * costs["fees"]["per_share"]
                fills.append((t, shares, mid + sign * sum(a_share.values())))
                transient += transient_addition(costs, shares)
                traded += shares
                remaining = left
        transient *= math.exp(-costs["transient"]["resilience"])

    if remaining > 0.0 and order["at_horizon"] != "leave":  # "complete" comes here only if the last step had no volume
        end = path.mid[steps]
        penalty = order["mark_penalty"] + order["mark_penalty_slope"] * remaining
        if order["at_horizon"] == "mark" and order["mark_price"] == "trade":
            a_share = costs_a_share(costs, remaining, end, path.spread[steps], last_volume, traded, transient)
            cost = sum(a_share.values()) + costs["fees"]["per_share"]
        else:
            cost = end * path.spread[steps - 1] / 2.0 + costs["permanent"]["coefficient"] * traded + transient
        parts["timing"] += sign * remaining * (end - path.arrival)
        parts["residual"] = remaining * (cost + penalty)
    return columns(path, order, sign, own_shares, parts, fills)


def left_by_strategy(
    strategy: dict[str, Any],
    order: dict[str, Any],
    remaining: float,
    t: int,
    steps: int,
    volume_so_far: float,
    fractions: Sequence[float] | None,
    word: int | None,
) -> float:
    """Shares that remain after the strategy's own decision in step t, which has volume; never more than before."""
    model, shares, lot = strategy["model"], float(order["shares"]), float(order["lot"])
    if model == "immediate":
        return 0.0
    if model == "random":
        assert word is not None
        return remaining - random_slice(strategy["actions"], shares, lot, remaining, steps, word)
    if model == "pov":
        rate = strategy["rate"]
        wanted = lot * math.floor(volume_so_far * (rate / lot) + 1e-9) if lot > 0.0 else rate * volume_so_far
    elif model == "schedule":
        assert fractions is not None
        done = fractions[t + 1]
        wanted = lot * math.floor(done * (shares / lot) + 0.5) if lot > 0.0 else done * shares
    else:
        raise ValueError(f"no twin of the strategy {model}")
    return max(0.0, min(remaining, shares - wanted))


def random_slice(actions: dict[str, Any], shares: float, lot: float, remaining: float, steps: int, word: int) -> float:
    """The slice of a level drawn uniformly, rounded down to whole lots, at most what remains; without lots, of one share."""
    levels = actions["levels"]
    level = levels[(word * len(levels)) >> 32]
    unit = {"fractions": remaining, "multiples": shares / steps, "lots": lot or 1.0}[actions["set"]]
    wanted = level * unit
    if lot > 0.0:
        wanted = lot * math.floor(wanted / lot + 1e-9)
    return min(wanted, remaining)


def costs_a_share(
    costs: dict[str, Any],
    shares: float,
    mid: float,
    spread: float,
    volume: float,
    traded: float,
    transient: float,
) -> dict[str, float]:
    """Currency a share that a fill of ``shares`` pays over the mid it fills at, part by part."""
    temporary, permanent = costs["temporary"], costs["permanent"]
    if temporary["model"] == "power":
        temporary_cost = mid * temporary["coefficient"] * (shares / volume) ** temporary["exponent"]
    else:
        temporary_cost = temporary["fixed"] + temporary["coefficient"] * shares
    return {
        "spread": mid * spread / 2.0,
        "temporary": temporary_cost,
        "permanent": permanent["coefficient"] * (traded + permanent["own"] * shares),
        "transient": transient + transient_addition(costs, shares) / 2.0,
    }


def transient_addition(costs: dict[str, Any], shares: float) -> float:
    """What a trade adds to the transient impact, currency a share."""
    return costs["transient"]["coefficient"] * shares ** costs["transient"]["exponent"]


def factors(
    costs: dict[str, Any], shares: float, arrival: float, mid: float, spread: float, volume: float
) -> tuple[float, float]:
    """Bps of the order's value: of a share of the order that is traded, and of its power 1 + exponent. What is linear in the
    shares is in none.
    """
    whole = costs_a_share(costs, shares, mid, spread, volume or 1.0, 0.0, 0.0)
    temporary = whole["temporary"] if costs["temporary"]["model"] == "power" else 0.0
    return whole["spread"] * 1e4 / arrival, temporary * 1e4 / arrival


def columns(
    path: MarketPath,
    order: dict[str, Any],
    sign: float,
    own_shares: float,
    parts: dict[str, float],
    fills: list[tuple[int, float, float]],
) -> dict[str, float]:
    """The row of ``episodes``: bps are of shares ordered times arrival price."""
    bps = {f"{part}_bps": parts[part] / (order["shares"] * path.arrival) * 1e4 for part in PARTS}
    shortfall = 0.0
    for part in PARTS:
        shortfall += bps[f"{part}_bps"]
    filled = sum(shares for _, shares, _ in fills)
    last = fills[-1][0] if fills else -1
    average = sum(shares * price for _, shares, price in fills) / filled if fills else math.nan
    market_vwap = describe(path, order)["market_vwap"]
    return {
        "filled_shares": filled,
        "completion": own_shares / order["shares"],
        "average_price": average,
        "arrival_price": path.arrival,
        "shortfall_bps": shortfall,
        **bps,
        "vwap_slippage_bps": sign * (average - market_vwap) / market_vwap * 1e4,
        "participation": share_of(filled, sum(path.volume[: last + 1])),
        "max_participation": max((shares / path.met[t] for t, shares, _ in fills), default=0.0),
        "child_orders": len(fills),
        "last_step": last,
    }


def share_of(filled: float, volume: float) -> float:
    """Of the market's volume; none where it traded nothing and somebody bought all the same."""
    if volume > 0.0:
        return filled / volume
    return math.nan if filled > 0.0 else 0.0


def describe(path: MarketPath, order: dict[str, Any]) -> dict[str, float]:
    """Columns of ``markets`` (without episode, side and drawn parameters) of one episode."""
    steps = len(path.volume)
    total = value = middles = squares = spreads = 0.0
    for t in range(steps):
        middle = (path.mid[t] + path.mid[t + 1]) / 2.0
        total += path.volume[t]
        value += path.volume[t] * middle
        middles += middle
        squares += (path.mid[t + 1] / path.mid[t] - 1.0) ** 2
        spreads += path.spread[t]
    return {
        "order_shares": order["shares"],
        "arrival_price": path.arrival,
        "last_price": path.mid[steps],
        "market_vwap": value / total if total > 0.0 else math.nan,
        "market_twap": middles / steps,
        "market_volume": total,
        "arrival_spread_bps": path.spread[0] * 1e4,
        "mean_spread_bps": spreads / steps * 1e4,
        "realised_volatility": math.sqrt(squares / steps),
    }

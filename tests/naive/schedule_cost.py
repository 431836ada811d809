"""What a given schedule is expected to cost, by plain Monte Carlo: an obvious program beside the planner's own arithmetic.

Written from the documented definitions with numpy's generator, exp and power; it shares nothing with the package. The mid's
moves are independent of spread and volume here, so timing is counted by its mean: what is left to chance is what a slice pays.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from naive.market import curve_at_midpoints


def scalar(value: Any, rng: np.random.Generator, episodes: int) -> np.ndarray:
    """A number, or a draw of its range for each episode."""
    if not isinstance(value, dict):
        return np.full(episodes, float(value))
    u = rng.random(episodes)
    if value.get("scale", "linear") == "log":
        return value["low"] * (value["high"] / value["low"]) ** u
    return value["low"] + u * (value["high"] - value["low"])


def spread_paths(spread: dict[str, Any], steps: int, rng: np.random.Generator, n: int) -> np.ndarray:
    """Full quoted spreads, fractions of the mid, [episode, step], and behind the last step the one that is quoted then."""
    found = np.zeros((n, steps + 1))
    if spread["model"] == "markov":
        return chain_paths(spread, steps + 1, rng, n)
    if spread["model"] == "mean_reverting":
        keep, sd = 1.0 - scalar(spread["reversion"], rng, n), scalar(spread["volatility"], rng, n)
        variance, floor = sd**2 / (1.0 - keep**2), scalar(spread["floor"], rng, n)
        mean, shape = scalar(spread["mean"], rng, n), curve_at_midpoints(spread["diurnal"], steps)
        shape = shape / shape.mean()
        x = np.sqrt(variance) * rng.standard_normal(n)
        for t in range(steps + 1):
            found[:, t] = np.maximum(mean * shape[min(t, steps - 1)] * np.exp(x - variance / 2.0), floor)
            x = keep * x + sd * rng.standard_normal(n)
        return found
    walked = scalar(spread["initial"], rng, n)
    sd = scalar(spread.get("volatility", 0.0), rng, n)
    for t in range(steps + 1):
        found[:, t] = walked
        walked = np.abs(walked + sd * rng.standard_normal(n)) if spread["model"] == "random_walk" else walked
    return found


def volume_paths(volume: dict[str, Any], steps: int, rng: np.random.Generator, n: int) -> np.ndarray:
    """Shares, [episode, step]."""
    found = np.zeros((n, steps))
    if volume["model"] == "markov":
        return chain_paths(volume, steps, rng, n)
    mean = scalar(volume["mean"], rng, n)
    if volume["model"] == "constant":
        found[:] = mean[:, None]
    elif volume["model"] == "cosine":
        amplitude, sd = scalar(volume["amplitude"], rng, n), scalar(volume["noise"], rng, n)
        floor = scalar(volume["floor"], rng, n)
        for t in range(steps):
            level = mean * (1.0 + amplitude * np.cos(2.0 * np.pi * t / max(steps - 1, 1)))
            found[:, t] = np.maximum(level + sd * rng.standard_normal(n), floor)
    else:
        sd, day_sd = scalar(volume["volatility"], rng, n), scalar(volume["day_volatility"], rng, n)
        keep, floor = scalar(volume["persistence"], rng, n), scalar(volume["floor"], rng, n)
        shape = curve_at_midpoints(volume["curve"], steps)
        shape = shape / shape.mean()
        x, day = rng.standard_normal(n), rng.standard_normal(n)
        for t in range(steps):
            x = keep * x + np.sqrt(1.0 - keep**2) * rng.standard_normal(n)
            log = sd * x + day_sd * day - (sd**2 + day_sd**2) / 2.0
            found[:, t] = np.maximum(mean * shape[t] * np.exp(log), floor)
    return found


def expected_last_volume(volume: dict[str, Any], steps: int) -> float:
    """Shares, the mean of the last step that has any, from half a million episodes."""
    means = volume_paths(volume, steps, np.random.default_rng(99), 500_000).mean(axis=0)
    return float(means[means > 0.0][-1])


def chain_paths(chain: dict[str, Any], steps: int, rng: np.random.Generator, n: int) -> np.ndarray:
    """Levels of a Markov chain, [episode, step]; ``initial`` must be given, or the chain has forgotten it after 300 steps."""
    levels, law = np.array(chain["levels"]), np.array(chain["transition"])
    first = np.array(chain["initial"]) if chain["initial"] else np.linalg.matrix_power(law, 300)[0]
    state = np.minimum((rng.random(n)[:, None] > np.cumsum(first)).sum(axis=1), levels.size - 1)
    found = np.zeros((n, steps))
    for t in range(steps):
        found[:, t] = levels[state]
        state = np.minimum((rng.random(n)[:, None] > np.cumsum(law, axis=1)[state]).sum(axis=1), levels.size - 1)
    return found


def costs_bps(study: dict[str, Any], fractions: np.ndarray, episodes: int, seed: int) -> np.ndarray:
    """The shortfall of each episode without the chance in its timing, in bps of the order's value, [episode].

    ``study``: a resolved study; ``fractions``: cumulative, F_0 = 0 to F_N = 1.
    """
    rng, n = np.random.default_rng(seed), episodes
    order, market, costs = study["order"], study["market"], study["costs"]
    steps, lot, sign = order["steps"], float(order["lot"]), 1.0 if order["side"] == "buy" else -1.0
    shares, price = scalar(order["shares"], rng, n), scalar(market["initial_price"], rng, n)
    if lot > 0.0:
        shares = np.maximum(np.floor(shares / lot + 0.5), 1.0) * lot
    drift, geometric = scalar(market["price"]["drift"], rng, n), market["price"]["model"] == "geometric"
    first = 1 if market["price"]["start"] == "moved" else 0
    spread, volume = spread_paths(market["spread"], steps, rng, n), volume_paths(market["volume"], steps, rng, n)
    temporary, permanent, transient = costs["temporary"], costs["permanent"], costs["transient"]
    c = scalar(temporary["coefficient"], rng, n)
    e = scalar(temporary.get("exponent", 0.0), rng, n)
    fixed = scalar(temporary.get("fixed", 0.0), rng, n)
    gamma, own = scalar(permanent["coefficient"], rng, n), scalar(permanent["own"], rng, n)
    k, d = scalar(transient["coefficient"], rng, n), scalar(transient["exponent"], rng, n)
    keep, fee = np.exp(-scalar(transient["resilience"], rng, n)), scalar(costs["fees"]["per_share"], rng, n)
    traded, impact, total = np.zeros(n), np.zeros(n), np.zeros(n)
    for t in range(steps):
        mid = price * np.exp(drift * (t + first)) if geometric else price + drift * (t + first)
        done = lot * np.floor(fractions[t + 1] * (shares / lot) + 0.5) if lot > 0.0 else fractions[t + 1] * shares
        last = t == steps - 1 and order["at_horizon"] == "complete"
        open_ = volume[:, t] > 0.0
        q = np.where(open_, np.maximum((shares if last else done) - traded, 0.0), 0.0)
        v = np.where(open_, volume[:, t], 1.0)
        if temporary["model"] == "power":
            a_share = mid * c * np.where(q > 0.0, q / v, 1.0) ** e
        else:
            a_share = fixed + c * q
        pushed = k * np.where(q > 0.0, q, 1.0) ** d * (q > 0.0)
        a_share = a_share + mid * spread[:, t] / 2.0 + gamma * (traded + own * q) + impact + pushed / 2.0 + fee
        total += q * (a_share + sign * (mid - price))
        traded += q
        impact = (impact + pushed) * keep
    left = shares - traded
    if order["at_horizon"] != "leave":
        mid = price * np.exp(drift * (steps + first)) if geometric else price + drift * (steps + first)
        penalty = order["mark_penalty"] + order["mark_penalty_slope"] * left
        as_trade = order["at_horizon"] == "mark" and order["mark_price"] == "trade"
        quoted = spread[:, -1 if as_trade else -2]
        a_share = sign * (mid - price) + mid * quoted / 2.0 + gamma * traded + impact + penalty
        if as_trade:
            some = np.where(left > 0.0, left, 1.0)
            rate = some / expected_last_volume(market["volume"], steps)
            a_share += mid * c * rate**e if temporary["model"] == "power" else fixed + c * left
            a_share += gamma * own * left + k * some**d / 2.0 + fee
        total += left * a_share
    return total / (shares * price) * 1e4

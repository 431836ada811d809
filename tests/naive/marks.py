"""What a share of the volume costs an order whose rest is valued at the end, by plain Monte Carlo with numpy's own generator.

Written from the documented definitions; it shares nothing with the package. POV's slice of step t follows v_t, and fills at
the step's end, at S_{t+1} and the spread that is quoted there; what is left after the last step is valued as a slice of one
step more, at S_N and its spread, in the last step's expected volume.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np


def normals(
    correlation: dict[str, float], n: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of price, spread and volume in a step, with the correlations between each two."""
    ps, pv, sv = (correlation.get(name, 0.0) for name in ("price_spread", "price_volume", "spread_volume"))
    factor = np.linalg.cholesky(np.array([[1.0, ps, pv], [ps, 1.0, sv], [pv, sv, 1.0]]))
    z = factor @ rng.standard_normal((3, n))
    return z[0], z[1], z[2]


def chosen(law: np.ndarray, z: np.ndarray) -> np.ndarray:
    """The level that each normal chooses by its row of a law."""
    edges = np.array(
        [[NormalDist().inv_cdf(min(max(p, 1e-15), 1.0 - 1e-15)) for p in row] for row in np.cumsum(law, axis=1)]
    )
    return np.asarray((z[:, None] > edges[:, :-1]).sum(axis=1))


def market(
    data: dict[str, Any], steps: int, n: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mids and spreads [step and end, episode], volumes [step, episode]; volumes are log-normal without memory."""
    price, spread, volume = data["price"], data["spread"], data["volume"]
    mid, quoted, traded = np.zeros((steps + 1, n)), np.zeros((steps + 1, n)), np.zeros((steps, n))
    mid[0] = data["initial_price"]
    z, keep, sd = rng.standard_normal(n), 1.0 - spread.get("reversion", 1.0), spread.get("volatility", 0.0)
    variance = sd**2 / (1.0 - keep**2) if spread["model"] == "mean_reverting" else 0.0
    x, level = np.sqrt(variance) * z, np.zeros(n, int)
    if spread["model"] == "markov":
        level = chosen(np.array([spread["initial"]] * n), z)
    for t in range(steps + 1):
        if spread["model"] == "mean_reverting":
            quoted[t] = np.maximum(spread["mean"] * np.exp(x - variance / 2.0), spread["floor"])
        elif spread["model"] == "markov":
            quoted[t] = np.array(spread["levels"])[level]
        elif t == 0:
            quoted[t] = spread["initial"]
        if t == steps:
            return mid, quoted, traded
        of_price, of_spread, of_volume = normals(data["correlation"], n, rng)
        v = price["volatility"]
        mid[t + 1] = (
            mid[t] * np.exp(v * of_price - v * v / 2.0) if price["model"] == "geometric" else mid[t] + v * of_price
        )
        traded[t] = volume["mean"] * np.exp(volume["volatility"] * of_volume - volume["volatility"] ** 2 / 2.0)
        x = keep * x + sd * of_spread
        if spread["model"] == "markov":
            level = chosen(np.array(spread["transition"])[level], of_spread)
        elif spread["model"] in ("random_walk", "constant"):
            quoted[t + 1] = np.abs(quoted[t] + sd * of_spread)
    raise AssertionError


def pov_costs(study: dict[str, Any], rate: float, n: int, seed: int) -> dict[str, np.ndarray]:
    """Parts of the cost without timing, bps of the order's value, [episode]: spread and residual, and all together."""
    order, costs = study["order"], study["costs"]
    shares, steps = float(order["shares"]), order["steps"]
    mid, spread, volume = market(study["market"], steps, n, np.random.default_rng(seed))
    after, fee = study["market"]["volume"]["known"] == "after", costs["fees"]["per_share"]
    left, impact, seen = np.full(n, shares), np.zeros(n), np.zeros(n)
    paid = dict.fromkeys(("spread", "residual", "all"), np.zeros(n))

    def beyond(q: np.ndarray, at: int, v: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        """Of each share of a slice: what it pays over mid and half spread, and what it adds to transient impact."""
        c, e = costs["temporary"]["coefficient"], costs["temporary"].get("exponent", 1.0)
        linear = costs["temporary"]["model"] == "linear"
        own = costs["temporary"].get("fixed", 0.0) + c * q if linear else mid[at] * c * (q / v) ** e
        pushed = costs["transient"]["coefficient"] * q ** costs["transient"]["exponent"]
        permanent = costs["permanent"]["coefficient"] * (shares - left + costs["permanent"]["own"] * q)
        return own + permanent + impact + pushed / 2.0 + fee, pushed

    for t in range(steps):
        seen = seen + volume[t]
        q, at = np.minimum(np.maximum(rate * seen - (shares - left), 0.0), left), t + 1 if after else t
        a_share, pushed = beyond(q, at, volume[t])
        half = mid[at] * spread[at] / 2.0
        paid["spread"] = paid["spread"] + q * half
        paid["all"] = paid["all"] + q * (half + a_share)
        left, impact = left - q, (impact + pushed) * np.exp(-costs["transient"]["resilience"])
    a_share, _ = beyond(left, steps, study["market"]["volume"]["mean"])
    penalty = order["mark_penalty"] + order["mark_penalty_slope"] * left
    paid["residual"] = left * (mid[steps] * spread[steps] / 2.0 + a_share + penalty)
    paid["all"] = paid["all"] + paid["residual"]
    return {name: 1e4 * value / (shares * study["market"]["initial_price"]) for name, value in paid.items()}

"""The engine against a naive twin that shares no code with it, on the engine's own draws: equal to 1e-12 relative.

The twin is plain Python (``tests/naive``), written from the documented definitions; it takes the normals that the kernels
draw, and words of Philox from the twin of that.
"""

from __future__ import annotations

import hashlib
from itertools import product

import numpy as np
import pytest

from conftest import small_study
from fastexec.kernels import philox
from fastexec.kernels._jit import LANES, entry
from fastexec.kernels.door import F4, U4, held
from fastexec.planning.expectation import expect
from fastexec.planning.schedules import fractions
from fastexec.simulation import prepare
from naive.execution import describe, execute
from naive.market import market_path
from naive.philox import philox4x32

W, EPISODES = LANES, 40
PRICES = {
    "geometric": {"model": "geometric", "volatility": 0.003, "drift": 1e-4, "diurnal": [2.0, 1.0, 1.4]},
    "arithmetic": {"model": "arithmetic", "volatility": 0.2, "drift": -0.01},
    "moved": {"model": "geometric", "volatility": 0.002, "start": "moved"},
}
SPREADS = {
    "constant": {"model": "constant", "initial": 0.0004},
    "random_walk": {"model": "random_walk", "initial": 0.0003, "volatility": 0.0002},
    "mean_reverting": {"model": "mean_reverting", "mean": 0.0004, "reversion": 0.3, "volatility": 0.5, "floor": 0.0003,
                       "diurnal": [1.5, 0.8]},
}  # fmt: skip
VOLUMES = {
    "constant": {"model": "constant", "mean": 900.0},
    "cosine": {"model": "cosine", "mean": 500.0, "amplitude": -0.6, "noise": 250.0, "floor": 0.0},
    "lognormal": {"model": "lognormal", "mean": 800.0, "volatility": 0.6, "persistence": 0.4, "day_volatility": 0.3,
                  "curve": [1.5, 0.7, 1.2], "floor": 200.0},
}  # fmt: skip
CORRELATIONS = {
    "price_spread": 0.1, "price_volume": -0.2, "spread_volume": 0.3, "volume_absolute_return": 0.4,
    "spread_absolute_return": 0.2,
}  # fmt: skip
TEMPORARY = {
    "power": {"model": "power", "coefficient": 0.004, "exponent": 0.6},
    "root": {"model": "power", "coefficient": 0.004, "exponent": 0.5},
    "proportional": {"model": "power", "coefficient": 0.004, "exponent": 1.0},
    "linear": {"model": "linear", "fixed": 0.01, "coefficient": 2e-5},
}
TRANSIENT = {
    "off": {"coefficient": 0.0, "exponent": 1.0, "resilience": 0.5},
    "linear": {"coefficient": 1e-4, "exponent": 1.0, "resilience": 0.4},
    "power": {"coefficient": 1e-3, "exponent": 0.6, "resilience": 0.2},
}
STRATEGIES = [
    {"model": "twap"},
    {"model": "vwap"},
    {"model": "immediate"},
    {"model": "obizhaeva_wang"},
    {"model": "almgren_chriss", "risk_aversion": 1e-4},
    {"model": "pov", "rate": 0.15},
    {"model": "random", "name": "fractions", "actions": {"set": "fractions", "levels": [0.0, 0.3, 1.0]}},
    {"model": "random", "name": "multiples", "actions": {"set": "multiples", "levels": [0.0, 0.5, 1.7]}},
    {"model": "random", "name": "lots", "actions": {"set": "lots", "levels": [0.0, 3.0, 40.0]}},
]


def door(seed, block, step, stream, words, normals):
    held("words", words, U4, 4 * W)
    held("normals", normals, F4, 4 * W)


@entry("void(uint64, int64, int64, uint32, uint32[::1], float32[::1])", door)
def draw(seed, block, step, stream, words, normals):
    philox.draw_words(seed, block, step, stream, words)
    philox.gaussians(words, normals)


def normals(seed, block, step, purpose):
    """float64[4, lane]"""
    words, found = np.empty(4 * W, np.uint32), np.empty(4 * W, np.float32)
    draw(np.uint64(seed), block, step, np.uint32(purpose << 24), words, found)
    return found.reshape(4, W).astype(np.float64)


def drawn(seed, steps):
    """moves [e, t, 3], start [e, 4] of the first episodes."""
    blocks = range(-(-EPISODES // W))
    moves = np.concatenate(
        [np.stack([normals(seed, b, t, philox.MOVES)[:3] for t in range(steps)], axis=0) for b in blocks], axis=2
    )
    start = np.concatenate([normals(seed, b, 0, philox.START) for b in blocks], axis=1)
    return moves.transpose(2, 0, 1), start.T


def action_words(seed, name, episode, steps):
    owner = int.from_bytes(hashlib.sha256(name.encode()).digest()[:3], "big")
    key = (seed & 0xFFFFFFFF, seed >> 32)
    return [philox4x32((episode, 0, t, philox.ACTIONS << 24 | owner), key)[0] for t in range(steps)]


def twin_rows(study):
    """market columns [e], episode columns [e * K + k] by the twin."""
    data, steps = study.model_dump(), study.order.steps
    moves, start = drawn(study.seed, steps)
    (expected,) = expect(study)
    known = data["market"]["volume"]["known"]
    markets, rows = [], []
    for e in range(EPISODES):
        path = market_path(data["market"], steps, moves[e], start[e])
        markets.append(describe(path, data["order"]))
        for strategy in study.strategies:
            plain = strategy.model_dump()
            if strategy.model not in ("pov", "random", "immediate"):
                plain["model"] = "schedule"
            table, words = fractions(strategy, study, expected), action_words(study.seed, strategy.name, e, steps)
            rows.append(execute(path, data["order"], data["costs"], plain, known, table, words, expected.volume[-1]))
    return markets, rows


def check(study):
    markets, rows = twin_rows(study)
    results = prepare(study).run(0, EPISODES)
    for name in markets[0]:
        np.testing.assert_allclose(results.markets[name], [m[name] for m in markets], rtol=1e-12, err_msg=name)
    whole = np.abs([row["shortfall_bps"] for row in rows]).max()
    for name in rows[0]:
        ours, theirs = results.episodes[name], np.array([row[name] for row in rows], np.float64)
        if name.endswith("_bps"):
            # Differences of nearly equal prices: relative to the price level, of which a basis point is 1e-4.
            np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12 * max(whole, 1e4), err_msg=name)
        else:
            np.testing.assert_allclose(ours, theirs, rtol=1e-12, err_msg=name)


def study(market=None, **changes):
    base = {
        "seed": 2**40 + 9,
        "episodes": EPISODES,
        "strategies": STRATEGIES,
        "order": {"shares": 1_000, "steps": 9},
        "market": {"price": PRICES["geometric"], "spread": SPREADS["mean_reverting"], "volume": VOLUMES["lognormal"]}
        | (market or {}),
    }
    return small_study(**base | changes)


@pytest.mark.parametrize(("price", "spread", "volume"), list(product(PRICES, SPREADS, VOLUMES)))
def test_markets(price, spread, volume):
    sections = {"price": PRICES[price], "spread": SPREADS[spread], "volume": VOLUMES[volume]}
    check(study({**sections, "correlation": CORRELATIONS}))


@pytest.mark.parametrize(("temporary", "transient"), list(product(TEMPORARY, TRANSIENT)))
def test_costs(temporary, transient):
    costs = {
        "temporary": TEMPORARY[temporary],
        "transient": TRANSIENT[transient],
        "permanent": {"coefficient": 3e-5, "own": 0.3},
        "fees": {"per_share": 0.003},
    }
    check(study(costs=costs))


@pytest.mark.parametrize(
    ("horizon", "side", "lot"), list(product(["complete", "mark", "leave"], ["buy", "sell"], [0, 1, 7]))
)
def test_horizons_sides_and_lots(horizon, side, lot):
    order = {"side": side, "shares": 1_001, "steps": 9, "lot": lot, "at_horizon": horizon, "mark_penalty": 0.02}
    order["mark_penalty_slope"] = 1e-5
    check(study({"volume": VOLUMES["cosine"]}, order=order))


@pytest.mark.parametrize("mark_price", ["trade", "quote"])
@pytest.mark.parametrize(("temporary", "transient"), list(product(TEMPORARY, TRANSIENT)))
def test_what_is_left_is_valued(temporary, transient, mark_price):
    costs = {"temporary": TEMPORARY[temporary], "transient": TRANSIENT[transient], "fees": {"per_share": 0.003},
             "permanent": {"coefficient": 3e-5, "own": 0.3}}  # fmt: skip
    order = {"shares": 5_000, "steps": 7, "at_horizon": "mark", "mark_price": mark_price, "mark_penalty_slope": 1e-5}
    spread, volume = SPREADS["random_walk"], VOLUMES["lognormal"]
    check(study({"spread": spread, "volume": volume, "correlation": CORRELATIONS}, costs=costs, order=order))


@pytest.mark.parametrize("known", ["after", "during"])
def test_what_pov_knows(known):
    check(study({"volume": VOLUMES["lognormal"] | {"known": known}}))


def test_one_step():
    check(study(order={"shares": 500, "steps": 1}))

"""Studies of markets in which something is known of what comes."""

from __future__ import annotations

from fastexec.studies.study import Study
from test_market_signals import signal

N = 20_000
STILL = {"spread": {"model": "constant", "initial": 0.002}, "volume": {"model": "constant", "mean": 700.0}}
CHAINS = {
    "spread": {
        "model": "markov",
        "levels": [0.001, 0.004],
        "transition": [[0.7, 0.3], [0.4, 0.6]],
        "initial": [0.5, 0.5],
    },
    "volume": {
        "model": "markov",
        "levels": [400.0, 900.0],
        "transition": [[0.6, 0.4], [0.2, 0.8]],
        "initial": [0.3, 0.7],
    },
}
CURRENCY = {
    "market": {"price": {"model": "arithmetic", "volatility": 0.4}, "spread": {"model": "constant", "initial": 0.0},
               "volume": {"model": "constant"}},
    "costs": {"temporary": {"model": "linear", "fixed": 0.02, "coefficient": 4e-4}},
}  # fmt: skip
REGIMES = {"names": ["calm", "wild"], "transition": [[0.9, 0.1], [0.3, 0.7]], "known": True, "spread": [0.8, 2.0],
           "volume": [1.2, 0.5], "impact": [1.0, 1.5]}  # fmt: skip
THREE = signal("move", levels=3, persistence=0.7)
GEOMETRIC = {"model": "geometric", "volatility": 0.01}
DRIFTING = {**GEOMETRIC, "drift": -0.001, "diurnal": [2.0, 1.0], "start": "moved"}


def study_of(market=STILL, side="buy", order=(), costs=(), episodes=N, **keys):
    return Study.from_dict(
        {"seed": 3, "episodes": episodes, "strategies": [{"model": "optimum"}],
         "order": {"side": side, "shares": 400, "lot": 100, "steps": 5, **dict(order)},
         "costs": {"temporary": {"coefficient": 0.01}, **dict(costs)},
         "market": {"initial_price": 50.0, "price": GEOMETRIC, **market}, **keys}
    )  # fmt: skip


def in_currency(market=(), side="sell", **keys):
    return study_of({**CURRENCY["market"], **dict(market)}, side, costs=CURRENCY["costs"], **keys)

"""Studies of static schedules, with everything in them that expectations depend on."""

from __future__ import annotations

from typing import Any

import numpy as np

from conftest import StudyModel
from fastexec.planning.expectation import expect
from fastexec.planning.schedules import fractions
from fastexec.planning.static_cost import schedule_cost
from naive.schedule_cost import costs_bps

SCHEDULES = [
    {"model": "twap"},
    {"model": "vwap"},
    {"model": "immediate"},
    {"model": "static_optimum"},
    {"name": "odd", "model": "schedule", "weights": [3, 1, 0, 2, 5, 0, 0, 1, 1, 4]},
]


def study_of(**changes: Any) -> StudyModel:
    base = {"order": {"shares": 20_000, "steps": 10, "lot": 0}, "strategies": SCHEDULES}
    return StudyModel.model_validate(base | changes)


def concave(**changes: Any) -> StudyModel:
    """Transient impact with several minima."""
    base = {
        "order": {"shares": 50_000, "steps": 20, "lot": 1},
        "market": {"initial_price": 80.0, "spread": {"model": "constant", "initial": 0.0006},
                   "volume": {"model": "constant", "mean": 10_000.0}},
        "costs": {"temporary": {"coefficient": 0.0005, "exponent": 0.6},
                  "transient": {"coefficient": 0.003, "exponent": 0.5, "resilience": 0.1}},
        "strategies": [{"model": "twap"}, {"model": "static_optimum"}],
    }  # fmt: skip
    return StudyModel.model_validate(base | changes)


def table(study: StudyModel) -> dict[str, np.ndarray]:
    """Trajectories by name."""
    (market,) = expect(study)
    return {strategy.name: fractions(strategy, study, market) for strategy in study.strategies}


def objective(study: StudyModel, trajectories: np.ndarray, risk_aversion: float = 0.0) -> np.ndarray:
    """bps, but for what no schedule changes."""
    (market,) = expect(study)
    return 1e4 * schedule_cost(study, market, risk_aversion).of(np.atleast_2d(trajectories))


def bps(study: StudyModel, trajectory: np.ndarray, episodes: int = 2) -> float:
    """By the naive program."""
    return float(costs_bps(study.model_dump(), trajectory, episodes, 1).mean())


MARKETS: dict[str, dict[str, Any]] = {
    "floor of the spread": {"market": {"spread": {"mean": 0.0006, "volatility": 0.8, "floor": 0.0008, "diurnal": [3, 1, 0.5]}}},
    "spread by ranges": {"market": {"spread": {
        "mean": {"low": 0.0002, "high": 0.002, "scale": "log"}, "volatility": {"low": 0.1, "high": 1.0}, "floor": 0.0005,
        "diurnal": [1, 4],
    }}},
    "walk": {"market": {"spread": {"model": "random_walk", "initial": {"low": 0.0001, "high": 0.0006}, "volatility": 0.0003}}},
    "volume by ranges": {"market": {"volume": {
        "mean": {"low": 1000, "high": 50_000, "scale": "log"}, "volatility": {"low": 0.2, "high": 1.2}, "floor": 2000.0,
        "curve": [3, 1, 1, 2],
    }}},
    "cosine, noise and floor": {"market": {"volume": {"model": "cosine", "amplitude": 0.8, "noise": 4000, "floor": 500}}},
    "cosine, idle by chance": {
        "order": {"shares": 20_000, "steps": 10, "lot": 1, "at_horizon": "mark", "mark_penalty": 0.5},
        "costs": {"permanent": {"coefficient": 1e-6}, "fees": {"per_share": 0.003}},
        "market": {"volume": {"model": "cosine", "amplitude": -0.5, "noise": 6000}},
    },
    "chain, marked as a trade": {
        "order": {"shares": 20_000, "steps": 10, "lot": 0, "at_horizon": "mark", "side": "buy"},
        "costs": {"permanent": {"coefficient": 1e-6, "own": 0.2}, "fees": {"per_share": 0.003}},
        "market": {"volume": {"model": "markov", "levels": [0, 9000], "initial": [0.5, 0.5],
                              "transition": [[0.7, 0.3], [0.4, 0.6]]}},
    },
    "linear, marked at the quote": {
        "order": {"shares": 20_000, "steps": 10, "lot": 0, "at_horizon": "mark", "mark_price": "quote", "mark_penalty": 0.1},
        "costs": {"temporary": {"model": "linear", "fixed": 0.05, "coefficient": 1e-5}},
        "market": {"volume": {"model": "markov", "levels": [0, 2000], "transition": [[0.6, 0.4], [0.2, 0.8]]}},
    },
    "chain, idle by chance": {"costs": {"temporary": {"exponent": 0.5}}, "market": {
        "spread": {"model": "markov", "levels": [0.0002, 0.002], "transition": [[0.9, 0.1], [0.3, 0.7]]},
        "volume": {"model": "markov", "levels": [0, 2000, 9000], "initial": [0.5, 0.25, 0.25],
                   "transition": [[0.6, 0.3, 0.1], [0.2, 0.6, 0.2], [0.3, 0.3, 0.4]]},
    }},
    "linear, idle by chance": {
        "costs": {"temporary": {"model": "linear", "fixed": 0.05, "coefficient": 1e-5}},
        "market": {"volume": {"model": "markov", "levels": [0, 2000], "transition": [[0.6, 0.4], [0.2, 0.8]],
                              "initial": [0, 1]}},
    },
    "exponent by range": {
        "costs": {"temporary": {"coefficient": {"low": 0.001, "high": 0.01}, "exponent": {"low": 0.3, "high": 1.0}}},
        "market": {"volume": {"curve": [1, 4]}},
    },
    "few lots by range": {
        "order": {"shares": {"low": 500, "high": 8000, "scale": "log"}, "steps": 10, "lot": 100},
        "market": {"volume": {"curve": [1, 4]}},
    },
    "price and drift by range": {
        "order": {"shares": 20_000, "steps": 10, "lot": 0, "side": "buy"},
        "market": {"initial_price": {"low": 20, "high": 200},
                   "price": {"model": "arithmetic", "volatility": 0.01, "drift": {"low": -0.01, "high": 0.05}}},
        "costs": {"permanent": {"coefficient": 1e-6, "own": 1.0}, "transient": {"coefficient": 1e-5}},
    },
    "drift, moved": {"market": {"price": {"drift": 0.001, "start": "moved"}}},
    "transient by ranges": {"costs": {"transient": {
        "coefficient": {"low": 1e-6, "high": 4e-5}, "exponent": {"low": 0.8, "high": 1.2},
        "resilience": {"low": 0.05, "high": 1.0},
    }}},
    "steps without volume": {
        "costs": {"transient": {"coefficient": 2e-5, "resilience": 0.2}},
        "market": {"volume": {"model": "cosine", "amplitude": -1.0}},
    },
    "every other step": {
        "costs": {"transient": {"coefficient": 2e-5, "resilience": 0.2}},
        "market": {"volume": {"model": "markov", "levels": [0, 2000], "transition": [[0, 1], [1, 0]], "initial": [0, 1]}},
    },
    "every other step, buying, marked": {
        "order": {"shares": 2_000, "steps": 9, "lot": 100, "side": "buy", "at_horizon": "mark", "mark_penalty": 0.3,
                  "mark_penalty_slope": 1e-5},
        "costs": {"permanent": {"coefficient": 1e-5}, "fees": {"per_share": 0.01}},
        "market": {"volume": {"model": "markov", "levels": [0, 2000], "transition": [[0, 1], [1, 0]], "initial": [1, 0]}},
        "strategies": SCHEDULES[:4],
    },
    "concave permanent": {"costs": {"permanent": {"coefficient": 1e-4, "own": 0.0}, "temporary": {"coefficient": 0.001}}},
}  # fmt: skip

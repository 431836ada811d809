"""Markets of Markov chains in which the exact optimum is known, for tests of optimum and learning."""

from __future__ import annotations

from conftest import small_study
from fastexec.models.study import StudyModel

SPREAD = {
    "model": "markov",
    "levels": [0.0002, 0.0006, 0.002],
    "transition": [[0.8, 0.15, 0.05], [0.2, 0.6, 0.2], [0.05, 0.25, 0.7]],
}
VOLUME = {
    "model": "markov",
    "levels": [200.0, 1000.0, 4000.0],
    "transition": [[0.7, 0.25, 0.05], [0.2, 0.6, 0.2], [0.05, 0.25, 0.7]],
}
NO_MEMORY = {"permanent": {"coefficient": 0.0}, "transient": {"coefficient": 0.0}, "fees": {"per_share": 0.0}}
FEATURES = [
    {"name": "inventory", "bins": 21},
    {"name": "spread", "edges": [0.0004, 0.001]},
    {"name": "volume", "edges": [600.0, 2500.0]},
]
LOTS = {"set": "lots", "levels": [float(j) for j in range(21)]}


def markov(known="after", **changes):
    base = {
        "order": {"shares": 2000, "lot": 100, "steps": 20},
        "market": {"price": {"volatility": 0.0005}, "spread": SPREAD, "volume": {**VOLUME, "known": known}},
        "costs": NO_MEMORY,
        "strategies": [{"model": "twap"}, {"name": "learned", "model": "qtable", "train": "a"}, {"model": "optimum"}],
        "train": {"a": {"features": FEATURES, "actions": LOTS, "batch": 32_768, "rounds": 4}},
    }
    return small_study(**base | changes)


def almgren_chriss(lots, risk_aversion):
    """ORACLES 1: a million shares in 5 steps, costs linear, no spread."""
    return StudyModel.model_validate(
        {
            "order": {"shares": 1e6, "lot": 1e6 / lots, "steps": 5},
            "market": {
                "initial_price": 50.0,
                "price": {"model": "arithmetic", "volatility": 0.95},
                "spread": {"model": "constant", "initial": 0.0},
                "volume": {"model": "constant", "mean": 5e6},
            },
            "costs": {
                "temporary": {"model": "linear", "fixed": 0.0625, "coefficient": 2.5e-6},
                "permanent": {"coefficient": 2.5e-7, "own": 0.0},
            },
            "strategies": [{"model": "qtable", "train": "a"}],
            "train": {
                "a": {
                    "batch": 64,
                    "rounds": 1,
                    "risk_aversion": risk_aversion,
                    "features": [{"name": "inventory", "bins": lots + 1}],
                    "actions": {"set": "lots", "levels": [float(j) for j in range(lots + 1)]},
                }
            },
        }
    )


#: ORACLES 1: lots, risk aversion, cost of the integer programme in currency.
ORACLES = [(4, 0.0, 781_250), (4, 1e-6, 1_360_156.25), (10, 0.0, 662_500), (10, 1e-6, 1_299_475), (20, 0.0, 662_500),
           (20, 1e-6, 1_276_793.75)]  # fmt: skip

"""Prints one SHA-256 over the results of small studies that together touch every kernel stage.

Run as a script in another light (JIT off, bounds check, generic CPU, other lane width, other threads): the line must not
change. It imports nothing of pytest and reads nothing but the package.
"""

from __future__ import annotations

import atexit
import hashlib
import shutil
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from fastexec.analysis.networks import Network
from fastexec.models.study import StudyModel
from fastexec.results import Results
from fastexec.simulation import prepare

LOG_RANGE = {"low": 0.0005, "high": 0.002, "scale": "log"}
STRATEGIES = [
    {"model": "twap"},
    {"model": "vwap"},
    {"model": "pov", "rate": 0.2},
    {"model": "almgren_chriss", "risk_aversion": 1e-4},
    {"model": "static_optimum", "risk_aversion": 1e-4},
    {"model": "obizhaeva_wang"},
    {"model": "random"},
    {"model": "random", "name": "lots", "actions": {"set": "lots", "levels": [0, 50, 200]}},
    {"model": "immediate"},
]
STUDIES: dict[str, dict[str, Any]] = {
    "lognormal": {
        "order": {"side": "buy", "shares": {"low": 500, "high": 3000}, "steps": 10},
        "market": {
            "price": {"volatility": LOG_RANGE, "diurnal": [2.0, 1.0, 1.5]},
            "spread": {"mean": 0.0004, "floor": 0.0001, "diurnal": [1.5, 1.0]},
            "volume": {"mean": 1000.0, "curve": [2.0, 1.0, 1.5]},
            "correlation": {
                "price_volume": 0.2,
                "volume_absolute_return": 0.3,
                "spread_volume": -0.2,
                "price_spread": 0.1,
                "spread_absolute_return": {"low": 0.0, "high": 0.3},
            },
        },
        "costs": {"permanent": {"coefficient": 1e-5}, "transient": {"coefficient": 1e-4, "exponent": 0.7}},
    },
    "walk": {
        "order": {"shares": 1000, "steps": 8, "at_horizon": "mark", "mark_penalty": 0.01, "lot": 10},
        "market": {
            "price": {"volatility": 0.002, "start": "moved", "drift": 1e-5},
            "spread": {"model": "random_walk", "initial": 0.0003, "volatility": 0.0002},
            "volume": {"model": "cosine", "mean": 300.0, "amplitude": -0.8, "noise": 150.0, "known": "during"},
        },
        "costs": {"temporary": {"exponent": 0.5}, "transient": {"coefficient": 1e-4}},
    },
    "arithmetic": {
        "order": {"shares": 777.5, "steps": 7, "lot": 0, "at_horizon": "leave"},
        "market": {
            "price": {"model": "arithmetic", "volatility": 0.1},
            "spread": {"model": "constant", "initial": 0.0003},
            "volume": {"model": "constant", "mean": 500.0},
        },
        "costs": {"temporary": {"model": "linear", "fixed": 0.01, "coefficient": 1e-5}, "fees": {"per_share": 0.002}},
    },
    "chains": {
        "order": {"side": "buy", "shares": 900, "steps": 9},
        "market": {
            "spread": {
                "model": "markov",
                "levels": [0.0001, 0.0003, 0.0009],
                "transition": [[0.7, 0.3, 0.0], [0.2, 0.6, 0.2], [0.0, 0.5, 0.5]],
            },
            "volume": {
                "model": "markov",
                "levels": [0.0, 800.0],
                "transition": [[0.25, 0.75], [0.125, 0.875]],
                "initial": [0.0, 1.0],
            },
            "correlation": {"price_volume": 0.2, "spread_volume": {"low": -0.5, "high": 0.5}},
        },
    },
    "jumps": {
        "order": {"side": "sell", "shares": 600, "steps": 6},
        "market": {
            "price": {"start": "moved"},
            "jumps": {"rate": {"low": 0.0, "high": 1.0}, "mean": -0.01, "volatility": 0.02},
            "spread": {"model": "constant", "initial": 0.0003},
            "volume": {"model": "constant", "mean": 500.0},
        },
    },
}

STUDIES["varying"] = {
    "order": {"side": "buy", "shares": 800, "steps": 8},
    "market": {
        "price": {"volatility": 0.002, "start": "moved"},
        "volume": {"mean": 900.0},
        "variance": {"persistence": 0.8, "volatility": {"low": 0.3, "high": 0.9}},
    },
}
SEEDS = {
    "lognormal": 0,
    "walk": 1,
    "arithmetic": 2**64 - 1,
    "chains": 7,
    "jumps": 8,
    "quoted": 1,
    "varying": 9,
    "jumping": 10,
    "regimes": 11,
    "halts": 13,
    "noise": 1,
    "tradable": 14,
    "regimes_of_constants": 12,
    "signals": 15,
    "following": 16,
    "networks": 17,
}

STUDIES["jumping"] = STUDIES["arithmetic"] | {
    "market": STUDIES["arithmetic"]["market"] | {"jumps": {"rate": 0.2, "mean": -0.3, "volatility": 0.4}},
}
REGIMES = {
    "names": ["calm", "wild"], "transition": [[0.9, 0.1], [0.3, 0.7]], "volatility": [0.8, 2.0], "spread": [0.9, 1.5],
    "volume": [1.1, 0.6], "impact": [1.0, 1.4],
}  # fmt: skip
STUDIES["regimes"] = STUDIES["walk"] | {
    "market": STUDIES["walk"]["market"] | {"regimes": REGIMES, "variance": {"volatility": 0.5}},
    "costs": {"temporary": {"exponent": 0.6, "volatility_exponent": 0.7}},
}
STUDIES["regimes_of_constants"] = STUDIES["arithmetic"] | {
    "market": STUDIES["arithmetic"]["market"]
    | {"regimes": REGIMES, "spread": {"model": "constant", "initial": 0.0003, "volatility_exponent": 1.0}},
    "costs": {"temporary": {"exponent": 1.0}},
}
STUDIES["halts"] = STUDIES["lognormal"] | {
    "market": STUDIES["lognormal"]["market"] | {"halts": {"rate": 0.2, "length": {"low": 1.0, "high": 4.0}}},
}
STUDIES["noise"] = STUDIES["walk"] | {"market": STUDIES["walk"]["market"] | {"noise": {"sd": 0.001}}}
STUDIES["tradable"] = STUDIES["lognormal"] | {
    "market": STUDIES["lognormal"]["market"]
    | {
        "noise": {"sd": {"low": 0.0001, "high": 0.001}, "tradable": True},
        "halts": {"rate": 0.1},
        "variance": {"volatility": 0.4},
    },
}
STUDIES["signals"] = STUDIES["lognormal"] | {
    "market": STUDIES["lognormal"]["market"]
    | {
        "signals": [
            {"name": "a", "predicts": "move", "correlation": {"low": 0.1, "high": 0.3}, "persistence": 0.9},
            {"name": "b", "predicts": "volatility", "correlation": 0.2, "levels": 3},
            {"name": "c", "predicts": "volume", "correlation": -0.3, "persistence": {"low": 0.2, "high": 0.8}},
            {"name": "d", "predicts": "spread", "correlation": 0.3},
        ]
    },
}
STUDIES["following"] = STUDIES["signals"] | {
    "strategies": [
        {"model": "follow_signal", "risk_aversion": 1e-5},
        {"model": "follow_signal", "name": "told", "signals": ["a"]},
    ]
}
#: Of each network its layers' sizes, activation and mode; the last one trades a share of what is left.
NETWORKS = {
    "greedy": ([3, 9, 5], "tanh", "greedy"),
    "sampled": ([3, 8, 8, 8, 5], "relu", "sampled"),
    "share": ([3, 1], "tanh", "tanh"),
}
STUDIES["networks"] = STUDIES["walk"]
STUDIES["quoted"] = STUDIES["walk"] | {"order": STUDIES["walk"]["order"] | {"mark_price": "quote"}}


def study(name: str, episodes: int) -> StudyModel:
    """One of the studies, with every strategy."""
    strategies = networks() if name == "networks" else STRATEGIES
    return StudyModel.model_validate(
        {"seed": SEEDS[name], "episodes": episodes, "strategies": strategies, **STUDIES[name]}
    )


@cache
def networks() -> list[dict[str, Any]]:
    """Strategies that play networks of weights without chance, in files of this process."""
    folder = Path(tempfile.mkdtemp(prefix="fastexec-networks-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    scales = {"inventory": (0.5, 0.3), "time": (0.5, 0.3), "spread": (0.0004, 0.0002)}
    seen = [{"name": name, "mean": mean, "sd": sd} for name, (mean, sd) in scales.items()]
    for name, (sizes, activation, mode) in NETWORKS.items():
        layers = [
            (np.arange(j * k).reshape(k, j) * 37 % 29 / 14.0 - 1.0, np.arange(k) * 17 % 13 / 13.0 - 0.5)
            for j, k in zip(sizes, sizes[1:], strict=False)
        ]
        actions = "share" if sizes[-1] == 1 else {"set": "fractions", "levels": [0.0, 0.1, 0.3, 0.5, 1.0]}
        made = Network.from_layers(layers, observation=seen, actions=actions, activation=activation, mode=mode)
        made.save(folder / f"{name}.parquet")
    return [{"model": "network", "name": name, "agent": str(folder / f"{name}.parquet")} for name in NETWORKS]


def digest(results: Results) -> str:
    """SHA-256 over all columns; NaN in one form."""
    total = hashlib.sha256()
    for table in (results.markets, results.episodes):
        for name, column in table.items():
            values = np.ascontiguousarray(column)
            if values.dtype.kind == "f":
                values = np.where(np.isnan(values), np.nan, values)
            total.update(name.encode() + values.tobytes())
    return total.hexdigest()


def main(episodes: int) -> None:
    """Print the digest of each study."""
    for name in STUDIES:
        print(name, digest(prepare(study(name, episodes)).run(0, episodes)))


if __name__ == "__main__":
    main(int(sys.argv[1]))

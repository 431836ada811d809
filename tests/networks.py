"""Networks for the tests: seeded weights over a study's features, and what numpy says that they decide."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from fastexec.analysis.networks import Network

ACTIONS = {"set": "fractions", "levels": [0.0, 0.05, 0.1, 0.2, 0.4, 1.0]}
SEEN = ["inventory", "time", "spread", "volume"]


def layers_of(sizes, seed=3, gain=1.6):
    """As torch's Linear has them, of weights that decide by what is seen."""
    rng = np.random.default_rng(seed)
    return [
        (gain * rng.normal(size=(outputs, inputs)) / np.sqrt(inputs), 0.3 * rng.normal(size=outputs))
        for inputs, outputs in zip(sizes, sizes[1:], strict=False)
    ]


def network(study, hidden=(16, 16), seen=SEEN, actions=ACTIONS, seed=3, **more):
    """A network of a study's scales."""
    outputs = 1 if actions == "share" else len(actions["levels"])
    layers = layers_of((len(seen), *hidden, outputs), seed)
    return Network.from_layers(layers, observation=seen, actions=actions, study=study, **more)


def playing(study, path, **more):
    """The study with the network of a file beside a TWAP."""
    strategies = [{"model": "twap"}, {"name": "net", "model": "network", "agent": str(path), **more}]
    return study.changed({"strategies": strategies, "train": {}})


#: Of each mode what a network may do; it sees every feature that all studies have, and momentum as far back as there is.
NETWORKS: dict[str, Any] = {
    "greedy": {"set": "multiples", "levels": [0.0, 1.0, 6.0]},
    "sampled": {"set": "fractions", "levels": [0.0, 0.3, 1.0]},
    "tanh": "share",
}


def write_networks(folder: Path) -> None:
    """A network of each mode, three hidden layers of widths that are no multiples of 4."""
    names = (
        "inventory",
        "time",
        "spread",
        "relative_spread",
        "volume",
        "relative_volume",
        "volatility",
        "shortfall",
        "impact",
    )
    seen = [
        *({"name": name, "mean": 0.0, "sd": 1.0} for name in names),
        {"name": "momentum", "mean": 0.0, "sd": 1.0, "steps": 31},
    ]
    for mode, actions in NETWORKS.items():
        rng, sizes = np.random.default_rng(1), (len(seen), 5, 128, 7, 1 if actions == "share" else 3)
        layers = [(rng.normal(size=(b, a)), rng.normal(size=b)) for a, b in zip(sizes, sizes[1:], strict=False)]
        made = Network.from_layers(layers, observation=seen, actions=actions, mode=mode)
        made.save(folder / f"{mode}.parquet")

"""Networks for the tests: seeded weights over a study's features, and what numpy says that they decide."""

from __future__ import annotations

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

"""The part of the doors that is about networks: their arrays are what ``network.network`` takes them for."""

from __future__ import annotations

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels.door import F4, F8, I8, each_within, held, sizes, within
from fastexec.kernels.layers import RELU, size_of
from fastexec.kernels.network import CLIPPED, LAYERS, MODE, OBSERVED, SQUASHED, WEIGHTS_AT
from fastexec.kernels.observe import LAST_SIGNAL

_MOST_WEIGHTS = 1 << 40
#: The highest value of each field of a network, of a layer, of an observed feature.
_OF_NETWORK = np.array([_MOST_WEIGHTS, f.MOST_OBSERVED, f.MOST_LAYERS, RELU, SQUASHED], np.uint64)
_OF_LAYER = np.array([f.MOST_UNITS, f.MOST_UNITS], np.uint64)
_OF_FEATURE = np.array([LAST_SIGNAL, _MOST_WEIGHTS, _MOST_WEIGHTS, f.HISTORY - 1], np.uint64)


def check_networks(strategies: f.Strategies) -> None:
    """ValueError unless the networks' arrays fit each other and the strategies that play them."""
    slots, _ = sizes("strategies.networks", strategies.networks, 2)
    held("strategies.networks", strategies.networks, I8, slots, f.NETWORK_FIELDS)
    held("strategies.layers", strategies.layers, I8, slots, f.MOST_LAYERS, 2)
    held("strategies.observed", strategies.observed, I8, slots, f.MOST_OBSERVED, 4)
    held("strategies.scales", strategies.scales, F8, slots, f.MOST_OBSERVED, 2)
    held("strategies.weights", strategies.weights, F4, *sizes("strategies.weights", strategies.weights, 1))
    each_within("strategies.networks", strategies.networks, _OF_NETWORK)
    each_within("strategies.layers", strategies.layers, _OF_LAYER)
    each_within("strategies.observed", strategies.observed, _OF_FEATURE)
    for kind in strategies.kinds.tolist():
        if kind[f.KIND] == f.NETWORK:
            within("strategies.networks: number", slots, kind[f.SLOT] + 1)
            _check_one(kind, strategies)


def _check_one(kind: list[int], strategies: f.Strategies) -> None:
    """Layers follow each other from the features to the actions, and have their weights."""
    net = strategies.networks[kind[f.SLOT]].tolist()
    within("strategies.networks[LAYERS]", net[LAYERS], 1)
    layers = strategies.layers[kind[f.SLOT], : net[LAYERS]].tolist()
    outputs = 1 if net[MODE] in (CLIPPED, SQUASHED) else kind[f.LEVELS]
    size = size_of(layers, net[OBSERVED], outputs)
    within("strategies.networks[WEIGHTS_AT]", net[WEIGHTS_AT], 0, strategies.weights.size - size)

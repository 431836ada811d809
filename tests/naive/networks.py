"""A multilayer perceptron and what is decided by it, in plain numpy: the slow and obvious twin."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

ACTIVATIONS = {"tanh": np.tanh, "relu": lambda x: np.where(x < 0.0, 0.0, x)}


def forward(layers: Sequence[tuple[np.ndarray, np.ndarray]], activation: str, x: np.ndarray) -> list[np.ndarray]:
    """float64[unit, lane] of each layer, ``x`` first; the last one is linear."""
    found = [np.asarray(x, np.float64)]
    for number, (weights, bias) in enumerate(layers):
        y = np.asarray(weights, np.float64) @ found[-1] + np.asarray(bias, np.float64)[:, None]
        found.append(ACTIVATIONS[activation](y) if number < len(layers) - 1 else y)
    return found


def in_order(layers: Sequence[tuple[np.ndarray, np.ndarray]], x: np.ndarray) -> np.ndarray:
    """The last layer of a network of rectified units in float32, every sum as it is written: the bias, then input by input."""
    for number, (weights, bias) in enumerate(layers):
        y = np.repeat(bias[:, None].astype(np.float32), x.shape[1], axis=1)
        for k in range(weights.shape[1]):
            y = y + weights[:, k : k + 1].astype(np.float32) * x[k]
        x = np.where(y < 0, np.float32(0), y) if number < len(layers) - 1 else y
    return x


def chances(outputs: Sequence[float]) -> list[float]:
    """Of each output, by the exponentials."""
    e = np.exp(np.asarray(outputs, np.float64) - max(outputs))
    return list(e / e.sum())


def drawn(outputs: Sequence[float], word: int) -> int:
    """The output whose part of the whole line the word falls into; it has 24 bits."""
    sums = np.cumsum(chances(outputs))
    return int((sums[:-1] <= (word >> 8) / 2.0**24).sum())


def share(output: float, mode: str) -> float:
    """Of what is left."""
    return float(np.clip(output if mode == "clip" else 0.5 + 0.5 * np.tanh(output), 0.0, 1.0))

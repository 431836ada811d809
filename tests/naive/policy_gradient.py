"""Policy gradients in numpy, whole batches at once, in whichever type the arrays have: Schulman et al. (2016, 2017)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Layers = list[tuple[np.ndarray, np.ndarray]]


class Batch(NamedTuple):
    """[transition]: of ``inputs`` [transition, unit]."""

    inputs: np.ndarray
    actions: np.ndarray
    chances: np.ndarray
    advantages: np.ndarray
    effects: np.ndarray
    targets: np.ndarray


def up(units: int) -> int:
    return -(-units // 4) * 4


def unpack(flat: np.ndarray, layers: list[tuple[int, int]]) -> Layers:
    """W and bias of each layer, filled up to multiples of 4."""
    found, at = [], 0
    for inputs, outputs in layers:
        rows, columns = up(outputs), up(inputs)
        w = flat[at : at + rows * columns].reshape(rows, columns)
        found.append((w, flat[at + rows * columns : at + rows * (columns + 1)]))
        at += rows * (columns + 1)
    return found


def pack(layers: Layers) -> np.ndarray:
    return np.concatenate([part.ravel() for layer in layers for part in layer])


def forward(layers: Layers, relu: bool, x: np.ndarray) -> list[np.ndarray]:
    """The units of all layers."""
    units = [x]
    for number, (w, b) in enumerate(layers):
        y = units[-1] @ w.T + b
        if number < len(layers) - 1:
            y = np.maximum(y, 0) if relu else np.tanh(y)
        units.append(y)
    return units


def backward(layers: Layers, relu: bool, units: list[np.ndarray], g: np.ndarray) -> Layers:
    """Gradients of the weights from those of the last units, by the chain rule."""
    found = []
    for number in range(len(layers) - 1, -1, -1):
        x = units[number]
        found.append((g.T @ x, g.sum(axis=0)))
        if number > 0:
            g = (g @ layers[number][0]) * ((x > 0) if relu else 1 - x * x)
    return found[::-1]


def softmax(logits: np.ndarray) -> np.ndarray:
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def advantages(rewards: np.ndarray, values: np.ndarray, discount: float, trace: float) -> np.ndarray:
    """[t, e]; ``values`` [t + 1, e]. By the sum itself, term by term."""
    steps = len(rewards)
    deltas = rewards + discount * values[1:] - values[:-1]
    return np.array([sum((discount * trace) ** (k - t) * deltas[k] for k in range(t, steps)) for t in range(steps)])


def normalised(values: np.ndarray, effects: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation of those with an effect."""
    kept = values[effects > 0]
    return kept.mean(), kept.std()


def surrogate(chances: np.ndarray, batch: Batch, clip: float | None) -> np.ndarray:
    """Minus the clipped surrogate of each transition; without ``clip`` minus the advantage times the log-probability."""
    p = chances[np.arange(len(chances)), batch.actions.astype(int)]
    if clip is None:
        return -batch.advantages * batch.effects * np.log(p)
    ratio = p / batch.chances
    return -batch.effects * np.minimum(ratio * batch.advantages, np.clip(ratio, 1 - clip, 1 + clip) * batch.advantages)


def loss(policy: Layers, value: Layers, batch: Batch, rule: Any) -> float:
    """Mean over the transitions; ``rule``: relu, actions, clip, entropy, error."""
    chances = softmax(forward(policy, rule.relu, batch.inputs)[-1][:, : rule.actions])
    entropy = -(chances * np.log(chances)).sum(axis=1) * batch.effects
    miss = forward(value, rule.relu, batch.inputs)[-1][:, 0] - batch.targets
    return (surrogate(chances, batch, rule.clip) - rule.entropy * entropy + 0.5 * rule.error * miss * miss).mean()


def gradient(policy: Layers, value: Layers, batch: Batch, rule: Any) -> np.ndarray:
    """Of ``loss`` by all weights, the policy's first."""
    n, rows = batch.inputs.dtype.type(len(batch.inputs)), np.arange(len(batch.inputs))
    units = forward(policy, rule.relu, batch.inputs)
    chances, taken = softmax(units[-1][:, : rule.actions]), batch.actions.astype(int)
    hot = np.zeros_like(chances)
    hot[rows, taken] = 1
    weight = batch.advantages * batch.effects
    if rule.clip is not None:
        ratio = chances[rows, taken] / batch.chances
        beyond = np.where(weight > 0, ratio > 1 + rule.clip, ratio < 1 - rule.clip)
        weight = np.where(beyond, 0, weight * ratio).astype(weight.dtype)
    logs = np.log(chances)
    entropy = -(chances * logs).sum(axis=1, keepdims=True)
    g = np.zeros_like(units[-1])
    g[:, : rule.actions] = weight[:, None] * (chances - hot)
    g[:, : rule.actions] += rule.entropy * batch.effects[:, None] * chances * (logs + entropy)
    of_value = forward(value, rule.relu, batch.inputs)
    h = np.zeros_like(of_value[-1])
    h[:, 0] = rule.error * (of_value[-1][:, 0] - batch.targets)
    both = backward(policy, rule.relu, units, g / n), backward(value, rule.relu, of_value, h / n)
    return np.concatenate([pack(layers) for layers in both])


def clipped(gradient: np.ndarray, largest: float) -> np.ndarray:
    norm = float(np.sqrt((gradient.astype(float) ** 2).sum()))
    return gradient * gradient.dtype.type(min(1.0, largest / (norm + 1e-6)))


def adam(weights: np.ndarray, gradient: np.ndarray, state: dict[str, Any], rate: float) -> np.ndarray:
    """Kingma and Ba (2015), algorithm 1."""
    kind = weights.dtype.type
    state["n"] = state.get("n", 0) + 1
    state["m"] = kind(0.9) * state.get("m", 0 * weights) + kind(1 - kind(0.9)) * gradient
    state["v"] = kind(0.999) * state.get("v", 0 * weights) + kind(1 - kind(0.999)) * gradient**2
    m, v = state["m"] / kind(1 - 0.9 ** state["n"]), state["v"] / kind(1 - 0.999 ** state["n"])
    return weights - kind(rate) * m / (np.sqrt(v) + kind(1e-5))


def rmsprop(weights: np.ndarray, gradient: np.ndarray, state: dict[str, Any], rate: float) -> np.ndarray:
    kind = weights.dtype.type
    state["v"] = kind(0.99) * state.get("v", 0 * weights) + kind(1 - kind(0.99)) * gradient**2
    return weights - kind(rate) * gradient / (np.sqrt(state["v"]) + kind(1e-5))

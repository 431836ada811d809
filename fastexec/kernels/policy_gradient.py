"""The gradient of a policy and of its value on a minibatch of leaves: PPO's clipped surrogate (Schulman, Wolski, Dhariwal,
Radford, Klimov 2017, equation 7) or the plain policy gradient (A2C), an entropy bonus, and squared errors of the value.

The ratio of the new chance of an action to its old one needs no logarithm, nor does the entropy's gradient: with l the outputs,
dH/dl_a = -p_a ((l_a - max l) - sum_b p_b (l_b - max l)).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastexec.kernels._jit import LANES, entry, inlined, stage
from fastexec.kernels.door import F4, F8, I8, all_within, held, sizes, within
from fastexec.kernels.fields import MOST_LEVELS
from fastexec.kernels.gradients import LEAF, PARTIALS, PIECES, USED, backward, sum_partials
from fastexec.kernels.layers import TANH, forward, padded, weights_in, whole_tiles
from fastexec.kernels.softmax import CHANCES, TOP, find_chances
from fastexec.kernels.transitions import check_transitions, transitions_for

_F0, _F1 = np.float32(0.0), np.float32(1.0)
#: Behind the chances: the chance of what was done, the mean output, the pull on its logarithm, and sums over the steps.
CHANCE, MEAN, PULL, SURROGATE, ERROR, CUT = range(CHANCES * LANES, (CHANCES + 6) * LANES, LANES)
WORK_ROWS = CHANCES + 6
LOSSES = 3


class Networks(NamedTuple):
    """A policy and a value network: ``weights`` float32, the policy's first; ``policy`` and ``value`` int64[n, (inputs,
    outputs)]; ``activation`` of ``layers``.
    """

    weights: np.ndarray
    policy: np.ndarray
    value: np.ndarray
    activation: int


class Objective(NamedTuple):
    """``plain``: 1 for the plain policy gradient, 0 for the surrogate clipped at 1 +- ``clip``; ``entropy`` and ``error``:
    weights of the bonus and of the value's half squared error; ``mean`` and ``over_sd`` of the batch's advantages; ``share``:
    one over the minibatch's transitions.
    """

    plain: int
    clip: np.float32
    entropy: np.float32
    error: np.float32
    mean: np.float32
    over_sd: np.float32
    share: np.float32


class Work(NamedTuple):
    """Of one thread, float32: a network's ``units``, ``signals`` to go back by, ``lanes`` of the loss, partial ``sums``."""

    units: np.ndarray
    signals: np.ndarray
    lanes: np.ndarray
    sums: np.ndarray


def size_of(layers: np.ndarray) -> int:
    """The number of weights of a network, padding included."""
    return weights_in(layers.tolist())


def work_for(networks: Networks) -> Work:
    """Lane buffers for one thread."""
    return Work(*(np.zeros(size, np.float32) for size in buffer_sizes(networks)))


def buffer_sizes(networks: Networks) -> tuple[int, int, int, int]:
    """The sizes of a ``Work``."""
    both = networks.policy.tolist(), networks.value.tolist()
    units = max(whole_tiles(layers[0][0]) + sum(whole_tiles(outputs) for _, outputs in layers) for layers in both)
    widest = max(whole_tiles(one) for layers in both for pair in layers for one in pair)
    return units * LANES, 2 * widest * LANES, WORK_ROWS * LANES, networks.weights.size * PARTIALS


def _example():
    layers, one = np.ones((1, 2), np.int64), np.zeros(1, np.float32)
    half = np.float32(0.5)
    return (
        Networks(one, layers, layers, TANH), transitions_for(LEAF, 1, 4), Objective(0, half, half, half, half, half, half),
        np.zeros(1, np.int64), (0, 1), np.zeros((1, 1), np.float32), np.zeros((1, LOSSES)), Work(one, one, one, one),
    )  # fmt: skip


def check_networks(name: str, networks: Networks, inputs: int) -> None:
    """ValueError unless the layers fit each other, the weights and so many units of inputs."""
    for part in ("policy", "value"):
        layers = getattr(networks, part)
        held(f"{name}.{part}", layers, I8, sizes(f"{name}.{part}", layers, 2)[0], 2)
        within(f"{name}.{part}: layers", layers.shape[0], 1)
        all_within(f"{name}.{part}", layers, 1, 1024)
        within(f"{name}.{part}: inputs", whole_tiles(int(layers[0, 0])), inputs, inputs)
        if (layers[1:, 0] != layers[:-1, 1]).any():
            raise ValueError(f"{name}.{part}: a layer has other inputs than the one before has outputs")
    within(f"{name}.policy: actions", int(networks.policy[-1, 1]), 1, MOST_LEVELS)
    within(f"{name}.value: outputs", int(networks.value[-1, 1]), 1, 1)
    held(f"{name}.weights", networks.weights, F4, size_of(networks.policy) + size_of(networks.value))


def _door(networks, record, objective, leaves, part, gradients, losses, work):
    rows, _, inputs = check_transitions("record", record)
    check_networks("networks", networks, inputs)
    size = networks.weights.size
    held("leaves", leaves, I8, *sizes("leaves", leaves, 1))
    all_within("leaves", leaves, 0, rows // PIECES - 1)
    within("part: low", part[0], 0, part[1])
    within("part: high", part[1], 0, leaves.size)
    for name, size_of_one in zip(Work._fields, buffer_sizes(networks), strict=True):
        held(f"work.{name}", getattr(work, name), F4, size_of_one)
    held("gradients", gradients, F4, leaves.size, size)
    held("losses", losses, F8, leaves.size, LOSSES)


@entry(_example, _door, references=False)
def find_gradients(networks, record, objective, leaves, part, gradients, losses, work):
    """Of the minibatch's ``leaves``, those numbered ``part`` (low, high): of each the gradient of all weights, and sums over
    its transitions of the policy's loss, of the half squared error of the value, and of the decisions that were clipped.
    """
    middle = weights_of(networks.policy)
    for j in range(part[0], part[1]):
        work.sums[:] = _F0
        work.lanes[SURROGATE:] = _F0
        for t in range(record.inputs.shape[1]):
            for r in range(leaves[j] * PIECES, (leaves[j] + 1) * PIECES):
                add_policy(networks, record, objective, r, t, work)
                add_value(networks, record, objective, r, t, work)
        sum_partials(networks.policy, work.sums[: middle * PARTIALS], gradients[j, :middle])
        sum_partials(networks.value, work.sums[middle * PARTIALS :], gradients[j, middle:])
        for k in range(LOSSES):
            losses[j, k] = 0.0
            for i in range(USED):
                losses[j, k] += np.float64(work.lanes[SURROGATE + k * LANES + i])


@inlined
def weights_of(layers):
    """The number of weights of a network."""
    count = 0
    for n in range(layers.shape[0]):
        count += padded(layers[n, 1]) * (padded(layers[n, 0]) + 1)
    return count


@stage
def observe_again(x, units):
    """The observation as a network's first units."""
    for i in range(x.shape[0]):
        units[i] = x[i]


@stage
def add_policy(networks, record, objective, r, t, work):
    """Step t of a block to the gradient of the policy."""
    layers, middle = networks.policy, weights_of(networks.policy)
    actions = layers[layers.shape[0] - 1, 1]
    weights, sums = networks.weights[:middle], work.sums[: middle * PARTIALS]
    observe_again(record.inputs[r, t], work.units)
    last = forward(weights, layers, networks.activation, work.units)
    logits = work.units[last * LANES : (last + padded(actions)) * LANES]
    find_chances(actions, logits, work.lanes)
    pull_on_choice(objective, record, (r, t), actions, logits, work.lanes)
    pull_on_outputs(objective, record, (r, t), actions, logits, work.lanes, work.signals)
    backward(weights, layers, networks.activation, work.units, work.signals, sums)


@stage
def pull_on_choice(objective, record, place, actions, logits, lanes):
    """How much more probable what was done should become: minus the derivative of the loss by the logarithm of its chance."""
    r, t = place
    taken, before = record.actions[r, t], record.chances[r, t]
    advantages, effects = record.advantages[r, t], record.effects[r, t]
    chance, pull = lanes[CHANCE : CHANCE + LANES], lanes[PULL : PULL + LANES]
    surrogate, cut = lanes[SURROGATE : SURROGATE + LANES], lanes[CUT : CUT + LANES]
    find_taken(actions, taken, logits, lanes)
    low, high = _F1 - objective.clip, _F1 + objective.clip
    for i in range(LANES):
        better = (advantages[i] - objective.mean) * objective.over_sd * effects[i]
        ratio = _F1 if objective.plain else chance[i] / before[i]
        beyond = ratio > high if better > _F0 else ratio < low
        beyond = beyond and better != _F0 and not objective.plain
        held = min(max(ratio, low), high)
        pull[i] = _F0 if beyond else objective.share * (better * ratio)
        surrogate[i] -= better * held if beyond else better * ratio
        cut[i] += _F1 if beyond else _F0


@stage
def find_taken(actions, taken, logits, lanes):
    """The chance of what was done, and the mean output over its maximum; in two loops, since LLVM compares few pointers."""
    top, chance, mean = lanes[TOP : TOP + LANES], lanes[CHANCE : CHANCE + LANES], lanes[MEAN : MEAN + LANES]
    for i in range(LANES):
        chance[i] = _F0
        mean[i] = _F0
    for a in range(actions):
        row, p, number = logits[a * LANES : (a + 1) * LANES], lanes[a * LANES : (a + 1) * LANES], np.float32(a)
        for i in range(LANES):
            chance[i] = p[i] if taken[i] == number else chance[i]
        for i in range(LANES):
            mean[i] += p[i] * (row[i] - top[i])


@stage
def pull_on_outputs(objective, record, place, actions, logits, lanes, signals):
    """Gradients of the outputs, 0 of the units that fill up the last four."""
    r, t = place
    taken, effects = record.actions[r, t], record.effects[r, t]
    top, mean, pull = lanes[TOP : TOP + LANES], lanes[MEAN : MEAN + LANES], lanes[PULL : PULL + LANES]
    heat = objective.entropy * objective.share
    for a in range(actions):
        row, p, number = logits[a * LANES : (a + 1) * LANES], lanes[a * LANES : (a + 1) * LANES], np.float32(a)
        signal = signals[a * LANES : (a + 1) * LANES]
        for i in range(LANES):
            hot = pull[i] if taken[i] == number else _F0
            spread = heat * effects[i] * ((row[i] - top[i]) - mean[i])
            signal[i] = p[i] * (pull[i] + spread) - hot
    for i in range(actions * LANES, padded(actions) * LANES):
        signals[i] = _F0


@stage
def add_value(networks, record, objective, r, t, work):
    """Step t of a block to the gradient of the value, whose target is what was expected and the advantage."""
    middle = weights_of(networks.policy)
    weights, sums = networks.weights[middle:], work.sums[middle * PARTIALS :]
    observe_again(record.inputs[r, t], work.units)
    last = forward(weights, networks.value, networks.activation, work.units)
    value, values, advantages = (
        work.units[last * LANES : (last + 1) * LANES],
        record.values[r, t],
        record.advantages[r, t],
    )
    pull_on_value(objective.error * objective.share, value, values, advantages, work.lanes, work.signals)
    backward(weights, networks.value, networks.activation, work.units, work.signals, sums)


@stage
def pull_on_value(weight, value, values, advantages, lanes, signals):
    """Gradients of the value's output."""
    error = lanes[ERROR : ERROR + LANES]
    for i in range(LANES):
        miss = value[i] - (values[i] + advantages[i])
        signals[i] = weight * miss
        error[i] += np.float32(0.5) * (miss * miss)
    for i in range(LANES, 4 * LANES):
        signals[i] = _F0

"""Decide by a network: what is observed, evaluated in lanes, is an action (the greatest output, or one drawn by their
exponentials) or a share of what is left.

An output that is no number (weights so large that a sum overflows) makes a slice that is none, which ends the run in one line.
"""

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, bound, entry, stage
from fastexec.kernels.door import F4, I8, held, sizes, within
from fastexec.kernels.elementary import exp32
from fastexec.kernels.layers import RELU, TANH, forward, padded, size_of, tanh
from fastexec.kernels.observation import observe_scaled
from fastexec.kernels.philox import OF_NETWORK, draw_words
from fastexec.kernels.strategy import round_down, take_actions

#: Of a network, in ``Strategies.networks``: where its weights begin, how many features it observes, its layers (rows of
#: ``Strategies.layers``), its hidden activation, and how its outputs become a decision.
(WEIGHTS_AT, OBSERVED, LAYERS, ACTIVATION, MODE) = range(5)
#: The greatest output; one drawn; a share of the rest, what lies beyond 0 and 1 at these ends, or (1 + tanh) / 2 of the output.
GREEDY, SAMPLED, CLIPPED, SQUASHED = range(4)
_F0, _F1, _HALF = np.float32(0.0), np.float32(1.0), np.float32(0.5)
_2_24 = np.float32(5.9604644775390625e-08)


@bound
@stage
def network(clock, k, plan, strategies, lanes, b):
    """What a network makes of its observation, as a slice."""
    p, m, a, kind = lanes.parameters, lanes.market, lanes.activations, strategies.kinds[k]
    slot, lot = kind[f.SLOT], plan.numbers[f.LOT]
    net = strategies.networks[slot]
    features, scales = strategies.observed[slot, : net[OBSERVED]], strategies.scales[slot, : net[OBSERVED]]
    observe_scaled(clock, features, scales, kind[f.SEES_VOLUME], p, m, b, a)
    layers = strategies.layers[slot, : net[LAYERS]]
    first = forward(strategies.weights[net[WEIGHTS_AT] :], layers, net[ACTIVATION], a)
    outputs = layers[net[LAYERS] - 1, 1]
    y = a[first * LANES : (first + outputs) * LANES]
    spare = a[(first + padded(outputs)) * LANES : (first + padded(outputs) + 2) * LANES]
    mark_faults(y, spare)
    if net[MODE] == CLIPPED or net[MODE] == SQUASHED:
        take_share(net[MODE], y, b)
        round_down(lot, b)
    else:
        find_greatest(y, spare, b)
        if net[MODE] == SAMPLED:
            stream = np.uint32(plan.switches[f.PHASE] << 30 | OF_NETWORK << 24 | kind[f.OWNER])
            draw_words(clock.seed, clock.block, clock.t, stream, lanes.words)
            draw_output(lanes.words, y, spare, b)
        take_actions(strategies, k, lot, clock.steps, p, m, b)
    spoil(spare, m, b)


@stage
def mark_faults(y, spare):
    """0 into the second row of ``spare`` where every output is finite, else what is no number."""
    marks = spare[LANES : 2 * LANES]
    for i in range(LANES):
        marks[i] = _F0
    for j in range(y.shape[0] // LANES):
        o = y[j * LANES : (j + 1) * LANES]
        for i in range(LANES):
            marks[i] += o[i] - o[i]


@stage
def spoil(spare, m, b):
    """Nobody trades in a step without volume; the slice of a lane whose outputs are no numbers is none, there too."""
    marks = spare[LANES : 2 * LANES]
    for i in range(LANES):
        q = b[f.SLICE + i] if m[f.VOLUME + i] > 0.0 else 0.0
        b[f.SLICE + i] = q + np.float64(marks[i])


@stage
def find_greatest(y, spare, b):
    """The number of the greatest output into field VALUE, of equal ones the first; the output itself into ``spare``."""
    best = spare[:LANES]
    for i in range(LANES):
        best[i] = y[i]
        b[f.VALUE + i] = 0.0
    for j in range(1, y.shape[0] // LANES):
        o, number = y[j * LANES : (j + 1) * LANES], np.float64(j)
        for i in range(LANES):
            greater = o[i] > best[i]
            b[f.VALUE + i] = number if greater else b[f.VALUE + i]
            best[i] = o[i] if greater else best[i]


@stage
def draw_output(words, y, spare, b):
    """An output's number into field VALUE, drawn by their exponentials (softmax) from the first word: the first whose sum
    with those before it lies above the word's share of the whole. ``spare`` holds the greatest output.
    """
    total, outputs = spare[:LANES], y.shape[0] // LANES
    for j in range(outputs):
        o = y[j * LANES : (j + 1) * LANES]
        for i in range(LANES):
            o[i] = exp32(o[i] - total[i])
    for i in range(LANES):
        total[i] = y[i]
    for j in range(1, outputs):
        o = y[j * LANES : (j + 1) * LANES]
        for i in range(LANES):
            o[i] = total[i] + o[i]
            total[i] = o[i]
    for i in range(LANES):
        total[i] = total[i] * (np.float32(np.int32(words[f.FIRST + i] >> np.uint32(8))) * _2_24)
        b[f.VALUE + i] = 0.0
    for j in range(outputs - 1):
        o = y[j * LANES : (j + 1) * LANES]
        for i in range(LANES):
            b[f.VALUE + i] += 1.0 if o[i] <= total[i] else 0.0


@stage
def take_share(mode, y, b):
    """The output as a share of what is left."""
    if mode == SQUASHED:
        for i in range(LANES):
            y[i] = _HALF + _HALF * tanh(y[i])
    for i in range(LANES):
        share = _F0 if y[i] < _F0 else y[i]
        share = _F1 if share > _F1 else share
        b[f.SLICE + i] = np.float64(share) * b[f.REMAINING + i]


def _evaluate_door(weights, layers, activation, x, y):
    count, inputs = sizes("x", x, 2)
    _, outputs = sizes("y", y, 2)
    held("layers", layers, I8, *sizes("layers", layers, 2)[:1], 2)
    within("layers: number", layers.shape[0], 1, f.MOST_LAYERS)
    within("activation", activation, TANH, RELU)
    held("weights", weights, F4, size_of(layers.tolist(), inputs, outputs))
    held("x", x, F4, count, inputs)
    held("y", y, F4, count, outputs)


@entry("void(float32[::1], int64[:, ::1], int64, float32[:, ::1], float32[:, ::1])", _evaluate_door)
def evaluate_network(weights, layers, activation, x, y):
    """The outputs ``y`` float32[n, outputs] of observations ``x`` float32[n, inputs], already scaled: the bits that the lanes
    have.
    """
    inputs, outputs = layers[0, 0], layers[layers.shape[0] - 1, 1]
    units = padded(inputs)
    for j in range(layers.shape[0]):
        units += padded(layers[j, 1])
    a = np.zeros(units * LANES, np.float32)
    for start in range(0, x.shape[0], LANES):
        count = min(LANES, x.shape[0] - start)
        for k in range(inputs):
            for i in range(count):
                a[k * LANES + i] = x[start + i, k]
        first = forward(weights, layers, activation, a)
        for j in range(outputs):
            for i in range(count):
                y[start + i, j] = a[(first + j) * LANES + i]

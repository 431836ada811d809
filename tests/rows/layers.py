"""Layers of networks in lanes."""

from __future__ import annotations

import numpy as np

from fastexec.kernels import layers as net
from naive import networks as twin
from trials import Plain, W, arrays

F4 = np.float32
ACTIVATIONS = {net.TANH: "tanh", net.RELU: "relu"}
#: Of sums of float32 beside sums of float64.
CLOSE = {"rtol": 2e-5, "atol": 2e-5}


def four(count):
    return count + -count % 4


def flat(layers):
    """As the kernels take them."""
    parts = []
    for weights, bias in layers:
        outputs, inputs = weights.shape
        wide = np.zeros((four(outputs), four(inputs)), F4)
        wide[:outputs, :inputs] = weights
        parts += [wide.ravel(), np.pad(bias, (0, four(outputs) - outputs)).astype(F4)]
    return np.concatenate(parts)


def some_layers(rng, sizes):
    return [
        (
            rng.normal(size=(outputs, inputs)).astype(F4) / np.sqrt(inputs).astype(F4),
            rng.normal(size=outputs).astype(F4),
        )
        for inputs, outputs in zip(sizes, sizes[1:], strict=False)
    ]


def some_network(rng):
    """Weights, layers, activation, and activations in which only the inputs stand."""
    sizes = rng.integers(1, 10, rng.integers(2, 6))
    layers = some_layers(rng, sizes)
    a = np.full(sum(map(four, sizes)) * W, np.nan, F4)
    a[: four(sizes[0]) * W] = 0.0
    a[: sizes[0] * W] = rng.normal(size=sizes[0] * W)
    return flat(layers), np.array(list(zip(sizes, sizes[1:], strict=False))), int(rng.integers(2)), a


def unpacked(weights, layers):
    found, at = [], 0
    for inputs, outputs in layers.tolist():
        size = four(inputs) * four(outputs)
        wide = weights[at : at + size].reshape(four(outputs), four(inputs))
        found.append((wide[:outputs, :inputs], weights[at + size : at + size + outputs]))
        at += size + four(outputs)
    return found


def forward(weights, layers, activation, a):
    inputs = layers[0, 0]
    units = twin.forward(unpacked(weights, layers), ACTIVATIONS[activation], a[: inputs * W].reshape(inputs, W))
    at = 0
    for values in units:
        first, at = at, at + four(len(values))
        a[first * W : at * W] = 0.0
        a[first * W : (first + len(values)) * W] = values.ravel()
    return first


def each_lane_by_itself(call, weights, layers, activation, a):
    """Lanes turned round give outputs turned round, to the last bit; a last layer twice as large gives twice the outputs."""
    turned, large, plain = a.reshape(-1, W)[:, ::-1].ravel().copy(), a.copy(), a.copy()
    first = call(weights, layers, activation, plain)
    call(weights, layers, activation, turned)
    np.testing.assert_array_equal(turned.reshape(-1, W)[:, ::-1], plain.reshape(-1, W))
    last = four(int(layers[-1, 1])) * (four(int(layers[-1, 0])) + 1)
    double = weights.copy()
    double[-last:] *= 2
    call(double, layers, activation, large)
    np.testing.assert_array_equal(large[first * W :], 2 * plain[first * W :])


def some_layer(rng):
    inputs, outputs = 4 * rng.integers(1, 4, 2)
    weights = rng.normal(size=outputs * (inputs + 1)).astype(F4)
    return weights, int(inputs), int(outputs), rng.normal(size=inputs * W).astype(F4), np.full(outputs * W, np.nan, F4)


def forward_layer(weights, inputs, outputs, x, y):
    matrix, bias = weights[: inputs * outputs].reshape(outputs, inputs), weights[inputs * outputs :]
    y[:] = twin.in_order([(matrix, bias)], x.reshape(inputs, W)).ravel()


def nothing_but_the_bias(call, weights, inputs, outputs, x, y):
    call(weights, inputs, outputs, np.zeros_like(x), y)
    np.testing.assert_array_equal(y.reshape(outputs, W), np.repeat(weights[-outputs:, None], W, axis=1))


def start_tile(bias, o):
    o[:] = np.repeat(bias, W)


def every_lane_alike(call, bias, o):
    call(bias, o)
    assert (np.ptp(o.reshape(4, W), axis=1) == 0).all()


def add_tile(w, inputs, x, o):
    for j in range(4):
        for k in range(4):
            o[j * W : (j + 1) * W] += w[j * inputs + k] * x[k * W : (k + 1) * W]


def nothing_of_nothing(call, w, inputs, x, o):
    before = o.copy()
    call(w, inputs, np.zeros_like(x), o)
    np.testing.assert_array_equal(o, before)


def some_tile(rng):
    inputs = 4 * int(rng.integers(1, 5))
    w = rng.normal(size=3 * inputs + 4).astype(F4)
    return w, inputs, rng.normal(size=4 * W).astype(F4), rng.normal(size=4 * W).astype(F4)


def activate(activation, a):
    with np.errstate(invalid="ignore"):
        a[:] = twin.ACTIVATIONS[ACTIVATIONS[activation]](a.astype(np.float64))


def bounded_and_odd(call, activation, a):
    other = -a
    call(activation, a)
    call(activation, other)
    if activation == net.TANH:
        np.testing.assert_array_equal(other, -a)
        assert np.nanmax(np.abs(a)) <= 1.0
    else:
        assert (np.minimum(a, other)[~np.isnan(a)] == 0).all()


def some_activations(rng):
    a = (rng.normal(size=4 * W) * 10.0 ** rng.uniform(-6, 1.5, 4 * W)).astype(F4)
    a[:5] = np.nan, np.inf, -np.inf, 0.0, -0.0
    return int(rng.integers(2)), a


ROWS = (
    Plain("layers.forward", forward, arrays(some_network), each_lane_by_itself, **CLOSE),
    Plain("layers.forward_layer", forward_layer, arrays(some_layer), nothing_but_the_bias, rtol=0.0),
    Plain("layers.start_tile", start_tile,
          arrays(lambda rng: (rng.normal(size=4).astype(F4), np.full(4 * W, np.nan, F4))), every_lane_alike, rtol=0.0),
    Plain("layers.add_tile", add_tile, arrays(some_tile), nothing_of_nothing, rtol=0.0),
    Plain("layers.activate", activate, arrays(some_activations), bounded_and_odd, rtol=2.5e-7),
)  # fmt: skip

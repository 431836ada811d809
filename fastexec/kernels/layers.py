"""Networks in lanes: layers of a multilayer perceptron over the lanes of a block, float32, every sum in one fixed order.

Weights are one flat array. Of each layer W, rows of outputs (output j and input k at ``j * inputs4 + k``), then the bias
(``outputs4``): ``inputs4`` and ``outputs4`` are the counts rounded up to multiples of 4, and what was added is exactly 0.
Activations are one flat array too, unit j of lane i at ``a[j * LANES + i]``.

A layer goes in tiles of 4 outputs x 4 inputs, one view for the four outputs and one for the four inputs, with constant
offsets inside: with a view a row LLVM gives up on proving that they do not overlap, and 16 weights, 4 inputs and 4 outputs are
what 32 registers hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from fastexec.kernels._jit import LANES, chained, inlined, stage
from fastexec.kernels.door import within
from fastexec.kernels.tables import MOST_UNITS

TANH, RELU = 0, 1
_F0, _F1, _END, _ONE_FROM = np.float32(0.0), np.float32(1.0), np.float32(9.011), np.float32(9.0)


def whole_tiles(units: Any) -> Any:
    """Units rounded up to a multiple of 4."""
    return (units + 3) // 4 * 4


#: The same for kernels.
padded = inlined(whole_tiles)


def weights_in(layers: Iterable[Sequence[int]]) -> int:
    """How many weights and biases layers of (inputs, outputs) have, padded."""
    return sum(whole_tiles(outputs) * (whole_tiles(inputs) + 1) for inputs, outputs in layers)


@inlined
def tanh(x):
    """The hyperbolic tangent in float32 within 6 units in the last place, odd, of modulus at most 1; no number of none.

    x P(x^2) / Q(x^2), a minimax fit of the relative error (2e-8); beyond 9 it is 1.
    """
    x = _END if x > _END else x
    x = -_END if x < -_END else x
    z = x * x
    p = np.float32(1.3335407009285859e-08)
    p = p * z + np.float32(2.059526209598677e-05)
    p = p * z + np.float32(0.0034947506294194007)
    p = p * z + np.float32(0.13380321036207757)
    p = p * z + np.float32(0.9999999792544326)
    q = np.float32(7.768701800779088e-07)
    q = q * z + np.float32(0.00032842636948036367)
    q = q * z + np.float32(0.025873797877928494)
    q = q * z + np.float32(0.4671363645086117)
    q = q * z + _F1
    y = (x * p) / q
    y = _F1 if (y > _F1) | (x > _ONE_FROM) else y
    return -_F1 if (y < -_F1) | (x < -_ONE_FROM) else y


def units_of(strategies):
    """Units that the largest of the networks of ``Strategies`` needs: of its inputs and of each layer, padded, and four to
    spare; 0 where there is none.
    """
    counts = whole_tiles(strategies.layers)
    return max((int(one[0, 0] + one[:, 1].sum()) + 4 for one in counts), default=0)


def size_of(layers, inputs, outputs):
    """As ``weights_in``; ValueError unless they follow each other from ``inputs`` to ``outputs``, with at least a unit each."""
    width = inputs
    for wide, high in layers:
        within("layers: inputs", wide, max(width, 1), width)
        within("layers: outputs", high, 1, MOST_UNITS)
        width = high
    within("layers: outputs of the last", width, outputs, outputs)
    return weights_in(layers)


@chained
def activate(activation, a):
    """The hidden activation of every unit in ``a``, in place; what is no number stays none."""
    if activation == RELU:
        for i in range(a.shape[0]):
            a[i] = _F0 if a[i] < _F0 else a[i]
    else:
        for i in range(a.shape[0]):
            a[i] = tanh(a[i])


@stage
def forward_layer(weights, inputs, outputs, x, y):
    """y_j = bias_j + sum_k W_jk x_k of each lane, k rising; ``inputs`` and ``outputs`` are multiples of 4."""
    for j in range(0, outputs, 4):
        o = y[j * LANES : (j + 4) * LANES]
        start_tile(weights[outputs * inputs + j : outputs * inputs + j + 4], o)
        for k in range(0, inputs, 4):
            row = j * inputs + k
            add_tile(weights[row : row + 3 * inputs + 4], inputs, x[k * LANES : (k + 4) * LANES], o)


@stage
def start_tile(bias, o):
    """Four outputs at their bias."""
    b0, b1, b2, b3 = bias[0], bias[1], bias[2], bias[3]
    for i in range(LANES):
        o[i] = b0
        o[LANES + i] = b1
        o[2 * LANES + i] = b2
        o[3 * LANES + i] = b3


@stage
def add_tile(w, inputs, x, o):
    """To four outputs what four inputs add, one after the other; rows of ``w`` lie ``inputs`` apart."""
    w00, w01, w02, w03 = w[0], w[1], w[2], w[3]
    w10, w11, w12, w13 = w[inputs], w[inputs + 1], w[inputs + 2], w[inputs + 3]
    w20, w21, w22, w23 = w[2 * inputs], w[2 * inputs + 1], w[2 * inputs + 2], w[2 * inputs + 3]
    w30, w31, w32, w33 = w[3 * inputs], w[3 * inputs + 1], w[3 * inputs + 2], w[3 * inputs + 3]
    for i in range(LANES):
        x0, x1, x2, x3 = x[i], x[LANES + i], x[2 * LANES + i], x[3 * LANES + i]
        o[i] = (((o[i] + w00 * x0) + w01 * x1) + w02 * x2) + w03 * x3
        o[LANES + i] = (((o[LANES + i] + w10 * x0) + w11 * x1) + w12 * x2) + w13 * x3
        o[2 * LANES + i] = (((o[2 * LANES + i] + w20 * x0) + w21 * x1) + w22 * x2) + w23 * x3
        o[3 * LANES + i] = (((o[3 * LANES + i] + w30 * x0) + w31 * x1) + w32 * x2) + w33 * x3


@stage
def forward(weights, layers, activation, a):
    """All layers of a network: the inputs are the first units of ``a``, behind them lie those of each layer in turn (of the
    last one without activation). Returns the number of the first unit of the last layer. ``layers``: int64[n, (inputs,
    outputs)], not padded.
    """
    start, read = 0, 0
    for n in range(layers.shape[0]):
        inputs, outputs = padded(layers[n, 0]), padded(layers[n, 1])
        write = read + inputs
        x, y = a[read * LANES : write * LANES], a[write * LANES : (write + outputs) * LANES]
        forward_layer(weights[start : start + outputs * (inputs + 1)], inputs, outputs, x, y)
        if n < layers.shape[0] - 1:
            activate(activation, y)
        start += outputs * (inputs + 1)
        read = write
    return read

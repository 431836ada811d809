"""Backward through the layers of a network in lanes: gradients of what goes in, and of the weights, float32, in fixed orders.

A gradient of weights is a sum over lanes, which strict order forbids to vectorise. So each weight has ``PARTIALS`` sums, lane i
adding to the one numbered i modulo ``PARTIALS``, step after step; they lie tile by tile (4 outputs x 4 inputs), and one loop
over them, with the groups of lanes unrolled in it, keeps all 16 weights of a tile in registers. With 8 partial sums the loop is
shorter than a vector and stays scalar (46 to 51 G multiply-adds a second against 2 to 6).

Sums go over leaves of ``LEAF`` episodes, whatever the lane width: a narrower block is a part of a leaf, of a wider one only the
first lanes are episodes. The leaf's size belongs to the result: a constant of its own.
"""

import numpy as np

from fastexec.kernels._jit import LANES, inlined, stage
from fastexec.kernels.layers import RELU, padded

#: Episodes whose gradients are summed before leaves are merged, in order.
LEAF = 128
PARTIALS = 16
#: Lanes of a block that are episodes of one leaf, and how many blocks make a leaf.
USED = min(LANES, LEAF)
PIECES = LEAF // USED
_TILE = 16 * PARTIALS
_F0, _F1 = np.float32(0.0), np.float32(1.0)


@stage
def backward(weights, layers, activation, a, signals, sums):
    """Add the gradients of a block's weights to their partial ``sums``, PARTIALS for each weight.

    ``a``: the units of all layers as ``layers.forward`` left them; ``signals``: gradients of the units of the last layer, in
    whose place those of its inputs are left, and as much again to work in.
    """
    start, read, half = 0, 0, signals.shape[0] // 2
    for n in range(layers.shape[0]):
        start += padded(layers[n, 1]) * (padded(layers[n, 0]) + 1)
        read += padded(layers[n, 0])
    here, there = signals[:half], signals[half:]
    for n in range(layers.shape[0] - 1, -1, -1):
        inputs, outputs = padded(layers[n, 0]), padded(layers[n, 1])
        start -= outputs * (inputs + 1)
        x = a[(read - inputs) * LANES : read * LANES]
        g = here[: outputs * LANES]
        add_gradients(inputs, outputs, x, g, sums[start * PARTIALS : (start + outputs * (inputs + 1)) * PARTIALS])
        if n > 0:
            pull_back(weights[start : start + outputs * inputs], inputs, outputs, g, there[: inputs * LANES])
            through_activation(activation, x, there[: inputs * LANES])
        here, there = there, here
        read -= inputs


@stage
def add_gradients(inputs, outputs, x, g, sums):
    """Of one layer: those of W in tiles of 4 x 4 rising, behind them those of the bias."""
    for j in range(0, outputs, 4):
        for k in range(0, inputs, 4):
            tile = (j * inputs + 4 * k) * PARTIALS
            add_products(g[j * LANES : (j + 4) * LANES], x[k * LANES : (k + 4) * LANES], sums[tile : tile + _TILE])
    for j in range(outputs):
        bias = (outputs * inputs + j) * PARTIALS
        add_lanes(g[j * LANES : (j + 1) * LANES], sums[bias : bias + PARTIALS])


@stage
def add_products(g, x, sums):
    """To the partial sums of a tile the products of 4 gradients and 4 inputs, sum (c, k) at ``(4 c + k) * PARTIALS``."""
    for i in range(PARTIALS):
        s = partials_of(i, sums)
        s = with_four(i, g, x, s)
        if USED > 4 * PARTIALS:
            s = with_four(4 * PARTIALS + i, g, x, s)
        keep_partials(i, s, sums)


@inlined
def partials_of(i, sums):
    """The i-th partial sum of each weight of a tile."""
    return (
        (sums[i], sums[16 + i], sums[32 + i], sums[48 + i]),
        (sums[64 + i], sums[80 + i], sums[96 + i], sums[112 + i]),
        (sums[128 + i], sums[144 + i], sums[160 + i], sums[176 + i]),
        (sums[192 + i], sums[208 + i], sums[224 + i], sums[240 + i]),
    )


@inlined
def keep_partials(i, s, sums):
    """The same back in their places."""
    sums[i], sums[16 + i], sums[32 + i], sums[48 + i] = s[0]
    sums[64 + i], sums[80 + i], sums[96 + i], sums[112 + i] = s[1]
    sums[128 + i], sums[144 + i], sums[160 + i], sums[176 + i] = s[2]
    sums[192 + i], sums[208 + i], sums[224 + i], sums[240 + i] = s[3]


@inlined
def with_four(i, g, x, s):
    """Partial sums with what four lanes add, one after the other."""
    s = with_lane(i, g, x, s)
    s = with_lane(PARTIALS + i, g, x, s)
    s = with_lane(2 * PARTIALS + i, g, x, s)
    return with_lane(3 * PARTIALS + i, g, x, s)


@inlined
def with_lane(i, g, x, s):
    """Partial sums with the products of one lane."""
    x4 = x[i], x[LANES + i], x[2 * LANES + i], x[3 * LANES + i]
    return (
        with_row(g[i], x4, s[0]),
        with_row(g[LANES + i], x4, s[1]),
        with_row(g[2 * LANES + i], x4, s[2]),
        with_row(g[3 * LANES + i], x4, s[3]),
    )


@inlined
def with_row(g, x, s):
    """The four of one output."""
    return s[0] + g * x[0], s[1] + g * x[1], s[2] + g * x[2], s[3] + g * x[3]


@stage
def add_lanes(g, sums):
    """To the partial sums of a bias the gradients of its unit."""
    for i in range(PARTIALS):
        s = ((sums[i] + g[i]) + g[PARTIALS + i]) + g[2 * PARTIALS + i] + g[3 * PARTIALS + i]
        if USED > 4 * PARTIALS:
            s = ((s + g[4 * PARTIALS + i]) + g[5 * PARTIALS + i]) + g[6 * PARTIALS + i] + g[7 * PARTIALS + i]
        sums[i] = s


@stage
def pull_back(w, inputs, outputs, g, back):
    """Gradients of a layer's inputs: back_k = sum_j W_jk g_j of each lane, j rising."""
    for k in range(0, inputs, 4):
        o = back[k * LANES : (k + 4) * LANES]
        for i in range(4 * LANES):
            o[i] = _F0
        for j in range(0, outputs, 4):
            at = j * inputs + k
            pull_tile(w[at : at + 3 * inputs + 4], inputs, g[j * LANES : (j + 4) * LANES], o)


@stage
def pull_tile(w, inputs, g, o):
    """To four inputs what four outputs pull back, one after the other; rows of ``w`` lie ``inputs`` apart."""
    w00, w01, w02, w03 = w[0], w[1], w[2], w[3]
    w10, w11, w12, w13 = w[inputs], w[inputs + 1], w[inputs + 2], w[inputs + 3]
    w20, w21, w22, w23 = w[2 * inputs], w[2 * inputs + 1], w[2 * inputs + 2], w[2 * inputs + 3]
    w30, w31, w32, w33 = w[3 * inputs], w[3 * inputs + 1], w[3 * inputs + 2], w[3 * inputs + 3]
    for i in range(LANES):
        g0, g1, g2, g3 = g[i], g[LANES + i], g[2 * LANES + i], g[3 * LANES + i]
        o[i] = (((o[i] + w00 * g0) + w10 * g1) + w20 * g2) + w30 * g3
        o[LANES + i] = (((o[LANES + i] + w01 * g0) + w11 * g1) + w21 * g2) + w31 * g3
        o[2 * LANES + i] = (((o[2 * LANES + i] + w02 * g0) + w12 * g1) + w22 * g2) + w32 * g3
        o[3 * LANES + i] = (((o[3 * LANES + i] + w03 * g0) + w13 * g1) + w23 * g2) + w33 * g3


@stage
def through_activation(activation, h, g):
    """Gradients of hidden units from those of what they became, ``h``: tanh' = 1 - tanh^2."""
    if activation == RELU:
        for i in range(g.shape[0]):
            g[i] = g[i] if h[i] > _F0 else _F0
    else:
        for i in range(g.shape[0]):
            g[i] = g[i] * (_F1 - h[i] * h[i])


@stage
def sum_partials(layers, sums, gradient):
    """The gradient of every weight, in the order of the weights: its partial sums in pairs, and pairs of pairs."""
    start = 0
    for n in range(layers.shape[0]):
        inputs, outputs = padded(layers[n, 0]), padded(layers[n, 1])
        for j in range(outputs):
            for k in range(inputs):
                tile = start + j // 4 * 4 * inputs + k // 4 * 16
                at = (tile + j % 4 * 4 + k % 4) * PARTIALS
                gradient[start + j * inputs + k] = sum_of_16(sums[at : at + PARTIALS])
        for j in range(outputs):
            bias = start + outputs * inputs + j
            gradient[bias] = sum_of_16(sums[bias * PARTIALS : (bias + 1) * PARTIALS])
        start += outputs * (inputs + 1)


@inlined
def sum_of_16(s):
    """In pairs."""
    low = ((s[0] + s[8]) + (s[4] + s[12])) + ((s[2] + s[10]) + (s[6] + s[14]))
    return low + (((s[1] + s[9]) + (s[5] + s[13])) + ((s[3] + s[11]) + (s[7] + s[15])))

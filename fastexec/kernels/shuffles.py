"""What chance does in the training of a network, beside its episodes: the first weights, and which leaves learn together."""

from __future__ import annotations

import numpy as np

from fastexec.kernels._jit import entry
from fastexec.kernels.door import F4, I8, held, sizes, within
from fastexec.kernels.elementary import radius, sine_cosine
from fastexec.kernels.philox import philox

_LOW, _32 = np.uint64(0xFFFFFFFF), np.uint64(32)
_NUMBERS = 1 << 32


def _normals_door(seed, stream, network, normals):
    within("stream", stream, 0, _NUMBERS - 1)
    within("network", network, 0, _NUMBERS - 1)
    (size,) = sizes("normals", normals, 1)
    within("normals: number", size, 0, _NUMBERS)
    held("normals", normals, F4, size // 2 * 2)


@entry("void(uint64, int64, int64, float32[::1])", _normals_door, references=False)
def draw_normals(seed, stream, network, normals):
    """Standard normals, an even number of them, in pairs by Box and Muller (1958): of a ``network`` by its number."""
    k0, k1 = np.uint32(np.uint64(seed) & _LOW), np.uint32(np.uint64(seed) >> _32)
    c2, c3 = np.uint32(network), np.uint32(stream)
    for j in range(normals.shape[0] // 2):
        w0, w1, _, _ = philox(np.uint32(j), np.uint32(0), c2, c3, k0, k1)
        r = radius(w0)
        sine, cosine = sine_cosine(w1)
        normals[2 * j] = r * cosine
        normals[2 * j + 1] = r * sine


def _leaves_door(seed, stream, network, update, leaves):
    within("stream", stream, 0, _NUMBERS - 1)
    within("network", network, 0, _NUMBERS - 1)
    within("update", update, 0, _NUMBERS - 1)
    (size,) = sizes("leaves", leaves, 1)
    within("leaves: number", size, 0, _NUMBERS - 1)
    held("leaves", leaves, I8, size)


@entry("void(uint64, int64, int64, int64, int64[::1])", _leaves_door, references=False)
def shuffle_leaves(seed, stream, network, update, leaves):
    """0, 1, 2, ... into ``leaves``, in an order by chance (Durstenfeld 1964), of a pass by its number."""
    k0, k1 = np.uint32(np.uint64(seed) & _LOW), np.uint32(np.uint64(seed) >> _32)
    c1, c2, c3 = np.uint32(update), np.uint32(network), np.uint32(stream)
    for j in range(leaves.shape[0]):
        word, _, _, _ = philox(np.uint32(j), c1, c2, c3, k0, k1)
        other = np.int64((np.uint64(word) * np.uint64(j + 1)) >> _32)
        leaves[j] = leaves[other]
        leaves[other] = j

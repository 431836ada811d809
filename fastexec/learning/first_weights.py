"""The weights that a network begins with: orthogonal rows (Saxe, McClelland, Ganguli 2014), its biases 0 but for a wish."""

from __future__ import annotations

import numpy as np

from fastexec.exact import plain_sum
from fastexec.kernels.philox import OF_WEIGHTS, TRAINING, stream
from fastexec.kernels.policy_gradient import size_of
from fastexec.kernels.shuffles import draw_normals

#: What the rows of hidden layers, of the policy's last and of the value's last layer are long.
HIDDEN, POLICY, VALUE = 1.4142135623730951, 0.01, 1.0


def layers_of(inputs: int, hidden: tuple[int, ...], outputs: int) -> np.ndarray:
    """int64[n, (inputs, outputs)]."""
    units = (inputs, *hidden, outputs)
    return np.array(list(zip(units[:-1], units[1:], strict=True)), np.int64)


def first_weights(layers: np.ndarray, last: float, bias: np.ndarray, seed: int, owner: int, network: int) -> np.ndarray:
    """Of a network, by its number; ``last``: how long the rows of its last layer are, ``bias`` that layer's. float32."""
    size = int((layers[:, 0] * layers[:, 1]).sum())
    normals = np.empty(size + size % 2, np.float32)
    draw_normals(np.uint64(seed), stream(TRAINING, OF_WEIGHTS, owner), network, normals)
    weights, at, drawn = np.zeros(size_of(layers), np.float32), 0, 0
    for number, (inputs, outputs) in enumerate(layers.tolist()):
        ends = number == len(layers) - 1
        raw = normals[drawn : drawn + inputs * outputs].astype(np.float64).reshape(outputs, inputs)
        columns, rows = -(-inputs // 4) * 4, -(-outputs // 4) * 4
        w = weights[at : at + rows * columns].reshape(rows, columns)
        w[:outputs, :inputs] = orthogonal(raw) * (last if ends else HIDDEN)
        if ends:
            weights[at + rows * columns :][:outputs] = bias
        at, drawn = at + rows * (columns + 1), drawn + inputs * outputs
    return weights


def orthogonal(rows: np.ndarray) -> np.ndarray:
    """Rows at right angles to each other and of length 1 (columns, where there are fewer of them): Gram and Schmidt's, twice
    over, in plain sums.
    """
    if rows.shape[0] > rows.shape[1]:
        return orthogonal(np.ascontiguousarray(rows.T)).T
    found = np.empty_like(rows)
    for j, row in enumerate(rows):
        for _ in range(2):
            for k in range(j):
                row = row - plain_sum(row * found[k]) * found[k]
        found[j] = row / np.sqrt(plain_sum(row * row))
    return found

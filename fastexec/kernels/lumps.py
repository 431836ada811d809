"""Random lumpy schedules: starts of the search for a static schedule where costs have several minima."""

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, entry
from fastexec.kernels.door import F8, held, sizes, within
from fastexec.kernels.elementary import power
from fastexec.kernels.philox import draw_words

_SEED = np.uint64(2000)  # of its own: the starts are the same for every study
_LUMPY = 6.0


def _door(starts):
    _, steps = sizes("starts", starts, 2)
    within("starts: steps", steps, 1)
    held("starts", starts, F8, *starts.shape)


@entry("void(float64[:, ::1])", _door)
def draw_lumps(starts):
    """Fill ``starts`` with positive slices that add up to 1 in each row, few of them large."""
    words = np.empty(4 * LANES, np.uint32)
    for r in range(starts.shape[0]):
        total = 0.0
        for t in range(starts.shape[1]):
            if t % LANES == 0:
                draw_words(_SEED, t // LANES, r, np.uint32(0), words)
            u = (np.float64(words[f.FIRST + t % LANES]) + 0.5) * 2.3283064365386963e-10
            starts[r, t] = power(u, _LUMPY)
            total += starts[r, t]
        for t in range(starts.shape[1]):
            starts[r, t] /= total

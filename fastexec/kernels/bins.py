"""The bins of observed features, and the integer code of the state that they make (mixed radix).

The loop over the few edges is outside and the one over the lanes inside (0.6 ns a lane for 4 edges; a search within a lane
takes 3 to 5).
"""

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, stage
from fastexec.kernels.observe import INVENTORY, observe_feature


@stage
def encode(strategies, k, clock, p, m, b):
    """The state of each lane at the start of the step into field STATE."""
    for i in range(LANES):
        b[f.STATE + i] = 0.0
        b[f.OUTSIDE + i] = 0.0
    for j in range(strategies.kinds[k, f.FEATURES]):
        feature, edges = strategies.features[k, j], strategies.edges[k, j]
        stride = np.float64(feature[f.STRIDE])
        observe_feature(clock, feature, strategies.kinds[k, f.SEES_VOLUME], p, m, b)
        if strategies.kinds[k, f.COUNTS_UNSEEN] and clock.t > 0:  # in the first step some tell nothing yet
            note_outside(edges[f.LOWEST], edges[f.HIGHEST], b)
        if feature[f.FEATURE] == INVENTORY:
            cut_evenly(stride, np.float64(feature[f.BINS] - 1), b)
        else:
            for e in range(0, feature[f.BINS] - 1, 4):
                add_four(stride, edges[e : e + 4], b)


@stage
def note_outside(lowest, highest, b):
    """Whether a value lies outside what a training saw of the feature, into field OUTSIDE, which keeps what it holds."""
    for i in range(LANES):
        value, outside = b[f.VALUE + i], b[f.OUTSIDE + i]
        b[f.OUTSIDE + i] = 1.0 if value < lowest or value > highest else outside


@stage
def cut_evenly(stride, top, b):
    """To the state, the stride times the nearest of the whole numbers 0 to ``top`` that a value between 0 and 1 stands for."""
    for i in range(LANES):
        b[f.STATE + i] += stride * np.floor(b[f.VALUE + i] * top + 0.5)


@stage
def add_four(stride, edges, b):
    """To the state, the stride for each of four edges that the value lies above; behind a feature's last edge stands inf.

    Four at once: the state is read and written once for them. 35 edges take 3.1 ns a lane (`python3 scripts/bench.py`).
    """
    for i in range(LANES):
        value, above = b[f.VALUE + i], b[f.STATE + i]
        above += stride if value > edges[0] else 0.0
        above += stride if value > edges[1] else 0.0
        above += stride if value > edges[2] else 0.0
        above += stride if value > edges[3] else 0.0
        b[f.STATE + i] = above

"""Features of a block's lanes, their bins, and the integer code of the state they make (mixed radix).

A feature's value is written once for all lanes; then the loop over its few edges is outside and the one over the lanes
inside (0.6 ns a lane for 4 edges; a search within a lane takes 3 to 5). Nothing of the current step's move or, unless
the study says so, of its volume is in a value.
"""

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, stage


@stage
def encode(strategies, k, t, p, m, b):
    """The state of each lane at the start of step t into field STATE of the ledger."""
    for i in range(LANES):
        b[f.STATE + i] = 0.0
    for j in range(strategies.kinds[k, f.FEATURES]):
        feature, edges = strategies.features[k, j], strategies.edges[k, j]
        stride = np.float64(feature[f.STRIDE])
        if feature[f.FEATURE] == f.INVENTORY:
            top = np.float64(feature[f.BINS] - 1)
            for i in range(LANES):
                b[f.STATE + i] += stride * np.floor(b[f.REMAINING + i] / p[f.SHARES + i] * top + 0.5)
        else:
            measure(feature[f.FEATURE], feature[f.LOOK_BACK], strategies.kinds[k, f.SEES_VOLUME], t, p, m, b)
            for e in range(0, feature[f.BINS] - 1, 4):
                add_four(stride, edges[e : e + 4], b)


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


@stage
def measure(feature, look_back, sees_volume, t, p, m, b):
    """A feature's value for each lane into field VALUE of the ledger."""
    if feature == f.OF_SPREAD:
        for i in range(LANES):
            b[f.VALUE + i] = m[f.SPREAD + i]
    elif feature == f.OF_VOLUME:
        source = f.VOLUME if sees_volume else f.LAST_VOLUME
        for i in range(LANES):
            b[f.VALUE + i] = m[source + i]
    elif feature == f.RELATIVE_VOLUME:
        for i in range(LANES):
            now = m[f.VOLUME + i]
            before = m[f.CUMULATIVE_VOLUME + i] - now  # this step's is in the sum already
            mean = (before + now) / (t + 1) if sees_volume else before / max(t, 1)
            last = now if sees_volume else m[f.LAST_VOLUME + i]
            b[f.VALUE + i] = last / mean if mean > 0.0 else 1.0
    elif feature == f.MOMENTUM:
        then = f.MIDS + max(t - look_back, 0) % f.HISTORY * LANES
        for i in range(LANES):
            b[f.VALUE + i] = m[f.MID + i] / m[then + i] - 1.0
    elif feature == f.VOLATILITY_SO_FAR:
        for i in range(LANES):
            move = m[f.NEXT + i] / m[f.MID + i] - 1.0  # of this step: in the sum already, and not to be known
            b[f.VALUE + i] = np.sqrt(max(m[f.SUM_SQUARED_MOVES + i] - move * move, 0.0) / max(t, 1))
    elif feature == f.SHORTFALL_SO_FAR:
        for i in range(LANES):
            money = b[f.SUM_HALF_SPREAD + i] + b[f.SUM_TEMPORARY + i] + b[f.SUM_TRANSIENT + i]
            b[f.VALUE + i] = money / (p[f.SHARES + i] * m[f.ARRIVAL + i]) * 1e4
    else:
        for i in range(LANES):
            b[f.VALUE + i] = b[f.IMPACT + i] / m[f.ARRIVAL + i] * 1e4

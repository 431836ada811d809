"""Features of a block's lanes, their bins, and the integer code of the state they make (mixed radix).

A feature's value is written once for all lanes; then the loop over its few edges is outside and the one over the lanes
inside (0.6 ns a lane for 4 edges; a search within a lane takes 3 to 5). Nothing of the current step's move or, unless
the study says so, of its volume is in a value.
"""

from __future__ import annotations

import numpy as np

from fastexec.kernels._jit import LANES, stage
from fastexec.kernels.fields import (
    ARRIVAL,
    BINS,
    CUMULATIVE_VOLUME,
    FEATURE,
    FEATURES,
    HISTORY,
    IMPACT,
    INVENTORY,
    LAST_VOLUME,
    LOOK_BACK,
    MARKET_FIELDS,
    MID,
    MOMENTUM,
    NEXT,
    OF_SPREAD,
    OF_VOLUME,
    RELATIVE_VOLUME,
    REMAINING,
    SEES_VOLUME,
    SHARES,
    SHORTFALL_SO_FAR,
    SPREAD,
    STATE,
    STRIDE,
    SUM_HALF_SPREAD,
    SUM_SQUARED_MOVES,
    SUM_TEMPORARY,
    SUM_TRANSIENT,
    VALUE,
    VOLATILITY_SO_FAR,
    VOLUME,
)

_W = LANES


@stage
def encode(strategies, k, t, p, m, b):
    """The state of each lane at the start of step t into field STATE of the ledger."""
    for i in range(_W):
        b[STATE * _W + i] = 0.0
    for f in range(strategies.kinds[k, FEATURES]):
        feature, edges = strategies.features[k, f], strategies.edges[k, f]
        stride = np.float64(feature[STRIDE])
        if feature[FEATURE] == INVENTORY:
            top = np.float64(feature[BINS] - 1)
            for i in range(_W):
                b[STATE * _W + i] += stride * np.floor(b[REMAINING * _W + i] / p[SHARES * _W + i] * top + 0.5)
        else:
            measure(feature[FEATURE], feature[LOOK_BACK], strategies.kinds[k, SEES_VOLUME], t, p, m, b)
            for e in range(0, feature[BINS] - 1, 4):
                add_four(stride, edges[e : e + 4], b)


@stage
def add_four(stride, edges, b):
    """To the state, the stride for each of four edges that the value lies above; behind a feature's last edge stands inf.

    Four at once: the state is read and written once for them. 35 edges take 3.1 ns a lane (`python3 scripts/bench.py`).
    """
    for i in range(_W):
        value, above = b[VALUE * _W + i], b[STATE * _W + i]
        above += stride if value > edges[0] else 0.0
        above += stride if value > edges[1] else 0.0
        above += stride if value > edges[2] else 0.0
        above += stride if value > edges[3] else 0.0
        b[STATE * _W + i] = above


@stage
def measure(feature, look_back, sees_volume, t, p, m, b):
    """A feature's value for each lane into field VALUE of the ledger."""
    if feature == OF_SPREAD:
        for i in range(_W):
            b[VALUE * _W + i] = m[SPREAD * _W + i]
    elif feature == OF_VOLUME:
        source = VOLUME if sees_volume else LAST_VOLUME
        for i in range(_W):
            b[VALUE * _W + i] = m[source * _W + i]
    elif feature == RELATIVE_VOLUME:
        for i in range(_W):
            now = m[VOLUME * _W + i]
            before = m[CUMULATIVE_VOLUME * _W + i] - now  # this step's is in the sum already
            mean = (before + now) / (t + 1) if sees_volume else before / max(t, 1)
            last = now if sees_volume else m[LAST_VOLUME * _W + i]
            b[VALUE * _W + i] = last / mean if mean > 0.0 else 1.0
    elif feature == MOMENTUM:
        then = (MARKET_FIELDS + max(t - look_back, 0) % HISTORY) * _W
        for i in range(_W):
            b[VALUE * _W + i] = m[MID * _W + i] / m[then + i] - 1.0
    elif feature == VOLATILITY_SO_FAR:
        for i in range(_W):
            move = m[NEXT * _W + i] / m[MID * _W + i] - 1.0  # of this step: in the sum already, and not to be known
            b[VALUE * _W + i] = np.sqrt(max(m[SUM_SQUARED_MOVES * _W + i] - move * move, 0.0) / max(t, 1))
    elif feature == SHORTFALL_SO_FAR:
        for i in range(_W):
            money = b[SUM_HALF_SPREAD * _W + i] + b[SUM_TEMPORARY * _W + i] + b[SUM_TRANSIENT * _W + i]
            b[VALUE * _W + i] = money / (p[SHARES * _W + i] * m[ARRIVAL * _W + i]) * 1e4
    else:
        for i in range(_W):
            b[VALUE * _W + i] = b[IMPACT * _W + i] / m[ARRIVAL * _W + i] * 1e4

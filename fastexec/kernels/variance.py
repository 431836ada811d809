"""A volatility that changes: the logarithm of its factor is an AR(1), begun with its stationary law.

Volatility of step t = sigma exp(x_t - sd^2), x_t normal with sd ``sd``: the mean of its square stays sigma^2.
"""

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, bound, chained, stage
from fastexec.kernels.elementary import exp
from fastexec.kernels.philox import OF_VARIANCE, draw_ahead, waiting_for


@bound
@stage
def draw_for_variance(clock, switches, words, raw, m):
    """A normal for the volatility of step t + 1, in four fields from VARIANCE_NORMALS on."""
    draw_ahead(clock, np.uint32(switches[f.PHASE] << 30 | OF_VARIANCE << 24), f.VARIANCE_NORMALS, words, raw, m)


@bound
@chained
def begin_variance(p, m):
    """Of step 0; and once a block how fresh the state becomes in a step."""
    for i in range(LANES):
        sd, keep = p[f.VARIANCE_VOLATILITY + i], p[f.VARIANCE_PERSISTENCE + i]
        p[f.VARIANCE_FRESH + i] = sd * np.sqrt(1.0 - keep * keep)
        x = sd * m[f.VARIANCE_NORMALS + i]
        m[f.VARIANCE_STATE + i] = x
        m[f.VOLATILITY_FACTOR + i] = exp(x - sd * sd)


@bound
@chained
def vary(t, p, m):
    """Of step t + 1, behind the move of step t."""
    now = waiting_for(t, f.VARIANCE_NORMALS)
    z = m[now : now + LANES]  # a view: see ``ledger.book``
    for i in range(LANES):
        sd, keep = p[f.VARIANCE_VOLATILITY + i], p[f.VARIANCE_PERSISTENCE + i]
        x = keep * m[f.VARIANCE_STATE + i] + p[f.VARIANCE_FRESH + i] * z[i]
        m[f.VARIANCE_STATE + i] = x
        m[f.VOLATILITY_FACTOR + i] = exp(x - sd * sd)


#: What is called before the first step, and in each.
VARIANCE = (draw_for_variance, begin_variance), (draw_for_variance, vary)

"""What a strategy observes: the value of each feature for a block's lanes, before any bins.

The one definition of the features: the tables' states are binned from it, and the pilot that bins are cut by records it.
A value holds what is known when the step begins, no more: nothing of the current step's move or, unless the study says so,
of its volume.
"""

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, stage
from fastexec.kernels.ledger import cost_so_far

#: The features by number; ``models.features`` says what each is.
(INVENTORY, OF_SPREAD, OF_VOLUME, MOMENTUM, VOLATILITY_SO_FAR, SHORTFALL_SO_FAR, OWN_IMPACT, RELATIVE_VOLUME,
 RELATIVE_SPREAD, OF_REGIME, NOISE_SO_FAR, TIME) = range(12)  # fmt: skip
LAST_FEATURE = TIME
#: Behind them each signal, in their order.
OF_SIGNAL, LAST_SIGNAL = LAST_FEATURE + 1, LAST_FEATURE + f.MOST_SIGNALS


@stage
def observe_feature(clock, feature, sees, p, m, b):
    """The value of a ``feature`` (a row of ``Strategies.features``) for each lane into field VALUE; ``sees``: of its kind."""
    t, name = clock.t, feature[f.FEATURE]
    if name == INVENTORY:
        for i in range(LANES):
            b[f.VALUE + i] = b[f.REMAINING + i] / p[f.SHARES + i]
    elif name == OF_SPREAD or name == OF_REGIME or name >= OF_SIGNAL:
        signal = f.SIGNAL_0 + (name - OF_SIGNAL) * LANES
        known = f.SPREAD if name == OF_SPREAD else f.REGIME if name == OF_REGIME else signal
        values = m[known : known + LANES]
        for i in range(LANES):
            b[f.VALUE + i] = values[i]
    elif name == RELATIVE_SPREAD:
        for i in range(LANES):
            mean = m[f.SUM_SPREAD + i] / (t + 1)  # this step's is in the sum: it is quoted when the step begins
            b[f.VALUE + i] = m[f.SPREAD + i] / mean if mean > 0.0 else 1.0
    elif name == OF_VOLUME or name == RELATIVE_VOLUME:
        observe_volumes(t, name, sees, m, b)
    elif name == MOMENTUM:
        now, then = f.MIDS + t % f.HISTORY * LANES, f.MIDS + max(t - feature[f.LOOK_BACK], 0) % f.HISTORY * LANES
        for i in range(LANES):
            b[f.VALUE + i] = m[now + i] / m[then + i] - 1.0
    elif name == VOLATILITY_SO_FAR or name == NOISE_SO_FAR:
        observe_moves(t, name, sees & f.SEES_NOISE, m, b)
    elif name == SHORTFALL_SO_FAR:
        for i in range(LANES):
            b[f.VALUE + i] = cost_so_far(i, p, b) / (p[f.SHARES + i] * m[f.ARRIVAL + i]) * 1e4
    elif name == TIME:
        for i in range(LANES):
            b[f.VALUE + i] = t / clock.steps
    else:
        for i in range(LANES):
            b[f.VALUE + i] = b[f.IMPACT + i] / m[f.ARRIVAL + i] * 1e4


@stage
def observe_volumes(t, name, sees, m, b):
    """The last volume that is known, or that over the mean of those known; 1 where nothing was traded."""
    sees_volume, traded = sees & f.SEES_STEP, f.TRADED if sees & f.OF_PATHS else f.VOLUME
    if name == OF_VOLUME:
        source = traded if sees_volume else f.LAST_VOLUME
        for i in range(LANES):
            b[f.VALUE + i] = m[source + i]
    else:
        volumes = m[traded : traded + LANES]  # a view: see ``ledger.book``
        for i in range(LANES):
            now = volumes[i]
            before = m[f.CUMULATIVE_VOLUME + i] - now  # this step's is in the sum already
            mean = (before + now) / (t + 1) if sees_volume else before / max(t, 1)
            last = now if sees_volume else m[f.LAST_VOLUME + i]
            b[f.VALUE + i] = last / mean if mean > 0.0 else 1.0


@stage
def observe_moves(t, name, noisy, m, b):
    """What the moves so far tell: the root of their mean square; of the noise in them, by the covariance of one and the next
    (Roll 1984), which is minus its variance.
    """
    if name == NOISE_SO_FAR:
        for i in range(LANES):
            b[f.VALUE + i] = np.sqrt(max(-m[f.SEEN_PRODUCTS + i], 0.0) / max(t - 1, 1))
    elif noisy:
        for i in range(LANES):
            b[f.VALUE + i] = np.sqrt(m[f.SEEN_SQUARES + i] / max(t, 1))
    else:
        for i in range(LANES):
            move = m[f.NEXT + i] / m[f.MID + i] - 1.0  # of this step: in the sum already, and not to be known
            b[f.VALUE + i] = np.sqrt(max(m[f.SUM_SQUARED_MOVES + i] - move * move, 0.0) / max(t, 1))

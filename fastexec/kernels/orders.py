"""Own strategies of the second form: they see a block as rows, and write shares, level and venue of each lane's order."""

import numpy as np

from fastexec.kernels import fields as f, observe, own_rows as rows
from fastexec.kernels._bind import call_orders
from fastexec.kernels._jit import LANES, bound, bound_to, inlined, stage
from fastexec.kernels.buffers import example_output
from fastexec.kernels.strategy import note_fault, round_down

#: The level and the venue that a study presets: no other can be had yet.
PRESET_LEVEL, PRESET_VENUE = rows.CROSS, 0.0
#: What is wrong with an order, behind what is wrong with a slice.
BAD_LEVEL, BAD_VENUE = 3, 4
#: Rows that are features of agents: (row, number of the feature).
_FEATURES = np.array([
    (rows.INVENTORY, observe.INVENTORY), (rows.VOLATILITY, observe.VOLATILITY_SO_FAR),
    (rows.RELATIVE_SPREAD, observe.RELATIVE_SPREAD), (rows.RELATIVE_VOLUME, observe.RELATIVE_VOLUME),
    (rows.SHORTFALL, observe.SHORTFALL_SO_FAR), (rows.IMPACT, observe.OWN_IMPACT), (rows.REGIME, observe.OF_REGIME),
    (rows.NOISE, observe.NOISE_SO_FAR), *[(rows.SIGNAL + j, observe.OF_SIGNAL + j) for j in range(rows.MOST_SIGNALS)],
])  # fmt: skip
_AS_FEATURE = np.zeros((observe.LAST_SIGNAL + 1, 4), np.int64)
_AS_FEATURE[:, f.FEATURE] = np.arange(observe.LAST_SIGNAL + 1)


@bound
@stage
def own_orders(clock, k, strategies, functions, numbers, lanes):
    """What the user's function says."""
    kind, b, see = strategies.kinds[k], lanes.ledgers[k], lanes.see
    look(clock, kind, lanes.parameters, lanes.market, b, see)
    for i in range(LANES):
        b[f.SLICE + i] = 0.0
        b[f.LEVEL + i] = PRESET_LEVEL
        b[f.VENUE + i] = PRESET_VENUE
    views = (b[f.SLICE : f.SLICE + rows.ORDER_ROWS * LANES], see, strategies.levels[k])
    call_orders(functions[kind[f.SLOT]], views, clock.t, clock.steps)
    round_down(numbers[f.LOT], b)


@stage
def look(clock, kind, p, m, b, see):
    """Into the rows that the study has; the others hold NaN from the beginning."""
    mid = f.OBSERVED if kind[f.SEES_VOLUME] & f.SEES_NOISE else f.MID
    elapsed = clock.t / clock.steps
    show(rows.REMAINING, b[f.REMAINING : f.REMAINING + LANES], see)
    show(rows.MID, m[mid : mid + LANES], see)
    show(rows.SPREAD, m[f.SPREAD : f.SPREAD + LANES], see)
    show(rows.LAST_VOLUME, m[f.LAST_VOLUME : f.LAST_VOLUME + LANES], see)
    for i in range(LANES):
        see[rows.ELAPSED * LANES + i] = elapsed
        see[rows.RETURN * LANES + i] = see[rows.MID * LANES + i] / m[f.ARRIVAL + i] - 1.0
    sees = kind[f.SEES_VOLUME] & ~f.SEES_STEP  # the step's own volume stays unseen, as in the first form
    for j in range(_FEATURES.shape[0]):
        if kind[f.ROWS] >> _FEATURES[j, 0] & 1:
            observe.observe_feature(clock, _AS_FEATURE[_FEATURES[j, 1]], sees, p, m, b)
            show(_FEATURES[j, 0], b[f.VALUE : f.VALUE + LANES], see)


@inlined
def show(row, values, see):
    """A value of each lane."""
    for i in range(LANES):
        see[row * LANES + i] = values[i]


@bound_to(output=example_output)
@stage
def check_orders(clock, span, k, b, output):
    """Note the first order of the span's episodes at another level or venue than the preset."""
    for i in range(LANES):
        level, venue = b[f.LEVEL + i], b[f.VENUE + i]
        if level != PRESET_LEVEL or venue != PRESET_VENUE:
            bad_level = level != PRESET_LEVEL
            note_fault(i, (BAD_LEVEL, level) if bad_level else (BAD_VENUE, venue), clock, span, k, output.fault)

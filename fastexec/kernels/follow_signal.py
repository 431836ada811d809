"""Follow signals: a slice that is linear in what is left and in the signals, held between 0 and what is left."""

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, bound, stage


@bound
@stage
def follow_signal(t, kind, rules, switches, numbers, m, b):
    """The rule of step t; whole lots, the nearest. Nobody trades in a step without volume."""
    slot = kind[f.SLOT]
    of_rest, fixed = rules[slot, t, f.RULE_OF_REST], rules[slot, t, f.RULE_FIXED]
    for i in range(LANES):
        b[f.VALUE + i] = of_rest * b[f.REMAINING + i] + fixed
    for j in range(switches[f.SIGNALS]):
        weight = rules[slot, t, f.RULE_OF_SIGNAL + j]
        x = m[f.SIGNAL_0 + j * LANES : f.SIGNAL_0 + (j + 1) * LANES]  # a view: see ``ledger.book``
        for i in range(LANES):
            b[f.VALUE + i] += weight * x[i]
    keep_within(numbers[f.LOT], m, b)


@stage
def keep_within(lot, m, b):
    """What is wanted in field VALUE as a slice: the nearest whole lots between none and all that is left."""
    for i in range(LANES):
        wanted, left = b[f.VALUE + i], b[f.REMAINING + i]
        if lot > 0.0:
            wanted = lot * np.floor(wanted / lot + 0.5)
        # Whole lots nearer to the rest than half of one are the rest, which may differ from them in its last bit.
        held = left if wanted > left - 0.5 * lot else max(wanted, 0.0)
        b[f.SLICE + i] = held if m[f.VOLUME + i] > 0.0 else 0.0

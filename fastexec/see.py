"""Rows of ``see``, what an own strategy of the second form knows when a step begins.

``fastexec guide own-strategy`` has the list.

    see[fx.see.MID, i]              # the mid of episode i of the block
    see[fx.see.SIGNAL + 1, i]       # its second signal

What a study does not have is NaN there, and ``fastexec check`` says which rows these are.
"""

from fastexec.kernels.own_rows import (
    DEPTH_OTHER,
    DEPTH_OWN,
    ELAPSED,
    FORECAST,
    IMBALANCE,
    IMPACT,
    INVENTORY,
    LAST_VOLUME,
    MID,
    NOISE,
    QUEUE,
    REGIME,
    RELATIVE_SPREAD,
    RELATIVE_VOLUME,
    REMAINING,
    RETURN,
    SHORTFALL,
    SIGNAL,
    SPREAD,
    VOLATILITY,
)

__all__ = [
    "DEPTH_OTHER",
    "DEPTH_OWN",
    "ELAPSED",
    "FORECAST",
    "IMBALANCE",
    "IMPACT",
    "INVENTORY",
    "LAST_VOLUME",
    "MID",
    "NOISE",
    "QUEUE",
    "REGIME",
    "RELATIVE_SPREAD",
    "RELATIVE_VOLUME",
    "REMAINING",
    "RETURN",
    "SHORTFALL",
    "SIGNAL",
    "SPREAD",
    "VOLATILITY",
]

"""Rows of ``orders``, what an own strategy of the second form writes, and the level that crosses the spread.

LEVEL counts ticks behind one's own touch: 0 joins it, a negative number improves on it, CROSS crosses. LEVEL and VENUE are
preset to what the study says; another level or venue ends the run with a line that names it.
"""

from fastexec.kernels.own_rows import CROSS, LEVEL, SHARES, VENUE

__all__ = ["CROSS", "LEVEL", "SHARES", "VENUE"]

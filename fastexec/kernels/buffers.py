"""Memory for the rows that a simulation fills, and for the lane buffers of a block, aligned to pages of 4,096 bytes.

Where memory begins is luck otherwise, and the same kernel took 9.7 or 14 ns a step from one start of the process to the
next: a vector across two cache lines is read and written twice, and a read waits for an earlier write whose address agrees
with its own in the last twelve bits. With all buffers aligned alike, a lane's read agrees with the same lane's writes only.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES

_PAGE = 4096  # bytes


class Lanes(NamedTuple):
    """The buffers of a block: ``parameters``, ``market``, ``normals`` (three) float64[field + lane], ``words`` uint32 and
    ``raw`` float32 (four each), ``ledgers`` and ``rows`` float64[k, field + lane], ``see`` float64[row + lane]: what own
    strategies of the second form see, ``activations`` float32[unit + lane]: of a network; empty where there are none.
    """

    parameters: np.ndarray
    market: np.ndarray
    normals: np.ndarray
    words: np.ndarray
    raw: np.ndarray
    ledgers: np.ndarray
    rows: np.ndarray
    see: np.ndarray
    activations: np.ndarray


def lanes_for(strategies: int = 1, row_fields: int = f.PARTS, see_rows: int = 0, units: int = 0) -> Lanes:
    """Uninitialised buffers for one thread; ``row_fields``: fields of the buffer that the accounts are closed in; ``see_rows``:
    of what own strategies see, NaN; ``units``: of the largest network (``network.units_of``).
    """
    see = aligned(see_rows)
    see[:] = np.nan
    return Lanes(
        aligned(f.PARAMETER_FIELDS),
        aligned(f.MARKET_FIELDS),
        aligned(f.NORMAL_FIELDS),
        aligned(f.DRAW_FIELDS, np.uint32),
        aligned(f.DRAW_FIELDS, np.float32),
        aligned(strategies * f.LEDGER_FIELDS).reshape(strategies, f.LEDGER_FIELDS * LANES),
        aligned(strategies * row_fields).reshape(strategies, row_fields * LANES),
        see,
        aligned(units, np.float32),
    )


def aligned(fields: int, kind: type[np.generic] = np.float64) -> np.ndarray:
    """Uninitialised ``fields`` rows of a block, flat."""
    count = fields * LANES
    block = np.empty(count + _PAGE // np.dtype(kind).itemsize, kind)
    skip = -block.ctypes.data % _PAGE // block.itemsize
    return block[skip : skip + count]


def output_for(plan: f.Plan, strategies: f.Strategies, episodes: int, every_step: bool = False) -> f.Output:
    """Uninitialised rows for so many episodes, of the sizes that plan and strategies ask for."""
    steps = int(plan.switches[f.STEPS]) if every_step else 0
    columns = f.episode_rows(plan.switches), f.count_rows(strategies), f.step_rows(plan.switches)
    return _rows(plan.drawn.shape[0], strategies.kinds.shape[0], episodes, steps, columns)


def example_decided() -> f.DecidedOutput:
    """For types."""
    return f.DecidedOutput(*example_output(), np.empty((1, 1, 1)))


def example_output() -> f.Output:
    """For types."""
    return _rows(0, 1, 1, 1, (1, 1, 1))


def _rows(drawn: int, strategies: int, episodes: int, steps: int, columns: tuple[int, int, int]) -> f.Output:
    rows = episodes * strategies
    return f.Output(
        np.empty((len(f.MARKET_COLUMNS), episodes)),
        np.empty((drawn, episodes)),
        np.empty((columns[0], rows)),
        np.empty((columns[1], rows), np.int32),
        np.empty((columns[2], rows * steps)),
        np.full(5, -1, np.int64),
    )

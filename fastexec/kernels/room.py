"""Memory for the lane buffers of a block, begun on a border of 4,096 bytes.

Where memory begins is luck otherwise, and the same kernel took 9.7 or 14 ns a step from one start of the process to the
next: a vector across two cache lines is read and written twice, and a read waits for an earlier write whose address agrees
with its own in the last twelve bits. With all buffers begun alike, a lane's read agrees with the same lane's writes only.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastexec.kernels._jit import LANES, allocating
from fastexec.kernels.fields import LEDGER_FIELDS, MARKET_ROOM, PARAMETER_FIELDS

_W = LANES
_PAGE = 4096  # bytes


class Lanes(NamedTuple):
    """The buffers of a block: ``parameters``, ``market``, ``normals`` (three) float64[field * W + lane], ``words`` uint32 and
    ``raw`` float32 (four each), ``ledgers`` float64[k, field * W + lane].
    """

    parameters: np.ndarray
    market: np.ndarray
    normals: np.ndarray
    words: np.ndarray
    raw: np.ndarray
    ledgers: np.ndarray


@allocating
def lanes_for(strategies):
    """Uninitialised buffers."""
    ledgers = floats_for(strategies * LEDGER_FIELDS * _W).reshape((strategies, LEDGER_FIELDS * _W))
    market = floats_for(MARKET_ROOM * _W)
    return Lanes(
        floats_for(PARAMETER_FIELDS * _W), market, floats_for(3 * _W), words_for(4 * _W), raw_for(4 * _W), ledgers
    )


@allocating
def floats_for(count):
    """Uninitialised float64[count]."""
    block = np.empty(count + _PAGE // 8)
    skip = (_PAGE - np.int64(block.ctypes.data) % _PAGE) % _PAGE // 8
    return block[skip : skip + count]


@allocating
def words_for(count):
    """Uninitialised uint32[count]."""
    block = np.empty(count + _PAGE // 4, np.uint32)
    skip = (_PAGE - np.int64(block.ctypes.data) % _PAGE) % _PAGE // 4
    return block[skip : skip + count]


@allocating
def raw_for(count):
    """Uninitialised float32[count]: normals before they are correlated."""
    block = np.empty(count + _PAGE // 4, np.float32)
    skip = (_PAGE - np.int64(block.ctypes.data) % _PAGE) % _PAGE // 4
    return block[skip : skip + count]

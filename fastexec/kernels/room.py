"""Memory for the lane buffers of a block, begun on a border of 4,096 bytes.

Where memory begins is luck otherwise, and the same kernel took 9.7 or 14 ns a step from one start of the process to the
next: a vector across two cache lines is read and written twice, and a read waits for an earlier write whose address agrees
with its own in the last twelve bits. With all buffers begun alike, a lane's read agrees with the same lane's writes only.
"""

from __future__ import annotations

import numpy as np

from fastexec.kernels._jit import allocating

_PAGE = 4096  # bytes


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

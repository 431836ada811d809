"""What the doors of the entries are made of: an array is what a kernel takes it for, or nothing is run.

A kernel reads and writes where its indices point, and nothing in it asks whether that is inside an array. So each entry has
a door, a Python function of the same arguments that compares every size with every other before the kernel sees one.
A third of a microsecond an array; a violation is a fault of the caller, never of a user's input, and a ValueError.
"""

from __future__ import annotations

import numpy as np

F8, F4 = np.dtype(np.float64), np.dtype(np.float32)
I8, I4 = np.dtype(np.int64), np.dtype(np.int32)
U4, U2, U1 = np.dtype(np.uint32), np.dtype(np.uint16), np.dtype(np.uint8)
_MOST = 1 << 62


def held(name: str, array: np.ndarray, kind: np.dtype, *shape: int) -> None:
    """ValueError unless ``array`` has just this type and shape, and lies in one piece of writable memory, row by row."""
    if not isinstance(array, np.ndarray):
        raise ValueError(f"{name} is a {type(array).__name__}; it must be an array of {kind} {shape}")
    if array.shape == shape and array.dtype == kind and array.flags.carray:
        return
    flags = "" if array.flags.carray else ", read-only or not in one piece"
    raise ValueError(f"{name} is {array.dtype} {array.shape}{flags}; it must be {kind} {shape}")


def sizes(name: str, array: np.ndarray, dimensions: int) -> tuple[int, ...]:
    """The shape of an array whose sizes are free or give those of others; ValueError where its dimensions are others."""
    shape: tuple[int, ...] = getattr(array, "shape", ())
    if len(shape) != dimensions:
        raise ValueError(f"{name} has {len(shape)} dimensions; it must have {dimensions}")
    return shape


def within(name: str, value: int, low: int, high: int = _MOST) -> None:
    """ValueError unless ``low <= value <= high``: for numbers that become indices or sizes."""
    if not low <= value <= high:
        raise ValueError(f"{name} is {value}; it must lie between {low} and {high}")


def each_within(name: str, array: np.ndarray, highest: np.ndarray) -> None:
    """ValueError unless each int64 of the last axis lies between 0 and its own ``highest``, uint64."""
    if (array.view(np.uint64) > highest).any():  # a negative number is a very large one
        raise ValueError(f"{name} is {array.tolist()}; each must lie between 0 and its own of {highest.tolist()}")


def all_within(name: str, array: np.ndarray, low: float, high: float) -> None:
    """``within`` for every element; NaN lies nowhere."""
    if array.size and not (array.min() >= low and array.max() <= high):
        raise ValueError(f"{name} holds {array.min()} to {array.max()}; all must lie between {low} and {high}")

"""Arrow arrays from NumPy's memory as it lies there.

``pyarrow.array`` imports pandas to see whether it was given something of its: a quarter of a second at each start.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa


def to_arrow(values: Any, kind: pa.DataType, nullable: bool) -> pa.Array | pa.ChunkedArray:
    """``values`` (an Arrow array, a NumPy array, or a list of numbers, texts, truths or lists) as an array of a type.

    A NaN in a nullable column of numbers is null; so is None in a list.
    """
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return values
    if pa.types.is_dictionary(kind):
        return texts(values).dictionary_encode().cast(kind)
    if pa.types.is_string(kind):
        return texts(values)
    if pa.types.is_list(kind):
        return lists(values, kind)
    return numbers(values, kind, nullable)


def numbers(values: Any, kind: pa.DataType, nullable: bool = False) -> pa.Array:
    """Numbers or truths; no copy where they lie as Arrow wants them."""
    if pa.types.is_boolean(kind):
        bits = np.packbits(np.asarray(values, np.bool_), bitorder="little")
        return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(bits)])
    absent = nullable and isinstance(values, list)
    array = np.ascontiguousarray([x or 0 for x in values] if absent else values, kind.to_pandas_dtype())
    missing = np.isnan(array) if nullable and pa.types.is_floating(kind) else None
    if absent:
        none = np.array([x is None for x in values], np.bool_)
        missing = none if missing is None else missing | none
    return pa.Array.from_buffers(kind, array.size, [_present(missing), pa.py_buffer(array)])


def texts(values: Sequence[str | None]) -> pa.StringArray:
    """Texts; None is null."""
    parts = [b"" if text is None else text.encode() for text in values]
    ends = np.concatenate(([0], np.cumsum([len(part) for part in parts]))).astype(np.int32)
    missing = np.array([text is None for text in values], np.bool_)
    buffers = [_present(missing), pa.py_buffer(ends), pa.py_buffer(b"".join(parts))]
    return pa.Array.from_buffers(pa.string(), len(parts), buffers)


def lists(values: Sequence[Any], kind: pa.ListType) -> pa.ListArray:
    """A list of numbers in each row; None is null."""
    rows = [np.zeros(0) if row is None else np.asarray(row) for row in values]
    ends = np.concatenate(([0], np.cumsum([len(row) for row in rows]))).astype(np.int32)
    inner = numbers(np.concatenate(rows) if rows else np.zeros(0), kind.value_type)
    missing = np.array([row is None for row in values], np.bool_)
    return pa.Array.from_buffers(kind, len(rows), [_present(missing), pa.py_buffer(ends)], children=[inner])


def _present(missing: np.ndarray | None) -> pa.Buffer | None:
    if missing is None or not missing.any():
        return None
    return pa.py_buffer(np.packbits(~missing, bitorder="little"))

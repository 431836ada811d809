"""A comparison as csv, json or Markdown."""

from __future__ import annotations

import io
import json

from fastexec.analysis.comparison import Comparison


def to_csv(comparison: Comparison) -> str:
    """Comma-separated values with a header; nothing where a number does not exist."""
    return str(comparison.table.to_pandas().to_csv(index=False, lineterminator="\n"))


def to_json(comparison: Comparison) -> str:
    """An object with ``baseline``, ``notes`` and ``rows``; null where a number does not exist."""
    data = {"baseline": comparison.baseline, "notes": comparison.notes, "rows": comparison.table.to_pylist()}
    return json.dumps(data, indent=2, allow_nan=False)


def to_markdown(comparison: Comparison) -> str:
    """A Markdown table of every column."""
    names, out = comparison.table.column_names, io.StringIO()
    out.write(f"| {' | '.join(names)} |\n|{'---|' * len(names)}\n")
    for row in comparison.table.to_pylist():
        out.write(f"| {' | '.join(_cell(row[name]) for name in names)} |\n")
    return out.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)

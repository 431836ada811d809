"""Tables as csv, json or Markdown."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


def formatted(table: pa.Table, form: str, head: dict[str, Any]) -> str:
    """``table`` as csv, json or markdown; ``head``: further members of the json object (nothing where no number is)."""
    if form == "csv":
        return str(table.to_pandas().to_csv(index=False, lineterminator="\n"))
    if form == "json":
        return json.dumps({**head, "rows": table.to_pylist()}, indent=2, allow_nan=False) + "\n"
    names, out = table.column_names, io.StringIO()
    out.write(f"| {' | '.join(names)} |\n|{'---|' * len(names)}\n")
    for row in table.to_pylist():
        out.write(f"| {' | '.join(_cell(row[name]) for name in names)} |\n")
    return out.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text.replace("|", "\\|")

"""Tables as csv, json or Markdown, whose texts do no harm in a spreadsheet, a terminal or a page."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

from fastexec.printing import harmless

if TYPE_CHECKING:
    import pyarrow as pa

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # a spreadsheet runs what begins so


def formatted(table: pa.Table, form: str, head: dict[str, Any]) -> str:
    """``table`` as csv, json or markdown; ``head``: further members of the json object (nothing where no number is)."""
    if form == "csv":
        return csv_of(table)
    if form == "json":
        text = json.dumps({**head, "rows": table.to_pylist()}, indent=2, allow_nan=False)
        return text.replace("\x7f", "\\u007f") + "\n"  # the one control character that JSON lets stand
    names, out = table.column_names, io.StringIO()
    out.write(f"| {' | '.join(map(_cell, names))} |\n|{'---|' * len(names)}\n")
    for row in table.to_pylist():
        out.write(f"| {' | '.join(_cell(row[name]) for name in names)} |\n")
    return out.getvalue()


def csv_of(table: pa.Table, digits: int | None = None) -> str:
    """``table`` as csv with a line of names; numbers whole, or of so many digits.

    A text, also a name, that a spreadsheet would take for a formula begins with an apostrophe.
    """
    frame = table.rename_columns([_text(name) for name in table.column_names]).to_pandas()
    for number, field in enumerate(table.schema):
        if _is_text(field.type):
            texts = table.column(number).to_pylist()
            frame.isetitem(number, [None if text is None else _text(text) for text in texts])
    form = None if digits is None else f"%.{digits}g"
    return str(frame.to_csv(index=False, float_format=form, lineterminator="\n"))


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    values = kind.value_type if pa.types.is_dictionary(kind) else kind
    return values in (pa.string(), pa.large_string(), pa.string_view())


def _text(text: str) -> str:
    return ("'" if text.startswith(_FORMULA) else "") + harmless(text)


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return harmless(text.replace("\\", "\\\\").replace("|", "\\|"))

"""The data dictionary: every table and column in words, from the registry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fastexec.columns import SUMMARY, TABLES, Column


def data_dictionary() -> str:
    """Every table and column as Markdown."""
    lines = []
    for table, columns in TABLES.items():
        lines += [f"### {table}", "", "| column | type | unit | meaning |", "|---|---|---|---|"]
        for c in _folded(columns):
            kind = "dictionary<string>" if c.type == "text" else c.type
            null = f" Null: {c.null}." if c.null else ""
            lines.append(f"| {c.name} | {kind} | {c.unit} | {c.meaning}{null} |")
        lines.append("")
    return "\n".join(lines)


def _folded(columns: Sequence[Column]) -> list[Column]:
    """The columns, the summary's statistics of each part told once, for PART."""
    statistics = {c.name[len("timing_") :] for c in columns if c.name.startswith("timing_") and c.name.endswith("_bps")}
    if columns is not SUMMARY:
        return list(columns)
    found = []
    for c in columns:
        part, _, rest = c.name.partition("_")
        if rest not in statistics or part == "shortfall":
            told = rest in statistics
            found.append(replace(c, name=f"PART_{rest}", meaning=c.meaning.replace("shortfall", "PART")) if told else c)
    return found

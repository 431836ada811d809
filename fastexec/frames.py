"""Tables of results in the hands of whoever writes Python: as data frames, and as what a notebook shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from fastexec.errors import InputError
from fastexec.printing import harmless

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

MOST_ROWS = 20
_LONGEST = 200  # characters of a cell
#: Colours are the notebook's own, dark or light; lines are a grey that shows on both.
_STYLE = """<style>
.fastexec { color: inherit; font-size: 0.92em; line-height: 1.4; }
.fastexec table { border-collapse: collapse; margin: 0.4em 0; background: none; color: inherit; }
.fastexec caption, .fastexec p { text-align: left; margin: 0.2em 0; color: inherit; }
.fastexec caption { font-weight: 600; }
.fastexec th, .fastexec td { text-align: right; padding: 0.15em 0.7em; border: 0; border-bottom: 1px solid #8886; }
.fastexec th, .fastexec td { background: none; color: inherit; font-variant-numeric: tabular-nums; }
.fastexec th:first-child, .fastexec td:first-child { text-align: left; }
.fastexec .note { color: #5f6368; }
@media (prefers-color-scheme: dark) { .fastexec .note { color: #a9adb3; } }
</style>"""


class Frame:
    """What has an Arrow table: its data frames."""

    def to_arrow(self) -> pa.Table:
        """The Arrow table."""
        raise NotImplementedError

    def to_pandas(self) -> pd.DataFrame:
        """The table as a pandas data frame."""
        frame: pd.DataFrame = self.to_arrow().to_pandas()
        return frame

    def to_polars(self) -> pl.DataFrame:
        """The table as a Polars data frame; InputError where Polars is not installed."""
        try:
            import polars
        except ImportError:
            raise InputError("to_polars: Polars is not installed; `pip install polars`") from None
        frame = polars.from_arrow(self.to_arrow())
        assert isinstance(frame, polars.DataFrame)
        return frame


def table_html(
    title: str, head: Sequence[str], rows: Sequence[Sequence[Any]], notes: Iterable[str] = (), of: int | None = None
) -> str:
    """A table as HTML for a notebook: at most 20 rows, every text escaped, no script. ``notes``: lines below it; ``of``: rows
    there are in all.
    """
    count = len(rows) if of is None else of
    shown, said = list(rows)[:MOST_ROWS], list(notes)
    if count > len(shown):
        said = [f"{len(shown)} of {count:,} rows", *said]
    lines = ["".join(f"<td>{_cell(value)}</td>" for value in row) for row in shown]
    names = "".join(f"<th>{_cell(name)}</th>" for name in head)
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    below = "".join(f'<p class="note">{_cell(line, None)}</p>' for line in said[:MOST_ROWS])
    table = f"<table><caption>{_cell(title)}</caption><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table>"
    return f'{_STYLE}<div class="fastexec">{table}{below}</div>'


def rows_html(title: str, table: pa.Table, notes: Iterable[str] = ()) -> str:
    """The first rows of an Arrow table as HTML for a notebook."""
    rows = [list(row.values()) for row in table.slice(0, MOST_ROWS).to_pylist()]
    return table_html(title, table.column_names, rows, notes, of=len(table))


def _cell(value: Any, longest: int | None = _LONGEST) -> str:
    if value is None:
        return ""
    text = f"{value:,.6g}" if isinstance(value, float) else str(value)
    if longest is not None and len(text) > longest:
        text = f"{text[: longest - 1]}…"
    return escape(harmless(text))

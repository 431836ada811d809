"""The rows of bars as they stand in a file, and where each of them is, for messages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of one symbol in the file's order. found: our column -> the file's name of it. table: by our names, of the
    file's types. number: int64, the row's line of a CSV file, its place among the symbol's rows otherwise, from 1. path: as
    messages name it. notes: what had to be guessed. parts: of a folder, the first row of each file and its path.
    """

    path: str
    symbol: str
    found: dict[str, str]
    table: pa.Table
    number: np.ndarray
    is_csv: bool
    notes: list[str]
    parts: tuple[tuple[int, str], ...] = ()

    @property
    def is_folder(self) -> bool:
        """Whether they come from several files."""
        return bool(self.parts)

    @property
    def where(self) -> str:
        """File and symbol, for a message."""
        return f"{self.path}, {self.symbol!r}"

    def holds(self, name: str, i: int) -> str:
        """What a row has in a column of ours, beginning a message; of times the day beside them too."""
        text, column = str(self.table[name][i].as_py()), f"column {self.found[name]!r} holds"
        if name == "time" and "date" in self.table.column_names:
            text = f"{self.table['date'][i].as_py()} {text}"
            column = f"columns {self.found['date']!r} and {self.found[name]!r} hold"
        return f"{self._file(i)}: {self.place(i)}: {column} {text[:40]!r}"

    def place(self, i: int) -> str:
        """Where a row is in its file, for a message."""
        return f"{'line' if self.is_csv else 'row'} {self.number[i]}"

    def _file(self, i: int) -> str:
        return next((path for first, path in reversed(self.parts) if first <= i), self.path)

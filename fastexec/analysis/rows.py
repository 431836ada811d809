"""The rows of results, wherever they are: a part file at a time, or in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np

from fastexec.columns import markets_table
from fastexec.place import Place
from fastexec.results import Results
from fastexec.runs import store

if TYPE_CHECKING:
    import pyarrow as pa


class Rows(Protocol):
    """Some episodes of a study with all their rows."""

    def count(self) -> int:
        """How many episodes."""

    def columns(self) -> list[str]:
        """Names of the columns of the markets table."""

    def values(self, column: str) -> np.ndarray:
        """A column of the markets table, a value for each episode."""

    def results(self) -> Results:
        """All columns but texts."""


@dataclass(frozen=True)
class StoredRows:
    """Of two part files of a folder."""

    markets: Place
    episodes: Place
    strategies: Sequence[str]

    def count(self) -> int:
        """How many episodes."""
        return int(store.read_footer(self.markets)["episodes"])

    def columns(self) -> list[str]:
        """Names of the columns of the markets table."""
        return store.column_names(self.markets)

    def values(self, column: str) -> np.ndarray:
        """A column of the markets table, a value for each episode."""
        return np.asarray(store.read_table(self.markets, [column])[column].to_numpy())

    def results(self) -> Results:
        """All columns but texts."""
        return Results(list(self.strategies), store.read_columns(self.markets), store.read_columns(self.episodes))


@dataclass(frozen=True)
class HeldRows:
    """Of results in memory; ``side``: the order's."""

    held: Results
    side: str

    @cached_property
    def _markets(self) -> pa.Table:
        return markets_table(self.side, self.held.markets)

    def count(self) -> int:
        """How many episodes."""
        return len(self.held.markets["episode"])

    def columns(self) -> list[str]:
        """Names of the columns of the markets table."""
        return list(self._markets.column_names)

    def values(self, column: str) -> np.ndarray:
        """A column of the markets table, a value for each episode."""
        return np.asarray(self._markets[column].to_numpy())

    def results(self) -> Results:
        """All columns but texts."""
        return self.held

"""Results in memory: what ``simulate`` gives, and what a chunk of a run is before it is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fastexec.frames import Frame, table_html
from fastexec.kernels import fields
from fastexec.models.costs import ALWAYS
from fastexec.wording import counted

if TYPE_CHECKING:
    import pyarrow as pa

    from fastexec.models.study import StudyModel


_FIRST, _LAST = (fields.EPISODE_COLUMNS.index(f"{name}_bps") for name in ("shortfall", ALWAYS[-1]))


@dataclass(frozen=True)
class Origin:
    """The study behind results in memory. Of each strategy, in the order of the results: ``models``, and in
    ``control_variate`` whether its (unexpected) timing has mean zero. ``source_days``: the days, yyyymmdd,
    that episodes are joined from. ``notes``: what a reader of a comparison must know; ``warnings``: what is doubtful about
    the study.
    """

    study: StudyModel
    models: list[str]
    control_variate: list[bool]
    source_days: list[int]
    notes: list[str]
    warnings: list[str]


@dataclass(frozen=True, repr=False)
class Results(Frame):
    """Columns in memory. ``markets``: a row for each episode; ``episodes``: a row for each episode and strategy, sorted by
    episode, then by the order of ``strategies``; names and units as in the data dictionary (``fastexec schema``).
    ``costs``: shortfall and its parts once more as one float64[c, row], where they come from the engine. ``origin``: what a
    comparison must know of what made them.
    """

    strategies: list[str]
    markets: dict[str, np.ndarray]
    episodes: dict[str, np.ndarray]
    costs: np.ndarray | None = field(default=None, repr=False)
    origin: Origin | None = field(default=None, repr=False)

    def to_arrow(self) -> pa.Table:
        """The episodes table, as it is written to Parquet."""
        from fastexec.columns import episodes_table

        return episodes_table(self.strategies, self.episodes)

    def __repr__(self) -> str:
        named = "" if self.origin is None else f"{self.origin.study.name!r}, "
        episodes = counted(len(self.markets.get("episode", ())), "episode")
        return f"Results({named}{episodes}, {counted(len(self.strategies), 'strategy')})"

    def _repr_html_(self) -> str:
        """The mean of each strategy."""
        names = ("shortfall_bps", "program_cost", "completion")
        columns = {
            name: self.episodes[name].reshape(-1, len(self.strategies)) for name in names if name in self.episodes
        }
        costs = columns.get("program_cost", columns.get("shortfall_bps"))
        head = ["strategy", "program cost" if "program_cost" in columns else "shortfall, bps", "sd", "done, %"]
        if costs is None or not len(costs):
            return table_html(repr(self), head[:1], [[name] for name in self.strategies])
        spread = costs.std(axis=0, ddof=1) if len(costs) > 1 else np.full(len(self.strategies), np.nan)
        done = 100.0 * columns["completion"].mean(axis=0)
        rows = [
            [name, f"{cost:,.3f}", f"{sd:,.2f}", f"{share:.1f}"]
            for name, cost, sd, share in zip(self.strategies, costs.mean(axis=0), spread, done, strict=True)
        ]
        notes = ["means over the episodes, without a comparison; fastexec.compare(results) says what they differ by"]
        return table_html(repr(self), head, rows, notes if self.origin is None else [*notes, *self.origin.notes])


def costs_of(rows: np.ndarray) -> np.ndarray:
    """Shortfall, its parts and what timing is split into; a view where the study has only those that every one has."""
    common, further = rows[_FIRST : _LAST + 1], rows[len(fields.EPISODE_COLUMNS) :]
    return np.concatenate((common, further)) if len(further) else common


def named(names: Any, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Rows by their names."""
    return {name: rows[j] for j, name in enumerate(names)}


def joined(parts: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Columns of parts, one behind the other."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

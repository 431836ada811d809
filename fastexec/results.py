"""Results in memory: what ``simulate`` gives, and what a chunk of a run is before it is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from fastexec.models.study import StudyModel


@dataclass(frozen=True)
class Origin:
    """The study behind results in memory. Of each strategy, in the order of the results: ``models``, and in
    ``control_variate`` whether its timing has mean zero. ``source_days``: the days, yyyymmdd, that episodes are joined from.
    ``notes``: what a reader of a comparison must know; ``warnings``: what is doubtful about the study.
    """

    study: StudyModel
    models: list[str]
    control_variate: list[bool]
    source_days: list[int]
    notes: list[str]
    warnings: list[str]


@dataclass(frozen=True)
class Results:
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

    def to_pandas(self) -> pd.DataFrame:
        """The episodes table as a pandas data frame."""
        frame: pd.DataFrame = self.to_arrow().to_pandas()
        return frame

"""A comparison in hand: its table, what a notebook shows of it, a picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fastexec.errors import FastexecError
from fastexec.frames import MOST_ROWS, Frame, table_html
from fastexec.statistics.metrics import SHORTFALL, Metric, material_of
from fastexec.statistics.paired import printed_costs
from fastexec.statistics.verdict import Difference, Judge, cost_beside, decimals, single, told_with_interval
from fastexec.wording import counted

if TYPE_CHECKING:
    import pyarrow as pa
    from matplotlib.axes import Axes


@dataclass(frozen=True, repr=False)
class Comparison(Frame):
    """``table``: the `comparison` columns, a ``group`` column before them where there are conditions, and before that a
    ``scenario`` column where the study has a sweep; ``summaries``: the summary behind each part of it, by its title (one,
    named "", without either), and ``judges``: what may be said of its savings; ``notes``: what a reader must know;
    ``warnings``: what is doubtful about the study itself, as ``check`` says it; ``numerical``: the optimum is no exact one.

    A notebook shows it as a table; ``to_arrow``, ``to_pandas`` and ``to_polars`` give ``table``.
    """

    table: pa.Table
    baseline: str
    summaries: dict[str, pa.Table]
    judges: dict[str, Judge]
    metric: Metric = SHORTFALL
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    numerical: bool = False

    def to_arrow(self) -> pa.Table:
        """The `comparison` columns."""
        return self.table

    def plot(self, ax: Axes | None = None) -> Axes:
        """Savings against the baseline with their 95 % intervals, cheapest first, in ``ax`` or axes of its own.

        Raises FastexecError where matplotlib is not installed.
        """
        try:
            from matplotlib import pyplot
        except ImportError:
            raise FastexecError(
                "plot: matplotlib is not installed; `pip install 'fastexec[report]'` brings it"
            ) from None
        found = [(title, one) for title in self.summaries for _, _, one in self._lines(title) if one is not None]
        if ax is None:
            _, ax = pyplot.subplots(figsize=(7.0, 1.2 + 0.35 * len(found)), layout="constrained")
        savings = np.array([one.saving for _, one in found])
        ends = np.array([(one.saving - one.low, one.high - one.saving) for _, one in found]).reshape(-1, 2).T
        places = np.arange(len(found))
        ax.errorbar(savings, places, xerr=np.nan_to_num(ends), fmt="o", capsize=3)
        ax.axvline(0.0, color="0.5", linewidth=1)
        ax.set_yticks(places, [": ".join(word for word in (title, one.other) if word) for title, one in found])
        ax.invert_yaxis()
        ax.set_xlabel(f"saving against {self.baseline}, bps{self._by()}")
        return ax

    def __repr__(self) -> str:
        parts = "" if len(self.summaries) == 1 else f" in {counted(len(self.summaries), 'part')}"
        return f"Comparison(baseline={self.baseline!r}, {counted(self._strategies, 'strategy')}{parts}{self._by()})"

    def _repr_html_(self) -> str:
        rows = [row for title in self.summaries for row in self._rows(title)]
        head = [*(["part"] if len(self.summaries) > 1 or "" not in self.summaries else [])]
        head += ["strategy", "cost, bps", "saving, bps, 95 % interval", "done, %", ""]
        count = next(iter(self.summaries.values()))["episodes"][0].as_py()
        title = f"{counted(count, 'episode')}, saving against {self.baseline}{self._by()}"
        shown = [row if len(head) == 6 else row[1:] for row in rows]
        return table_html(title, head, shown[:MOST_ROWS], [*self.notes, *self.warnings], of=len(rows))

    @property
    def _strategies(self) -> int:
        return len(next(iter(self.summaries.values())))

    def _by(self) -> str:
        return "" if self.metric.kind == "shortfall" else f" by {self.metric.name}"

    def _lines(self, title: str) -> Iterator[tuple[int, float, Difference | None]]:
        """(number, cost, saving) of each strategy of a part, cheapest first; None for the baseline's saving."""
        material = material_of(self.summaries[title], self.metric)
        b = list(material.strategies).index(self.baseline)
        costs = printed_costs(material, b)
        for k in costs.argsort(kind="stable").tolist():
            yield k, float(costs[k]), None if k == b else single(material, b, k)

    def _rows(self, title: str) -> Iterator[list[Any]]:
        lines, own = list(self._lines(title)), self.summaries[title].select(["strategy", "completion"]).to_pylist()
        digits = max((decimals(one) for _, _, one in lines if one is not None), default=3)
        base = next(cost for _, cost, one in lines if one is None)
        for k, cost, one in lines:
            told = "" if one is None else told_with_interval(one, digits)
            verdict = "baseline" if one is None else self.judges[title].verdict(one)
            done = f"{100.0 * own[k]['completion']:.1f}"
            yield [title, own[k]["strategy"], cost_beside(base, base - cost, digits), told, done, verdict]

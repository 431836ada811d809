"""One streaming pass over the rows of finished results: histograms, extremes, savings by market condition.

Memory is bounded by a block of rows, whatever the number and size of the parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from fastexec.analysis.report.conditions import Condition, Conditions
from fastexec.analysis.report.frame import DENSE, reach
from fastexec.analysis.report.material import Material
from fastexec.analysis.report.risk import RiskIntervals
from fastexec.errors import InputError, option
from fastexec.place import Place
from fastexec.runs import layout, store
from fastexec.wording import counted

_BLOCK = 1 << 19  # rows of episodes in memory at once
_MOST_CELLS, _TAIL_CELLS = 80, 1_000


@dataclass
class Histogram:
    """Counts of each strategy between ``edges`` float64[c + 1]; below and above are cells of their own: int64[k, c + 2]."""

    edges: np.ndarray
    counts: np.ndarray

    @classmethod
    def over(cls, low: float, high: float, cells: int, strategies: int) -> Histogram:
        """An empty one of even cells."""
        top = high if high > low else low + max(abs(low), 1.0) * 1e-3
        return cls(np.linspace(low, top, cells + 1), np.zeros((strategies, cells + 2), np.int64))

    def add(self, values: np.ndarray) -> None:
        """values: float64[e, k]."""
        cells = self.counts.shape[1]
        width = (self.edges[-1] - self.edges[0]) / (cells - 2)
        place = np.clip(np.floor((values - self.edges[0]) / width) + 1.0, 0, cells - 1).astype(np.int64)
        place += np.arange(values.shape[1]) * cells
        self.counts += np.bincount(place.ravel(), minlength=self.counts.size).reshape(self.counts.shape)


@dataclass
class Extremes:
    """The episodes of lowest and highest cost of each strategy, and the one nearest its median; [k] each."""

    target: np.ndarray
    score: dict[str, np.ndarray] = field(default_factory=dict)
    episode: dict[str, np.ndarray] = field(default_factory=dict)
    cost: dict[str, np.ndarray] = field(default_factory=dict)

    def add(self, first: int, values: np.ndarray) -> None:
        """values: costs, float64[e, k], of the episodes from ``first``."""
        strategy = np.arange(values.shape[1])
        for rank, score in (("best", values), ("median", np.abs(values - self.target)), ("worst", -values)):
            place = np.argmin(score, axis=0)
            lowest, cost = score[place, strategy], values[place, strategy]
            if rank in self.score:
                better = lowest < self.score[rank]
                lowest = np.where(better, lowest, self.score[rank])
                cost = np.where(better, cost, self.cost[rank])
                self.episode[rank] = np.where(better, first + place, self.episode[rank])
            else:
                self.episode[rank] = first + place
            self.score[rank], self.cost[rank] = lowest, cost


@dataclass(frozen=True)
class Rows:
    """What the pass found. ``finished``: episodes that each strategy ended by its own decisions, int64[k]; ``risks``: of the
    costs' spread and tail.
    """

    body: Histogram
    tail: Histogram
    finished: np.ndarray
    extremes: Extremes
    conditions: list[Condition]
    risks: RiskIntervals


def read_rows(material: Material) -> Rows:
    """Stream over the parts. InputError where parts are missing or damaged."""
    count = len(material.strategies)
    parts = _parts(material)
    body, tail, median = _ranges(material, parts)
    found = Rows(
        Histogram.over(*body, min(_MOST_CELLS, int(np.ceil(2.0 * np.cbrt(material.episodes)))), count),  # Rice's rule
        Histogram.over(*tail, _TAIL_CELLS, count),
        np.zeros(count, np.int64),
        Extremes(median),
        [],
        RiskIntervals.of(material.rows, material.per_step),
    )
    conditions = Conditions(material, parts)
    seen = 0
    day = ["day"] if material.study.market.in_windows and "day" not in conditions.columns else []
    for first, markets, costs, completion in _blocks(material, parts, [*conditions.columns, *day]):
        found.body.add(costs)
        found.tail.add(costs)
        found.risks.add(costs, markets.get("day") if material.study.market.in_windows else None)
        found.finished[:] += (completion >= 1.0 - 1e-9).sum(axis=0)
        found.extremes.add(first, costs)
        conditions.add(markets, costs)
        seen += len(costs)
    if seen != material.episodes:
        raise InputError(
            f"{material.folder}: its parts hold {counted(seen, 'episode')}, its summary covers {material.episodes:,}; finish "
            f"the run with {option('resume')}"
        )
    found.conditions.extend(conditions.table())
    return found


def read_risks(material: Material) -> RiskIntervals:
    """The spread and tail of the costs alone. InputError as ``read_rows``."""
    found, day = RiskIntervals.of(material.rows, material.per_step), ["day"] if material.study.market.in_windows else []
    for _, markets, costs, _ in _blocks(material, _parts(material), day):
        found.add(costs, markets.get("day"))
    return found


def _parts(material: Material) -> list[Place]:
    """The markets parts that the summary covers; each has its twin in episodes."""
    end = material.first + material.episodes
    return [p for p in layout.parts(material.home("markets")) if material.first <= int(p.name[5:-8]) < end]


def _ranges(material: Material, parts: list[Place]) -> tuple[tuple[float, float], tuple[float, float], np.ndarray]:
    """(low, high) of the histogram and of the tail, and the medians: from the summary, or under per_step from a part."""
    if not material.per_step:

        def column(name: str) -> np.ndarray:
            return np.array([row[f"shortfall_{name}_bps"] for row in material.rows])

        tail = reach(column("p50"), column("maximum"), gain=DENSE)
        return reach(column("p01"), column("p99"), gain=DENSE), tail, column("p50")
    costs = next(_blocks(material, parts[:1], []))[2]
    low, median, high = np.quantile(costs, (0.01, 0.5, 0.99), axis=0)
    return reach(low, high, gain=DENSE), reach(median, costs.max(axis=0), gain=DENSE), np.asarray(median)


def _blocks(
    material: Material, parts: list[Place], columns: list[str]
) -> Iterator[tuple[int, dict[str, np.ndarray], np.ndarray, np.ndarray]]:
    """(first episode, markets columns [e], cost [e, k], completion [e, k]), whole episodes at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    count, wanted = len(material.strategies), [material.measure[0], "completion"]
    for part in parts:
        place = material.home("episodes") / part.name
        kept = store.read_columns(part, ["episode", *columns])
        at, rest = 0, np.zeros((2, 0))
        try:
            reader = pq.ParquetFile(place.open(), page_checksum_verification=True)
            for batch in reader.iter_batches(_BLOCK, columns=wanted):
                read = [batch.column(name).to_numpy(False) for name in wanted]
                values = np.concatenate((rest, np.stack(read)), axis=1)
                whole = values.shape[1] // count
                cost, completion = values[:, : whole * count].reshape(2, whole, count)
                rest = values[:, whole * count :]
                here = {name: column[at : at + whole] for name, column in kept.items()}
                if whole:
                    yield int(here["episode"][0]), here, cost, completion
                at += whole
        except FileNotFoundError:
            raise InputError(f"{place}: is missing; {option('resume')} writes it anew") from None
        except (OSError, pa.ArrowException) as error:
            raise InputError(
                f"{place}: cannot be read ({str(error).splitlines()[0]}); {option('resume')} writes it anew"
            ) from None

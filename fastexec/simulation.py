"""simulate(): a study's models through the kernels into columns.

``prepare`` derives once what every episode shares; ``Prepared.run`` is then a pure function of (first episode, count), so
threads, chunks and workers only decide who computes which rows, never what is in them.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fastexec.data.blocks import blocks_of
from fastexec.data.paths import MarketPaths
from fastexec.errors import FastexecError, InputError
from fastexec.kernels import fields
from fastexec.kernels._bind import Decide
from fastexec.kernels.buffers import output_for
from fastexec.kernels.episode import simulate_range
from fastexec.kernels.philox import EVALUATION
from fastexec.learning.seen_days import agents_that_saw
from fastexec.learning.training import hashes_of_agents, tables_for
from fastexec.models.costs import ALWAYS
from fastexec.models.study import StudyModel, require_study
from fastexec.planning.control import timing_has_mean_zero
from fastexec.planning.expectation import arrival_price, expect
from fastexec.planning.names import slot
from fastexec.planning.plan import follow_paths, plan_strategies, plan_study
from fastexec.planning.policies import Policies
from fastexec.threads import default_threads, require_threads

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from fastexec.data.replay import ReplayWindows


_FIRST, _LAST = (fields.EPISODE_COLUMNS.index(f"{name}_bps") for name in ("shortfall", ALWAYS[-1]))


@dataclass(frozen=True)
class Results:
    """Columns in memory. ``markets``: a row for each episode; ``episodes``: a row for each episode and strategy, sorted by
    episode, then by the order of ``strategies``; names and units as in the data dictionary (``fastexec schema``).
    ``costs``: shortfall and its parts once more as one float64[c, row], where they come from the engine.
    """

    strategies: list[str]
    markets: dict[str, np.ndarray]
    episodes: dict[str, np.ndarray]
    costs: np.ndarray | None = field(default=None, repr=False)

    def to_arrow(self) -> pa.Table:
        """The episodes table, as it is written to Parquet."""
        from fastexec.columns import episodes_table

        return episodes_table(self.strategies, self.episodes)

    def to_pandas(self) -> pd.DataFrame:
        """The episodes table as a pandas data frame."""
        frame: pd.DataFrame = self.to_arrow().to_pandas()
        return frame


@dataclass(frozen=True)
class Prepared:
    """A study ready to run. ``control_variate``: for each strategy whether its timing part has mean zero; ``windows``: of a
    replay; ``inputs``: SHA-256 of each file read.
    """

    study: StudyModel
    strategies: list[str]
    episodes: int
    control_variate: list[bool]
    warnings: list[str]
    inputs: dict[str, str]
    windows: ReplayWindows | None
    drawn: list[str]
    arrays: tuple[fields.Plan, fields.Strategies, fields.Paths] = field(repr=False)
    plugins: tuple[Decide, ...] = field(default=(), repr=False)

    @property
    def days(self) -> np.ndarray | None:
        """yyyymmdd of each episode of a replay, int32[e]."""
        return self.windows.day if self.windows is not None and self.study.market.in_windows else None

    @property
    def source_days(self) -> list[int]:
        """The days, yyyymmdd, that the windows of real days come from; none for a synthetic market."""
        return [] if self.windows is None else sorted(set(self.windows.day.tolist()))

    def rows(self, count: int) -> fields.Output:
        """Rows for so many episodes, to be filled by ``run`` again and again: fresh memory costs a fifth of the time."""
        return output_for(self.arrays[0], self.arrays[1], count)

    def run(self, first: int, count: int, into: fields.Output | None = None) -> Results:
        """Episodes ``first <= e < first + count``; one thread, the interpreter lock released.

        ``into``: rows of just so many episodes; the columns are then views of it, good until it is filled again.
        """
        output = self._simulate(first, count, into or self.rows(count))
        self._require_finite(first, output)
        episodes = np.arange(first, first + count)
        markets = {"episode": episodes, **_named(fields.MARKET_COLUMNS, output.markets)}
        if self.days is not None:
            markets["day"] = self.days[first : first + count]
        markets |= _named(self.drawn, output.parameters)
        rows = {"episode": np.repeat(episodes, len(self.strategies))}
        further = tuple(f"{part}_bps" for part in self.study.cost_parts[len(ALWAYS) :])
        names = fields.EPISODE_COLUMNS + further
        rows |= _named(names, output.episodes) | _named(fields.COUNT_COLUMNS[: len(output.counts)], output.counts)
        costs = _costs(output.episodes) if self.study.costs.rule == "by_fill" else None
        return Results(self.strategies, markets, self._under_rule(rows), costs)

    def steps(self, first: int, count: int) -> dict[str, np.ndarray]:
        """Every step of the episodes: the `steps` columns, the strategy as ``strategy_index``; sorted by episode,
        strategy, step.
        """
        n, k = self.study.order.steps, len(self.strategies)
        output = self._simulate(first, count, output_for(self.arrays[0], self.arrays[1], count, every_step=True))
        return {
            "episode": np.repeat(np.arange(first, first + count), k * n),
            "strategy_index": np.tile(np.repeat(np.arange(k, dtype=np.int32), n), count),
            "step": np.tile(np.arange(n, dtype=np.int32), count * k),
            **_named(fields.STEP_COLUMNS, output.steps),
        }

    def _under_rule(self, rows: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """``program_cost`` under the rule per_step, and then no basis points; else the other way round."""
        if self.study.costs.rule == "by_fill":
            return {name: column for name, column in rows.items() if name != "program_cost"}
        return {
            name: np.full_like(column, np.nan) if name.endswith("_bps") else column for name, column in rows.items()
        }

    def _require_finite(self, first: int, output: fields.Output) -> None:
        """A sum of money beyond float64 would spoil every mean behind it."""
        fine = np.isfinite(output.episodes[fields.EPISODE_COLUMNS.index("shortfall_bps")])
        whole = [fields.MARKET_COLUMNS.index(name) for name in ("last_price", "market_volume", "realised_volatility")]
        fine &= np.repeat(np.isfinite(output.markets[whole]).all(axis=0), len(self.strategies))
        if not fine.all():
            row, k = int(np.argmin(fine)), len(self.strategies)
            raise FastexecError(
                f"strategy {self.strategies[row % k]!r}, episode {first + row // k}: the path or the shortfall is no finite "
                "number; the study's shares, volatility or cost coefficients are too extreme for float64"
            )

    def _simulate(self, first: int, count: int, output: fields.Output) -> fields.Output:
        simulate_range(np.uint64(self.study.seed), first, count, *self.arrays, output, self.plugins)
        if output.fault[0] >= 0:
            episode, k, step, fault = (int(x) for x in output.fault)
            raise FastexecError(
                f"strategy {self.strategies[k]!r}, episode {episode}, step {step}: the slice is {_FAULTS[fault]}; it must "
                "lie between 0 and the remaining shares"
            )
        return output


_FAULTS = ("no number (NaN, or an index lies outside its arrays)", "negative", "more than what remains")


def _costs(rows: np.ndarray) -> np.ndarray:
    """Shortfall and its parts; a view where the study has only those that every one has."""
    common, further = rows[_FIRST : _LAST + 1], rows[len(fields.EPISODE_COLUMNS) :]
    return np.concatenate((common, further)) if len(further) else common


def _named(names: Any, rows: np.ndarray) -> dict[str, np.ndarray]:
    return {name: rows[j] for j, name in enumerate(names)}


def prepare(
    study: StudyModel, *, paths: MarketPaths | None = None, phase: int = EVALUATION, policies: Policies | None = None
) -> Prepared:
    """Derive schedules, curves and arrays; reads the bars of a study on real days.

    ``paths`` replaces the study's market by given ones (float64[e, t]); the number of episodes is then theirs.
    ``policies``: tables of the agents and optima among the strategies, trained or computed here where not given.

    Raises InputError for a study with a sweep, which is many.
    """
    if study.sweep is not None:
        raise InputError(
            f"the study has a [sweep] of {study.sweep.count:,} scenarios: fastexec.run(study) simulates all of them, "
            "study.scenarios()[0].study is the first alone"
        )
    if paths is not None and study.real_days is not None:
        raise InputError(
            f"paths: the study's market is of model {study.market.model!r}; given paths need a synthetic one, from which "
            "schedules take what they expect"
        )
    windows = None if paths is not None else _windows(study)
    plan, drawn = plan_study(study, phase)
    given, groups = _given(study, paths, windows, plan)
    if given is not None and given.mid.shape[1] != study.order.steps + 1:
        raise InputError(
            f"paths have {given.mid.shape[1] - 1} steps, order.steps is {study.order.steps}; make them equal"
        )
    policies = tables_for(study) if policies is None else policies
    own = study.own_strategies()
    valid = [paths is None and timing_has_mean_zero(study, strategy) for strategy in study.strategies]
    return Prepared(
        study=study,
        strategies=[strategy.name for strategy in study.strategies],
        episodes=_episodes(study, given, paths is not None),
        control_variate=valid,
        warnings=[] if windows is None else [*windows.warnings, *agents_that_saw(study, windows.day.tolist())],
        inputs=hashes_of_agents(study)
        | {name: digest for strategy in own.values() for name, digest in strategy.files.items()}
        | ({} if windows is None or study.real_days is None else {study.real_days.bars: windows.sha256}),
        windows=windows,
        drawn=drawn,
        arrays=(plan, plan_strategies(study, expect(study, windows), groups, policies), given or fields.no_paths()),
        plugins=tuple(strategy.decide for strategy in own.values()),
    )


def _windows(study: StudyModel) -> ReplayWindows | None:
    if study.real_days is None:
        return None
    from fastexec.data.replay import windows_of

    return windows_of(study, study.real_days)


def _given(
    study: StudyModel, paths: MarketPaths | None, windows: ReplayWindows | None, plan: fields.Plan
) -> tuple[fields.Paths | None, np.ndarray | None]:
    """The paths that the kernels follow, if any, and the group of each of their rows; the plan is told of them."""
    if windows is None and paths is None:
        return None, None
    market = study.bootstrap
    follow_paths(study, plan)
    if windows is None or market is None:
        plan.switches[fields.SOURCE] = fields.GIVEN
        return (_paths(paths) if windows is None else _paths(windows.paths, windows.rate_volume)), None
    plan.switches[fields.SOURCE] = fields.JOINED
    plan.numbers[fields.RESTART] = 0.0 if market.block >= study.order.steps else 1.0 / market.block
    if market.initial_price is None:
        plan.ranges[slot("initial_price"), :2] = arrival_price(market, windows)
    blocks = blocks_of(windows)
    given = _paths(windows.paths, windows.rate_volume)
    mid, spread, volume, arrival, met = (x[blocks.order] for x in (*given[:4], given.rate_volume))
    return fields.Paths(mid, spread, volume, arrival, blocks.first, blocks.count, met), blocks.group


def _paths(given: MarketPaths | None, rate_volume: np.ndarray | None = None) -> fields.Paths:
    """Of given paths; without a ``rate_volume`` of their own nobody trades where their volume is 0."""
    assert given is not None
    mid, spread = (np.column_stack(x) for x in ((given.mid, given.last_mid), (given.spread, given.last_spread)))
    arrays = (mid, spread, given.volume, given.arrival, given.volume if rate_volume is None else rate_volume)
    mid, spread, volume, arrival, met = (np.require(x, np.float64, ["C", "W"]) for x in arrays)
    return fields.Paths(mid, spread, volume, arrival, np.zeros(1, np.int64), np.zeros(1, np.int64), met)


def _episodes(study: StudyModel, given: fields.Paths | None, paths_given: bool) -> int:
    if given is None or (study.bootstrap is not None and not paths_given):
        assert study.episodes is not None
        return study.episodes
    available = given.mid.shape[0]
    wanted = available if study.episodes is None or paths_given else study.episodes
    if wanted > available:
        raise InputError(f"episodes: {wanted} asked for, the bars hold {available} windows; leave episodes out for all")
    return wanted


def simulate(
    study: StudyModel,
    *,
    episodes: int | None = None,
    seed: int | None = None,
    threads: int | None = None,
    paths: MarketPaths | None = None,
) -> Results:
    """Simulate a study in memory.

    episodes, seed: instead of the study's own. threads: default all processors. paths: given markets instead of the
    study's. Raises InputError where study, paths or bars do not fit.
    """
    require_study(study)
    workers = require_threads(threads) or default_threads()
    if paths is not None and not isinstance(paths, MarketPaths):
        raise InputError(f"paths: must be a MarketPaths(mid, spread, volume), not {type(paths).__name__}")
    changes = {key: value for key, value in (("episodes", episodes), ("seed", seed)) if value is not None}
    if changes:
        study = study.changed(**changes)
    prepared = prepare(study, paths=paths)
    if prepared.episodes * study.order.steps < 20_000 or workers == 1:
        return prepared.run(0, prepared.episodes)
    edges = np.linspace(0, prepared.episodes, 4 * workers + 1).astype(int)
    with ThreadPoolExecutor(workers) as pool:
        parts = list(pool.map(prepared.run, edges[:-1].tolist(), np.diff(edges).tolist()))
    return Results(prepared.strategies, _joined([p.markets for p in parts]), _joined([p.episodes for p in parts]))


def _joined(parts: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

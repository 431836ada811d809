"""simulate(): a study's models through the kernels into columns.

``prepare`` derives once what every episode shares; ``Prepared.run`` is then a pure function of (first episode, count), so
threads, chunks and workers only decide who computes which rows, never what is in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

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
from fastexec.planning.decisions import MODEL, NOTE, Decisions, decisions_of, with_decisions
from fastexec.planning.doubts import doubts_of
from fastexec.planning.expectation import expect
from fastexec.planning.given_paths import given_paths, seams_told
from fastexec.planning.plan import plan_strategies, plan_study
from fastexec.planning.policies import Policies
from fastexec.results import Origin, Results, costs_of, joined, named
from fastexec.threads import default_threads, require_threads
from fastexec.wording import counted

if TYPE_CHECKING:
    from fastexec.data.replay import ReplayWindows


@dataclass(frozen=True)
class Prepared:
    """A study ready to run. ``control_variate``: for each strategy whether its (unexpected) timing has mean zero; ``windows``:
    of a replay; ``inputs``: SHA-256 of each file read; ``decisions``: those of the last strategies, made elsewhere.
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
    decisions: Decisions | None = field(default=None, repr=False)

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
        markets = {"episode": episodes, **named(fields.MARKET_COLUMNS, output.markets)}
        if self.days is not None:
            markets["day"] = self.days[first : first + count]
        markets |= named(self.drawn, output.parameters)
        rows = {"episode": np.repeat(episodes, len(self.strategies))}
        further = tuple(f"{part}_bps" for part in self.study.cost_columns[len(ALWAYS) :])
        names = fields.EPISODE_COLUMNS + further
        rows |= named(names, output.episodes) | named(fields.COUNT_COLUMNS[: len(output.counts)], output.counts)
        costs = costs_of(output.episodes) if self.study.costs.rule == "by_fill" else None
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
            **named((*fields.STEP_COLUMNS, *(f"signal_{name}" for name in self.study.signals)), output.steps),
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
        rows = output if self.decisions is None else fields.DecidedOutput(*output, self.decisions.slices)
        simulate_range(np.uint64(self.study.seed), first, count, *self.arrays, rows, self.plugins)
        if output.fault[0] >= 0:
            episode, k, step, fault, _ = output.fault.tolist()
            raise self._bad_order(episode, k, step, fault, float(output.fault.view(np.float64)[-1]))
        return output

    def _bad_order(self, episode: int, k: int, step: int, fault: int, value: float) -> FastexecError:
        name, own = self.strategies[k], k - len(self.study.strategies)
        where = f"episode {episode}, step {step}"
        if self.decisions is not None and own >= 0:
            wanted = self.decisions.slices[own, episode, step]
            return InputError(
                f"slices[{name!r}]: {where}: {wanted:,g} shares are more than what is left of the order; decide on at most that"
            )
        if fault >= len(_FAULTS):
            what, right = _PRESETS[fault - len(_FAULTS)]
            return FastexecError(f"strategy {name!r}, {where}: the {what} of its order is {value:g}; {right}")
        return FastexecError(
            f"strategy {name!r}, {where}: the slice is {_FAULTS[fault]}; it must lie between 0 and the remaining shares"
        )

    def origin(self) -> Origin:
        """What a comparison of its results must know."""
        study, market = self.study, expect(self.study, self.windows)[0]
        count = len(self.strategies) - len(study.strategies)
        return Origin(
            study=study,
            models=[*(strategy.model for strategy in study.strategies), *[MODEL] * count],
            control_variate=self.control_variate,
            source_days=[] if self.days is not None else self.source_days,
            notes=[f"{', '.join(self.strategies[-count:])}: {NOTE}"] if count else [],
            warnings=[*self.warnings, *doubts_of(study, market, self.arrays[1].fractions[: len(study.strategies), 0])],
        )


_FAULTS = ("no number (NaN, or an index lies outside its arrays)", "negative", "more than what remains")
_PRESETS = (
    ("level", "every order crosses here: leave orders[fx.orders.LEVEL] as it is, fx.orders.CROSS"),
    ("venue", "there is one venue here: leave orders[fx.orders.VENUE] as it is, 0"),
)


def prepare(
    study: StudyModel,
    *,
    paths: MarketPaths | None = None,
    phase: int = EVALUATION,
    policies: Policies | None = None,
    slices: Any = None,
) -> Prepared:
    """Derive schedules, curves and arrays; reads the bars of a study on real days.

    ``paths`` replaces the study's market by given ones (float64[e, t]); the number of episodes is then theirs.
    ``policies``: tables of the agents and optima among the strategies, trained or computed here where not given. ``slices``:
    decisions made elsewhere, float64[e, t] by name, of strategies behind the study's own.

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
    given, groups = given_paths(study, paths, windows, plan)
    if given is not None and given.mid.shape[1] != study.order.steps + 1:
        raise InputError(
            f"paths have {given.mid.shape[1] - 1} steps, order.steps is {study.order.steps}; make them equal"
        )
    episodes = _episodes(study, given, paths is not None)
    decisions = None if slices is None else decisions_of(study, slices, episodes)
    policies = tables_for(study) if policies is None else policies
    own = study.own_strategies()
    names = [strategy.name for strategy in study.strategies]
    valid = [paths is None and timing_has_mean_zero(study, strategy) for strategy in study.strategies]
    strategies = plan_strategies(study, expect(study, windows), groups, policies, paths is not None)
    if decisions is not None:
        names, strategies = [*names, *decisions.names], with_decisions(strategies, len(decisions.names))
        valid += [False] * len(decisions.names)
    return Prepared(
        study=study,
        strategies=names,
        episodes=episodes,
        control_variate=valid,
        warnings=[]
        if windows is None
        else [*windows.warnings, *seams_told(study, windows), *agents_that_saw(study, windows.day.tolist())],
        inputs=hashes_of_agents(study)
        | {name: digest for strategy in own.values() for name, digest in strategy.files.items()}
        | ({} if windows is None or study.real_days is None else {study.real_days.bars: windows.sha256}),
        windows=windows,
        drawn=drawn,
        arrays=(plan, strategies, given or fields.no_paths()),
        plugins=tuple(strategy.decide for strategy in own.values()),
        decisions=decisions,
    )


def _windows(study: StudyModel) -> ReplayWindows | None:
    if study.real_days is None:
        return None
    from fastexec.data.replay import windows_of

    return windows_of(study, study.real_days)


def _episodes(study: StudyModel, given: fields.Paths | None, paths_given: bool) -> int:
    if given is None or (study.bootstrap is not None and not paths_given):
        assert study.episodes is not None
        return study.episodes
    available = given.mid.shape[0]
    wanted = available if study.episodes is None or paths_given else study.episodes
    if wanted > available:
        raise InputError(
            f"episodes: {wanted} asked for, the bars hold {counted(available, 'window')}; leave episodes out for all"
        )
    return wanted


def simulate(
    study: StudyModel,
    *,
    episodes: int | None = None,
    seed: int | None = None,
    threads: int | None = None,
    paths: MarketPaths | None = None,
    slices: Mapping[str, ArrayLike] | None = None,
) -> Results:
    """Simulate a study in memory.

    episodes, seed: instead of the study's own. threads: default all processors. paths: given markets instead of the
    study's. slices: decisions made elsewhere, float64[e, t] shares by name, as strategies behind the study's own, on the same
    markets. They trade when a step begins, as schedules do. Where the order has lots, what has been decided on so far is
    rounded down to whole lots and the fraction is carried to later steps; in a step without volume nobody trades; what is left
    at the end is the study's at_horizon rule's. Nothing tells what they were chosen by, so a comparison takes no control
    variate for them and says "given decisions: look-ahead not excluded".

    Raises InputError where study, paths or bars do not fit, or a slice is below 0, no number, or more than what is left of
    the order; episode and step are named.

    >>> study = fx.Study.preset("large_cap").changed({"episodes": 200})
    >>> fx.simulate(study, slices={"mine": [[30_000] + [0] * 59] * 200})
    Results('large_cap', 200 episodes, 7 strategies)
    """
    require_study(study)
    workers = require_threads(threads) or default_threads()
    if paths is not None and not isinstance(paths, MarketPaths):
        raise InputError(f"paths: must be a MarketPaths(mid, spread, volume), not {type(paths).__name__}")
    changes = {key: value for key, value in (("episodes", episodes), ("seed", seed)) if value is not None}
    if changes:
        study = study.changed(changes)
    prepared = prepare(study, paths=paths, slices=slices)
    origin = prepared.origin()
    if prepared.episodes * study.order.steps < 20_000 or workers == 1:
        return replace(prepared.run(0, prepared.episodes), origin=origin)
    with ThreadPoolExecutor(workers) as pool:
        parts = list(pool.map(lambda part: prepared.run(*part), ranges_of(prepared.episodes, workers)))
    markets, episodes_ = joined([p.markets for p in parts]), joined([p.episodes for p in parts])
    return Results(prepared.strategies, markets, episodes_, origin=origin)


def ranges_of(episodes: int, workers: int) -> list[tuple[int, int]]:
    """Episodes cut for so many threads: the first and how many, of each range that is not empty."""
    edges = np.linspace(0, episodes, 4 * workers + 1).astype(int)
    return [(first, end - first) for first, end in zip(edges.tolist(), edges[1:].tolist(), strict=False) if end > first]

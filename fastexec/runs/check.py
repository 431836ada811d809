"""What a study means and costs before it is run: resolved text, size, time, warnings."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import NamedTuple

from fastexec.learning.optimum import how_near, solve_optimum
from fastexec.learning.unknown import why_unknown
from fastexec.models.plugin_forms import SECOND
from fastexec.models.see import lacks_told
from fastexec.models.study import StudyModel
from fastexec.planning.doubts import told_a_year, volatility_a_year
from fastexec.planning.expectation import Expectation, expect
from fastexec.planning.follow_signal import told_of_rule
from fastexec.planning.schedules import linear_slope, minimum_is_proven
from fastexec.results import Results
from fastexec.runs.chunks import cut, memory
from fastexec.runs.options import RunOptions
from fastexec.runs.scenario import Outline
from fastexec.simulation import Prepared, prepare
from fastexec.statistics.moments import tallies_of
from fastexec.statistics.unseen import unseen_notes, unseen_share
from fastexec.studies.study import Study
from fastexec.threads import default_threads
from fastexec.wording import counted

_PILOT = 4096
_FOUND = (
    "the best static schedule found (costs not convex in the slices, steps without volume by chance, noise that is tradable, "
    "coarse lots of an order that is a range, or real days)"
)


class Cost(NamedTuple):
    """What a run takes: files of ``chunk`` episodes (none without rows), memory in bytes, seconds of the simulation."""

    rows: int
    seconds: float
    memory: int
    files: int
    chunk: int


@dataclass(frozen=True)
class Examination:
    """What ``fastexec check`` prints. ``costs`` and ``known`` are (label, text) pairs; ``cost``: their numbers."""

    study: Study
    costs: list[tuple[str, str]]
    known: list[tuple[str, str]]
    warnings: list[str]
    cost: Cost


def examine(study: Study) -> Examination:
    """Validate a study down to its schedules and inputs, time a pilot of it, and look for what is wrong with it."""
    prepared = prepare(study)
    market = expect(study, prepared.windows)[0]
    outline = Outline.prepared(study, prepared)
    cost, pilot = _cost(outline, prepared)
    shares = unseen_share(tallies_of(pilot)).tolist()
    warnings = [*outline.warnings, *unseen_notes(zip(prepared.strategies, shares, strict=True))]
    steps, strategies = counted(study.order.steps, "step"), counted(len(prepared.strategies), "strategy")
    size = f"{prepared.episodes:,} of {steps}, {strategies}"
    costs = [("episodes", f"{size}: {counted(cost.rows, 'row')}"), *told(cost)]
    return Examination(study, costs, _known(prepared, market), warnings, cost)


def _cost(outline: Outline, prepared: Prepared) -> tuple[Cost, Results]:
    """What a run takes, by a pilot; and what the pilot found."""
    pilot = min(_PILOT, prepared.episodes)
    prepared.run(0, pilot)
    started = perf_counter()
    found_there = prepared.run(0, pilot)
    seconds = (perf_counter() - started) / pilot * prepared.episodes / default_threads()
    slots, rows = default_threads(), prepared.study.output.rows
    found = cut([outline], rows, RunOptions(), slots, None)
    files = 2 * -(-prepared.episodes // found.chunk) if rows == "all" else 0
    size = memory([outline], rows, slots, found)
    return Cost(prepared.episodes * len(prepared.strategies), seconds, size, files, found.chunk), found_there


def told(cost: Cost) -> list[tuple[str, str]]:
    """Time, memory and files in words."""
    size = f"about {cost.rows * 100 / 2**20:,.0f} MB"
    return [
        (
            "simulating",
            f"about {cost.seconds:,.1f} s on {counted(default_threads(), 'thread')} (a pilot, timed)",
        ),
        ("memory", f"about {cost.memory // 2**20:,} MB"),
        ("files", f"{cost.files:,} of {counted(cost.chunk, 'episode')}, {size}" if cost.files else "summaries only"),
    ]


def _known(prepared: Prepared, market: Expectation) -> list[tuple[str, str]]:
    study = prepared.study
    declared = [name for name, valid in zip(prepared.strategies, prepared.control_variate, strict=True) if valid]
    timing = "the unexpected part of timing" if study.splits_timing else "timing"
    yearly = told_a_year(volatility_a_year(study, market))
    facts = [
        ("volatility", f"{yearly}, in steps of {study.order.step_seconds:g} s"),
        ("optimum", _optimum(study)),
        ("control variate", f"{timing} has mean zero for {', '.join(declared)}" if declared else "none is valid here"),
    ]
    facts += [
        (f"model {own.name}", f"{own.file}, SHA-256 {own.sha256[:16]}; {own.summary or 'no docstring'}")
        for own in study.own_strategies().values()
    ]
    if any(own.form is SECOND for own in study.own_strategies().values()):
        facts.append(("see", f"NaN here: {lacks_told(study)}"))
    if any(strategy.minimises_with() == 0.0 for strategy in study.strategies):
        facts.append(("static optimum", "the best static schedule" if minimum_is_proven(study) else _FOUND))
    linear = sorted({strategy.model for strategy in study.strategies if strategy.linearises})
    if study.costs.temporary.terms().power > 0.0:
        facts += [
            (
                model,
                f"closed form with a linear cost of {linear_slope(study, market):.3g} currency a share and share, which "
                "equals the study's power law at the TWAP rate",
            )
            for model in linear
        ]
    facts += [(strategy.name, told_of_rule(strategy, study, market)) for strategy in study.followers.values()]
    return facts


def _optimum(study: Study | StudyModel) -> str:
    """Known, numerical, or why not; and what changes from step to step without any part in it."""
    if (reason := why_unknown(study)) is not None:
        return f"not known: {reason}"
    found, market = solve_optimum(study), study.synthetic
    assert market is not None
    idle = market.of_no_matter(study.costs.temporary)
    beside = f"; {', '.join(idle)} {'changes' if len(idle) == 1 else 'change'} no expected cost" if idle else ""
    text = f"{found.expected_bps:.3f} bps over any number of lots"
    if found.halved_bps is not None:
        return f"numerical: {text}, {how_near(study, found)}{beside}"
    return f"known: {text}{beside}"

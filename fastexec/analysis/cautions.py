"""What a reader must know before he believes a table: horizons, controls, how intervals were made, when not to trust them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fastexec.analysis.adapting import worth_of_adapting
from fastexec.analysis.footnotes import footnotes
from fastexec.statistics.few_days import single_value
from fastexec.statistics.metrics import LEAST_EPISODES, Metric, material_of
from fastexec.statistics.paired import FEWEST_DAYS, Paired, from_summary, is_controlled
from fastexec.statistics.simultaneous import simultaneous
from fastexec.statistics.verdict import single, told_with_interval
from fastexec.studies.study import Study
from fastexec.wording import counted, these

if TYPE_CHECKING:
    import pyarrow as pa

FEW_EPISODES = 100
_MANY = 5  # intervals, from which on somebody would take the best of them


class Part(NamedTuple):
    """A scenario's group of episodes with its summary; ``left_out``: episodes in which the metric has no value."""

    scenario: str | None
    group: str
    study: Study
    summary: pa.Table
    left_out: int = 0

    @property
    def title(self) -> str:
        """What it is called: its scenario, its group, both or nothing."""
        return title_of(self.scenario, self.group)


def title_of(scenario: str | None, group: str | None) -> str:
    """What a part of a comparison is called."""
    return ": ".join(name for name in (scenario, group) if name)


def notes_of(parts: Sequence[Part], metric: Metric) -> list[str]:
    """Cautions, and what adapting is worth to each agent."""
    notes = cautions([part.study for part in parts], [part.summary for part in parts])
    notes += [] if parts[0].study.costs.rule == "per_step" else _how(parts, metric)
    if metric.kind != "shortfall":
        return _of_metric(parts, metric) + notes
    return notes + [line for part in parts for line in _worth_of_adapting(part)]


def _of_metric(parts: Sequence[Part], metric: Metric) -> list[str]:
    """What is compared, on which episodes, and whether they are enough for its intervals."""
    notes = [f"compared by {metric.name}: {metric.words}"]
    left_out = sum(part.left_out for part in parts)
    if left_out:
        notes.append(
            f"{counted(left_out, 'episode is', 'episodes are')} left out: a strategy traded nothing in them, or the market had "
            "no volume"
        )
    least, fewest = LEAST_EPISODES.get(metric.kind, 0), min(part.summary["episodes"][0].as_py() for part in parts)
    if fewest < least:
        notes.append(
            f"{counted(fewest, 'episode is', 'episodes are')} few for {metric.kind} (under {least:,}): its "
            "intervals are too narrow"
        )
    return notes


def cautions(studies: Sequence[Study], summaries: Sequence[pa.Table]) -> list[str]:
    """What a reader must know before he believes a table of these summaries, each of the study at its place."""
    notes, study = [], studies[0]
    if any(each.order.at_horizon == "leave" for each in studies):
        notes.append("at_horizon = leave: what was not traded costs nothing here, so look at completion first")
    if any(each.order.rest == "quote" for each in studies):
        notes.append(
            "mark_price = quote: what was not traded counts at the last quote, whatever its size, so look at completion first"
        )
    if study.costs.rule == "per_step":
        notes.append(
            "rule per_step: not an execution cost (not multiplied by shares, charged until nothing is left); no interval"
        )
    notes += footnotes(study, summaries) + _day_notes(summaries) + _numerical(studies)
    return notes + ([] if study.costs.rule == "per_step" else _rough(summaries))


def _worth_of_adapting(part: Part) -> list[str]:
    """What each agent saves over the best static schedule, and over its own mean schedule played blind."""
    study, lines = part.study, []
    if study.costs.rule == "per_step" or not any(
        s.minimises_with() == 0.0 or s.plays_mean_of() for s in study.strategies
    ):
        return []
    material = from_summary(part.summary)
    names = [strategy.name for strategy in study.strategies]
    for k, strategy in enumerate(study.strategies):
        if not strategy.is_agent:
            continue

        def told(other: str, k: int = k) -> str:
            saved = single(material, names.index(other), k)
            return f"{told_with_interval(saved)} bps" if saved.known else f"{saved.saving:+.3f} bps (no interval)"

        title = f"{part.title}: " if part.title else ""
        worth = worth_of_adapting(study, strategy.name, told)
        lines.append(f"{title}{strategy.name}, what adapting is worth: {worth}")
    return lines


def _numerical(studies: Sequence[Study]) -> list[str]:
    """How near the optimum of the first of them is that plays a numerical one."""
    played = [study for study in studies if study.optima and study.optimum_is_numerical]
    if not played:
        return []
    from fastexec.learning.optimum import how_near, solve_optimum

    study, where = played[0], " (of the first scenario that has one)" if len(studies) > 1 else ""
    near = how_near(study, solve_optimum(study, study.optima[0].actions))
    return [f"{study.optima[0].name}{where} is a numerical optimum, no exact one: {near}"]


def _day_notes(summaries: Sequence[pa.Table]) -> list[str]:
    """Why there is no interval on real days, where there is none."""
    days = [len(summary["day_ids"][0].as_py() or []) for summary in summaries]
    if not any(days):
        return []
    if summaries[0]["day_episodes"][0].as_py() is None:
        return [f"conditional on {these(days[0], 'day')}, of whose blocks every episode is made: no interval is shown"]
    if min(days) < FEWEST_DAYS:
        return [
            f"conditional on {these(min(days), 'day')}: an interval needs at least {FEWEST_DAYS} (days are the clusters)"
        ]
    return []


def _rough(summaries: Sequence[pa.Table]) -> list[str]:
    """Where intervals should not be taken at their word: few episodes."""
    fewest = min(summary["episodes"][0].as_py() for summary in summaries)
    if fewest >= FEW_EPISODES:
        return []
    return [
        f"{counted(fewest, 'episode is', 'episodes are')} few (under {FEW_EPISODES}): intervals are right only where "
        "costs are near normal"
    ]


def uneven_days(materials: Sequence[Paired]) -> str:
    """Where Student's t is too narrow: days are few, and some have many more episodes than others."""
    found = [single_value(own.day_counts) for own in materials if own.day_counts is not None]
    worst = max((each for each in found if each is not None), key=lambda pair: pair[1], default=None)
    if worst is None:
        return ""
    return (
        f"; on days as uneven they are too narrow: to cover 95 % they must reach {worst[1]:.2f} standard errors to each side, "
        f"not {worst[0]:.2f}, as those of the report do"
    )


def _how(parts: Sequence[Part], metric: Metric) -> list[str]:
    """How the intervals of a comparison were made, and that they are many."""
    materials = [material_of(part.summary, metric) for part in parts]
    k, first = len(materials[0].strategies), materials[0]
    if k < 2 or not np.isfinite(single(first, 0, 1).low):
        return []
    if first.day_counts is None:
        units = counted(first.count, "episode")
    else:
        units = f"{counted(first.day_counts.size, 'day')}, the clusters, with {first.day_counts.size - 1} degrees of freedom"
    how = f"intervals of 95 %, each by itself: Student's t over {units}"
    if any(is_controlled(first, j) for j in range(k)):
        moves = "unexpected price moves" if parts[0].study.splits_timing else "price moves"
        how += f"; {moves}, of known mean 0, are taken out of costs and savings (control variate)"
    how += uneven_days(materials)
    many = len(parts) * (k - 1)
    if many <= _MANY:
        return [how]
    if len(parts) > 1:
        return [
            how,
            f"{counted(many, 'interval')}: each holds by itself, so about one in 20 misses; do not pick the best of them",
        ]
    together = simultaneous(first)
    return [
        how,
        f"{counted(many, 'interval')}: to hold together over all {together.pairs} pairs they must reach "
        f"{together.critical:.2f} standard errors to each side ({together.method}), as those of the report do",
    ]

"""From the seconds of each round to figures: medians, noise, ratios from the same round, and how time grows."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from jobs.job import BASELINES, PROCESSOR, RETURNED, Job

#: What one call cost, by (job, threads) and then by round.
Samples = dict[tuple[str, int], dict[int, float]]


def samples_of(benchmarks: Iterable[dict[str, Any]], jobs: Sequence[Job]) -> Samples:
    """From the ``benchmarks`` of pytest-benchmark's JSON."""
    measured = {job.name: job.measured for job in jobs}
    found: Samples = defaultdict(dict)
    for one in benchmarks:
        noted = one["extra_info"]
        own = {PROCESSOR: "processor_s", RETURNED: "returned"}.get(measured[noted["job"]])
        value = one["stats"]["median"] if own is None else noted[own]
        found[noted["job"], noted["threads"]][noted["round"]] = float(value)
    return dict(found)


def noise_of(values: Sequence[float]) -> float:
    """Half the distance between the quartiles over the median; 0 of a single value."""
    if len(values) < 2:
        return 0.0
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return (high - low) / 2.0 / middle


def rows_of(jobs: Sequence[Job], samples: Samples, missing: dict[str, str], threads: int) -> list[dict[str, Any]]:
    """A row for each measured job that is not of the growth table, group by group, baselines last."""
    work = {job.name: job.work for job in jobs}
    rows = []
    for job in jobs:
        if job.growth is not None or ((job.name, 1) not in samples and job.name not in missing):
            continue
        row: dict[str, Any] = {"name": job.name, "group": job.group, "unit": job.unit, "work": job.work}
        if job.name in missing:
            rows.append({**row, "missing": missing[job.name]})
            continue
        row |= {"one": _figure(samples[job.name, 1], job.work)}
        if job.all_threads:
            row["all"] = _figure(samples[job.name, threads], job.work)
            row["faster"] = _ratio([(job.name, 1)], [(job.name, threads)], samples, work)
        if job.floor:
            row["floor"] = _ratio([(job.name, 1)], [(other, 1) for other in job.floor], samples, work)
        row["baselines"] = {
            other: None if other in missing else _ratio([(other, 1)], [(job.name, 1)], samples, work)
            for other in job.baselines
        }
        rows.append(row)
    groups = [group for group in dict.fromkeys(row["group"] for row in rows) if group != BASELINES] + [BASELINES]
    return sorted(rows, key=lambda row: groups.index(row["group"]))


def _figure(rounds: dict[int, float], work: float) -> dict[str, float]:
    values = [value / work for value in rounds.values()]
    return {"median": statistics.median(values), "noise": noise_of(values), "rounds": len(values)}


def _ratio(
    over: list[tuple[str, int]], under: list[tuple[str, int]], samples: Samples, work: dict[str, float]
) -> float:
    """Median over the rounds that all have of the ratio for a unit of work; each (job, threads), several added up."""
    rounds = set.intersection(*(set(samples[timed]) for timed in over + under))

    def total(several: list[tuple[str, int]], number: int) -> float:
        return sum(samples[timed][number] / work[timed[0]] for timed in several)

    return statistics.median(total(over, number) / total(under, number) for number in rounds)


def growth_of(jobs: Sequence[Job], samples: Samples) -> list[dict[str, Any]]:
    """For each series its points (x, seconds), and the exponent fitted to them (1 is linear; a fixed cost bends it down)."""
    points: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for job in jobs:
        if job.growth is not None and (job.name, 1) in samples:
            series, x = job.growth
            points[series].append((float(x), statistics.median(samples[job.name, 1].values())))
    return [{"series": name, "points": found, "exponent": exponent_of(found)} for name, found in points.items()]


def exponent_of(points: Sequence[tuple[float, float]]) -> float | None:
    """Slope of log seconds over log x; none of a single point."""
    if len(points) < 2:
        return None
    return statistics.linear_regression([math.log(x) for x, _ in points], [math.log(y) for _, y in points]).slope

"""All jobs, in the order in which a round runs them."""

from __future__ import annotations

from collections.abc import Iterator

from fastexec.threads import default_threads
from jobs import engine, environments, learning, output, processes
from jobs.job import Job, Size


def catalogue(size: Size) -> list[Job]:
    measured = [
        *engine.core_jobs(size),
        *learning.jobs(size),
        *environments.jobs(size),
        *output.jobs(size),
        *engine.market_jobs(size),
        *engine.preset_jobs(size),
        *processes.jobs(size),
    ]
    grown = [
        *engine.growth_jobs(size),
        *learning.growth_jobs(size),
        *output.growth_jobs(size),
    ]
    return measured + grown


def chosen(size: Size, text: str) -> list[Job]:
    """The jobs whose group or name holds the text, and all that they are held against."""
    jobs = catalogue(size)
    wanted = {job.name for job in jobs if text.lower() in f"{job.group}: {job.name}".lower()}
    while further := {o for j in jobs if j.name in wanted for o in (*j.floor, *j.baselines)} - wanted:
        wanted |= further
    return [job for job in jobs if job.name in wanted]


def turns(jobs: list[Job], rounds: dict[str, int]) -> Iterator[tuple[Job, int, int]]:
    """(job, threads, number of the round): all jobs of a round before any of the next."""
    for number in range(max(rounds.values())):
        for job in jobs:
            if number < rounds[job.rounds]:
                for threads in sorted({1, default_threads()}) if job.all_threads else [1]:
                    yield job, threads, number

"""All jobs, in the order in which a round runs them."""

from __future__ import annotations

from jobs import engine, learning, output, processes
from jobs.job import Job, Size


def catalogue(size: Size) -> list[Job]:
    measured = [
        *engine.core_jobs(size),
        *learning.jobs(size),
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

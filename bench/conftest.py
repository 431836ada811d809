"""The rounds of the suite, and the kernels compiled before anything is timed."""

from __future__ import annotations

import pytest
from jobs.catalogue import catalogue
from jobs.job import Size
from jobs.output import clear

from fastexec.kernels import _jit
from fastexec.simulation import default_threads


def pytest_addoption(parser):
    parser.addoption("--full", action="store_true", help="Larger sizes and more rounds.")
    parser.addoption("--only", default="", help="Jobs whose names hold this text, and what they are held against.")


def chosen(size, text):
    """The jobs that ``--only`` asks for."""
    jobs = catalogue(size)
    wanted = {job.name for job in jobs if text.lower() in f"{job.group}: {job.name}".lower()}
    wanted |= {other for job in jobs if job.name in wanted for other in (*job.floor, *job.baselines)}
    return [job for job in jobs if job.name in wanted]


def turns(jobs, rounds):
    """(job, threads, number of the round): all jobs of a round before any of the next."""
    for number in range(max(rounds.values())):
        for job in jobs:
            if number < rounds[job.rounds]:
                for threads in sorted({1, default_threads()}) if job.all_threads else [1]:
                    yield job, threads, number


def pytest_generate_tests(metafunc):
    size = Size(quick=not metafunc.config.getoption("--full"))
    alone = metafunc.config.getoption("--benchmark-disable")  # each job once, to see that it runs
    rounds = dict.fromkeys(size.rounds, 1) if alone else size.rounds
    found = list(turns(chosen(size, metafunc.config.getoption("--only")), rounds))
    names = [f"{job.name}, threads {threads}, round {number}" for job, threads, number in found]
    metafunc.parametrize(("job", "threads", "number"), found, ids=names)


@pytest.fixture(scope="session")
def made():
    """What each job made of itself, by (name, threads); processes among them are ended."""
    functions = {}
    yield functions
    for function in functions.values():
        if hasattr(function, "close"):
            function.close()
    clear()


@pytest.fixture(scope="session", autouse=True)
def compiled():
    import fastexec.simulation  # noqa: F401 - both register their entry kernels
    import fastexec.studies.run  # noqa: F401

    for entry in _jit.entries:
        entry.warm()

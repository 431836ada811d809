"""The rounds of the suite, and the kernels compiled before anything is timed."""

from __future__ import annotations

import pytest
from jobs.catalogue import chosen, turns
from jobs.job import Size
from jobs.output import clear

from fastexec.kernels import _jit


def pytest_addoption(parser):
    parser.addoption("--full", action="store_true", help="Larger sizes and more rounds.")
    parser.addoption("--only", default="", help="Jobs whose names hold this text, and what they are held against.")


def pytest_generate_tests(metafunc):
    asked = metafunc.config.getoption
    size = Size(quick=not asked("--full"))
    timed = asked("--benchmark-enable") or not asked("--benchmark-disable")  # else each job once, to see that it runs
    rounds = size.rounds if timed else dict.fromkeys(size.rounds, 1)
    found = list(turns(chosen(size, asked("--only")), rounds))
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
    import fastexec.runs.run  # noqa: F401
    import fastexec.simulation  # noqa: F401 - both register their entry kernels

    for entry in _jit.entries:
        entry.warm()

"""Benchmarks: kernels are compiled before anything is timed; each reports nanoseconds a path-step beside its seconds."""

from __future__ import annotations

import pytest

from fastexec.kernels import _jit


@pytest.fixture(scope="session", autouse=True)
def compiled():
    import fastexec.simulation  # noqa: F401 - registers the entry kernels
    import fastexec.studies.run  # noqa: F401

    for entry in _jit.entries:
        entry.warm()


@pytest.fixture
def per_step(benchmark):
    """Time ``function`` (median of rounds after a warm-up) and note nanoseconds for each of ``steps`` path-steps."""

    def measure(function, steps, rounds=9):
        benchmark.pedantic(function, rounds=rounds, warmup_rounds=2)
        benchmark.extra_info["ns_per_step"] = round(benchmark.stats.stats.median / steps * 1e9, 3)
        benchmark.extra_info["million_steps_per_second"] = round(steps / benchmark.stats.stats.median / 1e6, 1)

    return measure

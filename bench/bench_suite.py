"""Every job, round after round: ``python3 scripts/bench.py``, or ``pytest bench --benchmark-enable`` for the bare figures.

A round runs each job once, in turn, so that a ratio of two jobs comes from the same moments of a noisy machine.
"""

from __future__ import annotations

from time import perf_counter, process_time

import pytest
from jobs.job import RETURNED, MissingError


def test_job(benchmark, job, threads, number, made, record_property):
    """Time one call. In the first round the job is prepared, and called once beforehand to compile and warm up."""
    noted = benchmark.extra_info
    noted.update(job=job.name, threads=threads, round=number)
    if number == 0:
        started = perf_counter()
        try:
            function = made[job.name, threads] = job.make(threads)
        except MissingError as error:
            made[job.name, threads] = None
            record_property("missing", (job.name, str(error)))
            pytest.skip(str(error))
        noted.update(getattr(function, "notes", {}))
        if job.warm_up:
            function()
        noted["preparation_s"] = perf_counter() - started
    function = made[job.name, threads]
    if function is None:
        pytest.skip("missing")

    def call():
        before = process_time()
        value = function()
        noted["processor_s"] = process_time() - before
        if job.measured == RETURNED:
            noted["returned"] = value

    benchmark.pedantic(call, rounds=1, iterations=1)

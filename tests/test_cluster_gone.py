"""A Dask cluster whose scheduler or whose workers are gone for good: told in one line, and the run is resumable."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import pytest

import fastexec as fx
from fastexec.errors import FastexecError
from test_cluster import CHUNK, STUDY, two_workers
from test_run import assert_same_files

pytestmark = [
    pytest.mark.processes,
    pytest.mark.filterwarnings("default"),
]  # Dask's own, of sockets closed late, are not ours


@pytest.fixture(scope="module")
def threads(tmp_path_factory):
    folder = tmp_path_factory.mktemp("threads")
    fx.run(STUDY, out=folder / "r", chunk=CHUNK)
    return folder / "r"


def address_in(place):
    """What a scheduler says in its file, once that is whole."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
            return json.loads(place.read_text())["address"]
        time.sleep(0.05)
    pytest.fail("the scheduler has not begun within a minute")


def test_a_scheduler_gone_midway_is_told_and_the_run_is_resumable(threads, tmp_path):
    place = tmp_path / "scheduler.json"
    dask = [sys.executable, "-m", "distributed.cli.dask_"]
    scheduler = subprocess.Popen(
        [*dask[:2], dask[2] + "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", place],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    worker = subprocess.Popen(
        [*dask[:2], dask[2] + "worker", "--scheduler-file", place, "--nthreads", "1", "--no-nanny", "--no-dashboard",
         "--death-timeout", "20"], stderr=subprocess.DEVNULL, cwd=tmp_path,
    )  # fmt: skip
    try:
        address = address_in(place)
        with pytest.raises(FastexecError, match="is gone; what is complete is kept, resume=True goes on"):
            fx.run(STUDY, out=tmp_path / "r", chunk=CHUNK, scheduler=address, progress=lambda now: scheduler.kill())
    finally:
        for process in (scheduler, worker):
            process.kill()
            process.wait()
    assert not (tmp_path / "r" / "summary.parquet").exists()
    fx.run(STUDY, out=tmp_path / "r", resume=True)
    assert_same_files(threads, tmp_path / "r")


@pytest.fixture
def impatient(monkeypatch):
    from fastexec.runs import cluster

    monkeypatch.setattr(cluster, "_RETURN", {"workers": 1, "scheduler": 1})
    monkeypatch.setattr(cluster, "_TRANSFER", 1)
    monkeypatch.setattr(cluster, "_COUNTED", 0.2)
    return cluster


def end_all(local):
    for nanny in local.workers.values():
        if nanny.pid is not None:
            nanny.close_gracefully()  # it does not begin another
            os.kill(nanny.pid, signal.SIGKILL)


def test_local_workers_that_are_gone_for_good_are_told_and_the_run_is_resumable(
    impatient, threads, tmp_path, monkeypatch
):
    begin, begun = impatient._local, []
    monkeypatch.setattr(impatient, "_local", lambda workers: begun.append(begin(workers)) or begun[0])
    with pytest.raises(
        FastexecError, match=r"every worker process has died and none came back within 1 s .*resume=True goes on"
    ):
        fx.run(STUDY, out=tmp_path / "r", chunk=CHUNK, workers=2, progress=lambda now: end_all(begun[0]))
    fx.run(STUDY, out=tmp_path / "r", resume=True)
    assert_same_files(threads, tmp_path / "r")


def test_workers_of_a_cluster_that_are_gone_for_good_are_told_in_the_same_way(impatient, tmp_path):
    with (
        two_workers() as local,
        pytest.raises(FastexecError, match="every worker is gone and none came back within 1 s"),
    ):
        fx.run(
            STUDY,
            out=tmp_path / "r",
            chunk=CHUNK,
            scheduler=local.scheduler_address,
            progress=lambda now: end_all(local),
        )

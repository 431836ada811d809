"""A real local Dask cluster: the bits of the threads, workers that die or dawdle, a chunk that fails, a scheduler that goes."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time

import pyarrow.parquet as pq
import pytest

import fastexec as fx
from conftest import SMALL
from fastexec.errors import FastexecError, InputError, RefusedError
from fastexec.studies.study import Study
from test_run import assert_same_files

distributed = pytest.importorskip("distributed")
pytestmark = [
    pytest.mark.processes,
    pytest.mark.filterwarnings("default"),
]  # Dask's own, of sockets closed late, are not ours

STUDY = Study.from_dict({**SMALL, "episodes": 4000, "output": {"steps": 7}})
CHUNK = 250


@pytest.fixture(scope="module")
def threads(tmp_path_factory):
    folder = tmp_path_factory.mktemp("threads")
    fx.run(STUDY, out=folder / "r", chunk=CHUNK)
    return folder / "r"


def two_workers():
    return distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        memory_limit=0,
        silence_logs=50,
    )


@pytest.fixture(scope="module")
def cluster():
    with two_workers() as cluster:
        yield cluster


@pytest.fixture
def mortal():
    """Workers of one test alone: Dask gives one up that dies while it starts, and a call to one that dies may never end."""
    with two_workers() as cluster, distributed.Client(cluster.scheduler_address, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60)
        yield cluster, client


@pytest.fixture
def client(cluster):
    with distributed.Client(cluster.scheduler_address, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=30)
        yield client
        client.run(mend)


def mend():
    import importlib

    from distributed import versions

    import fastexec
    from fastexec.runs import cluster

    versions._version_cached = getattr(versions, "true_version", versions._version_cached)
    fastexec.__version__ = "0.1.0"
    importlib.reload(cluster)


def spoil(what):
    """On a worker: a chunk is slow, fails, or takes the worker with it."""
    from fastexec.runs import cluster

    whole = cluster.work

    def work(job, task):
        if what == "slow":
            time.sleep(0.3)
        elif task.first == 1000 and what == "dies":
            time.sleep(2)  # Dask gives a worker up that dies before its nanny knows that it has begun
            os.kill(os.getpid(), signal.SIGKILL)
        elif task.first == 1000:
            raise ValueError("a bug\nof two lines")
        return whole(job, task)

    cluster.work = work


def run(cluster, folder, **options):
    return fx.run(STUDY, out=folder, chunk=CHUNK, scheduler=cluster.scheduler_address, **options)


def test_the_files_of_a_threaded_run(cluster, threads, tmp_path):
    run(cluster, tmp_path / "r")
    assert_same_files(threads, tmp_path / "r")


def test_a_cell_of_a_notebook_which_a_running_loop_calls(cluster, threads, tmp_path):
    async def cell():
        run(cluster, tmp_path / "r")

    asyncio.run(cell())
    assert_same_files(threads, tmp_path / "r")


def test_summaries_only_and_from_the_command_line(tmp_path):
    study = STUDY.with_overrides(["output.rows=none", "output.steps=0", "episodes=30000"])
    fx.run(study, out=tmp_path / "threads")
    (tmp_path / "study.toml").write_text(study.to_toml())
    words = [sys.executable, "-m", "fastexec", "run", "study.toml", "--workers", "2", "--chunk", "4096", "--out", "r"]
    ended = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    told = [
        line for line in ended.stderr.splitlines() if " episodes/s" not in line
    ]  # a word of progress, each ten seconds
    assert (ended.returncode, told) == (0, [])
    assert "saving against twap" in ended.stdout
    for name in ("summary", "comparison"):
        a, b = (pq.read_table(tmp_path / x / f"{name}.parquet") for x in ("threads", "r"))
        assert a.equals(b, check_metadata=True)


def test_ctrl_c_is_one_line_and_keeps_what_is_complete(tmp_path):
    (tmp_path / "study.toml").write_text(STUDY.with_overrides(["episodes=3000000"]).to_toml())
    process = subprocess.Popen(
        [sys.executable, "-m", "fastexec", "run", "study.toml", "--workers", "2", "--chunk", "2000", "--out", "r"],
        cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    while not list(tmp_path.glob("r/episodes/*.parquet")):
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the run and to its workers
    error = process.communicate(timeout=60)[1]
    assert (process.returncode, error) == (
        130,
        "fastexec: interrupted; what is complete is kept, --resume goes on\n",
    )


def test_a_worker_killed_in_the_middle(mortal, threads, tmp_path):
    cluster, client = mortal
    pids = list(client.run(os.getpid).values())

    def kill(now):
        if pids:
            os.kill(pids.pop(), signal.SIGKILL)
            pids.clear()

    run(cluster, tmp_path / "r", progress=kill)
    assert pids == []
    assert_same_files(threads, tmp_path / "r")


def test_a_slow_worker(cluster, client, threads, tmp_path):
    client.run(spoil, "slow", workers=list(client.scheduler_info()["workers"])[:1])
    run(cluster, tmp_path / "r")
    assert_same_files(threads, tmp_path / "r")


def test_a_chunk_that_always_fails_is_named_with_the_command_that_shows_it(cluster, client, threads, tmp_path):
    client.run(spoil, "fails")
    failures = []
    with pytest.raises(FastexecError) as caught:
        run(cluster, tmp_path / "r", progress=lambda now: failures.append(now.failures))
    told = str(caught.value)
    assert "episodes 1000 to 1249 failed, 3 times (ValueError: a bug); to see it alone: fastexec.run(" in told
    assert f"{tmp_path}/r/study.toml', []), first_episode=1000, episodes=250, chunk=250, threads=1" in told
    assert "\n" not in told
    assert failures[-1] == 2
    client.run(mend)
    run(cluster, tmp_path / "r", resume=True)
    assert_same_files(threads, tmp_path / "r")


def test_a_chunk_that_takes_every_worker_with_it(mortal, tmp_path):
    cluster, client = mortal

    class Deadly(distributed.WorkerPlugin):
        def setup(self, worker):
            spoil("dies")

    client.register_plugin(Deadly(), name="deadly")  # also for the workers that take the dead ones' place
    with pytest.raises(FastexecError, match="episodes 1000 to 1249 failed"):
        run(cluster, tmp_path / "r")


def pretend(name, told):
    """On a worker: another version of a package is installed."""
    from distributed import versions

    if not hasattr(versions, "true_version"):
        versions.true_version = versions._version_cached
    versions._version_cached = lambda other: told if other == name else versions.true_version(other)


@pytest.mark.parametrize(("name", "told", "have"), [("fastexec", "0.0.9", "has fastexec 0.0.9"),
                                                    ("numba", "0.62.0", "has numba 0.62.0"),
                                                    ("fastexec", None, "has no fastexec")])  # fmt: skip
def test_workers_of_another_version_are_refused_and_nothing_is_written(cluster, client, tmp_path, name, told, have):
    client.run(pretend, name, told)
    with pytest.raises(RefusedError, match=rf"worker tcp://127.0.0.1:\d+: {have}, this is {name} \d") as caught:
        run(cluster, tmp_path / "r")
    assert caught.value.exit_status == 3
    assert not (tmp_path / "r").exists()


def test_a_worker_whose_code_differs_refuses_its_chunk(cluster, client, tmp_path):
    client.run(lambda: setattr(__import__("fastexec"), "__version__", "0.0.9"))
    with pytest.raises(RefusedError, match=r"has fastexec 0.0.9, this is fastexec 0.1.0"):
        run(cluster, tmp_path / "r")
    assert not list((tmp_path / "r").glob("episodes/*"))


def test_workers_that_see_another_folder_are_refused(cluster, tmp_path, threads, monkeypatch):
    from fastexec.runs import claim, cluster as cluster_module

    begin = cluster_module.Cluster.begin

    def elsewhere(self, job):
        begin(self, claim.Job(job.study, job.scenarios, type(job.folder).of(threads), job.cut))

    monkeypatch.setattr(cluster_module.Cluster, "begin", elsewhere)
    with pytest.raises(InputError, match="is another folder there; give one that all see"):
        fx.run(STUDY.changed({"seed": 6}), out=tmp_path / "r", scheduler=cluster.scheduler_address)


def test_a_scheduler_that_does_not_answer_is_told_within_ten_seconds(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        started = time.monotonic()
        with pytest.raises(InputError, match="does not answer") as caught:
            fx.run(STUDY, out=tmp_path / "r", scheduler=address)
        assert time.monotonic() - started < 10
    assert address in str(caught.value)
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="threads and workers: give one"):
        fx.run(STUDY, out=tmp_path / "r", threads=2, workers=2)
    assert not (tmp_path / "r").exists()

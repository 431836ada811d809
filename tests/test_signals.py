"""Ctrl-C, SIGTERM and SIGHUP end a command with one line and 130, and a run can go on; what is ignored stays ignored."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from commands import typed
from conftest import ROOT
from fastexec.errors import Interrupted
from fastexec.runs.interruption import asked_to_stop
from test_cli import STUDY
from test_run import assert_same_files

pytestmark = pytest.mark.processes

RUN = ["run", "tiny.toml", "--episodes", "200000", "--quiet"]
LONG = [*RUN, "--chunk", "2000"]
SAID = {
    signal.SIGINT: "interrupted",
    signal.SIGTERM: "terminated (SIGTERM)",
    signal.SIGHUP: "its terminal hung up (SIGHUP)",
}
SLEEPING = """
import pathlib, time
import fastexec
pathlib.Path("begun").touch()
for _ in range(2000):  # a signal that comes just before a sleep is seen after it
    time.sleep(0.05)
"""


@pytest.fixture
def place(tmp_path):
    (tmp_path / "tiny.toml").write_text(STUDY)
    (tmp_path / "sleeping.py").write_text(SLEEPING)
    (tmp_path / "mine.toml").write_text(STUDY + '[[strategies]]\nmodel = "mine"\n')
    return tmp_path


def start(folder, *words, before=()):
    return subprocess.Popen(
        [*before, sys.executable, "-m", "fastexec", *words], cwd=folder, stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def wait_for(process, there):
    deadline = time.monotonic() + 120
    while not there() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert there(), process.communicate()


@pytest.fixture(scope="module")
def single(tmp_path_factory):
    folder = tmp_path_factory.mktemp("single")
    (folder / "tiny.toml").write_text(STUDY)
    assert typed(*LONG, "--out", "r", cwd=folder)[0] == 0
    return folder / "r"


@pytest.mark.parametrize("number", SAID, ids=lambda number: number.name)
def test_a_run_stops_between_chunks_and_goes_on(place, single, number):
    process = start(place, *LONG, "--out", "r")
    wait_for(process, lambda: list((place / "r").glob("episodes/*.parquet")))
    process.send_signal(number)
    out, error = process.communicate(timeout=120)
    assert (process.returncode, out) == (130, "")
    assert error == f"fastexec: {SAID[number]}; what is complete is kept, --resume goes on\n"
    assert not list((place / "r").rglob("*.tmp"))
    assert not (place / "r" / "summary.parquet").exists()
    assert typed(*RUN, "--out", "r", "--resume", cwd=place) == (0, "", "")  # the chunk is the folder's
    assert_same_files(single, place / "r")


@pytest.mark.parametrize("number", SAID, ids=lambda number: number.name)
@pytest.mark.parametrize("verb", ["run", "check"])
def test_outside_of_chunks_it_ends_at_once(place, number, verb):
    process = start(place, verb, "mine.toml", "--plugin", "sleeping.py")
    wait_for(process, (place / "begun").exists)
    began = time.monotonic()
    process.send_signal(number)
    out, error = process.communicate(timeout=60)
    assert time.monotonic() - began < 20.0
    assert (process.returncode, out) == (130, "")
    further = "; what is complete is kept, --resume goes on" if verb == "run" else ""
    assert error == f"fastexec: {SAID[number]}{further}\n"


def test_under_nohup_the_terminal_may_hang_up(place):
    process = start(place, *LONG, "--out", "r", before=["nohup"])
    wait_for(process, lambda: list((place / "r").glob("episodes/*.parquet")))
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=240)
    assert process.returncode == 0
    assert (place / "r" / "comparison.parquet").exists()


def test_a_group_that_is_ended_ends_its_workers_in_order(place):
    """A service manager sends SIGTERM to every process: the workers leave it to the run, which says one line."""
    process = subprocess.Popen(
        [sys.executable, "-m", "fastexec", *LONG, "--workers", "2", "--out", "r"], cwd=place, start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    wait_for(process, lambda: list((place / "r").glob("episodes/*.parquet")))
    os.killpg(process.pid, signal.SIGTERM)
    out, error = process.communicate(timeout=120)
    assert (process.returncode, out) == (130, "")
    assert error == f"fastexec: {SAID[signal.SIGTERM]}; what is complete is kept, --resume goes on\n"
    deadline = time.monotonic() + 60
    while members(process.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert members(process.pid) == []


def members(group):
    listed = subprocess.run(["ps", "-eo", "pid,pgid,stat"], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in listed.splitlines()[1:]]
    return [int(pid) for pid, own, state in rows if int(own) == group and not state.startswith("Z")]


def test_a_program_of_ones_own_keeps_its_handlers():
    """Only Ctrl-C asks where nobody has said what SIGTERM and SIGHUP shall do: they end the process as before."""
    before = {number: signal.getsignal(number) for number in SAID}
    with asked_to_stop() as stop:
        assert signal.getsignal(signal.SIGTERM) == before[signal.SIGTERM]
        assert signal.getsignal(signal.SIGINT) != before[signal.SIGINT]
        signal.raise_signal(signal.SIGINT)
        assert stop()
        assert signal.getsignal(signal.SIGINT) == before[signal.SIGINT]
    assert {number: signal.getsignal(number) for number in SAID} == before


def terminated_twice():
    with asked_to_stop() as stop:
        signal.raise_signal(signal.SIGTERM)
        assert stop()
        signal.raise_signal(signal.SIGTERM)
        raise KeyboardInterrupt


def test_the_first_signal_is_told_and_a_second_goes_where_it_went_before():
    got = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: got.append(number))
    try:
        with pytest.raises(Interrupted) as caught:
            terminated_twice()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert (caught.value.number, got) == (signal.SIGTERM, [signal.SIGTERM])

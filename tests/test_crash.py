"""Breaking runs for real: kill -9, a disk that fills, a folder gone read-only, files that are damaged, two at once."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pyarrow.parquet as pq
import pytest

import fastexec as fx
from conftest import ROOT, SMALL
from fastexec.errors import FastexecError, RefusedError
from fastexec.place import Place
from fastexec.runs import checkpoint, store
from fastexec.runs.verify import verify
from fastexec.studies.study import Study
from test_cli import STUDY
from test_run import assert_same_files

pytestmark = pytest.mark.processes

# The command itself, but that summaries without rows are kept far more often than every ten seconds.
COMMAND = "import fastexec.runs.run as r; r._CHECKPOINT = 0.01; from fastexec.cli.main import main; main()"
ROWS = ["--episodes", "120000", "--chunk", "1000", "--out", "r"]
SUMMARIES = [
    "--set",
    "output.rows=none",
    "--set",
    "order.steps=200",
    "--episodes",
    "400000",
    "--chunk",
    "12288",
    "--out",
    "r",
]


def start(folder, words):
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, "run", "tiny.toml", "--threads", "2", "--quiet", *words], cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def newest(folder):
    """When a file was last written there; one that is renamed while it is looked at counts under its new name."""
    times = [0]
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            times.append(path.stat().st_mtime_ns if path.is_file() else 0)
    return max(times)


def killed_and_resumed(folder, words, times, seed):
    """Kill the run so many times, each at a random moment after it has begun to write; then let it end."""
    moments, survived = random.Random(seed), 0
    for _ in range(times):
        before = newest(folder / "r") if (folder / "r").exists() else 0
        process = start(folder, [*words, "--resume"])
        while process.poll() is None and not ((folder / "r").exists() and newest(folder / "r") > before):
            time.sleep(0.002)
        time.sleep(moments.uniform(0.0, 0.25))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        survived += process.returncode == -signal.SIGKILL
        if (folder / "r" / "comparison.parquet").exists():
            break
    process = start(folder, [*words, "--resume"])
    error = process.communicate(timeout=120)[1]
    assert (process.returncode, error) == (0, "")
    assert not list((folder / "r").rglob("*.tmp"))
    return survived


@pytest.mark.parametrize(("words", "times"), [
    pytest.param(ROWS, 20, id="rows"), pytest.param(SUMMARIES, 20, id="summaries"),
])  # fmt: skip
def test_killed_at_random_moments_and_resumed_equals_a_single_run(tmp_path, words, times):
    for name in ("killed", "single"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "tiny.toml").write_text(STUDY)
    single = start(tmp_path / "single", words)
    survived = killed_and_resumed(tmp_path / "killed", words, times, seed=times)
    assert single.communicate(timeout=120)[1] == ""
    assert survived >= 1
    assert_same_files(tmp_path / "single" / "r", tmp_path / "killed" / "r")
    assert verify(str(tmp_path / "killed" / "r")).faults == []


def test_two_runs_at_once_one_works_and_one_is_refused(tmp_path):
    (tmp_path / "tiny.toml").write_text(STUDY)
    both = [start(tmp_path, [*ROWS, "--episodes", "150000", "--resume"]) for _ in range(2)]
    ended = {process.wait(timeout=120): process.communicate()[1] for process in both}
    assert set(ended) == {0, 3}
    assert ended[0] == ""
    assert ended[3].count("\n") == 1
    assert "another run writes there" in ended[3]
    assert pq.read_table(tmp_path / "r" / "markets").num_rows == 150_000


WHOLE = Study.from_dict({**SMALL, "episodes": 2500, "output": {"steps": 7}})


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("crash")
    fx.run(WHOLE, out=folder / "rows", chunk=500)
    fx.run(WHOLE.changed({"output": {"rows": "none"}, "episodes": 20_000}), out=folder / "summaries", chunk=4096)
    fx.run(WHOLE.changed({"seed": 6}), out=folder / "other", chunk=500)
    return folder


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path):
    data = path.read_bytes()
    path.write_bytes(data[:300] + bytes(b ^ 255 for b in data[300:364]) + data[364:])


def flip_footer(path):
    data = path.read_bytes()
    path.write_bytes(data[:-400] + bytes(b ^ 255 for b in data[-400:-390]) + data[-390:])


def empty(path):
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [cut, flip, flip_footer, empty, os.unlink])
@pytest.mark.parametrize("table", ["episodes", "markets"])
def test_a_damaged_chunk_alone_is_computed_again(whole, tmp_path, damage, table):
    folder = tmp_path / "r"
    shutil.copytree(whole / "rows", folder)
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("part-*")}
    damage(folder / table / "part-000000001000.parquet")
    fx.run(WHOLE, out=folder, resume=True)
    assert_same_files(whole / "rows", folder)
    touched = {path.name for path, before in times.items() if path.stat().st_mtime_ns != before}
    assert touched == {"part-000000001000.parquet"}


@pytest.mark.parametrize("damage", [cut, flip, flip_footer, empty, os.unlink])
def test_damaged_summaries_so_far_are_computed_again(whole, tmp_path, damage):
    folder = tmp_path / "r"
    shutil.copytree(whole / "summaries", folder)
    damage(folder / "moments" / "part-000000000000.parquet")
    fx.run(WHOLE.changed({"output": {"rows": "none"}, "episodes": 20_000}), out=folder, resume=True)
    assert_same_files(whole / "summaries", folder)


def test_summaries_that_do_not_fit_together_are_computed_again(whole, tmp_path):
    folder, study = tmp_path / "r", WHOLE.changed({"output": {"rows": "none"}, "episodes": 20_000})
    shutil.copytree(whole / "summaries", folder)
    place = Place.of(folder / "moments" / "part-000000000000.parquet")
    table, footer = store.read_table(place), store.read_footer(place)
    for damaged, signed in ((table, footer | {"episodes": 12_288}), (table.drop_columns(["mean"]), footer),
                            (table.set_column(0, "piece_count", [[[1]]]), footer)):  # fmt: skip
        store.write_table(place, damaged, signed)
        (folder / "comparison.parquet").unlink()
        fx.run(study, out=folder, resume=True)
        assert_same_files(whole / "summaries", folder)


def test_a_foreign_chunk_is_named_and_nothing_is_lost(whole, tmp_path):
    folder, name = tmp_path / "r", "episodes/part-000000001000.parquet"
    shutil.copytree(whole / "rows", folder)
    shutil.copy(whole / "other" / name, folder / name)
    for resume, told in (
        (False, "incomplete; resume=True goes on"),
        (True, "part-000000001000.parquet: belongs to another study"),
    ):
        with pytest.raises(RefusedError, match=told):
            fx.run(WHOLE, out=folder, resume=resume)
    assert (folder / name).read_bytes() == (whole / "other" / name).read_bytes()


def test_summaries_of_another_study_are_refused(whole, tmp_path):
    folder, name = tmp_path / "r", "moments/part-000000000000.parquet"
    shutil.copytree(whole / "summaries", folder)
    place = Place.of(folder / name)
    store.write_table(place, store.read_table(place), store.read_footer(place) | {"identity": "0" * 64})
    with pytest.raises(RefusedError, match="belongs to another study"):
        fx.run(WHOLE.changed({"output": {"rows": "none"}, "episodes": 25_000}), out=folder, resume=True)
    assert checkpoint.TABLE in name


@contextmanager
def small_disk(folder, size):
    """A file system of its own in memory, so that a full or read-only disk concerns nobody else."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("mounting a small tmpfs is not permitted here")

    def remount(options):
        while subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], capture_output=True).returncode:
            time.sleep(0.01)  # busy: a file is being written there

    try:
        yield remount
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_fills_is_one_line_and_the_run_goes_on_when_there_is_room(whole, tmp_path):
    with small_disk(tmp_path / "disk", "600k") as remount:
        with pytest.raises(FastexecError, match="No space left on device") as caught:
            fx.run(WHOLE, out=tmp_path / "disk" / "r", chunk=500)
        assert caught.value.exit_status == 1
        assert "\n" not in str(caught.value)
        assert not list((tmp_path / "disk").rglob("*.tmp"))
        assert not (tmp_path / "disk" / "r" / "comparison.parquet").exists()
        remount("size=20m")
        fx.run(WHOLE, out=tmp_path / "disk" / "r", resume=True)
        assert_same_files(whole / "rows", tmp_path / "disk" / "r")


def test_a_folder_gone_read_only_is_one_line_and_the_run_goes_on_later(whole, tmp_path):
    with small_disk(tmp_path / "disk", "20m") as remount:
        with pytest.raises(FastexecError, match="Read-only file system") as caught:
            fx.run(WHOLE, out=tmp_path / "disk" / "r", chunk=500, threads=1, progress=lambda now: remount("ro"))
        assert "\n" not in str(caught.value)
        with pytest.raises(FastexecError, match="cannot be written"):
            fx.run(WHOLE, out=tmp_path / "disk" / "r", resume=True)
        assert "saving_bps" in fx.compare(whole / "rows").table.column_names
        remount("rw")
        fx.run(WHOLE, out=tmp_path / "disk" / "r", resume=True)
        assert_same_files(whole / "rows", tmp_path / "disk" / "r")

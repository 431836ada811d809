"""The kernel cache: the user's own folder, damage that costs a compilation and nothing else, one compiler at a time."""

from __future__ import annotations

import os
import pickle
import stat
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from fastexec.kernels import _cache
from fastexec.kernels._jit import JIT_DISABLED

pytestmark = pytest.mark.processes

ROOT = Path(__file__).resolve().parents[1]
#: Compiles two small kernels, an entry and a bound stage, and prints what comes out and what was compiled.
PROGRAM = """
import sys, time
from pathlib import Path
import numpy as np
from fastexec.kernels import _jit
from fastexec.kernels import market
from fastexec.kernels._bind import address_of
from fastexec.kernels.quantile import normal_quantiles
_jit.on_compile(print)
if len(sys.argv) > 1:  # two of us begin together
    Path(sys.argv[1]).touch()
    while not Path(sys.argv[2]).exists():
        time.sleep(0.001)
z = np.empty(3)
normal_quantiles(np.array([0.025, 0.5, 0.9]), z)
print(z.tolist(), address_of(market.roll) > 0)
"""
BOTH = ["quantile.normal_quantiles", "market.roll"]
compiled_only = pytest.mark.skipif(JIT_DISABLED, reason="nothing is compiled")


def start(cache: Path, *arguments: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "FASTEXEC_CACHE_DIR": str(cache)}
    command = [sys.executable, "-P", "-c", PROGRAM, *map(str, arguments)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen[str]) -> tuple[list[str], str]:
    """The lines it printed, the last one apart; it ended well and said nothing on standard error."""
    out, told = process.communicate(timeout=120)
    assert (process.returncode, told) == (0, "")
    *lines, last = out.splitlines()
    return lines, last


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache") / "kernels"
    compiled, result = ended(start(cache))
    assert compiled == BOTH
    return cache, result


def files_of(cache: Path) -> list[Path]:
    found = sorted(path for path in cache.rglob("*.nb*"))
    assert len(found) == 4  # an index and a data file for each of the two
    return found


DAMAGE = {
    "a flipped byte in the middle": lambda whole: flipped(whole, len(whole) // 2),
    "a flipped byte of the seal": lambda whole: flipped(whole, 3),
    "cut short": lambda whole: whole[:-1],
    "empty": lambda whole: b"",
}


def flipped(whole: bytes, place: int) -> bytes:
    return whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :]


@compiled_only
@pytest.mark.parametrize("how", list(DAMAGE))
def test_what_is_damaged_is_compiled_again(filled, how):
    cache, result = filled
    for path in files_of(cache):
        path.write_bytes(DAMAGE[how](path.read_bytes()))
    assert ended(start(cache)) == (BOTH, result)
    assert ended(start(cache)) == ([], result)  # and is whole again


@compiled_only
def test_no_flip_in_any_file_goes_unseen(filled):
    cache, _ = filled
    for path in files_of(cache):
        whole = path.read_bytes()
        for place in np.linspace(0, len(whole) - 1, 60).astype(int):
            path.write_bytes(flipped(whole, place))
            assert _cache._unsealed(path) is None
        path.write_bytes(whole)
        assert _cache._unsealed(path) == whole[32:]


@compiled_only
@pytest.mark.parametrize("name", ["fastexec.kernels.moved\nLanes", "fastexec.kernels.fields\nMoved"])
@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
def test_what_names_a_class_that_is_gone_is_compiled_again(filled, name, suffix):
    cache, result = filled
    for path in files_of(cache):
        if path.suffix == suffix:
            content = pickle.dumps("a version") * (suffix == ".nbi") + f"c{name}\n.".encode()  # a pickle of that class
            path.write_bytes(_cache._seal(path, content) + content)
    assert ended(start(cache)) == (BOTH, result)
    assert ended(start(cache)) == ([], result)


@compiled_only
def test_a_file_in_the_place_of_another_is_none(filled):
    cache, result = filled
    slots = [path for path in files_of(cache) if "market.roll" in path.name]
    others = [path for path in files_of(cache) if "normal_quantiles" in path.name]
    assert [path.suffix for path in slots] == [path.suffix for path in others]
    for slot, other in zip(slots, others, strict=True):
        other.write_bytes(slot.read_bytes())
    assert ended(start(cache)) == (BOTH[:1], result)


@compiled_only
def test_of_two_that_start_together_one_compiles(tmp_path):
    begin = tmp_path / "begin"
    there = [tmp_path / "one", tmp_path / "two"]
    both = [start(tmp_path / "cache", mine, begin) for mine in there]
    while not all(path.exists() for path in there):
        assert all(process.poll() is None for process in both)
        time.sleep(0.01)
    begin.touch()
    (first, result), (second, same) = (ended(process) for process in both)
    assert sorted(first + second) == sorted(BOTH)
    assert result == same


@compiled_only
def test_without_a_lock_each_compiles_for_itself(tmp_path):
    """As on a file system without locks, or where the lock is somebody's link: no error."""
    cache = tmp_path / "cache"
    _, result = ended(start(cache))
    for lock in list(cache.rglob("*.lock")):
        lock.unlink()
        lock.symlink_to("/nowhere/at/all")
    for path in files_of(cache):
        path.unlink()
    assert ended(start(cache)) == (BOTH, result)
    assert not Path("/nowhere").exists()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("FASTEXEC_CACHE_DIR", str(tmp_path / "a" / "b"))
    return tmp_path / "a" / "b"


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_the_folder_is_the_users_alone_whatever_the_umask(place, umask):
    before = os.umask(umask)
    try:
        assert _cache.make_folder("kernels-x") == place / "kernels-x"
    finally:
        os.umask(before)
    assert [mode(path) for path in (place / "kernels-x", place, place.parent)] == [0o700] * 3


def spare_of(name: str, why: str) -> Path:
    """The folder made instead, after a warning of one line."""
    with pytest.warns(UserWarning, match=why) as told:
        spare = _cache.make_folder(name)
    assert len(told) == 1
    assert "\n" not in str(told[0].message)
    assert mode(spare) == 0o700
    spare.rmdir()
    return spare


@pytest.mark.parametrize("open_to", [0o770, 0o707, 0o777, 0o1777])
@pytest.mark.parametrize("which", ["", "kernels-x"])
def test_where_others_may_write_a_private_one_is_used(place, which, open_to):
    _cache.make_folder("kernels-x")
    (place / which).chmod(open_to)
    assert place not in spare_of("kernels-x", "others may write").parents


def test_reading_by_others_is_no_harm(place):
    (place / "kernels-x").mkdir(parents=True)
    for path in (place, place / "kernels-x"):
        path.chmod(0o755)
    assert _cache.make_folder("kernels-x") == place / "kernels-x"


def test_a_folder_of_another_user_is_not_used(place, monkeypatch):
    _cache.make_folder("kernels-x")
    another = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: another)
    assert place not in spare_of("kernels-x", "belongs to another user").parents


def test_a_home_behind_a_link_is_a_home(tmp_path, monkeypatch):
    (tmp_path / "real").mkdir()
    (tmp_path / "home").symlink_to(tmp_path / "real")
    for name in ("FASTEXEC_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    folder = _cache.make_folder("kernels-x")
    assert folder == tmp_path / "home" / ".cache" / "fastexec" / "kernels-x"
    assert mode(tmp_path / "real" / ".cache") == 0o700


def test_a_folder_that_cannot_be_made(place):
    place.parent.mkdir()
    place.write_text("a file")
    spare_of("kernels-x", "cannot be written")


@compiled_only
def test_the_warning_is_one_line_and_the_spare_folder_goes_with_the_process(tmp_path):
    cache = tmp_path / "cache"
    cache.mkdir()
    cache.chmod(0o777)
    process = start(cache)
    out, told = process.communicate(timeout=120)
    assert process.returncode == 0
    (line,) = told.splitlines()
    assert "others may write" in line
    assert "normal_quantiles" in out
    assert not Path(line.split("compiling into ")[1].split()[0]).exists()

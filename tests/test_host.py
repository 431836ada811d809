"""Other operating systems: the few things that differ stand in one module, and without them (as on Windows) a run works."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fastexec import host

ROOT = Path(__file__).resolve().parent.parent
STUDY = 'name = "tiny"\nepisodes = 300\n[order]\nshares = 600\nsteps = 6\n[[strategies]]\nmodel = "twap"\n'
#: Modules and names that some system lacks.
ELSEWHERE = {"fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "msvcrt", "winreg"}
LACKING = {"O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_DIRECTORY", "geteuid", "getuid", "fork", "killpg", "SIGHUP"}
#: As on Windows: what it lacks is gone, and its lock is stood in for by one of our own, which says no in its own way.
WINDOWS = """
import os, signal, sys, types
from fcntl import flock as taken
def locking(handle, mode, count):
    assert (mode, count) == (2, 1)
    try:
        taken(handle, 6)
    except BlockingIOError:
        raise PermissionError(13, "Permission denied") from None
sys.modules["msvcrt"] = types.SimpleNamespace(locking=locking, LK_NBLCK=2)
sys.modules["resource"] = None
for name in ("O_NOFOLLOW", "O_NONBLOCK", "geteuid", "getuid", "sched_getaffinity"):
    delattr(os, name)
real, sys.platform = sys.platform, "win32"
members = dict(signal.Signals.__members__)
class Signals:
    __members__ = {name: number for name, number in members.items() if name != "SIGHUP"}
    def __class_getitem__(cls, name):
        return members[name]
signals, signal.Signals = signal.Signals, Signals
import fastexec.host
signal.Signals = signals
del signal.SIGHUP
fastexec.host.sys = types.SimpleNamespace(platform="win32")
sys.platform = real
sys.modules["fcntl"] = None
assert "SIGHUP" not in [number.name for number in fastexec.host.ENDING], fastexec.host.ENDING
"""


def test_only_one_module_knows_systems():
    """Its siblings would fail where a system has no such thing, at import or later."""
    found = []
    for path in (ROOT / "fastexec").rglob("*.py"):
        if path == ROOT / "fastexec" / "host.py":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = {alias.name for alias in node.names} if isinstance(node, ast.Import) else set()
            names |= {node.module} if isinstance(node, ast.ImportFrom) else set()
            if names & ELSEWHERE or (isinstance(node, ast.Attribute) and node.attr in LACKING):
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert found == []


def elsewhere(place, program, *words):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "FASTEXEC_STATE_DIR": str(place / "state")}
    command = [sys.executable, "-W", "error", "-c", WINDOWS + program, *words]
    return subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, timeout=300, check=False)


RUN = "from fastexec.cli.main import main\nmain(sys.argv[1:])\n"


@pytest.mark.processes
def test_a_run_works_without_what_windows_lacks(tmp_path):
    (tmp_path / "tiny.toml").write_text(STUDY)
    for words in (
        ["run", "tiny.toml", "--out", "r"],
        ["verify", "r", "--sample", "1"],
        ["status", "r"],
        ["check", "tiny.toml"],
    ):
        ended = elsewhere(tmp_path, RUN, *words)
        assert (ended.returncode, ended.stderr) == (0, ""), words
    assert '"peak_memory_mb": null' in (tmp_path / "r" / "run.json").read_text()


def test_its_lock_keeps_a_second_writer_out(tmp_path):
    (tmp_path / "tiny.toml").write_text(STUDY)
    (tmp_path / "r").mkdir()
    handle = os.open(tmp_path / "r" / ".lock", os.O_CREAT | os.O_RDONLY)
    assert host.take_lock(handle)
    ended = elsewhere(tmp_path, RUN, "run", "tiny.toml", "--out", "r")
    assert ended.returncode == 3
    assert "another run writes there" in ended.stderr
    os.close(handle)
    assert elsewhere(tmp_path, RUN, "run", "tiny.toml", "--out", "r", "--quiet").returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="its memory is not told")
def test_memory_is_in_bytes():
    assert 2**24 < host.peak_memory() < 2**40

"""Processes of their own: how long one takes to start, cold and warm, and how much memory it takes at most."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from time import perf_counter

from jobs.job import FLOORS, ONCE, RETURNED, SELDOM, Job, Size
from jobs.output import folder

PYTHON, LIBRARIES = "python, nothing imported", "python importing numba, pyarrow, pandas"
MEGABYTE = "MB"
_MAIN = "from fastexec.cli.main import main; main()"
#: VmHWM begins anew with the program; ru_maxrss would hold the memory of the process that started it too.
_PEAK = """
import atexit, sys
def tell():
    try:
        lines = dict(line.split(":", 1) for line in open("/proc/self/status"))
        kilobytes = int(lines["VmHWM"].split()[0])
    except OSError:
        import resource
        kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    print(kilobytes / 1024, file=sys.stderr)
atexit.register(tell)
"""


def _environment() -> dict[str, str]:
    """As most people have it: Python keeps the bytecode of what it imports. Without, a warm start takes twice as long."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def called(code: str, *words: str, cold: bool = False) -> subprocess.CompletedProcess[str]:
    """Run Python code; ``cold``: with an empty cache of kernels. Results of a run go to the suite's folder."""
    with tempfile.TemporaryDirectory(dir=folder()) as place:
        extra = {"FASTEXEC_CACHE_DIR": place} if cold else {}
        command = [sys.executable, "-P", "-c", code, *words]
        done = subprocess.run(command, cwd=place, env=_environment() | extra, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)} ended with status {done.returncode}: {done.stderr[-500:]}")
    return done


def seconds(code: str, *words: str, cold: bool = False) -> Callable[[int], Callable[[], float]]:
    def call() -> float:
        started = perf_counter()
        called(code, *words, cold=cold)
        return perf_counter() - started

    return lambda _: call


def peak(*words: str) -> Callable[[int], Callable[[], float]]:
    return lambda _: lambda: float(called(_PEAK + _MAIN, *words).stderr.split()[-1])


def jobs(size: Size) -> list[Job]:
    tiny = ("run", "large_cap", "--episodes", "1000", "--out", "tiny", "--quiet")
    shared = {"measured": RETURNED, "rounds": SELDOM}
    once = {"measured": RETURNED, "rounds": ONCE, "warm_up": False}
    libraries = "import numba, pyarrow.parquet, pandas"
    found = [
        Job(PYTHON, FLOORS, seconds("pass"), **shared),
        Job(LIBRARIES, FLOORS, seconds(libraries), **shared),
        Job("import fastexec", "start-up", seconds("import fastexec"), floor=(PYTHON,), **shared),
        Job("fastexec --help", "start-up", seconds(_MAIN, "--help"), floor=(PYTHON,), **shared),
        Job("fastexec run, warm", "start-up", seconds(_MAIN, *tiny), floor=(LIBRARIES,), **shared),
    ]
    found.append(Job("fastexec run, cold", "start-up", seconds(_MAIN, *tiny, cold=True), **once))
    if not size.quick:
        code = seconds(_MAIN, "info", "--warm", cold=True)
        found.append(Job("fastexec info --warm, cold", "start-up", code, **once))
    for episodes in (20_000, size.of(100_000, 1_000_000)):
        words = ("run", "large_cap", "--episodes", str(episodes), "--out", "memory", "--quiet")
        name = f"{episodes} episodes to files"
        found.append(Job(name, "memory", peak(*words), unit=MEGABYTE, **once))
    return found

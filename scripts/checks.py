"""The checks that every change passes: ``python scripts/checks.py [lint] [format] [types] [floors] [kernels] [tests]``.

All of them without a name, in this order; the tests only where the others pass. ``scripts/test.py`` and the hooks of
.pre-commit-config.yaml call this, and nothing else says what is checked.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from time import monotonic

ROOT = Path(__file__).resolve().parent.parent
PYTHON = [sys.executable, "-P", "-m"]
CHECKS = {
    "lint": [*PYTHON, "ruff", "check", "."],
    "format": [*PYTHON, "ruff", "format", "--check", "."],
    "types": [*PYTHON, "mypy"],
    "floors": [str(Path(sys.executable).with_name("lint-imports")), "--no-logo"],
    "kernels": [*PYTHON, "fastexec", "info", "--warm"],
}
#: A file's tests stay together: what its fixtures make is made once, not once for each process.
TESTS = [*PYTHON, "pytest", "-n", "auto", "--dist", "loadfile"]
#: Minutes of processor time, with the kernels compiled and without: two cores took 10 minutes from nothing.
WARM, COLD = 18.0, 20.0


def main(names: list[str]) -> int:
    """Run what is named; the exit status."""
    unknown = [name for name in names if name not in CHECKS and name != "tests"]
    if unknown:
        say(f"there is no check {unknown[0]!r}; there are {', '.join(CHECKS)} and tests")
        return 2
    os.chdir(ROOT)
    chosen = names or [*CHECKS, "tests"]
    if "tests" in chosen:
        cores = os.cpu_count() or 1
        warm, cold = (f"{max(minutes / cores, 1):.0f}" for minutes in (WARM, COLD))
        say(f"{', '.join(chosen)}: about {warm} minutes on {cores} cores, {cold} where the kernels are to be compiled")
    begun = {name: start(name) for name in chosen if name == "kernels"}  # beside the others: it uses one core
    bad = [name for name in chosen if name in CHECKS and not passes(name, *(begun.get(name) or start(name)))]
    if bad:
        say(f"failed: {', '.join(bad)}" + ("; the tests were not run" if "tests" in chosen else ""))
        return 1
    if "tests" in chosen:
        sys.stdout.flush()
        os.execv(TESTS[0], TESTS)
    return 0


def start(name: str) -> tuple[subprocess.Popen[str], float]:
    """Begin a check; the time at which it began."""
    return subprocess.Popen(CHECKS[name], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT), monotonic()


def passes(name: str, process: subprocess.Popen[str], began: float) -> bool:
    """Wait for a check, tell how long after its beginning it was over, and all that it said where it fails."""
    said, _ = process.communicate()
    say(f"{name}: {'passed' if process.returncode == 0 else 'FAILED'} (over after {monotonic() - began:.1f} s)")
    if process.returncode != 0:
        print(said, flush=True)
    return process.returncode == 0


def say(text: str) -> None:
    """A line of our own."""
    print(f"checks: {text}", flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)

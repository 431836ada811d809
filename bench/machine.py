"""What a run was measured on, and with what."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fastexec.threads import default_threads

ROOT = Path(__file__).resolve().parent.parent
LIBRARIES = ("fastexec", "numba", "numpy", "pyarrow", "jax", "gymnasium")


def machine() -> dict[str, str | int]:
    """Figures are compared on equal ones only."""
    try:
        memory = round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9)
    except (ValueError, OSError, AttributeError):
        memory = 0
    return {
        "processor": _processor(),
        "threads": default_threads(),
        "memory_gb": memory,
        "system": f"{platform.system()} {platform.machine()}",
    }


def _processor() -> str:
    """Its name and, where the system tells, family and model: virtual machines hide the name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()
        told = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
        return f"{told['model name']} (family {told['cpu family']}, model {told['model']})"
    except (OSError, KeyError):
        return platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "missing"
    return found


def commit() -> str:
    """The commit measured, with a + where files differ from it; nothing outside a repository."""
    try:
        told = [_git("rev-parse", "--short=10", "HEAD"), "+" if _git("status", "--porcelain", "-uno") else ""]
    except (OSError, subprocess.CalledProcessError):
        return ""
    return "".join(told)


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

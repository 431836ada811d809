#!/usr/bin/env python3
"""Build the wheel, install it into an empty environment, use it: ``python3 scripts/try_wheel.py [--lowest]``.

With the newest packages that pyproject.toml allows, or with the lowest; warnings are errors, and the bits are those of the
environment that this runs in. Nothing of it stays. Where no package index can be reached it says so and ends well.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

from setup_environment import ROOT, SetupError, create, enter, has, pip_install, run_quietly

FLOOR = re.compile(r"([\w-]+)>=([\w.]+)")
IN_MEMORY = """
import fastexec as fx
found = fx.simulate(fx.Study.preset("large_cap"), episodes=300)
assert found.to_arrow().num_rows == len(found.to_pandas()) > 300
"""
#: What a newcomer does first, as words behind ``python``.
USES = (
    ["-m", "fastexec", "info"],
    ["-m", "fastexec", "run", "large_cap", "--episodes", "2000", "--out", "results"],
    ["-m", "fastexec", "compare", "results", "--baseline", "vwap", "--by", "mean_spread_bps:2"],
    ["-m", "fastexec", "verify", "results", "--sample", "1"],
    ["-m", "fastexec", "replay", "results", "--episode", "7"],
    ["-c", IN_MEMORY],
    [str(ROOT / "scripts" / "wheel_uses.py")],
)
LIGHTS = [str(ROOT / "tests" / "lights.py"), "256"]


def floors():
    """The lowest versions that pyproject.toml allows, as requirements."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return ["{}=={}".format(*FLOOR.match(requirement).groups()) for requirement in project["project"]["dependencies"]]


def index_is_reached(place):
    """Whether pip can fetch the smallest of our packages anew."""
    words = [
        "download",
        "--no-deps",
        "--no-cache-dir",
        "--retries",
        "1",
        "--timeout",
        "20",
        "--dest",
        str(place),
        "tomli-w",
    ]
    asked = [sys.executable, "-m", "pip", "--disable-pip-version-check", *words]
    return subprocess.run(asked, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0


def built(place):
    """The wheel, made by the build backend of pyproject.toml; it holds the package and what is said about it."""
    run_quietly([sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(place)])
    (wheel,) = place.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        inside = {name.split("/")[0] for name in archive.namelist()}
    if {name.split("-")[0] for name in inside} != {"fastexec"}:
        raise SetupError(f"the wheel holds {', '.join(sorted(inside))}")
    return wheel


def use(python, place):
    """Run each of ``USES``, then compare the bits of small studies with those of our own environment."""
    away = {**os.environ, "FASTEXEC_CACHE_DIR": str(place / "kernels"), "FASTEXEC_STATE_DIR": str(place / "state")}
    away.pop("PYTHONPATH", None)
    for words in USES:
        said(python, words, away, place)
    theirs, ours = said(python, LIGHTS, away, place), said(sys.executable, LIGHTS, dict(os.environ), ROOT)
    if theirs != ours:
        raise SetupError(f"other bits than in our own environment:\n{theirs}instead of\n{ours}")


def said(python, words, environment, place):
    """What a command prints; SetupError, with the end of what it said, where it fails."""
    command = [str(python), "-W", "error", "-P", *words]
    ended = subprocess.run(command, env=environment, cwd=place, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        last = "\n  ".join((ended.stdout + ended.stderr).splitlines()[-30:])
        raise SetupError(f"{' '.join(words)} ended with {ended.returncode}:\n  {last}")
    return ended.stdout


def main(words=None):
    """Build, install, use; the exit status."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--lowest", action="store_true", help="with the lowest versions that pyproject.toml allows")
    lowest = floors() if options.parse_args(words).lowest else []
    with tempfile.TemporaryDirectory(prefix="fastexec-wheel-") as folder:
        place = Path(folder)
        if not index_is_reached(place / "reached"):
            why = "no package index can be reached" if has("pip") else "this environment has no pip"
            print(f"wheel: skipped, {why}", flush=True)
            return 0
        try:
            wheel = built(place)
            python = create(place / "environment")
            print(f"wheel: installing {wheel.name} with {' '.join(lowest) or 'the newest that it allows'}", flush=True)
            pip_install("--only-binary", ":all:", str(wheel), *lowest, python=python)
            use(python, place)
        except SetupError as error:
            print(f"wheel: {error}", file=sys.stderr)
            return 1
    print("wheel: installed, used, the same bits", flush=True)
    return 0


if __name__ == "__main__":
    enter(__file__)
    sys.exit(main())

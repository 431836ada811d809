#!/usr/bin/env python3
"""Build wheel and sdist, install each into an empty environment, use it: ``python3 scripts/try_wheel.py [OPTIONS]``.

With the newest packages that pyproject.toml allows, or with the lowest (--lowest), by this Python or another (--python);
warnings are errors, and the bits are those of the environment that this runs in. Nothing of it stays. Where no package index
can be reached it says so and ends well.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import tomllib
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
BUILD = "import sys; from flit_core import buildapi as b; [getattr(b, f'build_{kind}')(sys.argv[1]) for kind in sys.argv[2:]]"


def floors():
    """The lowest versions that pyproject.toml allows, as requirements."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return ["{}=={}".format(*FLOOR.match(requirement).groups()) for requirement in project["project"]["dependencies"]]


def index_is_reached(place):
    """Whether pip can fetch the smallest of our packages anew."""
    fresh = ["--no-deps", "--no-cache-dir", "--retries", "1", "--timeout", "20"]
    words = ["download", *fresh, "--dest", str(place), "tomli-w"]
    asked = [sys.executable, "-m", "pip", "--disable-pip-version-check", *words]
    return subprocess.run(asked, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0


def built(place):
    """Wheel and sdist, made by the build backend of pyproject.toml."""
    run_quietly([sys.executable, "-c", BUILD, str(place), "wheel", "sdist"])
    (wheel,), (sdist,) = place.glob("*.whl"), place.glob("*.tar.gz")
    return wheel, sdist


def use(python, place, uses):
    """Run each of ``uses``, then compare the bits of small studies with those of our own environment."""
    away = {**os.environ, "FASTEXEC_CACHE_DIR": str(place / "kernels"), "FASTEXEC_STATE_DIR": str(place / "state")}
    away.pop("PYTHONPATH", None)
    with tempfile.TemporaryDirectory(dir=place) as folder:
        for words in uses:
            said(python, words, away, Path(folder))
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


def install_and_use(place, package, base, lowest, uses):
    """A package in an empty environment of its own: what it needs from the index, of others wheels only."""
    print(f"wheel: installing {package.name} with {' '.join(lowest) or 'the newest that it allows'}", flush=True)
    python = create(place / f"environment{package.suffix}", base)
    pip_install("--only-binary", ":all:", "--no-binary", "fastexec", str(package), *lowest, python=python)
    use(python, place, uses)


def main(words=None):
    """Build, install, use; the exit status."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--lowest", action="store_true", help="with the lowest versions that pyproject.toml allows")
    options.add_argument("--python", default=sys.executable, metavar="PYTHON", help="another Python: python3.13")
    asked = options.parse_args(words)
    lowest = floors() if asked.lowest else []
    with tempfile.TemporaryDirectory(prefix="fastexec-wheel-") as folder:
        place = Path(folder)
        if not index_is_reached(place / "reached"):
            why = "no package index can be reached" if has("pip") else "this environment has no pip"
            print(f"wheel: skipped, {why}", flush=True)
            return 0
        try:
            wheel, sdist = built(place)
            install_and_use(place, wheel, asked.python, lowest, USES)
            install_and_use(place, sdist, asked.python, lowest, USES[:2])
        except SetupError as error:
            print(f"wheel: {error}", file=sys.stderr)
            return 1
    print("wheel: wheel and sdist installed, used, the same bits", flush=True)
    return 0


if __name__ == "__main__":
    enter(__file__)
    sys.exit(main())

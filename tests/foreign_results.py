"""Results of somebody else in the reader's folder, and what may be done to them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fastexec.cli.exits import statuses
from fastexec.cli.main import cli
from fastexec.models.plugins import FILE_MODULE, registry

ROOT = Path(__file__).resolve().parents[1]
SIGNATURE = "(shares, remaining, mid, spread, last_volume, params, step, steps)"
PLAIN = f"""
import fastexec as fx


@fx.strategy("patient", tight=0.0004, fast=2.0, slow=0.5)
def patient{SIGNATURE}:
    tight, fast, slow = params[0], params[1], params[2]
    for i in range(shares.size):
        pace = fast if spread[i] <= tight else slow
        shares[i] = min(pace * remaining[i] / (steps - step), remaining[i])
"""
MARKED = PLAIN + "\n\nimport os, pathlib\n\npathlib.Path(os.environ['FASTEXEC_TEST_MARKER']).touch()\n"
OTHER = MARKED + "\n# other bytes\n"
STUDY = """
name = "mine"
seed = 3
episodes = 400
plugins = ["own.py"]
[order]
shares = 1200
steps = 12
[market.volume]
mean = 1000.0
[[strategies]]
model = "twap"
[[strategies]]
model = "patient"
[[strategies]]
name = "waits"
model = "patient"
slow = 0.0
"""


@pytest.fixture(scope="session")
def foreign(tmp_path_factory):
    """A finished run of somebody else: another process, another state folder."""
    home = tmp_path_factory.mktemp("foreign")
    (home / "own.py").write_text(MARKED)
    (home / "mine.toml").write_text(STUDY)
    subprocess.run(
        [sys.executable, "-m", "fastexec", "run", "mine.toml", "--out", "r", "--quiet"], cwd=home, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "FASTEXEC_STATE_DIR": str(home / "state"),
             "FASTEXEC_TEST_MARKER": str(home / "marker")},
    )  # fmt: skip
    assert (home / "marker").exists()
    return home / "r"


@pytest.fixture
def here(tmp_path, foreign, monkeypatch):
    """The reader's folder, which is the current one and importable, with a copy of the results in it."""
    shutil.copytree(foreign, tmp_path / "r")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path / "r")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("FASTEXEC_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("FASTEXEC_TEST_MARKER", str(tmp_path / "marker"))
    forget()
    yield tmp_path
    forget()


def forget():
    """As in a new process."""
    for name in [name for name in registry if name.startswith((FILE_MODULE, "evil", "pack"))]:
        del registry[name]
    for name in [name for name in sys.modules if name.startswith((FILE_MODULE, "evil", "pack"))]:
        del sys.modules[name]


def say(capsys, *words):
    """The command line in this process: (status, standard output, standard error)."""
    with pytest.raises(SystemExit) as ended, statuses(False, False):
        with cli.make_context("fastexec", list(map(str, words))) as context:
            cli.invoke(context)
    out, error = capsys.readouterr()
    return ended.value.code, out, error


def has_run(place):
    return (place / "marker").exists()


def rewrite(place, plugins=None, source=True, head=True):
    """study.toml with other plugins, without the SHA-256s of its code, or without the line that a run writes first."""
    lines = (place / "r" / "study.toml").read_text().splitlines()
    found = [line for line in lines if (source or not line.startswith("source")) and (head or not line.startswith("#"))]
    text = "\n".join(found) + "\n"
    if plugins is not None:
        start, end = text.index("plugins = "), text.index("]", text.index("plugins = ")) + 1
        text = f"{text[:start]}plugins = {plugins}{text[end:]}"
    (place / "r" / "study.toml").write_text(text)


def module(place, name, text=MARKED):
    """A module in the results and in the current folder; packages around it that mark too."""
    for home in (place / "r", place):
        path = home.joinpath(*name.split(".")).with_suffix(".py")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        if "." in name:
            (path.parent / "__init__.py").write_text(MARKED)


def from_module(place, name, source):
    module(place, name)
    rewrite(place, f'["{name}"]', source)

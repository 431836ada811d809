"""Wheel and sdist hold every file of the package and nothing else, and pip makes the same wheel of the sdist."""

from __future__ import annotations

import hashlib
import importlib
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.processes

ROOT = Path(__file__).resolve().parent.parent
FILES = {str(path.relative_to(ROOT)) for path in (ROOT / "fastexec").rglob("*") if path.is_file()}
WANTED = {name for name in FILES if "__pycache__" not in name}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Wheel and sdist, as scripts/try_wheel.py builds them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "scripts"))
        build = importlib.import_module("try_wheel").BUILD
    place = tmp_path_factory.mktemp("made")
    subprocess.run([sys.executable, "-c", build, place, "wheel", "sdist"], cwd=ROOT, check=True, capture_output=True)
    (wheel,), (sdist,) = place.glob("*.whl"), place.glob("*.tar.gz")
    return wheel, sdist, place, build


def inside(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return {name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()}


def test_the_wheel_holds_the_package(made):
    names = set(inside(made[0]))
    assert {name for name in names if not name.startswith("fastexec-")} == WANTED
    assert any(name.endswith("presets/large_cap.toml") for name in names)
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_sdist_holds_the_package_its_tests_and_makes_the_same_wheel(made):
    wheel, sdist, place, build = made
    with tarfile.open(sdist) as archive:
        archive.extractall(place / "open", filter="data")
    (folder,) = (place / "open").iterdir()
    held = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {name for name in held if name.startswith("fastexec/")} == WANTED
    assert {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "tests/test_package.py", "scripts/run.py"} <= held
    assert not any("__pycache__" in name or name.startswith((".venv", "results")) for name in held)
    again = place / "again"
    again.mkdir()
    subprocess.run([sys.executable, "-c", build, again, "wheel"], cwd=folder, check=True, capture_output=True)
    assert inside(next(again.glob("*.whl"))) == inside(wheel)


def test_no_address_is_invented():
    """Addresses of a documentation or a home page are those that there are: none yet."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert "urls" not in project

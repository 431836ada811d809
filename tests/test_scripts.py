"""The scripts' care for the environment, with a stand-in for its Python that repeats what it was asked."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.processes

ROOT = Path(__file__).resolve().parent.parent
STAND_IN = '#!/bin/sh\n[ "$1" = -c ] && exit 0\nfor word; do echo "$word"; done\nexit 7\n'
LOCKS = ("run.lock", "report.lock", "test.lock", "bench.lock")
FINGERPRINTS = (
    "import setup_environment as s; "
    "print(*map(s.fingerprint, (s.lock_of('run'), s.ROOT / 'pyproject.toml', s.lock_of('test'))))"
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a copy of what the scripts need."""
    copy = tmp_path / "a project"
    (copy / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "pyproject.toml", copy)
    for name in ("setup_environment.py", "run.py", "test.py", "checks.py", "bench.py", *LOCKS):
        shutil.copy(ROOT / "scripts" / name, copy / "scripts")
    return copy


@pytest.fixture
def ready(project: Path) -> Path:
    """Return a project whose environment is complete, by its notes: what runs need and what tests need."""
    python = project / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(STAND_IN)
    python.chmod(0o755)
    stamp = subprocess.run(
        [sys.executable, "-c", FINGERPRINTS], cwd=project / "scripts", capture_output=True, text=True, check=True
    )
    *own, test = stamp.stdout.split()
    (project / ".venv" / "fastexec-setup.txt").write_text("\n".join(own))
    (project / ".venv" / "fastexec-test.txt").write_text(test)
    return project


def call(
    project: Path, script: str, *arguments: str, cwd: Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, project / "scripts" / script, *arguments]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)


def test_run_passes_on_options_and_status_from_any_folder(ready: Path, tmp_path: Path) -> None:
    done = call(ready, "run.py", "--episodes", "5", cwd=tmp_path)
    asked = [
        "-P",
        "-m",
        "fastexec",
        "run",
        "large_cap_learned",
        "--out",
        "a project/results/large_cap_learned",
        "--episodes",
        "5",
    ]
    assert (done.returncode, done.stdout.splitlines(), done.stderr) == (7, asked, "")


def test_test_passes_on_options_and_status(ready: Path, tmp_path: Path) -> None:
    done = call(ready, "test.py", "-k", "two words", cwd=tmp_path)
    assert (done.returncode, done.stdout.splitlines()) == (7, ["-P", "-m", "pytest", "-k", "two words"])


def test_test_without_options_passes_every_check(ready: Path, tmp_path: Path) -> None:
    done = call(ready, "test.py", cwd=tmp_path)
    assert (done.returncode, done.stdout.splitlines()) == (7, ["-P", str(ready.resolve() / "scripts" / "checks.py")])


def test_a_check_that_fails_says_what_and_stops_before_the_tests(project: Path) -> None:
    """In a project of one file that ruff has words for; there is no test to run either, which would end with 4 or 5."""
    (project / "one.py").write_text("import os\n", encoding="utf-8")
    failed = call(project, "checks.py", "lint", "format", "tests", cwd=project)
    told = failed.stdout.splitlines()
    assert failed.returncode == 1
    assert re.match(r"checks: lint, format, tests: about \d+ minutes on \d+ cores, \d+ where", told[0])
    assert any(line.startswith("checks: lint: FAILED") for line in told)
    assert any("F401" in line and "os" in line for line in told)
    assert any(line.startswith("checks: format: passed") for line in told)
    assert told[-1] == "checks: failed: lint; the tests were not run"
    (project / "one.py").write_text('"""One."""\n', encoding="utf-8")
    assert call(project, "checks.py", "lint", "format", cwd=project).returncode == 0


def test_an_unknown_check_is_refused(project: Path) -> None:
    refused = call(project, "checks.py", "lnt", cwd=project)
    assert (refused.returncode, refused.stdout.count("\n")) == (2, 1)
    assert "'lnt'" in refused.stdout
    assert "lint, format, types, floors, kernels and tests" in refused.stdout


def test_the_hooks_before_a_commit_are_the_quick_checks() -> None:
    """All but the kernels, which a commit need not wait for, and the tests."""
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    asked = re.findall(r"- id: (\w+)\n +name: .+\n +entry: .venv/bin/python -P scripts/checks.py (\w+)\n", hooks)
    assert asked == [(name, name) for name in ("lint", "format", "types", "floors")]
    assert hooks.count("- id:") == len(asked)


def test_the_lowest_versions_are_the_floors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    floors = importlib.import_module("try_wheel").floors()
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert len(floors) == len(set(floors)) == 10
    capped = [floor for floor in floors if not floor.startswith("tzdata")]  # named by years, and data alone
    assert all(f'"{floor.replace("==", ">=")},<' in text for floor in capped)


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Return the commands that setting up would run in an environment of the test's own."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    setup, commands = importlib.import_module("setup_environment"), []
    monkeypatch.setattr(setup, "run_quietly", commands.append)
    monkeypatch.setattr(setup, "ENVIRONMENT", tmp_path)
    return commands


def test_a_layer_is_installed_once_and_holds_those_within(asked: list[list[str]], tmp_path: Path) -> None:
    setup = importlib.import_module("setup_environment")
    for layer in ("report", "report", "bench", "test", "report", "bench"):
        setup.add(layer)
    assert [Path(words[-1]).name for words in asked] == ["report.lock", "bench.lock"]
    assert all("--require-hashes" in words and "--no-compile" in words for words in asked)
    (tmp_path / "fastexec-bench.txt").write_text("another")
    setup.add("test")
    assert Path(asked[-1][-1]).name == "test.lock"


@pytest.mark.parametrize("version", ["22.2.2", "22.3", "26.3"])
def test_a_pip_that_reaches_elsewhere_saves_one_in_the_environment(
    version: str, asked: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which takes 5 s; an older one, or none, leaves it to the environment's own."""
    setup = importlib.import_module("setup_environment")
    monkeypatch.setattr("importlib.metadata.version", lambda name: version)
    setup.create(tmp_path / "new")
    setup.pip_install("six", python=tmp_path / "python")
    (made, installed), elsewhere = asked, version != "22.2.2"
    assert ("--without-pip" in made) == elsewhere
    assert installed[0] == (sys.executable if elsewhere else str(tmp_path / "python"))
    assert ("--python" in installed) == elsewhere


def test_run_and_bench_ask_for_their_layers(ready: Path) -> None:
    asked = ["-P", str(ready.resolve() / "bench"), "--quick"]
    offline = {**os.environ, "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": ""}
    refused = call(ready, "bench.py", "--quick", cwd=ready, env=offline)
    assert refused.returncode == 1
    assert "setup: installing what bench.lock names" in refused.stderr
    note = "import setup_environment as s; s.note_of('bench').write_text(s.fingerprint(s.lock_of('bench')))"
    subprocess.run([sys.executable, "-c", note], cwd=ready / "scripts", check=True)
    done = call(ready, "bench.py", "--quick", cwd=ready)
    assert (done.returncode, done.stdout.splitlines(), done.stderr) == (7, asked, "")


def test_a_worked_study_starts_again_in_the_environment_where_it_lacks_packages(ready: Path, tmp_path: Path) -> None:
    for name in ("pov_or_vwap.py", "story.py"):
        shutil.copy(ROOT / "scripts" / name, ready / "scripts")
    script = ready / "scripts" / "pov_or_vwap.py"
    words = [sys.executable, "-S", script, "--episodes", "5"]  # -S: without the packages that this environment has
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()) == (7, [str(script), "--episodes", "5"])


def test_environment_made_by_others_is_left_alone(project: Path) -> None:
    theirs = project / ".venv" / "pyvenv.cfg"
    theirs.parent.mkdir()
    theirs.write_text("theirs")
    refused = call(project, "test.py", cwd=project)
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "was not made by this script" in refused.stderr
    assert theirs.read_text() == "theirs"


def test_environment_of_another_lock_is_made_anew_and_a_failure_is_explained(ready: Path) -> None:
    (ready / "scripts" / "run.lock").write_text("no-such-package==1 --hash=sha256:" + 64 * "0" + "\n")
    offline = {**os.environ, "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
    failed = call(ready, "test.py", cwd=ready, env=offline)
    assert failed.returncode == 1
    assert "installing what run.lock names, 1 packages" in failed.stderr
    assert "No matching distribution found for no-such-package==1" in failed.stderr
    assert (ready / ".venv" / "fastexec-setup.txt").read_text() == "", "what is half made is not trusted"

"""A notebook, cell by cell in a kernel of its own: what it defines runs, is noticed when it changes, and outlives it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pyarrow.parquet as pq
import pytest
from nbclient import NotebookClient

from conftest import ROOT
from test_run import assert_same_files

pytestmark = pytest.mark.processes

CELLS = [
    """
import json
import numba
import numpy as np
import fastexec as fx

told = {}
W, PACE = np.array([0.5, 0.25, 0.5, 1.0]), 1.0

@numba.njit
def weight(step):
    return W[step] * PACE
""",
    """
@fx.strategy("mine", part=1.0)
def mine(shares, remaining, mid, spread, last_volume, params, step, steps):
    shares[:] = params[0] * remaining * weight(step)
""",
    """
def build():
    order = {"shares": 1000, "steps": 4, "lot": 0}
    return fx.Study.from_dict({"name": "n", "episodes": 300, "order": order, "market": {"price": {"volatility": 0.001}},
                               "strategies": [{"model": "twap"}, {"model": "mine"}]})

def costs(study):
    return fx.simulate(study).to_pandas().query("strategy == 'mine'").shortfall_bps.tolist()

def said(call):
    try:
        return call()
    except fx.FastexecError as error:
        return f"{type(error).__name__}: {error}"

first = build()
told["first"] = costs(first)
""",
    "W[:] = [0.25, 0.25, 0.25, 1.0]",
    """
told["changed"] = said(lambda: costs(first))
told["not written"] = said(lambda: fx.run(first, out="refused"))
second = build()
told["second"] = costs(second)
""",
    """
@fx.strategy("mine", part=1.0)
def mine(shares, remaining, mid, spread, last_volume, params, step, steps):
    shares[:] = 0.5 * params[0] * remaining * weight(step)
""",
    """
told["redefined"] = said(lambda: costs(second))
third = build()
told["third"] = costs(third)
fx.run(third, out="threads", chunk=100)
fx.run(third, out="workers", chunk=100, workers=2)
open("told.json", "w").write(json.dumps(told))
""",
]


def environment(state: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "FASTEXEC_STATE_DIR": str(state)}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The folder of a notebook that was run."""
    home = tmp_path_factory.mktemp("notebook")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            **environment(home / "state"),
            "IPYTHONDIR": str(home),
            "JUPYTER_PLATFORM_DIRS": "1",
        }.items():
            patch.setenv(name, value)
        book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text.strip()) for text in CELLS])
        NotebookClient(book, timeout=500, kernel_name="python3", resources={"metadata": {"path": str(home)}}).execute()
    return home


@pytest.fixture(scope="module")
def told(place):
    return json.loads((place / "told.json").read_text())


def elsewhere(place: Path, state: str, *words: object) -> subprocess.CompletedProcess[str]:
    """A new process in another folder; the notebook and its names are gone."""
    folder = place / "elsewhere"
    folder.mkdir(exist_ok=True)
    command = [sys.executable, *map(str, words)]
    return subprocess.run(
        command, text=True, capture_output=True, cwd=folder, env=environment(place / state), timeout=300
    )


SIMULATE = """
import sys
import fastexec as fx
study = fx.Study.load(sys.argv[1], trust=len(sys.argv) > 2)
try:
    print(fx.simulate(study).to_pandas().query("strategy == 'mine'").shortfall_bps.tolist())
except fx.FastexecError as error:
    print(f"{type(error).__name__}: {error}")
"""


def test_a_changed_value_and_one_defined_anew_are_noticed(told, place):
    assert told["changed"].endswith(
        "W, which strategy 'mine' uses, changed after the study was built; build the study again"
    )
    assert told["changed"].startswith("RefusedError: cell: ")
    assert told["not written"] == told["changed"]
    assert not (place / "refused").exists()
    assert told["redefined"].endswith(
        "strategy 'mine' was defined anew after the study was built; build the study again"
    )
    assert len({tuple(told[name]) for name in ("first", "second", "third")}) == 3


def test_it_traded_what_its_last_cells_say(place):
    """Recomputed: half of a quarter of what remains, in every step but the last."""
    ended = elsewhere(place, "state", "-m", "fastexec", "replay", "../threads", "--episode", 3, "--strategy", "mine",
                      "--format", "csv")  # fmt: skip
    rows = ended.stdout.splitlines()
    at = rows[0].split(",").index("shares")
    shares = [float(row.split(",")[at]) for row in rows[1:]]
    left = 1000.0 * 0.875 ** np.arange(3)
    np.testing.assert_allclose(shares, [*(0.125 * left), 1000.0 * 0.875**3], rtol=1e-12)


def test_worker_processes_find_it_and_write_the_same(place, told):
    assert_same_files(place / "threads", place / "workers")
    rows = pq.read_table(place / "workers" / "episodes").to_pandas()
    assert rows[rows["strategy"] == "mine"].shortfall_bps.tolist() == told["third"]
    for name in ("threads", "workers"):
        assert [path.name for path in (place / name / "plugins").iterdir()] == ["mine.py"]
        assert "W = _numpy.array([0.25, 0.25, 0.25, 1.0]" in (place / name / "plugins" / "mine.py").read_text()


def test_a_new_process_of_the_same_user_rebuilds_it_from_the_folder_alone(place, told):
    ended = elsewhere(place, "state", "-c", SIMULATE, "../threads/study.toml")
    assert json.loads(ended.stdout) == told["third"], ended.stderr
    ended = elsewhere(place, "state", "-m", "fastexec", "verify", "../workers", "--sample", 2)
    assert ended.returncode == 0, ended.stderr


def test_with_another_state_folder_it_is_refused_without_trust(place, told):
    ended = elsewhere(place, "other", "-c", SIMULATE, "../threads/study.toml")
    assert "InputError: mine.py (SHA-256 " in ended.stdout, ended.stderr
    assert "is not run" in ended.stdout
    ended = elsewhere(place, "other", "-c", SIMULATE, "../threads/study.toml", "trust=True")
    assert json.loads(ended.stdout) == told["third"], ended.stderr
    words = ["-m", "fastexec", "replay", "../threads", "--episode", 3]
    ended = elsewhere(place, "other", *words)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "mine.py (SHA-256 " in ended.stderr
    assert elsewhere(place, "other", *words, "--trust").returncode == 0


@pytest.mark.parametrize(
    "change", ["W = _numpy.array([9.0, 0.25, 0.25, 1.0]", "W = _numpy.array([0.25, 0.25, 0.25, 1.0] * 1"]
)
def test_the_stored_values_are_covered_by_what_was_recorded(place, tmp_path, change):
    """Another number in the copy is other code, whoever ran it."""
    copy = tmp_path / "r"
    subprocess.run(["cp", "-r", place / "threads", copy], check=True)
    file = copy / "plugins" / "mine.py"
    file.write_text(file.read_text().replace("W = _numpy.array([0.25, 0.25, 0.25, 1.0]", change))
    ended = elsewhere(place, "state", "-c", SIMULATE, copy / "study.toml")
    assert "Error: " in ended.stdout
    assert "no plugin at hand registers 'mine'" in ended.stdout


SCRIPT = """
import sys
import numba
import fastexec as fx
PACE = float(sys.argv[1])

def pace(left, k=2):
    return left / k * PACE

@fx.strategy("mine")
def mine(shares, remaining, mid, spread, last_volume, params, step, steps):
    for i in range(shares.size):
        shares[i] = pace(remaining[i])

order = {"shares": 1000, "steps": 4, "lot": 0}
study = fx.Study.from_dict({"name": "n", "episodes": 300, "order": order, "strategies": [{"model": "mine"}]})
fx.run(study, out="script", chunk=100, workers=2)
print(fx.simulate(study).to_pandas().shortfall_bps.tolist())
"""


def test_a_script_needs_no_guard_for_its_workers_and_is_not_run_again_to_rebuild_it(place):
    """What it does besides defining the strategy, and what it was called with, stays behind."""
    (place / "elsewhere").mkdir(exist_ok=True)
    (place / "elsewhere" / "script.py").write_text(SCRIPT)
    ended = elsewhere(place, "state", "script.py", 0.5)
    told = json.loads(ended.stdout)
    (place / "elsewhere" / "script.py").unlink()
    ended = elsewhere(place, "state", "-c", SIMULATE, "script/study.toml")
    assert json.loads(ended.stdout) == told, ended.stderr
    ended = elsewhere(place, "state", "-m", "fastexec", "replay", "script", "--episode", 3, "--format", "csv")
    rows = [row.split(",") for row in ended.stdout.splitlines()]
    shares = [float(row[rows[0].index("shares")]) for row in rows[1:]]
    assert shares == [250.0, 187.5, 140.625, 421.875]

"""A plugin may import files beside it: they are hashed, kept and trusted with it, and no others take their place."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest

from fastexec.errors import FastexecError, InputError, RefusedError
from fastexec.models.trust import is_recorded
from fastexec.runs.replay import replay_episode
from fastexec.runs.run import run
from fastexec.runs.verify import verify
from fastexec.simulation import prepare
from fastexec.studies.study import Study
from foreign_results import SIGNATURE, forget
from test_run import assert_same_files

pytestmark = pytest.mark.processes

MAIN = f"""
import fastexec as fx
{{imports}}


@fx.strategy("mine")
def mine{SIGNATURE}:
    for i in range(shares.size):
        shares[i] = {{pace}}(remaining[i])
"""
HELPERS = "import numba\n\nfrom constants import PART\n\n\n@numba.njit\ndef pace(left):\n    return left * PART\n"
MARKS = "import os, pathlib\n\npathlib.Path(os.environ['FASTEXEC_TEST_MARKER']).touch()\n"
STUDY = """
name = "mine"
episodes = 300
plugins = ["code/own.py"]
[order]
shares = 1000
steps = 4
lot = 0
[[strategies]]
model = "twap"
[[strategies]]
model = "mine"
"""
WAYS = {
    "import helpers": "helpers.pace",
    "import helpers as h": "h.pace",
    "from helpers import pace": "pace",
    "try:\n    import helpers\nexcept ImportError:\n    raise": "helpers.pace",
}


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A study, its plugin with two further files, and in the current folder and on the path others of the same names."""
    (tmp_path / "code").mkdir()
    (tmp_path / "decoy").mkdir()
    write(tmp_path, "from helpers import pace", "pace")
    for name in ("helpers", "constants"):
        (tmp_path / "decoy" / f"{name}.py").write_text(MARKS + "PART = 0.9\n\n\ndef pace(x):\n    return x\n")
    monkeypatch.chdir(tmp_path / "decoy")
    monkeypatch.syspath_prepend(tmp_path / "decoy")
    monkeypatch.setenv("FASTEXEC_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("FASTEXEC_TEST_MARKER", str(tmp_path / "marker"))
    yield tmp_path
    forget()
    assert not (tmp_path / "marker").exists()


def write(place, imports, pace):
    (place / "code" / "own.py").write_text(MAIN.format(imports=imports, pace=pace))
    (place / "code" / "helpers.py").write_text(HELPERS)
    (place / "code" / "constants.py").write_text("PART = 0.5\n")
    (place / "mine.toml").write_text(STUDY)


def load(place, *overrides):
    return Study.load(place / "mine.toml", overrides)


@pytest.mark.parametrize("way", WAYS)
def test_it_runs_with_just_the_files_beside_it(place, way):
    write(place, way, WAYS[way])
    shares = prepare(load(place)).steps(0, 1)["shares"][4:]
    np.testing.assert_array_equal(shares, [500.0, 250.0, 125.0, 125.0])


@pytest.mark.parametrize("file", ["own", "helpers", "constants"])
def test_each_of_them_is_part_of_its_hash_and_refused_where_it_changed(place, file):
    study = load(place)
    run(study, out=place / "r")
    path = place / "code" / f"{file}.py"
    path.write_text(path.read_text() + "# a word\n")
    assert load(place).strategies[1].source != study.strategies[1].source
    with pytest.raises(RefusedError, match=r"code/own\.py: has changed since 'mine' was resolved"):
        prepare(study)
    with pytest.raises(RefusedError, match=rf"{file}\.py: has changed since .* was made from it"):
        run(load(place, "episodes=600"), out=place / "r", resume=True)


def test_results_keep_all_of_them_and_run_from_there(place):
    study = load(place)
    run(study, out=place / "r", chunk=100)
    run(study, out=place / "workers", chunk=100, workers=2)
    assert_same_files(place / "r", place / "workers")
    assert sorted(path.name for path in (place / "r" / "plugins").iterdir()) == ["constants.py", "helpers.py", "own.py"]
    footer = json.loads(pq.read_metadata(place / "r" / "summary.parquet").metadata[b"fastexec"])
    assert sorted(footer["inputs"]) == ["code/own.py", "constants.py", "helpers.py"]
    assert is_recorded(study.strategies[1].source)
    shutil.rmtree(place / "code")
    forget()
    assert verify(str(place / "r"), 2).faults == []
    assert replay_episode(place / "r", 3, "mine")["shares"].to_pylist() == [500.0, 250.0, 125.0, 125.0]
    assert prepare(Study.load(place / "r" / "study.toml")).episodes == 300


@pytest.mark.parametrize("change", ["a helper", "a helper's helper", "a file that it did not import"])
def test_of_results_nothing_runs_but_all_that_was_recorded(place, change):
    run(load(place), out=place / "r")
    kept = place / "r" / "plugins"
    if change == "a helper":
        (kept / "helpers.py").write_text(MARKS + HELPERS)
    elif change == "a helper's helper":
        (kept / "constants.py").write_text(MARKS + "PART = 0.5\n")
    else:
        (kept / "numba.py").write_text(MARKS + "def njit(f):\n    return f\n")
    shutil.rmtree(place / "code")
    forget()
    for call in (lambda: replay_episode(place / "r", 3), lambda: prepare(Study.load(place / "r" / "study.toml"))):
        with pytest.raises(FastexecError, match=r"no plugin at hand registers 'mine'"):
            call()


def test_with_another_state_folder_none_of_them_runs(place, monkeypatch):
    (place / "code" / "constants.py").write_text(
        "PART = 0.5\n\nimport os, pathlib\n" + MARKS.replace("MARKER", "SECOND")
    )
    monkeypatch.setenv("FASTEXEC_TEST_SECOND", str(place / "second"))
    run(load(place), out=place / "r")
    shutil.rmtree(place / "code")
    (place / "second").unlink()
    forget()
    monkeypatch.setenv("FASTEXEC_STATE_DIR", str(place / "another"))
    for call in (lambda: replay_episode(place / "r", 3), lambda: prepare(Study.load(place / "r" / "study.toml"))):
        with pytest.raises(InputError, match=r"own\.py \(SHA-256 .*is not run"):
            call()
        assert not (place / "second").exists()
    assert prepare(Study.load(place / "r" / "study.toml", trust=True)).episodes == 300
    assert (place / "second").exists()


@pytest.mark.parametrize(("text", "said"), [
    ("def broken(", r"^helpers\.py, line 1: the plugin cannot be run: SyntaxError"),
    ("PART = 1.0 / 0.0", r"^helpers\.py, line 1: the plugin cannot be run: ZeroDivisionError"),
    ("from constants import nothing", r"^helpers\.py, line 1: the plugin cannot be run: ImportError"),
    ("\nimport parts", r"^code/own\.py, line 2: imports parts, a folder beside it; a plugin may import files"),
])  # fmt: skip
def test_what_is_wrong_beside_it_is_said_with_file_and_line(place, text, said):
    (place / "code" / "parts").mkdir()
    (place / "code" / "parts" / "__init__.py").write_text("")
    (place / "code" / "helpers.py").write_text(text + "\n")
    with pytest.raises(InputError, match=said) as caught:
        load(place)
    assert "\n" not in str(caught.value)


def test_two_files_of_one_name_are_refused_unless_they_are_the_same(place):
    shutil.copytree(place / "code", place / "more")
    (place / "more" / "own.py").rename(place / "more" / "other.py")
    text = (place / "more" / "other.py").read_text().replace('"mine"', '"theirs"')
    (place / "more" / "other.py").write_text(text)
    both = ['plugins=["code/own.py", "more/other.py"]', 'strategies.twap.model="theirs"']
    run(load(place, *both), out=place / "alike")
    (place / "more" / "constants.py").write_text("PART = 0.25\n")
    with pytest.raises(InputError, match=r"plugins: two files are named constants\.py.*; rename one"):
        run(load(place, *both), out=place / "r")
    own = MAIN.format(imports="import numba", pace="0.5 * ").replace('"mine"', '"theirs"')
    (place / "code" / "own.py").write_text(own)
    (place / "more" / "numba.py").write_text("njit = 0.5\n")
    (place / "more" / "other.py").write_text(
        MAIN.format(imports="import numba as n", pace="n.njit * ").replace('"mine"', '"x"')
    )
    with pytest.raises(InputError, match=r"plugins: code/own\.py imports something that another plugin has as a file"):
        run(load(place, both[0], 'strategies.twap.model="theirs"', 'strategies.mine.model="x"'), out=place / "r")


def test_an_overwritten_run_takes_its_copies_with_it(place):
    run(load(place), out=place / "r")
    (place / "r" / "manifest.parquet").unlink()
    (place / "r" / "plugins" / "mine.txt").write_text("of the user")
    (place / "code" / "own.py").write_text(MAIN.format(imports="import math", pace="math.sqrt"))
    run(load(place), out=place / "r", overwrite=True)
    assert sorted(path.name for path in (place / "r" / "plugins").iterdir()) == ["mine.txt", "own.py"]


def test_strategies_of_files_beside_it_count_unless_they_are_named_themselves(place):
    (place / "code" / "all.py").write_text("import own\n")
    shares = prepare(load(place, 'plugins=["code/all.py"]')).steps(0, 1)["shares"][4:]
    assert shares[0] == 500.0
    study = load(place, 'plugins=["code/all.py", "code/own.py"]')
    assert study.strategies[1].source == load(place).strategies[1].source

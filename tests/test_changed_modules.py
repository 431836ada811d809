"""What a process changes in a plugin that it runs is noticed: no old result under a new value, no new one under an old hash."""

from __future__ import annotations

import importlib
import sys

import numpy as np
import pytest

from fastexec.errors import RefusedError
from fastexec.models.plugins import FILE_MODULE, registry
from fastexec.simulation import prepare
from fastexec.studies.study import Study
from foreign_results import SIGNATURE, forget

pytestmark = pytest.mark.processes

TABLES = "import numpy as np\n\nW = np.array([0.5, 0.25, 0.5, 1.0])\nSCALE = 1.0\n"
MODULE = f"""
import numba
import numpy as np
import fastexec as fx

import {{tables}}
from {{tables}} import SCALE

W, PAIR, FIRST = np.array([0.5, 0.25, 0.5, 1.0]), (1.0, 3), "half"


@numba.njit
def pace(step):
    return W[step] * PAIR[0] * LATER


@fx.strategy("mine")
def mine{SIGNATURE}:
    part = {{tables}}.W[step] if FIRST == "half" else 1.0
    shares[:] = SCALE * part * pace(step) * remaining


LATER = 1.0
"""
UNCHANGED = [250.0, 46.875, 175.78125, 527.34375]
CHANGES = {
    "an array": (lambda own, tables: own.W.fill(0.0), "W"),
    "one entry": (lambda own, tables: own.W.__setitem__(3, 0.5), "W"),
    "a tuple": (lambda own, tables: setattr(own, "PAIR", (0.5, 3)), "PAIR"),
    "a text": (lambda own, tables: setattr(own, "FIRST", "whole"), "FIRST"),
    "a function": (lambda own, tables: setattr(own, "pace", lambda step: 1.0), "W, pace"),
    "a value that goes": (lambda own, tables: delattr(own, "SCALE"), "SCALE"),
    "defined further down": (lambda own, tables: setattr(own, "LATER", 0.5), "LATER"),
    "another module's": (lambda own, tables: tables.W.fill(0.0), "tables.W"),
}


@pytest.fixture
def place(tmp_path, monkeypatch):
    (tmp_path / "tables.py").write_text(TABLES)
    (tmp_path / "own_module.py").write_text(MODULE.format(tables="tables"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("FASTEXEC_STATE_DIR", str(tmp_path / "state"))
    yield tmp_path
    forget()
    for name in ("own_module", "tables"):
        sys.modules.pop(name, None)
        registry.pop(name, None)


def study(entry):
    order = {"shares": 1000, "steps": 4, "lot": 0}
    return Study.from_dict({"episodes": 20, "plugins": [entry], "order": order, "strategies": [{"model": "mine"}]})


def shares(of):
    return prepare(of).steps(0, 1)["shares"].tolist()


def modules(entry):
    """The module of a plugin and the one that it uses, as this process has them."""
    if entry == "own_module":
        return importlib.import_module("own_module"), importlib.import_module("tables")
    (name,) = (name for name in sys.modules if name.startswith(FILE_MODULE) and name.endswith(".tables"))
    return sys.modules[name.removesuffix(".tables")], sys.modules[name]


@pytest.mark.parametrize("entry", ["own_module", "own_module.py"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_refused_by_name_in_an_old_study_and_in_one_built_again(place, entry, change):
    first = study(entry)
    assert shares(first) == UNCHANGED
    how, names = CHANGES[change]
    how(*modules(entry))
    for call in (lambda: shares(first), lambda: study(entry)):
        with pytest.raises(RefusedError) as caught:
            call()
        line = str(caught.value)
        assert line.startswith("own_module.py: ")
        for name in names.split(", "):
            assert name in line.partition(", which strategy 'mine' uses, changed in this process")[0]


def test_one_made_before_the_first_study_is_noticed(place):
    modules("own_module")[0].W[:] = 0.0
    with pytest.raises(RefusedError, match=r"own_module\.py: W, which strategy 'mine' uses, changed in this process"):
        study("own_module")


@pytest.mark.parametrize("entry", ["own_module", "own_module.py"])
def test_put_back_it_runs_again(place, entry):
    first = study(entry)
    own, _ = modules(entry) if shares(first) else (None, None)
    kept = own.W.copy()
    own.W[:] = 0.0
    with pytest.raises(RefusedError):
        study(entry)
    own.W[:] = kept
    assert shares(study(entry)) == shares(first) == UNCHANGED


@pytest.mark.parametrize("end", [
    "W[:] = 0.5", "W = W * 1.0\nW[0] = 0.5", "for i in range(4):\n    W[i] = 0.5",
    "def finish():\n    W[:] = 0.5\n\n\nfinish()",
])  # fmt: skip
@pytest.mark.parametrize("imported", [True, False])
def test_what_a_module_itself_does_further_down_is_no_change(place, end, imported):
    path = place / "own_module.py"
    path.write_text(path.read_text() + "\n\n" + end + "\n")
    if imported:
        importlib.import_module("own_module")
    assert shares(study("own_module"))[0] == 250.0
    sys.modules["own_module"].W[:] = 0.0
    with pytest.raises(RefusedError, match=r"own_module\.py: W, which"):
        study("own_module")


def test_what_it_does_not_use_may_change(place):
    first = study("own_module")
    own, tables = modules("own_module")
    own.OTHER, tables.SCALE = np.zeros(3), 0.0  # its own SCALE was taken by value
    assert shares(first) == UNCHANGED

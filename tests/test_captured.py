"""A strategy of a notebook or script is stored with what it uses: that runs, a change is noticed, the rest is refused."""

from __future__ import annotations

import importlib
import pickle
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from cells import SIGNATURE
from conftest import ROOT
from fastexec.errors import InputError, RefusedError
from fastexec.models.captured_values import value_text
from fastexec.models.plugins import registry
from fastexec.simulation import prepare

pytestmark = pytest.mark.processes

VALUES = [
    3, -(2**62), True, 0.1, -0.0, float("inf"), 1e-320, 1.5 - 0.0j, "wide", None, (1, 2.5, ("a", (3,))), (),
    np.float32(0.1), np.int8(-3), np.uint64(2**64 - 1), np.bool_(True), np.complex64(1 + 2j), np.float64("nan"),
    np.linspace(0.0, 1.0, 7), np.arange(12, dtype=np.int16).reshape(3, 4), np.array([True, False]), np.array(2.5),
    np.random.default_rng(1).normal(size=(40, 5)), np.array([1.0, np.nan, -np.inf]), np.zeros((0, 3)), np.arange(9.0)[::2],
    np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.array([1, 2], ">i4"), np.array([1 + 1j], np.complex64),
    np.array([0.1, 0.2], np.float32),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_is_written_to_the_bit(value):
    import base64

    text = value_text(value)
    assert text is not None
    again = eval(text, {"_numpy": np, "_base64": base64})
    assert type(again) is type(value)
    if isinstance(value, (np.ndarray, np.generic)):
        assert (again.shape, again.dtype) == (value.shape, value.dtype.newbyteorder("="))
        assert again.tobytes() == np.ascontiguousarray(value, value.dtype.newbyteorder("=")).tobytes()
    else:
        assert repr(again) == repr(value)


def shares_of(study):
    return prepare(study).steps(0, 1)["shares"]


def test_what_it_uses_goes_with_it_and_decides(notebook):
    """A number, an array, a text, a tuple, and functions that use further ones."""
    notebook.cell('W = np.array([0.5, 0.25, 0.5, 1.0])\nPACE, MODE, PAIR = 0.5, "half", (1.0, 3)')
    notebook.cell("@numba.njit\ndef pace():\n    return PACE if MODE == 'half' else 1.0")
    notebook.cell("def weight(step):\n    return W[step] * pace() * PAIR[0]")
    notebook.strategy("shares[:] = remaining * weight(step)")
    study = notebook.study()
    left, wanted = 1000.0, []
    for weight in (0.25, 0.125, 0.25):
        wanted.append(left * weight)
        left -= wanted[-1]
    np.testing.assert_allclose(shares_of(study), [*wanted, left], rtol=1e-14)
    ((name, code),) = study.carrying_code()._texts.items()
    assert (name, code.sha256) == ("mine.py", study.strategies[0].source)
    for line in (
        "W = _numpy.array([0.5, 0.25, 0.5, 1.0]",
        "PACE = 0.5",
        "MODE = 'half'",
        "PAIR = (1.0, 3,)",
        "def pace():",
    ):
        assert line in code.text.decode()


CHANGES = {
    "in place": ("W[1] = 0.1", "W"),
    "another array": ("W = np.array([0.5, 0.5, 0.5, 0.2])", "W"),
    "a number": ("PACE = 0.3", "PACE"),
    "its type": ("PACE = np.float32(0.5)", "PACE"),
    "of a function": ("@numba.njit\ndef weight(step):\n    return W[step] * 0.3", "weight"),
    "behind a function": ("INNER = 3.0", "INNER"),
    "of a library": ("root = np.cbrt", "root"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_value_is_noticed_and_a_study_built_again_has_it(notebook, change):
    notebook.cell("W, PACE, INNER, root = np.array([0.5, 0.25, 0.5, 1.0]), 0.5, 2.0, np.sqrt")
    notebook.cell("@numba.njit\ndef weight(step):\n    return W[step] / INNER")
    notebook.strategy("shares[:] = remaining * weight(step) * PACE * root(0.25)")
    study = notebook.study()
    before = shares_of(study)
    text, name = CHANGES[change]
    notebook.cell(text)
    with pytest.raises(RefusedError) as caught:
        prepare(study)
    assert re.search(rf"\b{name}.*, which strategy 'mine' uses, changed after the study was built", str(caught.value))
    assert str(caught.value).endswith("; build the study again")
    again = notebook.study()
    assert again.strategies[0].source != study.strategies[0].source
    assert again.identity() != study.identity()
    if change != "its type":
        assert not np.array_equal(shares_of(again), before)


def test_what_is_put_back_is_the_same_study(notebook):
    notebook.cell("W = np.ones(4)")
    notebook.strategy("shares[:] = remaining * W[step] / 2.0")
    study = notebook.study()
    before = shares_of(study)
    notebook.cell("W[:] = 0.0")
    with pytest.raises(RefusedError):
        prepare(study)
    notebook.cell("W[:] = 1.0\nUNUSED = {}")
    np.testing.assert_array_equal(shares_of(study), before)
    assert notebook.study().identity() == study.identity()


@pytest.mark.parametrize(("body", "head"), [
    ("shares[:] = remaining / 3.0", ""), ("shares[:] = remaining / 2.0", ", part=0.5"),
    ("shares[:] = remaining / 2.0  # and a word", ""),
])  # fmt: skip
def test_one_defined_anew_says_how_to_go_on(notebook, body, head):
    notebook.strategy("shares[:] = remaining / 2.0")
    study = notebook.study()
    notebook.strategy(body, head=head)
    with pytest.raises(RefusedError, match=r"^cell: strategy 'mine' was defined anew .*; build the study again$"):
        prepare(study)
    assert prepare(notebook.study()).episodes == 20


REFUSED = {
    "{'a': 1.0}": "dict", "[1.0, 2.0]": "list", "{1.0}": "set", "object()": "object", "np.array([None])": "ndarray",
    "np.array(['2020-01-01'], 'M8[D]')": "ndarray", "__import__('pandas').Series([1.0])": "Series", "(1.0, [2.0])": "tuple",
    "__import__('json')": "the module json", "open": None, "np.ma.array([1.0])": "MaskedArray",
    "numba.vectorize(['f8(f8)'])(lambda x: x)": "DUFunc", "numba.njit('f8(f8)')(weight)": "CPUDispatcher",
    "numba.njit(lambda x: x)": "is no function made by def", "type('Mine', (), {})": "type",
}  # fmt: skip


@pytest.mark.parametrize("value", REFUSED)
def test_anything_else_is_refused_by_name(notebook, value):
    notebook.cell(f"def weight(x):\n    return x\n\n\nBOOK = {value}")
    notebook.strategy("shares[:] = remaining / 2.0 if step > 100 else BOOK")
    said = REFUSED[value]
    if said is None:
        notebook.study()  # Python's own
        return
    with pytest.raises(InputError) as caught:
        notebook.study()
    assert "strategy 'mine'" in str(caught.value)
    assert said in str(caught.value)
    assert said.startswith("is no") or f"uses BOOK ({said})" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_functions_with_defaults_random_numbers_and_two_things_of_one_name(notebook):
    notebook.cell("K = 3.0\ndef weight(x, k=K):\n    return x * k")
    notebook.strategy("shares[:] = weight(remaining)")
    with pytest.raises(InputError, match=r"weight, line 2: a default is K; write the number itself"):
        notebook.study()
    notebook.cell("@numba.njit\ndef weight(x):\n    return x * np.random.rand()")
    with pytest.raises(InputError, match="strategy 'mine' draws random numbers"):
        notebook.study()
    notebook.cell("def weight(x):\n    return x\n\n\nother = weight\n\n\ndef weight(x):\n    return 2 * x")
    notebook.strategy("shares[:] = weight(remaining) + other(remaining)")
    with pytest.raises(InputError, match="uses two things that are called weight; rename one"):
        notebook.study()


def test_one_made_by_a_function_has_that_functions_values(notebook):
    notebook.cell(
        f"def make(name, part):\n    extra = (0.5, 2.0)\n\n    @fx.strategy(name)\n    def made{SIGNATURE}:\n"
        '        """Of two\n        lines."""\n        shares[:] = remaining * part * extra[0]\n\n    return made\n\n\n'
        'make("slow", 0.5)\nmake("fast", 1.0)'
    )
    slow, fast = (notebook.study(name) for name in ("slow", "fast"))
    np.testing.assert_array_equal(shares_of(slow)[:2], [250.0, 187.5])
    np.testing.assert_array_equal(shares_of(fast)[:2], [500.0, 250.0])
    notebook.cell('make("slow", 0.25)')
    with pytest.raises(RefusedError, match="part, which strategy 'slow' uses, changed"):
        prepare(slow)
    both = notebook.study(strategies=[{"model": "slow"}, {"model": "fast"}])
    assert list(both.carrying_code()._texts) == ["slow.py", "fast.py"]


def test_one_of_a_module_that_no_study_names_is_stored_as_well(notebook, tmp_path, monkeypatch):
    (tmp_path / "my_rules.py").write_text(
        f'import fastexec as fx\n\nPART = [0.5]\nPACE = 0.25\n\n\n@fx.strategy("ruled")\ndef ruled{SIGNATURE}:\n'
        "    shares[:] = remaining * PACE\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    notebook.cell("import my_rules")
    study = notebook.study("ruled")
    np.testing.assert_array_equal(shares_of(study)[:2], [250.0, 187.5])
    notebook.cell("my_rules.PACE = 0.5")
    with pytest.raises(RefusedError, match=r"^my_rules\.py: PACE, which strategy 'ruled' uses, changed"):
        prepare(study)
    assert shares_of(notebook.study("ruled"))[0] == 500.0
    notebook.cell("my_rules.PACE = my_rules.PART")
    with pytest.raises(InputError, match=r"uses PACE \(list\)"):
        prepare(study)
    assert pickle.loads(pickle.dumps(study)) is not None
    del registry["my_rules"], sys.modules["my_rules"]


def test_names_of_files_are_free_ones(notebook, tmp_path):
    (tmp_path / "mine.py").write_text(
        f'import fastexec as fx\n\n\n@fx.strategy("other")\ndef o{SIGNATURE}:\n    shares[:] = 1.0\n'
    )
    notebook.strategy("shares[:] = remaining / 2.0")
    notebook.strategy("shares[:] = remaining / 3.0", name="Mine_2")
    models = [{"model": name} for name in ("other", "mine", "Mine_2")]
    study = notebook.study(plugins=[str(tmp_path / "mine.py")], strategies=models)
    assert list(study.carrying_code()._texts) == ["mine_2.py", "Mine_2_2.py"]
    sent = pickle.loads(pickle.dumps(study))
    np.testing.assert_array_equal(shares_of(sent), shares_of(study))


def test_numba_is_asked_what_the_author_asked_of_it(notebook):
    notebook.cell('@numba.njit(fastmath=True, error_model="numpy", cache=False)\ndef weight(x):\n    return x / 2.0')
    notebook.strategy("shares[:] = weight(remaining)")
    (code,) = notebook.study().carrying_code()._texts.values()
    assert "@_numba.njit(error_model='numpy', fastmath=True)\ndef weight(x):" in code.text.decode()


@pytest.mark.parametrize(("first", "second"), [
    ("return x / 2.0", "return x / 3.0"), ("return x / 2.0", "return x * 2.0"),
    ("y = x\n    return y", "y = 2.0\n    return x"),
])  # fmt: skip
def test_a_text_that_is_no_longer_that_of_the_code_is_refused(notebook, tmp_path, monkeypatch, first, second):
    """A module edited after it was imported."""
    (tmp_path / "edited.py").write_text(f"def weight(x):\n    {first}\n")
    monkeypatch.syspath_prepend(tmp_path)
    notebook.cell("from edited import weight")
    del sys.modules["edited"]
    importlib.invalidate_caches()
    notebook.strategy("shares[:] = weight(remaining) / 2.0")
    assert "def weight(x):" in str(notebook.study().carrying_code()._texts)
    (tmp_path / "edited.py").write_text(f"def weight(x):\n    {second}\n    # a longer file\n")
    with pytest.raises(InputError, match="weight, line 1: its text has changed since it ran; run it again"):
        notebook.study()


def test_errors_name_the_cells_own_lines(notebook):
    notebook.strategy("shares[:] = mid.foo()")
    with pytest.raises(
        InputError, match=r"^cell, line 3: strategy 'mine' cannot be compiled: .*Unknown attribute 'foo'"
    ):
        prepare(notebook.study())
    notebook.strategy("shares[:] = nowhere(mid)")
    with pytest.raises(InputError, match="'nowhere' is not defined"):
        prepare(notebook.study())
    with pytest.raises(InputError, match=r"^cell, line 3: strategy 'mine' draws random numbers"):
        notebook.strategy("shares[:] = np.random.rand()")


def test_a_pickled_study_runs_in_a_process_that_never_saw_the_notebook(notebook, tmp_path):
    notebook.cell("W = np.full(4, 0.5)")
    notebook.strategy("shares[:] = remaining * W[step]")
    study = notebook.study()
    (tmp_path / "study.pickle").write_bytes(pickle.dumps(study))
    code = (
        "import pickle, sys; from fastexec.simulation import prepare\n"
        "print(prepare(pickle.load(open(sys.argv[1], 'rb'))).steps(0, 1)['shares'].tobytes().hex())"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "study.pickle")],
        text=True,
        capture_output=True,
        timeout=300,
        cwd=ROOT,
    )
    assert ended.stdout.strip() == shares_of(study).tobytes().hex(), ended.stderr


def test_a_data_frame_is_refused_in_words_of_its_own(notebook):
    notebook.names["table"] = pd.DataFrame({"a": [1.0]})
    notebook.strategy("shares[:] = table")
    with pytest.raises(InputError, match=r"uses table \(DataFrame\), which results cannot store: it must be a number"):
        notebook.study()

"""What a kernel's compiled form and its name depend on, and the garbage collector while one is compiled."""

from __future__ import annotations

import ast
import gc
import shutil
import types
from collections import namedtuple
from pathlib import Path

import numba
import numpy as np
import pytest
from numba.core.types import Function

from fastexec.kernels import _compiler, _jit, _sources as sources
from fastexec.kernels._compiler import collector_paused, operators_remembered
from fastexec.kernels._jit import JIT_DISABLED, entries, entry, layout_of
from fastexec.kernels._sources import hash_of, kernel_hash


def copied_kernels(tmp_path, monkeypatch):
    """The kernels' sources in a folder of the test's own, whose hash is taken from now on."""
    folder = tmp_path / "kernels"
    shutil.copytree(Path(_jit.__file__).parent, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(sources, "__file__", str(folder / "_sources.py"))
    return folder


def test_the_hash_covers_every_file_of_the_kernels(tmp_path, monkeypatch):
    before = kernel_hash()
    folder = copied_kernels(tmp_path, monkeypatch)
    assert kernel_hash() == before
    for source in sorted(folder.rglob("*.py")):
        source.write_bytes(source.read_bytes() + b"\n")
        assert kernel_hash() != before
        before = kernel_hash()
    assert (folder / "_cache.py").exists()
    assert (folder / "door.py").exists()


def test_the_hash_covers_files_in_folders_and_where_they_lie(tmp_path, monkeypatch):
    folder = copied_kernels(tmp_path, monkeypatch)
    nested = folder / "market" / "spread.py"
    nested.parent.mkdir()
    hashes = [kernel_hash()]
    for change in (
        lambda: nested.write_text("X = 1\n"),
        lambda: nested.write_text("X = 2\n"),
        lambda: nested.rename(nested.with_name("volume.py")),
        lambda: nested.with_name("volume.py").rename(folder / "volume.py"),
    ):
        change()
        hashes.append(kernel_hash())
    assert len(set(hashes)) == len(hashes)


PRICE = "fastexec.kernels.market"


def edit(folder, name):
    """One line more, as a later process would find it."""
    with (folder / name).open("a") as source:
        source.write("\n")
    sources._read.cache_clear()


def test_a_kernel_goes_by_its_own_sources_and_those_that_they_import(tmp_path, monkeypatch):
    folder = copied_kernels(tmp_path, monkeypatch)
    sources._read.cache_clear()
    before = hash_of(PRICE)
    for name in ("record.py", "programme.py", "account.py"):
        edit(folder, name)
    assert hash_of(PRICE) == before
    for name in ("market.py", "elementary.py", "fields.py", "_compiler.py"):
        edit(folder, name)
        assert hash_of(PRICE) != before, name
        before = hash_of(PRICE)


def test_a_kernel_goes_by_the_fields_of_what_it_takes():
    """Two fields of one type exchanged, or a class that moved: other machine code, though the kernel's file is the same."""
    kind, flat = numba.types.NamedTuple, numba.float64[::1]
    pair = namedtuple("Pair", "drift volatility")
    swapped, moved = namedtuple("Pair", "volatility drift"), namedtuple("Pair", "drift volatility", module="elsewhere")
    layouts = [layout_of((kind((flat, flat), one), numba.int64)) for one in (pair, swapped, moved)]
    assert len(set(layouts)) == 3
    assert layout_of((kind((flat, flat), pair), numba.int64)) == layouts[0]
    nested = [layout_of(kind((kind((flat, flat), one),), namedtuple("Outer", "inner"))) for one in (pair, swapped)]
    assert nested[0] != nested[1]


def test_every_import_of_a_kernel_file_is_seen():
    """The pattern finds what Python's own parser finds."""
    folder = Path(_jit.__file__).parent
    for path in sorted(folder.rglob("*.py")):
        wanted = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("fastexec.kernels"):
                for name in node.names:
                    for full in (node.module, f"{node.module}.{name.name}"):
                        module = full.removeprefix("fastexec.kernels").lstrip(".").replace(".", "/")
                        if module and (folder / f"{module}.py").is_file():
                            wanted.add(module.replace("/", "."))
            assert not (isinstance(node, ast.Import) and "fastexec" in ast.unparse(node)), path
        name = path.relative_to(folder).with_suffix("").as_posix().replace("/", ".")
        assert set(sources._read(folder, name)[1]) == wanted, name


def test_stages_of_one_name_in_two_folders_are_two(monkeypatch):
    monkeypatch.setattr(_jit, "stages", {})
    for module in ("spread", "market.spread", "market.volume"):
        one = types.FunctionType((lambda m: None).__code__, {}, "roll")
        one.__module__ = f"fastexec.kernels.{module}"
        _jit.stage(one)
    assert list(_jit.stages) == ["spread.roll", "market.spread.roll", "market.volume.roll"]


@pytest.mark.skipif(JIT_DISABLED, reason="nothing is compiled")
def test_the_garbage_collector_rests_while_a_kernel_is_compiled_and_no_longer(tmp_path, monkeypatch):
    monkeypatch.setattr(_jit, "_folder", tmp_path)  # where no earlier run has left it
    states = []

    @entry("void(float64[::1])", lambda x: states.append(gc.isenabled()))
    def touch(x):
        x[0] = 1.0

    entries.remove(touch)
    monkeypatch.setattr(_jit, "_announce", [lambda name: states.append(gc.isenabled())])
    assert gc.isenabled()
    touch(np.zeros(1))
    assert states == [True, False]
    assert gc.isenabled()


def test_the_collector_goes_on_when_the_last_compiler_is_done_unless_it_was_off():
    with collector_paused():
        with collector_paused():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()
    gc.disable()
    try:
        with collector_paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def code_of(function, kind=numba.float64, **options):
    """The instructions in LLVM of what a function compiled for one number becomes."""
    made = numba.njit(**options)(function)
    made.compile((kind,))
    text = next(iter(made.inspect_llvm().values()))
    return [line.split(" = ")[-1].split()[0] for line in text.splitlines() if line.startswith("  ")]


@pytest.mark.skipif(JIT_DISABLED, reason="nothing is compiled")
def test_what_is_remembered_of_operators_changes_no_code():
    """Also between functions compiled with other settings, of which one divides by zero without a word."""

    def share(x):
        return 1.0 / x + x // 3 + min(x, 2.0) - x**2 * (x > 1.0)

    kinds = [(numba.float64, "numpy"), (numba.float64, "python"), (numba.int64, "python"), (numba.float32, "numpy")]
    alone = [code_of(share, kind, error_model=model) for kind, model in kinds]
    with operators_remembered():
        together = [code_of(share, kind, error_model=model) for kind, model in kinds]
        assert [code_of(share, kind, error_model=model) for kind, model in reversed(kinds)] == together[::-1]
    assert together == alone
    assert alone[0] != alone[1]


@pytest.mark.skipif(JIT_DISABLED, reason="nothing is compiled")
def test_what_types_an_operator_does_not_take_is_said_as_ever():
    def wrong(x):
        return x + "a text"

    with pytest.raises(numba.TypingError) as alone:
        code_of(wrong)
    with operators_remembered(), pytest.raises(numba.TypingError) as together:
        code_of(wrong)
    assert str(together.value).split() == str(alone.value).split()  # Numba indents it deeper each time


def test_numba_asks_for_itself_again_when_the_last_compiler_is_done():
    own = Function.get_call_type
    with operators_remembered():
        with operators_remembered():
            pass
        assert Function.get_call_type is not own
    assert Function.get_call_type is own
    assert not _compiler._memory

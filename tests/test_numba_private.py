"""What the kernels use of Numba and llvmlite beyond their documented interface, name by name.

After an upgrade a failure here says which part is gone, was renamed or takes other arguments; without it kernels would fail
somewhere inside the compiler, or be compiled well but without our wishes. Nothing of fastexec is imported.
"""

from __future__ import annotations

import ast
import inspect
import operator
from importlib import import_module
from pathlib import Path
from types import MemberDescriptorType
from typing import Any

import numba
import pytest
from llvmlite import ir
from numba.core import config, typed_passes
from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile, UserProvidedCacheLocator
from numba.core.callconv import CPUCallConv
from numba.core.compiler import CompilerBase, DefaultPassBuilder, Flags, PassManager, _LowerResult
from numba.core.compiler_machinery import register_pass
from numba.core.cpu import CPUContext, CPUTargetOptions
from numba.core.datamodel.models import ArrayModel
from numba.core.lowering import Lower
from numba.core.registry import CPUDispatcher, cpu_target
from numba.core.targetconfig import ConfigStack
from numba.core.typed_passes import NativeLowering
from numba.core.types import Function

KERNELS = Path(__file__).resolve().parents[1] / "fastexec" / "kernels"
SOURCES = [KERNELS / name for name in ("_bind.py", "_cache.py", "_calls.py", "_compiler.py", "_jit.py")]
LIBRARY = cpu_target.target_context.codegen().create_library("of a test")
FILE = IndexDataCacheFile("a folder", "a name", "a stamp")
cpu_target.typing_context.refresh()
ADD = cpu_target.typing_context.resolve_value_type(operator.add)
TWICE = numba.njit(lambda x: 2 * x)

#: Owner, name, the arguments that it takes where we call it or are called in its place.
METHODS: list[tuple[Any, str, list[str]]] = [
    # _cache.py: an index and a data file for each function
    (IndexDataCacheFile, "__init__", ["self", "cache_path", "filename_base", "source_stamp"]),
    (IndexDataCacheFile, "save", ["self", "key", "data"]),
    (IndexDataCacheFile, "_load_index", ["self"]),
    (IndexDataCacheFile, "_load_data", ["self", "name"]),
    (IndexDataCacheFile, "_data_path", ["self", "name"]),
    (IndexDataCacheFile, "_open_for_write", ["self", "filepath"]),
    (UserProvidedCacheLocator, "from_function", ["py_func", "py_file"]),
    (UserProvidedCacheLocator, "get_cache_path", ["self"]),
    (UserProvidedCacheLocator, "ensure_cache_path", ["self"]),
    (UserProvidedCacheLocator, "get_source_stamp", ["self"]),
    (FunctionCache, "__init__", ["self", "py_func"]),
    (FunctionCache, "load_overload", ["self", "sig", "target_context"]),
    # _compiler.py: the pipeline, with another lowering
    (register_pass, "__call__", ["mutates_CFG", "analysis_only"]),
    (CompilerBase, "define_pipelines", ["self"]),
    (DefaultPassBuilder, "define_nopython_pipeline", ["state", "name"]),
    (PassManager, "finalize", ["self"]),
    (NativeLowering, "run_pass", ["self", "state"]),
    (Function, "get_call_type", ["self", "context", "args", "kws"]),
    (ConfigStack, "top_or_none", []),
    (Lower, "post_lower", ["self"]),
    (LIBRARY, "_optimize_final_module", []),
    (LIBRARY, "_finalize_final_module", []),
    (CPUContext, "insert_user_function", ["self", "func", "fndesc", "libs"]),
    (ir.values.MDValue, "__init__", ["self", "parent", "values", "name"]),
    (ir.values.MDValue, "descr", ["self", "buf"]),
    (ir.values.MDValue, "get_reference", ["self"]),
    (ir.Module, "add_metadata", ["self", "operands"]),
    (ir.instructions.Instruction, "set_metadata", ["self", "name", "node"]),
    # _jit.py: entries
    (CPUDispatcher, "compile", ["self", "sig"]),
    (CPUDispatcher, "disable_compile", ["self", "val"]),
    (CPUDispatcher, "inspect_asm", ["self", "signature"]),
    (cpu_target.target_context.codegen(), "magic_tuple", []),
    # _calls.py: calls by address, and arrays made of a table
    (LIBRARY, "get_pointer_to_function", ["name"]),
    (CPUCallConv, "get_function_type", ["self", "restype", "argtypes"]),
    (CPUCallConv, "call_function", ["self", "builder", "callee", "resty", "argtys", "args", "attrs"]),
    (CPUCallConv, "return_status_propagate", ["self", "builder", "status"]),
    (CPUContext, "make_array", ["self", "typ"]),
    (CPUContext, "make_tuple", ["self", "builder", "typ", "values"]),
    (CPUContext, "get_constant", ["self", "ty", "val"]),
    (CPUContext, "get_data_type", ["self", "ty"]),
    (CPUContext, "get_abi_sizeof", ["self", "ty"]),
    (CPUContext, "get_dummy_value", ["self"]),
    (ArrayModel, "get_field_position", ["self", "field"]),
    (ArrayModel, "get_value_type", ["self"]),
]
#: Owner, name, type.
ATTRIBUTES: list[tuple[Any, str, type]] = [
    (FILE, "_cache_path", str),
    (FILE, "_index_path", str),
    (FILE, "_source_stamp", str),
    (FILE, "_version", str),
    (CompileResultCacheImpl, "_locator_classes", list),
    (CompileResultCacheImpl, "filename_base", property),
    (FunctionCache(TWICE.py_func)._impl, "_filename_base", str),
    (CompileResultCacheImpl, "locator", property),
    (FunctionCache, "_impl_class", type),
    (FunctionCache(TWICE.py_func), "_impl", CompileResultCacheImpl),
    (FunctionCache(TWICE.py_func), "_cache_file", IndexDataCacheFile),
    (FunctionCache(TWICE.py_func), "_cache_path", str),
    (NativeLowering, "_name", str),
    (ADD, "_impl_keys", dict),
    (NativeLowering, "lowering_class", property),
    (LIBRARY, "_finalized", bool),
    (cpu_target.target_context, "data_model_manager", object),
    (Flags, "no_compile", property),
    (PassManager("a name"), "passes", list),
    (ir.Module(), "metadata", list),
    (ir.Function(ir.Module(), ir.FunctionType(ir.VoidType(), ()), "f").attributes, "add", object),
    (TWICE, "_cache", object),
    (TWICE, "_can_compile", MemberDescriptorType),
    (TWICE, "targetoptions", dict),
    (CPUDispatcher, "signatures", property),
    *((CPUTargetOptions, name, object) for name in ("_nrt", "forceinline", "no_cpython_wrapper", "no_cfunc_wrapper")),
    *((config, name, object) for name in ("BOUNDSCHECK", "CPU_FEATURES", "CPU_NAME", "DISABLE_JIT")),
]


def named(value: Any) -> str:
    return value.__name__.rpartition(".")[2] if hasattr(value, "__name__") else type(value).__name__


def ids(table: list[tuple[Any, str, Any]]) -> list[str]:
    return [f"{named(owner)}.{name}" for owner, name, _ in table]


@pytest.mark.parametrize(("owner", "name", "arguments"), METHODS, ids=ids(METHODS))
def test_a_method_is_there_and_takes_what_it_took(owner: Any, name: str, arguments: list[str]) -> None:
    method = owner if name == "__call__" else getattr(owner, name)
    assert list(inspect.signature(method).parameters) == arguments


@pytest.mark.parametrize(("owner", "name", "kind"), ATTRIBUTES, ids=ids(ATTRIBUTES))
def test_an_attribute_is_there_and_of_its_kind(owner: Any, name: str, kind: type) -> None:
    assert isinstance(inspect.getattr_static(owner, name), kind)


def test_the_attributes_of_a_function_in_llvm_are_a_set_of_texts() -> None:
    """Ours is put among them by ``set.add``, since llvmlite's own refuses names that it does not know."""
    function = ir.Function(ir.Module(), ir.FunctionType(ir.VoidType(), ()), "f")
    set.add(function.attributes, '"prefer-vector-width"="512"')
    assert '"prefer-vector-width"="512"' in str(function)


def test_a_lowered_function_is_found_where_we_look_for_it() -> None:
    """``run_pass`` leaves in ``state["cr"]`` what ``_replace`` can give another ``cfunc``, and asks ``no_compile``."""
    assert {"fndesc", "cfunc"} <= set(_LowerResult._fields)
    source = inspect.getsource(typed_passes.BaseNativeLowering.run_pass)
    assert all(
        text in source
        for text in ("flags.no_compile", "state['cr']", "if state.library is None", "self.lowering_class")
    )


def test_a_lowering_knows_the_function_that_it_lowers() -> None:
    """``post_lower`` reads its marks through ``func_ir.func_id.func``, its blocks through ``function.blocks``."""
    seen = []

    class Watch(Lower):
        def post_lower(self) -> None:
            block = self.function.blocks[-1]
            seen.append((self.func_ir.func_id.func, self.module, block.is_terminated, list(block.terminator.operands)))

    class WatchingLowering(NativeLowering):
        _name = "watching_lowering"
        lowering_class = property(lambda self: Watch)

    register_pass(mutates_CFG=True, analysis_only=False)(WatchingLowering)

    class Compiler(CompilerBase):
        def define_pipelines(self) -> list[Any]:
            made = DefaultPassBuilder.define_nopython_pipeline(self.state)
            assert [step for step, _ in made.passes].count(NativeLowering) == 1
            made.passes = [(WatchingLowering if step is NativeLowering else step, text) for step, text in made.passes]
            made.finalize()
            return [made]

    double = numba.njit(pipeline_class=Compiler)(TWICE.py_func)
    assert double(4) == 8
    assert [(function, terminated) for function, _, terminated, _ in seen] == [(TWICE.py_func, True)]
    assert isinstance(seen[0][1], ir.Module)


def test_the_passes_that_are_spared_are_there_to_be_left_out() -> None:
    tree = ast.parse((KERNELS / "_compiler.py").read_text(encoding="utf-8"))
    spared = next(
        {name.id for name in ast.walk(node.value) if isinstance(name, ast.Name) and name.id[0].isupper()}
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "SPARED"
    )
    found = []

    class Compiler(CompilerBase):
        def define_pipelines(self) -> list[Any]:
            made = DefaultPassBuilder.define_nopython_pipeline(self.state)
            found.extend(step.__name__ for step, _ in made.passes)
            return [made]

    numba.njit(pipeline_class=Compiler)(TWICE.py_func)(4)
    assert len(spared) > 5
    assert spared <= set(found)


def trees() -> list[ast.Module]:
    return [ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES]


def imports() -> list[str]:
    return sorted(
        f"{node.module}.{alias.name}"
        for tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] in ("numba", "llvmlite")
        for alias in node.names
    )


@pytest.mark.parametrize("name", imports())
def test_what_is_imported_is_there(name: str) -> None:
    module, _, thing = name.rpartition(".")
    assert hasattr(import_module(module), thing)


def test_no_private_name_is_used_that_is_not_named_here() -> None:
    """Names beginning with one underscore that our own files do not define."""
    ours, used = set(), set()
    for node in (node for tree in trees() for node in ast.walk(tree)):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
            used.add(node.attr)
            if isinstance(node.ctx, ast.Store) and ast.unparse(node.value) == "self":
                ours.add(node.attr)
        elif isinstance(node, ast.FunctionDef):
            ours.add(node.name)
    listed = {name for _, name, _ in METHODS + ATTRIBUTES} | {"_replace"}
    assert used - ours <= listed
    assert len(used - ours) >= 5

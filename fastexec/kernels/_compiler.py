"""How the kernels are compiled: Numba's own pipeline, two wishes handed to LLVM with each function, and what spares time."""

from __future__ import annotations

import contextlib
import gc
import threading
from collections.abc import Iterator
from typing import Any

from llvmlite.ir import Constant, IntType, MetaDataString
from llvmlite.ir.values import MDValue
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.lowering import Lower
from numba.core.targetconfig import ConfigStack
from numba.core.typed_passes import (
    AnnotateTypes,
    DumpParforDiagnostics,
    InlineOverloads,
    NativeLowering,
    NopythonRewrites,
)
from numba.core.types import Function
from numba.core.untyped_passes import (
    DeadBranchPrune,
    FindLiterallyCalls,
    InlineClosureLikes,
    InlineInlinables,
    LiteralPropagationSubPipelinePass,
    LiteralUnroll,
    MakeFunctionToJitFunction,
    WithLifting,
)

_collector_lock = threading.Lock()
_pauses: list[bool] = []  # of each pause that lasts, whether the collector was on before the first


@contextlib.contextmanager
def collector_paused() -> Iterator[None]:
    """Python's garbage collector off, until the last of the threads that wish it is done: a compiler makes many objects that
    live on, and looking through them again and again took 12 to 30 % of its time.
    """
    with _collector_lock:
        _pauses.append(_pauses[0] if _pauses else gc.isenabled())
        gc.disable()
    try:
        yield
    finally:
        with _collector_lock:
            was_on = _pauses.pop()
            if was_on and not _pauses:
                gc.enable()


_memory: dict[int, tuple[Any, dict[Any, tuple[Any, Any]]]] = {}
_uses: list[None] = []
_resolve = Function.get_call_type


def _remember(function: Any, context: Any, args: Any, kws: Any) -> Any:
    """Function.get_call_type, asked once for each function that is compiled, operator and types."""
    settings = ConfigStack.top_or_none()
    if kws or settings is None:
        return _resolve(function, context, args, kws)
    known = _memory.setdefault(id(settings), (settings, {}))[1]
    key = function, args
    if key not in known:
        found = _resolve(function, context, args, kws)
        known[key] = found, function._impl_keys[found.args]
    found, function._impl_keys[found.args] = known[key]
    return found


@contextlib.contextmanager
def operators_remembered() -> Iterator[None]:
    """What an operator gives for which types, remembered while kernels are compiled: Numba asks a dozen rules in turn, and
    writes down why each refuses, at each place, in each round of finding types, and once more when the code is made.
    """
    with _collector_lock:
        _uses.append(None)
        Function.get_call_type = _remember
    try:
        yield
    finally:
        with _collector_lock:
            _uses.pop()
            if not _uses:
                Function.get_call_type = _resolve
                _memory.clear()


class _LoopId(MDValue):  # type: ignore[misc]
    """A loop's name in LLVM, with how many of its vectors to work on side by side; it must refer to itself."""

    def __init__(self, module: Any, count: int) -> None:
        wish = module.add_metadata([MetaDataString(module, "llvm.loop.interleave.count"), Constant(IntType(32), count)])
        super().__init__(module, [wish], name=str(len(module.metadata)))

    def descr(self, buf: list[str]) -> None:
        buf.append(f"distinct !{{ {self.get_reference()}, {self.operands[0].get_reference()} }}\n")


class _Lower(Lower):  # type: ignore[misc]
    """Hands LLVM two wishes that it does not form by itself; neither changes a bit.

    Vectors of 512 bits where the processor has them: LLVM halves them on processors whose first kin slowed down at that
    width (23.8 M path-steps/s of `large_cap` against 18.7). A wish of each function, so that the user's own functions are
    compiled as ever. And, for functions marked ``interleave``, several vectors side by side: a polynomial or a round of Philox
    is one chain of dependent operations, and the processor looks ahead over one or two such chains only.
    """

    def post_lower(self) -> None:
        super().post_lower()
        set.add(
            self.function.attributes, '"prefer-vector-width"="512"'
        )  # llvmlite's own add refuses names it does not know
        count = getattr(self.func_ir.func_id.func, "interleave", 1)
        places = {block: place for place, block in enumerate(self.function.blocks)}
        for block, place in places.items():
            ends = block.terminator.operands if count > 1 and block.is_terminated else ()
            if any(places.get(end, place + 1) <= place for end in ends):  # back to the head of a loop
                block.terminator.set_metadata("llvm.loop", _LoopId(self.module, count))


@register_pass(mutates_CFG=True, analysis_only=False)
class _Lowering(NativeLowering):  # type: ignore[misc]
    _name = "fastexec_lowering"

    @property
    def lowering_class(self) -> type[Lower]:
        return _Lower


@register_pass(mutates_CFG=True, analysis_only=False)
class _LoweringForLinking(_Lowering):
    """For what only other kernels call: LLVM's code of it is handed to those who call it, and that is all.

    Numba optimises each function with all that it calls and makes machine code of it, which for a stage nobody runs; the
    kernel that it is linked into does all that again.
    """

    _name = "fastexec_lowering_for_linking"

    def run_pass(self, state: Any) -> bool:
        library = state.targetctx.codegen().create_library(state.func_id.func_qualname)
        library._optimize_final_module = lambda: None
        library._finalize_final_module = lambda: setattr(library, "_finalized", True)
        state.library, state.flags.no_compile = library, True
        super().run_pass(state)
        name: Any = [].append  # what the function goes by among others: some built-in function of its own, called by nobody
        state["cr"] = state["cr"]._replace(cfunc=name)
        state.targetctx.insert_user_function(name, state["cr"].fndesc, [library])
        return True


#: Passes that find nothing in a kernel: it has no closures, contexts, literal loops or expressions of whole arrays.
SPARED = (
    AnnotateTypes,
    DeadBranchPrune,
    DumpParforDiagnostics,
    FindLiterallyCalls,
    InlineClosureLikes,
    InlineInlinables,
    InlineOverloads,
    LiteralPropagationSubPipelinePass,
    LiteralUnroll,
    MakeFunctionToJitFunction,
    NopythonRewrites,
    WithLifting,
)


class KernelCompiler(CompilerBase):  # type: ignore[misc]
    """Numba's compiler with the lowering above, without the passes that are ``SPARED``: these, and the look at the whole
    function behind each of them, took 6 % of a first run.
    """

    lowering: type[NativeLowering] = _Lowering

    def define_pipelines(self) -> list[Any]:
        pipeline = DefaultPassBuilder.define_nopython_pipeline(self.state)
        kept = [(step, text) for step, text in pipeline.passes if step not in SPARED]
        pipeline.passes = [(self.lowering if step is NativeLowering else step, text) for step, text in kept]
        pipeline.finalize()
        return [pipeline]


class StageCompiler(KernelCompiler):
    """The same for functions that are linked into others only."""

    lowering = _LoweringForLinking

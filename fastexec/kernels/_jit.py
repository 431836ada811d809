"""The one file that names Numba options and the lane width, and what a kernel's compiled form depends on.

Two decorators: ``stage`` for functions that only other kernels call, ``entry`` for the few that Python calls. An entry is
compiled for one explicit signature, on its first call, and kept in a cache folder named by everything its bits depend on:
Numba's own cache does not notice an edit in *another* file and would run stale callers.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numba
from numba.core import config

from fastexec.kernels._cache import KernelCache, make_folder
from fastexec.kernels._compiler import KernelCompiler, StageCompiler, collector_paused, operators_remembered
from fastexec.kernels._sources import hash_of_text, made_of

#: Lanes (episodes) in a block; a power of two, so that the low counter word never carries within a block.
LANES = int(os.environ.get("FASTEXEC_LANES", "128"))

PACKAGE = __name__.removesuffix("_jit")  # with its dot

# error_model="numpy": with Python's model each division hides a branch and the lane loop is no longer vectorised.
OPTIONS = {
    "nogil": True,
    "no_cfunc_wrapper": True,
    "error_model": "numpy",
    "fastmath": False,
    "pipeline_class": KernelCompiler,
}

# What makes no arrays holds no references: a count up and down for each array of each call was 12 ns.
NO_REFERENCES = {"_nrt": False}
# A stage is never called from Python or C, and has no machine code of its own.
_FOR_LINKING = OPTIONS | {"pipeline_class": StageCompiler, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}

JIT_DISABLED = bool(config.DISABLE_JIT)


def _cache_key() -> str:
    cpu = config.CPU_NAME or numba.core.registry.cpu_target.target_context.codegen().magic_tuple()
    parts = (
        LANES,
        numba.__version__,
        cpu,
        config.CPU_FEATURES,
        config.BOUNDSCHECK,
        sys.version_info[:2],
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


_folder: Path | None = None
_folder_lock = threading.Lock()


def cache_folder() -> Path:
    """The folder of compiled kernels; made on first use, a temporary one (with a warning) where it is not ours alone."""
    global _folder
    with _folder_lock:
        if _folder is None:
            _folder = make_folder(f"kernels-{_cache_key()}")
        return _folder


#: Every stage by its full name below this folder (``execute.push``), so that a test can see that none has lost its vectors.
stages: dict[str, Callable[..., Any]] = {}


def stage(function: Callable[..., Any]) -> Callable[..., Any]:
    """A jitted function that only kernels call; it makes no arrays."""
    made: Callable[..., Any] = numba.njit(**_FOR_LINKING, **NO_REFERENCES)(function)
    stages[full_name(function)] = made
    return made


def full_name(function: Any) -> str:
    """``market.geometric``, of a function or of what was made of it."""
    plain = getattr(function, "py_func", function)
    return f"{plain.__module__.removeprefix(PACKAGE)}.{plain.__name__}"


def parameters_of(function: Any) -> tuple[str, ...]:
    """What the parameters of a function, or of what was made of it, are called."""
    return tuple(inspect.signature(getattr(function, "py_func", function)).parameters)


#: Of the stages that walks call by address: the stage, and what its walk alone has (see ``bound_to``).
bound_stages: dict[str, tuple[Any, dict[str, Callable[[], Any]]]] = {}


def bound(function: Any) -> Any:
    """Decorator above ``stage`` or ``chained``: walks may call it by address (``_bind``)."""
    return bound_to()(function)


def bound_to(**own: Callable[[], Any]) -> Callable[[Any], Any]:
    """The same for a stage of one walk: its parameter for what the walk alone has, and a function that gives an example."""

    def register(function: Any) -> Any:
        bound_stages[full_name(function)] = function, own
        return function

    return register


def chained(function: Callable[..., Any]) -> Callable[..., Any]:
    """A stage whose lane loops are long chains of dependent operations: four vectors side by side.

    Philox 1.83 -> 1.44 ns, four normals 1.83 -> 1.52, the price's exponential 1.41 -> 1.07; eight gain no more.
    """
    function.interleave = 4  # type: ignore[attr-defined]
    return stage(function)


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """A jitted function of one lane, inlined by force: LLVM left Philox as a call in the driver, scalar, 15 ns a step."""
    return numba.njit(forceinline=True, **_FOR_LINKING, **NO_REFERENCES)(function)  # type: ignore[no-any-return]


Announce = Callable[[str], None]
_announce: list[Announce] = []


def on_compile(announce: Announce) -> None:
    """Have ``announce(name)`` called before a kernel is compiled (not when it comes from the cache)."""
    _announce[:] = [announce]


class Entry:
    """A kernel that Python calls, through its door: one signature, compiled or loaded on the first call, safe from several
    threads.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        signature: str | Callable[[], Sequence[Any]],
        door: Callable[..., None],
        references: bool,
    ) -> None:
        self.name = function.__name__
        self.module = function.__module__
        self._door = door
        self.__doc__ = function.__doc__
        self._signature, self._references = signature, {} if references else NO_REFERENCES
        self._function = function
        self._dispatcher: Any = None
        self._lock = threading.Lock()
        entries.append(self)

    def __call__(self, *args: Any) -> Any:
        try:
            self._door(*args)
        except ValueError as error:
            raise ValueError(f"{self.name}: {error}") from None
        if self._dispatcher is None:
            self.warm()
        return self._dispatcher(*args)

    @property
    def signatures(self) -> list[Any]:
        """The signatures compiled so far: one, or none before the first call."""
        return [] if self._dispatcher is None else list(getattr(self._dispatcher, "signatures", []))

    def assembly(self) -> str:
        """The assembly of the compiled kernel and of all stages inlined into it."""
        self.warm()
        return str(next(iter(self._dispatcher.inspect_asm().values())))

    def warm(self) -> float:
        """Compile, or load from the cache; seconds it took."""
        started = perf_counter()
        with self._lock:
            if self._dispatcher is None:
                self._dispatcher = self._function if JIT_DISABLED else self._compiled()
        return perf_counter() - started

    def _compiled(self) -> Any:
        if callable(self._signature):
            signature: Any = tuple(numba.typeof(example) for example in self._signature())
        else:
            signature = self._signature
        return compiled(self._function, signature, OPTIONS | self._references)


def _tell(name: str) -> None:
    for announce in _announce:
        announce(name)


entries: list[Entry] = []


def compiled(
    function: Callable[..., Any],
    signature: Any,
    options: dict[str, Any],
    name: str | None = None,
    modules: Sequence[str] = (),
) -> Any:
    """The dispatcher of a function compiled for one signature, or loaded from our cache, where it goes by the hash of the
    sources that it is made of: its own module (``modules`` where it is another) and all that these import; and of what it
    takes, since a NamedTuple may be written in a file that the kernel does not import.
    """
    dispatcher = numba.njit(**options)(function)
    name = name or full_name(function)
    base = _base_of(name, function, signature, modules)
    dispatcher._cache = KernelCache(function, cache_folder(), base, lambda: _tell(name))
    try:
        with collector_paused(), operators_remembered():
            dispatcher.compile(signature)
    finally:
        dispatcher._cache.release()
    dispatcher.disable_compile()
    return dispatcher


def _base_of(name: str, function: Callable[..., Any], signature: Any, modules: Sequence[str]) -> str:
    """How the names of the files begin that keep a compiled function."""
    return f"{name}-{hash_of_text(made_of(function, *modules), layout_of(signature))[:16]}"


def is_kept(name: str, function: Callable[..., Any], signature: Any, modules: Sequence[str]) -> bool:
    """Whether the cache holds a function, compiled for one signature."""
    return any(cache_folder().glob(f"{_base_of(name, function, signature, modules)}*.nbc"))


def layout_of(signature: Any) -> str:
    """What a kernel takes, in words: of a NamedTuple also where it is written and its fields in their order."""
    if isinstance(signature, numba.types.BaseNamedTuple):
        kind = signature.instance_class
        fields = ", ".join(f"{name}: {layout_of(one)}" for name, one in zip(signature.fields, signature, strict=True))
        return f"{kind.__module__}.{kind.__qualname__}({fields})"
    if isinstance(signature, tuple | list | numba.types.BaseTuple):
        return "(" + ", ".join(layout_of(one) for one in signature) + ")"
    return str(signature)


def entry(
    signature: str | Callable[[], Sequence[Any]], door: Callable[..., None], references: bool = True
) -> Callable[[Callable[..., Any]], Entry]:
    """Decorator for a kernel that Python calls; ``signature`` is Numba's text, or a function giving example arguments.

    ``door`` takes the kernel's arguments and raises ValueError where an array or an index among them does not fit the
    others: a kernel would read and write beyond its arrays.

    ``references`` False: it makes no arrays, and counts no references at its calls of stages (345 ns a step and strategy
    for what NamedTuples hold).
    """
    return lambda function: Entry(function, signature, door, references)

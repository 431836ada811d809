"""The one file that names Numba options and the lane width, and what a kernel's compiled form depends on.

Two decorators: ``stage`` for functions that only other kernels call, ``entry`` for the few that Python calls. An entry is
compiled for one explicit signature, on its first call, and kept in a cache folder named by everything its bits depend on:
Numba's own cache does not notice an edit in *another* file and would run stale callers.
"""

from __future__ import annotations

import hashlib
import os
import sys
import threading
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numba
import numpy as np
from numba.core import config
from numba.core.ccallback import CFunc
from numba.core.errors import NumbaExperimentalFeatureWarning
from numba.core.types import FunctionType, UniTuple

from fastexec.kernels._cache import KernelCache, make_folder
from fastexec.kernels._compiler import KernelCompiler, StageCompiler, collector_paused

# First-class functions (the plugin slots) work, and are still called experimental at each call.
warnings.filterwarnings("ignore", "First-class function type", NumbaExperimentalFeatureWarning)

#: Lanes (episodes) in a block; a power of two, so that the low counter word never carries within a block.
LANES = int(os.environ.get("FASTEXEC_LANES", "128"))

_PACKAGE = __name__.removesuffix("_jit")  # with its dot

# error_model="numpy": with Python's model each division hides a branch and the lane loop is no longer vectorised.
_OPTIONS = {"nogil": True, "error_model": "numpy", "fastmath": False, "pipeline_class": KernelCompiler}

# What makes no arrays holds no references: a count up and down for each array of each call was 12 ns.
_NO_REFERENCES = {"_nrt": False}
# A stage is never called from Python or C, and has no machine code of its own.
_FOR_LINKING = _OPTIONS | {"pipeline_class": StageCompiler, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}

_READ_ONLY = numba.types.Array(numba.float64, 1, "C", readonly=True)  # a user's function moves nobody's market
DECIDE_SIGNATURE = numba.void(
    numba.float64[::1], *([_READ_ONLY] * 5), numba.int64, numba.int64
)  # shares, remaining, mid, spread, last_volume, params, step, steps
PLUGIN_SLOTS = 16

JIT_DISABLED = bool(config.DISABLE_JIT)


def kernel_hash() -> str:
    """SHA-256 (hex) of the kernel sources and the lane width: what the bits of a result depend on besides the study."""
    digest = hashlib.sha256()
    folder = Path(__file__).parent
    for name in sorted(source.relative_to(folder).as_posix() for source in folder.rglob("*.py")):
        digest.update(name.encode() + b"\0" + (folder / name).read_bytes() + b"\0")
    return digest.hexdigest()


def _cache_key() -> str:
    cpu = config.CPU_NAME or numba.core.registry.cpu_target.target_context.codegen().magic_tuple()
    parts = (
        kernel_hash(),
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
    made: Callable[..., Any] = numba.njit(**_FOR_LINKING, **_NO_REFERENCES)(function)
    stages[f"{function.__module__.removeprefix(_PACKAGE)}.{function.__name__}"] = made
    return made


def allocating(function: Callable[..., Any]) -> Callable[..., Any]:
    """A stage that makes arrays."""
    return numba.njit(**_FOR_LINKING)(function)  # type: ignore[no-any-return]


def chained(function: Callable[..., Any]) -> Callable[..., Any]:
    """A stage whose lane loops are long chains of dependent operations: four vectors side by side.

    Philox 1.83 -> 1.44 ns, four normals 1.83 -> 1.52, the price's exponential 1.41 -> 1.07; eight gain no more.
    """
    function.interleave = 4  # type: ignore[attr-defined]
    return stage(function)


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """A jitted function of one lane, inlined by force: LLVM left Philox as a call in the driver, scalar, 15 ns a step."""
    return numba.njit(forceinline=True, **_FOR_LINKING, **_NO_REFERENCES)(function)  # type: ignore[no-any-return]


Announce = Callable[[str], None]
_announce: list[Announce] = []


def on_compile(announce: Announce) -> None:
    """Have ``announce(text)`` called before a kernel is compiled (not when it comes from the cache)."""
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
        self._signature, self._references = signature, {} if references else _NO_REFERENCES
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
                with collector_paused():
                    self._dispatcher = self._function if JIT_DISABLED else self._compiled()
        return perf_counter() - started

    def _compiled(self) -> Any:
        dispatcher = numba.njit(**_OPTIONS, **self._references)(self._function)
        if callable(self._signature):
            signature: Any = tuple(_typeof(example) for example in self._signature())
        else:
            signature = self._signature
        dispatcher._cache = KernelCache(self._function, cache_folder(), self._tell)
        try:
            dispatcher.compile(signature)
        finally:
            dispatcher._cache.release()
        dispatcher.disable_compile()
        return dispatcher

    def _tell(self) -> None:
        for announce in _announce:
            announce(f"compiling {self.name} (once on this machine; later runs load it)")


entries: list[Entry] = []


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


def _typeof(example: Any) -> Any:
    if type(example) is tuple and len(example) == PLUGIN_SLOTS:  # the plugin slots; NamedTuples are other types
        return UniTuple(FunctionType(DECIDE_SIGNATURE), PLUGIN_SLOTS)
    return numba.typeof(example)


def decide_function(function: Callable[..., None], ours: bool = False) -> Any:
    """Compile a user's strategy for the plugin slots: a first-class function of ``DECIDE_SIGNATURE``.

    Only our own functions go into our cache; it is named by the hash of our files alone.
    """
    if JIT_DISABLED:
        return function
    made = function if ours else _guarded(function)
    callback = CFunc(made, (DECIDE_SIGNATURE.args, DECIDE_SIGNATURE.return_type), {}, {"error_model": "numpy"})
    if not ours:
        callback.compile()
        return callback
    callback._cache = KernelCache(function, cache_folder())
    try:
        callback.compile()
    finally:
        callback._cache.release()
    return callback


def _guarded(function: Callable[..., None]) -> Callable[..., None]:
    """A user's function that cannot write or read outside its arrays: then its slices are no numbers, which ends the run.

    An error that leaves a function called by address is printed and lost. The checks cost 0.2 ns a lane and step (0.5
    without them, an even slicer).
    """
    inner = numba.njit(error_model="numpy", boundscheck=True)(function)
    inner.compile(DECIDE_SIGNATURE.args)  # here its faults are its own, with its own lines

    def guarded(shares, remaining, mid, spread, last_volume, params, step, steps):
        try:
            inner(shares, remaining, mid, spread, last_volume, params, step, steps)
        except Exception:
            for i in range(shares.shape[0]):
                shares[i] = np.nan

    return guarded

"""Stages called by address: which ones a walk calls is a list of numbers, so a study compiles those it uses and no other.

A stage that is ``bound`` is compiled by itself, with what it calls, into a function of four numbers: the table of the walk's
arrays (``world``), block, step, strategy. From the table it takes what its parameters are called.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import numba
import numpy as np

from fastexec.kernels import _calls, _jit, world as w
from fastexec.kernels._compiler import collector_paused
from fastexec.kernels._jit import JIT_DISABLED

_OPTIONS = _jit.OPTIONS | _jit.NO_REFERENCES | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}


class Bound:
    """A stage that walks call by address. ``own``: an example of what its walk alone has, by the parameter that means it."""

    def __init__(self, name: str, function: Any, own: dict[str, Callable[[], Any]]) -> None:
        plain = getattr(function, "py_func", function)
        self.name, self._modules = name, (plain.__module__, __name__)
        self.parameters = _jit.parameters_of(function)
        self.function, self.own = function, own
        self._address, self._code, self._lock = 0, None, threading.Lock()

    @property
    def address(self) -> int:
        """Where its machine code begins; it is compiled or loaded when first asked."""
        if not self._address:
            with self._lock:
                if not self._address:
                    address = id(self) if JIT_DISABLED else self._compiled()
                    _by_address[address] = self
                    self._address = address
        return self._address

    def is_kept(self) -> bool:
        """Whether it lies in the cache, or need not be compiled."""
        return JIT_DISABLED or bool(self._address) or _jit.is_kept(self.name, self.function, _calls.FOUR, self._modules)

    def warm(self) -> float:
        """Compile, or load from the cache; seconds it took."""
        started = perf_counter()
        _ = self.address
        return perf_counter() - started

    def _compiled(self) -> int:
        stage, take = self.function, _calls.taker(self.parameters, self.own)

        def called(world, block, t, k):
            stage(*take(world, block, t, k))

        self._code = _jit.compiled(called, _calls.FOUR, _OPTIONS, self.name, self._modules)
        return _calls.address_of_code(self._code, _calls.FOUR)

    def run(self, world: w.World, block: int, t: int, k: int) -> None:
        """Interpreted."""
        values = {name: value for name, _, value in w.places(world)} | dict.fromkeys(self.own, world.own)
        values |= {name: values[whole][k] for name, whole in w.ROWS.items() if k < len(values[whole])}
        values |= {name: values[other] for name, other in w.ALIASES.items()}
        values |= {"clock": world.clock(block, t), "span": world.span(block), "t": t, "k": k}
        self.function(*(values[name] for name in self.parameters))


_by_name: dict[str, Bound] = {}
_by_stage: dict[int, Bound] = {}
_by_address: dict[int, Bound] = {}
_standing: dict[int, w.World] = {}  # by the place of its table, where nothing is compiled


def bound_stage(name: str) -> Bound:
    """The bound stage of this full name (``market.geometric``)."""
    if name not in _by_name:
        _by_name[name] = Bound(name, *_jit.bound_stages[name])
    return _by_name[name]


def address_of(stage: Any) -> int:
    """The address of a bound stage."""
    found = _by_stage.get(id(stage))  # a walk asks for dozens at each call
    if found is None:
        found = _by_stage[id(stage)] = bound_stage(_jit.full_name(stage))
    return found.address


_backwards: list[bool] = []  # one for each who wishes it


@contextmanager
def backwards() -> Iterator[None]:
    """Within, walks compile the stages that they call last before the others: for a process that compiles beside another."""
    _backwards.append(True)
    try:
        yield
    finally:
        _backwards.pop()


def in_order(stages: list[Any]) -> list[Any]:
    """Stages of a walk in the order in which to compile them."""
    return stages[::-1] if _backwards else stages


def require_addresses(numbers: Iterable[int]) -> None:
    """ValueError unless at each a bound stage begins."""
    unknown = set(numbers) - _by_address.keys()
    if unknown:
        raise ValueError(f"addresses: no stage begins at {min(unknown)}")


@contextmanager
def standing(world: w.World, table: np.ndarray | None = None) -> Iterator[np.ndarray]:
    """The table of a world's arrays, good within; in the memory of ``table`` where it is given."""
    table = w.table_of(world, table)
    place = int(table[w.SELF])
    if JIT_DISABLED:
        _standing[place] = world
    try:
        yield table
    finally:
        _standing.pop(place, None)


def _run_stage(address: int, world: np.ndarray, block: int, t: int, k: int) -> None:
    _by_address[address].run(_standing[int(world[w.SELF])], block, t, k)


def _run_decide(address: int, views: tuple[np.ndarray, ...], t: int, steps: int) -> int:
    _decides[address](*views, t, steps)
    return 0  # its error is an exception of Python's here


def _run_orders(address: int, views: tuple[np.ndarray, ...], t: int, steps: int) -> int:
    orders, see, params = views
    _decides[address](orders.reshape(-1, _jit.LANES), see.reshape(-1, _jit.LANES), params, t, steps)
    return 0


#: For kernels: call the stage, or the user's strategy of the first or second form, at an address.
call_stage: Any = _run_stage if JIT_DISABLED else _calls.call_stage
call_decide: Any = _run_decide if JIT_DISABLED else _calls.call_decide
call_orders: Any = _run_orders if JIT_DISABLED else _calls.call_orders
_decides: dict[int, Callable[..., None]] = {}  # where nothing is compiled


class Decide:
    """A user's strategy, compiled for the engine to call by its ``address``; it must be kept as long as that is used.
    ``orders``: it has the second form.

    It cannot write or read outside its arrays: that is an error, of which whoever calls it makes slices that are no numbers,
    which ends the run with a line that says where. The checks cost 0.2 ns a lane and step (0.5 without them, an even slicer).
    """

    def __init__(self, function: Callable[..., None], orders: bool = False) -> None:
        if JIT_DISABLED:
            self.address = id(self)
            _decides[self.address] = function
            return
        types = (_calls.ORDERS_SIGNATURE if orders else _calls.DECIDE_SIGNATURE).args
        options = {"error_model": "numpy", "boundscheck": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
        self._code = numba.njit(**options)(function)
        with collector_paused():
            self._code.compile(types)
        self.address = _calls.address_of_code(self._code, types)


def wishes_of(value: Any) -> tuple[Any, dict[str, Any] | None] | None:
    """The function behind one that Numba compiles when it is called, and the options other than their defaults; None for
    these where its types are fixed, None of anything else.
    """
    if not isinstance(value, numba.core.registry.CPUDispatcher):
        return None
    if not value._can_compile:
        return value.py_func, None
    usual: dict[str, Any] = {"nopython": True, "boundscheck": None}
    asked = {key: wish for key, wish in value.targetoptions.items() if key not in usual or wish != usual[key]}
    return value.py_func, asked

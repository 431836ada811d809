"""Calls by address, in LLVM's code: the arguments of a stage made from a table of arrays, and the call itself.

The functions called are Numba's own, by its own convention and not C's: so an error inside, such as an index outside its
array where bounds are checked, ends the caller too.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from fastexec.kernels import world as w
from fastexec.kernels._jit import LANES
from fastexec.kernels.clock import Clock, Span

WORD = types.int64
#: What a bound stage takes: the table's place in memory, block, step, strategy.
FOUR = (WORD,) * 4
_PLAIN = types.Array(types.float64, 1, "C")
_READ_ONLY = types.Array(types.float64, 1, "C", readonly=True)  # a user's function moves nobody's market
#: shares, remaining, mid, spread, last_volume, params, step, steps
DECIDE_SIGNATURE = types.void(_PLAIN, *[_READ_ONLY] * 5, WORD, WORD)
_ROWS = types.Array(types.float64, 2, "C")
#: orders, see, params, step, steps
ORDERS_SIGNATURE = types.void(_ROWS, types.Array(types.float64, 2, "C", readonly=True), _READ_ONLY, WORD, WORD)
_CLOCK, _SPAN = numba.typeof(Clock(np.uint64(0), 0, 0, 0)), numba.typeof(Span(0, 0, 0))
_NUMBERS = {"t": 2, "k": 3}  # which of the four


def address_of_code(dispatcher: Any, signature: tuple[Any, ...]) -> int:
    """Where the code of a compiled function begins, as other compiled functions call it."""
    result = dispatcher.overloads[signature]
    return int(result.library.get_pointer_to_function(result.fndesc.llvm_func_name))


def taker(parameters: tuple[str, ...], own: dict[str, Callable[[], Any]]) -> Any:
    """A function of ``FOUR`` for kernels that makes the tuple of a stage's arguments; ``own``: as of ``bound_to``."""
    makers = [_maker(name, own) for name in parameters]

    @intrinsic  # type: ignore[untyped-decorator]
    def take(context: Any, world: Any, block: Any, t: Any, k: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            table = _Table(context, builder, arguments)
            return context.make_tuple(builder, signature.return_type, [make(table) for _, make in makers])

        return types.Tuple([kind for kind, _ in makers])(*FOUR), generate

    return take


def _maker(name: str, own: dict[str, Callable[[], Any]]) -> tuple[Any, Callable[[_Table], Any]]:
    """The type of a parameter, and what makes its value."""
    if name in _NUMBERS:
        return WORD, lambda table: table.arguments[_NUMBERS[name]]
    if name == "clock":
        return _CLOCK, _Table.clock
    if name == "span":
        return _SPAN, _Table.span
    found = _found()
    if name in w.ROWS:
        at, whole = found[w.ROWS[name]]
        row = types.Array(whole.dtype, whole.ndim - 1, "C")
        return row, lambda table: table.row(row, at)
    at, kind = found["own" if name in own else w.ALIASES.get(name, name)]
    if name in own:
        kind = numba.typeof(own[name]())
    return kind, lambda table: table.value(kind, at)


@cache
def _found() -> dict[str, tuple[int, Any]]:
    """Place in the table and type of all that every stage may take, by name; of ``own`` the place."""
    return {name: (at, numba.typeof(value)) for name, at, value in w.places(w.example_world())}


class _Table:
    """Makes values of the table's words."""

    def __init__(self, context: Any, builder: Any, arguments: Any) -> None:
        self.context, self.builder, self.arguments = context, builder, arguments
        self._words = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())

    def clock(self) -> Any:
        _, block, t, _ = self.arguments
        return self.context.make_tuple(self.builder, _CLOCK, [self._word(w.SEED), block, t, self._word(w.STEPS)])

    def span(self) -> Any:
        builder, lanes, zero = self.builder, self._number(LANES), self._number(0)
        start = builder.mul(self.arguments[1], lanes)
        low = builder.sub(self._word(w.FIRST), start)
        high = builder.add(low, self._word(w.COUNT))
        low = builder.select(builder.icmp_signed("<", low, zero), zero, low)
        high = builder.select(builder.icmp_signed("<", high, lanes), high, lanes)
        return self.context.make_tuple(builder, _SPAN, [low, high, builder.sub(start, self._word(w.BASE))])

    def value(self, kind: Any, at: int) -> Any:
        """An array, or a NamedTuple of arrays that lie one behind the other."""
        if isinstance(kind, types.Array):
            return self._array(kind, self._word(at), [self._word(at + 1 + axis) for axis in range(kind.ndim)])
        fields = [self.value(field, at + w.WORDS * j) for j, field in enumerate(kind.types)]
        return self.context.make_tuple(self.builder, kind, fields)

    def row(self, kind: Any, at: int) -> Any:
        """Of the array at a place, the row of the strategy at hand."""
        sizes = [self._word(at + 2 + axis) for axis in range(kind.ndim)]
        size = self._number(self._size(kind))
        for one in sizes:
            size = self.builder.mul(size, one)
        return self._array(kind, self.builder.add(self._word(at), self.builder.mul(self.arguments[3], size)), sizes)

    def _word(self, at: int) -> Any:
        return self.builder.load(self.builder.gep(self._words, [self._number(at)]))

    def _number(self, value: int) -> Any:
        return self.context.get_constant(WORD, value)

    def _size(self, kind: Any) -> int:
        return _size_of(self.context, kind)

    def _array(self, kind: Any, data: Any, sizes: list[Any]) -> Any:
        return _array_at(self.context, self.builder, kind, data, sizes)


def _size_of(context: Any, kind: Any) -> int:
    """Bytes of a value of an array."""
    return int(context.get_abi_sizeof(context.get_data_type(kind.dtype)))


def _array_at(context: Any, builder: Any, kind: Any, data: Any, sizes: list[Any]) -> Any:
    """An array of these sizes whose values lie from a place in memory on. Put together field by field: Numba's way
    over the stack takes twice as many instructions, and a stage is handed dozens of arrays.
    """
    model = context.data_model_manager[kind]
    itemsize = context.get_constant(WORD, _size_of(context, kind))
    strides = [itemsize]
    for size in reversed(sizes[1:]):
        strides.insert(0, builder.mul(strides[0], size))
    place, whole = model.get_field_position, model.get_value_type()
    array = builder.insert_value(ir.Constant(whole, None), itemsize, place("itemsize"))
    array = builder.insert_value(array, builder.inttoptr(data, whole.elements[place("data")]), place("data"))
    number = sizes[0]
    for size in sizes[1:]:
        number = builder.mul(number, size)
    array = builder.insert_value(array, number, place("nitems"))
    for axis, (size, stride) in enumerate(zip(sizes, strides, strict=True)):
        array = builder.insert_value(array, size, (place("shape"), axis))
        array = builder.insert_value(array, stride, (place("strides"), axis))
    return array


def _called(context: Any, builder: Any, kinds: tuple[Any, ...], address: Any, arguments: list[Any]) -> Any:
    """Call the compiled function of these types at an address; how it ended."""
    function = context.call_conv.get_function_type(types.none, kinds)
    place = builder.inttoptr(address, function.as_pointer())
    status, _ = context.call_conv.call_function(builder, place, types.none, kinds, arguments)
    return status


def _call_at(context: Any, builder: Any, kinds: tuple[Any, ...], address: Any, arguments: list[Any]) -> Any:
    """The same; its error is the caller's."""
    status = _called(context, builder, kinds, address, arguments)
    with builder.if_then(status.is_error, likely=False):
        context.call_conv.return_status_propagate(builder, status)
    return context.get_dummy_value()


@intrinsic  # type: ignore[untyped-decorator]
def call_stage(context: Any, address: Any, world: Any, block: Any, t: Any, k: Any) -> Any:
    """The stage at an address; ``world``: the table itself, int64[word]."""
    table = types.Array(types.int64, 1, "C")

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        data = context.make_array(table)(context, builder, values[1]).data
        return _call_at(context, builder, FOUR, values[0], [builder.ptrtoint(data, ir.IntType(64)), *values[2:]])

    return types.none(WORD, table, WORD, WORD, WORD), generate


@intrinsic  # type: ignore[untyped-decorator]
def call_decide(context: Any, address: Any, views: Any, t: Any, steps: Any) -> Any:
    """The user's strategy at an address, with ``views``, step and steps as of ``DECIDE_SIGNATURE``; 1 where it failed."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        arrays = [builder.extract_value(values[1], place) for place in range(len(views))]
        status = _called(context, builder, DECIDE_SIGNATURE.args, values[0], [*arrays, *values[2:]])
        return builder.zext(status.is_error, ir.IntType(64))

    return WORD(WORD, types.UniTuple(_PLAIN, len(views)), WORD, WORD), generate


@intrinsic  # type: ignore[untyped-decorator]
def call_orders(context: Any, address: Any, views: Any, t: Any, steps: Any) -> Any:
    """The same of the second form, as of ``ORDERS_SIGNATURE``; of ``views`` the first two are flat, and handed over as rows."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        orders, see, params = [builder.extract_value(values[1], place) for place in range(3)]
        arrays = [_as_rows(context, builder, orders), _as_rows(context, builder, see), params]
        status = _called(context, builder, ORDERS_SIGNATURE.args, values[0], [*arrays, *values[2:]])
        return builder.zext(status.is_error, ir.IntType(64))

    return WORD(WORD, types.UniTuple(_PLAIN, 3), WORD, WORD), generate


def _as_rows(context: Any, builder: Any, flat: Any) -> Any:
    """[row, lane] of a flat array."""
    array = context.make_array(_PLAIN)(context, builder, flat)
    lanes = context.get_constant(WORD, LANES)
    rows = builder.sdiv(builder.extract_value(array.shape, 0), lanes)
    return _array_at(context, builder, _ROWS, builder.ptrtoint(array.data, ir.IntType(64)), [rows, lanes])

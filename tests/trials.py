"""A stage tried by itself: compiled, called on values of the test's own, held to its naive twin and to a property.

Two kinds of rows. ``Lanes``: a stage that works on the lanes of a block. Its fields are drawn for a few lanes and repeated
over the block; all other fields hold NaN before the call, so that a stage that reads what the row does not name shows it,
and must hold the same bits after it, but for what the twin says is written and what the row calls scratch. ``Plain``: a
stage of any arguments; twin and stage are called with copies of the same ones, and whatever they return or leave in their
arrays is compared.
"""

from __future__ import annotations

import ast
import copy
import functools
import importlib.resources
import math
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numba
import numpy as np
from hypothesis import strategies as st

import fastexec.kernels
from fastexec.kernels import _jit, fields
from fastexec.kernels.buffers import Lanes as Buffers

for _module in pkgutil.walk_packages(fastexec.kernels.__path__, "fastexec.kernels."):
    importlib.import_module(_module.name)  # every stage and entry of every file is in the registries now
W = _jit.LANES
ENTRIES = {f"{entry.module.removeprefix('fastexec.kernels.')}.{entry.name}": entry for entry in _jit.entries}
SIZES = {"p": "PARAMETER_FIELDS", "m": "MARKET_FIELDS", "b": "LEDGER_FIELDS", "normals": "NORMAL_FIELDS",
         "row": "CLOSED_FIELDS"}  # fmt: skip
OWNER = {
    "SHARES": "p",
    "LOTS": "p",
    "MID": "m",
    "SLICE": "b",
    "Z_PRICE": "normals",
    "PART_SPREAD": "row",
    "ROW_FILLED": "row",
}


def _layout() -> dict[str, tuple[str, int]]:
    """Of each field of a lane, by its name in small letters: the buffer, and where in it the field begins."""
    found = {name: ("p", slot * W) for slot, name in enumerate(fields.PARAMETERS)}
    for node in ast.parse(importlib.resources.files(fastexec.kernels).joinpath("fields.py").read_text()).body:
        if isinstance(node, ast.Assign) and "_offsets(" in ast.unparse(node.value):
            names = [element.id for element in node.targets[0].elts]
            for buffer in {OWNER[name] for name in names if name in OWNER}:
                found |= {name.lower(): (buffer, getattr(fields, name)) for name in names}
    found |= {f"w{j}": ("words", j * W) for j in range(fields.DRAW_FIELDS)}
    found |= {f"e{j}": ("raw", j * W) for j in range(fields.DRAW_FIELDS)}
    del (
        found["variance_normals"],
        found["sum_further"],
    )  # several fields: of four steps, of the further parts of the cost
    found |= {f"mids{j}": ("m", fields.MIDS + j * W) for j in range(fields.HISTORY)}
    found |= {f"variance_normals{j}": ("m", fields.VARIANCE_NORMALS + j * W) for j in range(4)}
    found |= {f"signal_normals{j}": ("m", fields.SIGNAL_NORMALS_0 + j * W) for j in range(4 * fields.MOST_SIGNALS)}
    found |= {f"sum_further{j}": ("b", fields.SUM_FURTHER + j * W) for j in range(fields.MOST_FURTHER)}
    return found | {f"row_further{j}": ("row", fields.ROW_FURTHER + j * W) for j in range(fields.MOST_FURTHER + 2)}


LAYOUT = _layout()


class Found:
    """The fields of a block and what was written elsewhere, each an array over the lanes."""

    def __init__(self, buffers: dict[str, np.ndarray], outputs: dict[str, np.ndarray]) -> None:
        self.buffers, self.outputs = buffers, outputs

    def __getattr__(self, name: str) -> np.ndarray:
        if name in self.outputs:
            return self.outputs[name]
        if name not in LAYOUT:
            raise AttributeError(name)
        buffer, start = LAYOUT[name]
        return self.buffers[buffer][start : start + W]


def fresh_block() -> dict[str, np.ndarray]:
    """Buffers in which nothing is known yet."""
    block = {name: np.full(getattr(fields, size) * W, np.nan) for name, size in SIZES.items()}
    block["raw"] = np.full(fields.DRAW_FIELDS * W, np.nan, np.float32)
    return block | {"words": np.full(fields.DRAW_FIELDS * W, 0xDEADBEEF, np.uint32)}


@functools.cache
def _compiled(name: str, types: tuple[Any, ...]) -> Any:
    """The stage by itself; what makes arrays is in no registry and counts references."""
    options = _jit.OPTIONS | (_jit.NO_REFERENCES if name in _jit.stages else {})
    return _jit.compiled(stage_of(name).py_func, types, options, f"alone.{name}")


def stage_of(name: str) -> Any:
    """The stage of that full name; one that makes arrays is in no registry."""
    module, function = name.rsplit(".", 1)
    return _jit.stages.get(name) or getattr(importlib.import_module(f"fastexec.kernels.{module}"), function)


def run(name: str, *arguments: Any) -> Any:
    """Call the stage or the entry of that full name."""
    if name in ENTRIES:
        return ENTRIES[name](*arguments)
    if _jit.JIT_DISABLED:
        return stage_of(name)(*arguments)
    return _compiled(name, tuple(numba.typeof(argument) for argument in arguments))(*arguments)


def same(ours: Any, theirs: Any, rtol: float, atol: float, what: str) -> None:
    """Equal to a tolerance; with none, to the last bit (of a number: NaN is NaN)."""
    if rtol == 0.0 and atol == 0.0:
        np.testing.assert_array_equal(ours, theirs, err_msg=what)
    else:
        np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=atol, err_msg=what)


@dataclass(frozen=True)
class Lanes:
    """``twin(v)`` gives what one lane is to hold afterwards, by field; ``v`` has the fields drawn, those ``derived(v)`` from
    them, and what ``others`` draws once for the block. ``holds(given, found, again)``: fields as arrays before and after;
    ``again(**changes)`` calls anew. ``outputs(x)``: what is written elsewhere, by a name that the twin gives too, an array
    over the lanes. ``through``: stages that are called by this one alone, and tried with it. ``each``: a lane's number
    matters, and is ``v.i``.
    """

    stage: str
    arguments: Callable[[Any], tuple[Any, ...]]
    twin: Callable[[Any], dict[str, Any]]
    fields: dict[str, st.SearchStrategy[Any]]
    holds: Callable[[Any, Found, Callable[..., Found]], None]
    others: dict[str, st.SearchStrategy[Any]] = field(default_factory=dict)
    derived: Callable[[Any], dict[str, Any]] = lambda v: {}
    outputs: Callable[[Any], dict[str, np.ndarray]] = lambda x: {}
    through: str = ""
    each: bool = False
    scratch: str = ""
    rtol: float = 1e-12
    atol: float = 0.0
    tries: int = 25

    def inputs(self) -> st.SearchStrategy[Any]:
        lanes = st.lists(st.fixed_dictionaries(self.fields), min_size=1, max_size=5)
        return st.tuples(lanes, st.fixed_dictionaries(self.others))

    def example(self, drawn: tuple[list[dict[str, Any]], dict[str, Any]]) -> tuple[Any, ...]:
        """What the stage is called with, for those who only time it."""
        lanes, others = drawn
        given = {name: np.resize([lane[name] for lane in lanes], W) for name in self.fields}
        return self.arguments(self._room(given | self._derive(given, others), others))

    def check(self, drawn: tuple[list[dict[str, Any]], dict[str, Any]]) -> None:
        lanes, others = drawn
        drawn_fields = {name: np.resize([lane[name] for lane in lanes], W) for name in self.fields}
        given = drawn_fields | self._derive(drawn_fields, others)
        before, found = self._call(given, others)
        wanted = self._of_lanes(self.twin, given, others)
        for name in wanted[0]:
            same(getattr(found, name), [lane[name] for lane in wanted], self.rtol, self.atol, f"{self.stage}: {name}")
        self._touches_nothing_else(before, found, {*wanted[0], *self.scratch.split()})

        def again(**changes: Any) -> Found:
            other = others | {name: value for name, value in changes.items() if name in self.others}
            new = {name: np.resize(value, W) for name, value in changes.items() if name not in self.others}
            return self._call(given | self._derive(drawn_fields | new, other) | new, other)[1]

        self.holds(SimpleNamespace(**others, **given), found, again)

    def _of_lanes(
        self, function: Callable[[Any], Any], values: dict[str, np.ndarray], others: dict[str, Any]
    ) -> list[Any]:
        """``function`` of each lane; once for lanes that hold the same, but where ``each`` is a lane of its own."""
        known: dict[tuple[Any, ...], Any] = {}
        found = []
        for i, lane in enumerate(
            zip(*(array.tolist() for array in values.values()), strict=True) if values else [()] * W
        ):
            key = (*lane, i) if self.each else lane
            if key not in known:
                named = SimpleNamespace(**others, **dict(zip(values, lane, strict=True)))
                if self.each:
                    named.i = i
                known[key] = function(named)
            found.append(known[key])
        return found

    def _derive(self, drawn: dict[str, np.ndarray], others: dict[str, Any]) -> dict[str, np.ndarray]:
        found = self._of_lanes(self.derived, drawn, others)
        return {name: np.array([lane[name] for lane in found]) for name in found[0]}

    def _room(self, given: dict[str, np.ndarray], others: dict[str, Any]) -> SimpleNamespace:
        """The block's buffers by their names, with what is given in them, and what all lanes share."""
        block = fresh_block()
        for name in given.keys() & LAYOUT.keys():
            getattr(Found(block, {}), name)[:] = given[name]
        return SimpleNamespace(**block, **others, lanes=buffers(block))

    def _call(self, given: dict[str, np.ndarray], others: dict[str, Any]) -> tuple[Any, Found]:
        x = self._room(given, others)
        block = {name: getattr(x, name) for name in fresh_block()}
        before = {name: values.copy() for name, values in block.items()}
        run(self.stage, *self.arguments(x))
        return before, Found(block, self.outputs(x))

    def _touches_nothing_else(self, before: dict[str, np.ndarray], found: Found, written: set[str]) -> None:
        for name, (buffer, start) in LAYOUT.items():
            if name not in written:
                old, new = before[buffer][start : start + W], found.buffers[buffer][start : start + W]
                assert old.tobytes() == new.tobytes(), f"{self.stage} writes {name}"


def buffers(block: dict[str, np.ndarray]) -> Buffers:
    """The block as a driver's lane buffers, for one strategy."""
    return Buffers(
        block["p"], block["m"], block["normals"], block["words"], block["raw"],
        block["b"].reshape(1, -1), block["row"].reshape(1, -1), np.zeros(0), np.zeros(0, np.float32),
    )  # fmt: skip


@dataclass(frozen=True)
class Plain:
    """``twin`` has the stage's arguments; ``holds(call, *arguments)``, where ``call(*arguments)`` is the stage. ``scratch``: so
    many arrays at the end are for the stage to write in, and hold nothing afterwards.
    """

    stage: str
    twin: Callable[..., Any]
    values: st.SearchStrategy[tuple[Any, ...]]
    holds: Callable[..., None]
    rtol: float = 1e-12
    atol: float = 0.0
    tries: int = 25
    through: str = ""
    scratch: int = 0

    def inputs(self) -> st.SearchStrategy[Any]:
        return self.values

    def example(self, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        return arguments

    def check(self, arguments: tuple[Any, ...]) -> None:
        ours, theirs = copy.deepcopy(arguments), copy.deepcopy(arguments)
        result, wanted = run(self.stage, *ours), self.twin(*theirs)
        if wanted is not None or result is not None:
            same(result, wanted, self.rtol, self.atol, f"{self.stage}: what it returns")
        pairs = list(zip(_flat(ours), _flat(theirs), strict=True))
        for j, (one, other) in enumerate(pairs[: len(pairs) - self.scratch]):
            same(one, other, self.rtol, self.atol, f"{self.stage}: array {j}")
        self.holds(functools.partial(run, self.stage), *copy.deepcopy(arguments))


def _flat(values: Any) -> Iterator[np.ndarray]:
    """The arrays of nested tuples."""
    for value in values:
        if isinstance(value, tuple):
            yield from _flat(value)
        elif isinstance(value, np.ndarray):
            yield value


def real(low: float, high: float) -> st.SearchStrategy[float]:
    """Numbers of a range, its ends and small round ones more often than others, none of them denormal."""
    return st.floats(low, high, allow_subnormal=False).map(
        lambda x: x if abs(x) > 1e-9 or x == 0.0 else math.copysign(1e-9, x)
    )


def arrays(make: Callable[[np.random.Generator], Any]) -> st.SearchStrategy[Any]:
    """What ``make`` draws with a generator of its own, for arguments too large to be drawn number by number."""
    return st.integers(0, 2**32 - 1).map(lambda seed: make(np.random.default_rng(seed)))

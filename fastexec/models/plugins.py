"""Own strategies: functions that a decorator registers, checked, and compiled for the engine.

    import fastexec as fx

    @fx.strategy("patient", tight=0.0003)
    def patient(shares, remaining, mid, spread, last_volume, params, step, steps): ...

or, in the second form, ``def patient(orders, see, params, step, steps)``.

``plugin_files`` finds them for a study.
"""

from __future__ import annotations

import dis
import hashlib
import inspect
import math
import re
import traceback
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Any, TypeVar

from fastexec.errors import FastexecError, InputError
from fastexec.models import reserved
from fastexec.models.names import RULE, is_name, quoted
from fastexec.models.plugin_forms import FIRST, TOLD, Form, form_of
from fastexec.models.strategies import BUILT_IN, RESERVED
from fastexec.models.used_values import Values, settled_values_of, values_of

if TYPE_CHECKING:
    from fastexec.kernels._bind import Decide

MOST_PARAMETERS = 32
#: Modules of this name are files that a study brought, run by ``plugin_files``.
FILE_MODULE = "fastexec_plugin_"

F = TypeVar("F", bound=Callable[..., None])


@dataclass(frozen=True)
class OwnStrategy:
    """A registered function. ``parameters``: defaults, in the order of ``params``; ``file``: where it stands, as a study names
    it; ``sha256``: of that file and what it imports beside it; ``where``: what its author calls the place, if otherwise;
    ``inputs``: SHA-256 of each file that it is of; ``values``: what it used as its file or module had run.
    """

    name: str
    function: Callable[..., None] = field(repr=False)
    parameters: dict[str, float]
    file: str
    sha256: str
    where: str = ""
    inputs: dict[str, str] = field(default_factory=dict, compare=False, repr=False)
    values: Values = field(default_factory=dict, compare=False, repr=False)

    @property
    def place(self) -> str:
        """Where it stands, for whoever wrote it."""
        return self.where or self.file

    @property
    def files(self) -> dict[str, str]:
        """SHA-256 of each file that it is of, by name."""
        return self.inputs or {self.file: self.sha256}

    @property
    def form(self) -> Form:
        """How it is called."""
        return form_of(self.function.__code__) or FIRST

    @property
    def summary(self) -> str:
        """The first line of its docstring."""
        return ((self.function.__doc__ or "").strip().splitlines() or [""])[0]

    @property
    def decide(self) -> Decide:
        """The function compiled for the engine; InputError, one line that says where, if it cannot be."""
        from fastexec.kernels._jit import JIT_DISABLED

        try:
            return _compiled(self._interpreted if JIT_DISABLED else self.function, self.form)
        except Exception as error:  # Numba's many, none of which can be named outside the kernels
            text = str(error)
            lines = re.findall(r'File "[^"]*", line (\d+)', text)
            line = f", line {lines[-1]}" if lines else ""
            raise InputError(
                f"{self.place}{line}: strategy {self.name!r} cannot be compiled: {_reason(text, self.form)}"
            ) from error

    def _interpreted(self, *arguments: Any) -> None:
        """As compiled: inputs cannot be written, a division by 0 gives infinity or NaN."""
        import numpy as np

        for view in arguments[self.form.inputs]:
            view.flags.writeable = False
        try:
            with np.errstate(all="ignore"):
                self.function(*arguments)
        except Exception as error:
            line = traceback.extract_tb(error.__traceback__)[-1].lineno
            raise FastexecError(f"{self.place}, line {line}: strategy {self.name!r}: {first_line(error)}") from error


@cache
def _compiled(function: Callable[..., None], form: Form) -> Decide:
    from fastexec.kernels._bind import Decide

    return Decide(function, orders=form is not FIRST)


registry: dict[str, dict[str, OwnStrategy]] = {}  # by module, then by name
loading: ContextVar[tuple[str, str] | None] = ContextVar("loading", default=None)  # (name of the file, its SHA-256)


def strategy(name: str, /, **parameters: float) -> Callable[[F], F]:
    """Register a function as the strategy of model ``name``; ``parameters``: keys that a study may give it, and defaults.

    The function fills ``shares`` (float64[lane], zeros when it is called) with the slices of step ``step`` of ``steps``, each
    between 0 and ``remaining`` (shares); whole lots are made of them afterwards, rounding down. It sees ``mid`` (currency) and
    ``spread`` (full, a fraction of the mid) as the step begins, ``last_volume`` (the market's in the step before, 0 in
    step 0), and ``params``, in the order given here. It is compiled by Numba, for a block of episodes at a time, and keeps
    nothing between calls. What is left after the last step falls under ``order.at_horizon``. With + - * / and np.sqrt alone
    its bits are the same on every machine; np.exp and its like may differ in the last one.

    In the second form it takes (orders, see, params, step, steps): ``orders`` float64[3, lane] to write, with the rows SHARES
    (zeros), LEVEL and VENUE (preset) of ``fastexec.orders``; ``see`` float64[row, lane], to read, with the rows of
    ``fastexec.see``. What the study does not have is NaN there.

    Raises InputError where the name is taken or is no name, or the function cannot be a strategy.

    >>> @fx.strategy("half", part=0.5)
    ... def half(shares, remaining, mid, spread, last_volume, params, step, steps):
    ...     shares[:] = params[0] * remaining
    """
    _require_names(name, parameters)

    def register(function: F) -> F:
        plain = getattr(function, "py_func", function)  # of one that Numba has compiled already
        if not inspect.isfunction(plain):
            raise InputError(f"strategy({name!r}): {function!r} is no plain function; decorate one made by def")
        own = OwnStrategy(name, plain, {key: float(x) for key, x in parameters.items()}, *_source(plain))
        _require_function(own)
        own = replace(own, values=settled_values_of(plain))
        known = registry.setdefault(plain.__module__, {})
        if name in known and plain.__module__.startswith(FILE_MODULE):
            raise InputError(f"{own.file}: registers {name!r} twice; give one of them another name")
        known[name] = own
        return function

    return register


def remember_values(module: str, just_run: bool) -> None:
    """Of the strategies of a module that has run to its end; where others may have changed it since, what was settled before
    stands.
    """
    for name, own in registry[module].items():
        then = {} if just_run else own.values
        registry[module][name] = replace(own, values=values_of(own.function) | then)


def _require_names(name: str, parameters: dict[str, float]) -> None:
    if not is_name(name):
        raise InputError(f'strategy({quoted(name)}): is no name; write @strategy("name") of {RULE}')
    if name in BUILT_IN:
        raise InputError(f"strategy({name!r}): is built in; choose another name")
    if name in reserved.MODELS:
        raise InputError(f"strategy({name!r}): {reserved.WHY}; choose another name")
    if len(parameters) > MOST_PARAMETERS:
        raise InputError(f"strategy({name!r}): {len(parameters)} parameters; at most {MOST_PARAMETERS}")
    for key, value in parameters.items():
        if key in reserved.KEYS:
            raise InputError(f"strategy({name!r}): {key} {reserved.WHY}; give the parameter another name")
        number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        if key in RESERVED or not number:
            why = "is a key of every strategy" if key in RESERVED else f"default must be a finite number, not {value!r}"
            raise InputError(f"strategy({name!r}): {key}: {why}; give a parameter like tight=0.0003")


def _require_function(own: OwnStrategy) -> None:
    """What would go wrong silently in compiled code: another number of arguments, exceptions, random numbers."""
    code = own.function.__code__
    place = f"{own.place}, line {code.co_firstlineno}: strategy {own.name!r}"
    if (form := form_of(code)) is None:
        raise InputError(f"{place} must take {TOLD}")
    inputs = code.co_varnames[form.inputs]
    line, before = code.co_firstlineno, ""
    for step in dis.get_instructions(code):
        line = step.positions.lineno if step.positions and step.positions.lineno else line
        place = f"{own.place}, line {line}: strategy {own.name!r}"
        if step.opname == "RAISE_VARARGS":
            raise InputError(
                f"{place} raises or asserts, which no compiled strategy can; let it give 0 shares, or NaN to stop"
            )
        if step.opname.startswith("STORE_FAST") and before.endswith("=") and step.argval in inputs:
            raise InputError(f"{place} changes its input {step.argval}; only {form.written} may be written")
        before = step.argrepr if step.opname == "BINARY_OP" else ""
    refuse_random(code, own)


def refuse_random(code: CodeType, own: OwnStrategy) -> None:
    """InputError where the code of a strategy, or of a function that it uses, draws random numbers."""
    line = code.co_firstlineno
    for step in dis.get_instructions(code):
        line = step.positions.lineno if step.positions and step.positions.lineno else line
        if step.argval == "random":
            raise InputError(
                f"{own.place}, line {line}: strategy {own.name!r} draws random numbers, which would differ from run to run; it "
                "must be a function of what it sees"
            )


def _source(function: Callable[..., None]) -> tuple[str, str]:
    """(file, SHA-256 of the file) of a function; of a cell of a notebook ("cell", "")."""
    if (file := loading.get()) is not None:
        return file
    path = Path(inspect.getsourcefile(function) or "")
    if path.is_file():
        return path.name, hashlib.sha256(path.read_bytes()).hexdigest()
    try:
        inspect.getsource(function)
        return "cell", ""
    except OSError:
        raise InputError(
            f"strategy {function.__name__!r}: its text is not at hand; put it into a file, whose hash signs results"
        ) from None


def _reason(text: str, form: Form) -> str:
    """The one sentence of a compiler's many that says what to mend."""
    if "Cannot modify readonly array" in text:
        return f"it writes to one of its inputs; only {form.written} may be written"
    said = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("Failed in")]
    called = next((line.removeprefix(">>> ") for line in said if line.startswith(">>> ")), "")
    return f"{said[0] if said else 'unknown to Numba'} {called}".strip()[:300]


def first_line(error: BaseException) -> str:
    """What an exception says, in one line."""
    return error.msg if isinstance(error, SyntaxError) else (str(error).splitlines() or [type(error).__name__])[0]

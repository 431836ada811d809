"""Strategies of a notebook or script: written as a file that stands alone, with the values that they use.

That text is hashed, kept with results and sent to workers as any plugin file, and it is what is compiled: so what runs is what
is stored, whatever becomes of the notebook's own names afterwards.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from keyword import iskeyword
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from fastexec.errors import InputError
from fastexec.models.captured_values import import_text, value_text
from fastexec.models.function_text import piece_of, uses_of
from fastexec.models.plugin_code import LARGEST, Code, Piece
from fastexec.models.plugin_run import run_code
from fastexec.models.plugins import FILE_MODULE, OwnStrategy, refuse_random, registry

#: Names in the text that are its own.
_OWN = {"_base64": "base64", "_fastexec": "fastexec", "_numba": "numba", "_numpy": "numpy"}
_PLAIN = '@_numba.njit(error_model="numpy", boundscheck=True)'  # as a strategy itself is compiled


@dataclass(frozen=True)
class Captured:
    """A strategy with the text that it was written as. ``parts``: what each name in it stands for, as text."""

    own: OwnStrategy
    code: Code
    parts: dict[str, str]


_known: dict[str, Captured] = {}  # by SHA-256: what studies of this process were built from


def of_process() -> dict[str, OwnStrategy]:
    """The strategies that this process itself registered, in cells, scripts or modules, by name.

    Their ``sha256`` is empty: it belongs to what ``capture`` makes of one at a time.
    """
    modules = [known for module, known in registry.items() if not module.startswith(FILE_MODULE)]
    return {name: replace(own, sha256="") for known in modules for name, own in known.items()}


def capture(own: OwnStrategy) -> Captured:
    """A strategy of this process as it is now, with the values that it uses now.

    Raises InputError where it uses something that cannot be stored: not a number, text, array, tuple of these, function with
    source, or what numpy, numba or Python's mathematics hold.
    """
    code, parts = _Writer(own).written()
    if code.sha256 not in _known:
        found = run_code(code.path.name, code)[own.name]
        _known[code.sha256] = Captured(replace(found, file=code.path.name, where=own.file), code, parts)
    return _known[code.sha256]


def what_changed(source: str, now: Captured) -> str:
    """What tells a strategy from the one of SHA-256 ``source``, of which a study was built."""
    name, then = now.own.name, _known.get(source)
    if then is None:
        return f"the strategy {name!r} of this process is another one than the study was built from"
    if then.own.parameters != now.own.parameters or then.parts[_BODY] != now.parts[_BODY]:
        return f"strategy {name!r} was defined anew after the study was built"
    changed = sorted(key for key in then.parts.keys() | now.parts.keys() if then.parts.get(key) != now.parts.get(key))
    return f"{', '.join(changed)}, which strategy {name!r} uses, changed after the study was built"


_BODY = ""  # the strategy's own text among ``parts``


class _Writer:
    """Writes a strategy, and all that it uses, as one file."""

    def __init__(self, own: OwnStrategy) -> None:
        self._own = own
        self._bound: dict[str, Any] = {}  # what a name stands for: a function, or the text of an import or a value
        self._imports: dict[str, str] = {}
        self._values: dict[str, str] = {}
        self._pieces: list[Piece] = []
        self._parts: dict[str, str] = {}

    def written(self) -> tuple[Code, dict[str, str]]:
        """The file and its parts."""
        keys = self._own.parameters
        plain = all(key.isidentifier() and not iskeyword(key) for key in keys)
        given = "".join(f", {key}={value!r}" for key, value in keys.items()) if plain else f", **{keys!r}"
        self._function(self._own.function, f'@_fastexec.strategy("{self._own.name}"{given if keys else ""})')
        texts = [*self._values.values(), *(piece.text for piece in self._pieces)]
        own = [f"import {module} as {name}" for name, module in _OWN.items() if any(name in text for text in texts)]
        said = f"Strategy {self._own.name} as a notebook or script defined it, with what it used; written by fastexec."
        head = [f'"""{said}"""', "", "from __future__ import annotations", "", *own, *self._sorted(self._imports), ""]
        head += [f"{name} = {text}" for name, text in sorted(self._values.items())]
        pieces = [Piece("\n".join(head) + "\n", f"{self._own.name}.py", 1), *self._pieces]
        text = "\n\n".join(piece.text for piece in pieces).encode()
        self._require_small(text)
        return Code(Path(f"{self._own.name}.py"), text, pieces=tuple(pieces)), self._parts

    @staticmethod
    def _sorted(statements: dict[str, str]) -> list[str]:
        return [text for _, text in sorted(statements.items())]

    def _function(self, function: Any, head: str) -> None:
        name, is_strategy = function.__code__.co_name, function is self._own.function
        if not self._bind(name, function):
            return
        refuse_random(function.__code__, self._own)
        for used, value in uses_of(function).items():
            self._name(used, value)
        try:
            piece = piece_of(function)
        except InputError as error:
            raise InputError(f"strategy {self._own.name!r}: {error}") from None
        self._parts[_BODY if is_strategy else name] = piece.text
        self._pieces.append(replace(piece, text=f"{head}\n{piece.text}", line=piece.line - 1))

    def _name(self, name: str, value: Any) -> None:
        if name in _OWN:
            raise self._error(f"uses the name {name}, which its stored text needs; choose another")
        if (said := import_text(name, value)) is not None:
            if self._bind(name, said):
                self._imports[name] = self._parts[name] = said
        elif (found := _compiled_later(value)) is not None:
            function, head = found
            called = function.__code__.co_name
            self._function(function, head if head is not None else self._refuse(name, value))
            if called != name and self._bind(name, function):
                self._parts[name] = called
                self._pieces.append(Piece(f"{name} = {called}\n", f"{self._own.name}.py", 1))
        else:
            text = value_text(value)
            if self._bind(name, text if text is not None else self._refuse(name, value)):
                self._values[name] = self._parts[name] = str(text)

    def _bind(self, name: str, meaning: Any) -> bool:
        """Whether a name is new; InputError where it already stands for something else."""
        if name not in self._bound:
            self._bound[name] = meaning
            return True
        known = self._bound[name]
        if known is meaning or (isinstance(known, str) and known == meaning):
            return False
        raise self._error(f"uses two things that are called {name}; rename one")

    def _refuse(self, name: str, value: Any) -> Any:
        kind = f"the module {value.__name__}" if isinstance(value, ModuleType) else type(value).__name__
        raise self._error(
            f"uses {name} ({kind}), which results cannot store: it must be a number, a text, an array, a tuple of these or a "
            "function with source; or put the strategy into a file of its own"
        )

    def _require_small(self, text: bytes) -> None:
        if len(text) > LARGEST:
            largest = max(self._values, key=lambda name: len(self._values[name]), default="it")
            raise self._error(f"uses {largest}, too large to be stored in results (at most {LARGEST // 10**6} MB)")

    def _error(self, text: str) -> InputError:
        return InputError(f"{self._own.file}: strategy {self._own.name!r} {text}")


def _compiled_later(value: Any) -> tuple[FunctionType, str | None] | None:
    """A function that Numba compiles, and the decorator that says how, None where that cannot be written; None of others."""
    from fastexec.kernels._bind import wishes_of

    if isinstance(value, FunctionType):
        return value, _PLAIN
    if (found := wishes_of(value)) is None:
        return None
    function, wishes = found
    if wishes is None or not all(re.fullmatch(r"\w+", str(x)) for x in wishes.values()):
        return function, None
    given = ", ".join(f"{key}={x!r}" for key, x in sorted(wishes.items()))
    return function, f"@_numba.njit({given})" if given else "@_numba.njit"

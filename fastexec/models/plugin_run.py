"""A plugin file run as a module of its own, from just the texts that its SHA-256 is of."""

from __future__ import annotations
import __future__

import ast
import builtins
import sys
import traceback
from dataclasses import replace
from types import CodeType, ModuleType
from typing import Any

from fastexec.errors import FastexecError, InputError
from fastexec.models.plugin_code import Code
from fastexec.models.plugins import FILE_MODULE, OwnStrategy, first_line, loading, registry, remember_values


def run_code(entry: str, code: Code) -> dict[str, OwnStrategy]:
    """The strategies that a file registers, and those that files beside it do which it imports, by name; ``entry``: what a
    study calls it. It is run once for each content.

    Raises InputError, one line that says where, where it does not run to its end.
    """
    module = f"{FILE_MODULE}{code.sha256}"
    if module not in registry:
        _Bundle(entry, code, module).run()
        for part in (module, *_parts(module)):
            remember_values(part, just_run=True)
    found = {name: own for part in _parts(module) for name, own in registry[part].items()} | registry[module]
    files = {entry: code.text_sha256} | {beside.path.name: beside.text_sha256 for beside in code.beside}
    return {name: replace(own, file=entry, inputs=files) for name, own in found.items()}


def _parts(module: str) -> list[str]:
    return [name for name in registry if name.startswith(f"{module}.")]


class _Bundle:
    """A file and those beside it that it imports: among themselves they import just these texts, and nobody else does."""

    def __init__(self, entry: str, code: Code, module: str) -> None:
        self._entry, self._code, self._module = entry, code, module
        self._beside = {beside.path.stem: beside for beside in code.beside}
        self._made: dict[str, ModuleType] = {}

    def run(self) -> None:
        """Run it; what it registers is kept where it ran to its end."""
        token = loading.set((self._entry, self._code.sha256))
        registry[self._module] = {}
        try:
            self._run(self._module, self._code)
        except BaseException as error:
            for name in [self._module, *_parts(self._module)]:
                registry.pop(name, None)
            for made in self._made.values():
                sys.modules.pop(made.__name__, None)
            sys.modules.pop(self._module, None)
            if isinstance(error, KeyboardInterrupt):
                raise
            raise self._said(error) from (None if isinstance(error, FastexecError) else error)
        finally:
            loading.reset(token)

    def _run(self, name: str, code: Code) -> ModuleType:
        module = ModuleType(name)
        module.__file__ = str(code.path)
        if self._beside:
            module.__dict__["__builtins__"] = {**vars(builtins), "__import__": self._import}
        sys.modules[name] = module
        if code is not self._code:
            self._made[code.path.stem] = module
        for part in _compiled(code):
            exec(part, module.__dict__)
        return module

    def _import(self, name: str, known: Any = None, local: Any = None, wanted: Any = (), level: int = 0) -> ModuleType:
        if level == 0 and name in self._beside:
            return self._made.get(name) or self._run(f"{self._module}.{name}", self._beside[name])
        return builtins.__import__(name, known, local, wanted, level)

    def _said(self, error: BaseException) -> InputError:
        """What went wrong, and in which line of which of the files."""
        files = {str(beside.path): beside.path.name for beside in self._code.beside} | {
            str(self._code.path): self._entry
        }
        steps = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
        if isinstance(error, SyntaxError) and error.filename in files:
            steps.append((error.filename, error.lineno))
        lines = [(files[file], line) for file, line in steps if file in files]
        file, line = lines[-1] if lines else (self._entry, None)
        place = file if line is None else f"{file}, line {line}"
        if isinstance(error, FastexecError):
            return InputError(str(error) if str(error).startswith(self._entry) else f"{place}: {error}")
        return InputError(f"{place}: the plugin cannot be run: {type(error).__name__}: {first_line(error)}")


def _compiled(code: Code) -> list[CodeType]:
    """A text ready to run; of one put together each piece with the file and the lines that its author knows it by."""
    if not code.pieces:
        return [compile(code.text, str(code.path), "exec", dont_inherit=True)]
    found = []
    for piece in code.pieces:
        tree = ast.increment_lineno(ast.parse(piece.text), piece.line - 1)
        found.append(compile(tree, piece.file, "exec", __future__.annotations.compiler_flag, dont_inherit=True))
    return found

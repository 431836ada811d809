"""The text of a function as Python has it, held against the code that runs, and what its names stand for."""

from __future__ import annotations
import __future__

import ast
import builtins
import dis
import inspect
import textwrap
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

from fastexec.errors import InputError
from fastexec.models.plugin_code import Piece

_FUTURE = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)


def piece_of(function: FunctionType) -> Piece:
    """The ``def`` of a function without its decorators, at the left margin.

    Raises InputError where its text is not at hand, is no ``def``, has defaults that are not written out, or is no longer
    the text of the code that runs.
    """
    code = function.__code__
    try:
        lines, first = inspect.getsourcelines(code)
        node = _definition("".join(lines))
    except (OSError, TypeError, SyntaxError, IndexError):
        raise InputError(
            f"{code.co_name}: its text is not at hand; put it into a file, or a cell of a notebook"
        ) from None
    if node is None or node.name != code.co_name:
        raise InputError(f"{code.co_name}, line {first}: is no function made by def; write it as one")
    _require_plain_defaults(node, first)
    text = textwrap.dedent("".join(lines[node.lineno - 1 :]))
    if not any(_is_same(code, found) for found in _compiled(text, code)):
        raise InputError(f"{code.co_name}, line {first}: its text has changed since it ran; run it again")
    return Piece(text.rstrip() + "\n", code.co_filename, first + node.lineno - 1)


def _definition(text: str) -> ast.FunctionDef | None:
    """The function that a text begins with; its line is counted from 1."""
    if not text[:1].isspace():
        found = ast.parse(text).body[0]
    else:
        found = ast.parse(f"if True:\n{text}").body[0].body[0]  # type: ignore[attr-defined]
        ast.increment_lineno(found, -1)
    return found if isinstance(found, ast.FunctionDef) else None


def _require_plain_defaults(node: ast.FunctionDef, first: int) -> None:
    for default in [*node.args.defaults, *filter(None, node.args.kw_defaults)]:
        try:
            ast.literal_eval(default)
        except ValueError:
            raise InputError(
                f"{node.name}, line {first}: a default is {ast.unparse(default)}; write the number itself"
            ) from None


def _compiled(text: str, code: CodeType) -> Iterator[CodeType]:
    """Compiled anew, its names as they were: the functions of that name within."""
    whole = f"def _({', '.join(code.co_freevars)}):\n{textwrap.indent(text, ' ')}" if code.co_freevars else text
    try:
        left = [compile(whole, code.co_filename, "exec", code.co_flags & _FUTURE, dont_inherit=True)]
    except SyntaxError:
        return
    while left:
        inner = [part for part in left.pop().co_consts if isinstance(part, CodeType)]
        yield from (part for part in inner if part.co_name == code.co_name)
        left += inner


def _is_same(one: Any, other: Any) -> bool:
    """Whether two codes do the same; texts may be indented otherwise."""
    if type(one) is not type(other):
        return False
    if isinstance(one, CodeType):
        plain = ("co_code", "co_names", "co_varnames", "co_freevars", "co_cellvars", "co_argcount")
        return all(getattr(one, name) == getattr(other, name) for name in plain) and _is_same(
            one.co_consts, other.co_consts
        )
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(_is_same, one, other))
    return bool(one.split() == other.split() if isinstance(one, str) else repr(one) == repr(other))


def uses_of(function: FunctionType) -> dict[str, Any]:
    """What the names stand for that a function does not define itself, by name, without those that are Python's own.

    Names that stand for nothing yet are left out: whoever compiles it says so.
    """
    known = function.__globals__
    found = {name: known[name] for name in set(_global_names(function.__code__)) if name in known}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:
            found.pop(name, None)
    return {name: value for name, value in sorted(found.items()) if getattr(builtins, name, found) is not value}


def _global_names(code: CodeType) -> Iterator[str]:
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield step.argval
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield from _global_names(part)

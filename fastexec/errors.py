"""The errors a user can meet: each message is one line saying what is wrong, where, and what would be right."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator, Sequence
from contextvars import ContextVar

# What the system says of a path that can be none: whoever wrote it can mend it.
_OF_THE_PATH = {errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.EINVAL}


class FastexecError(Exception):
    """Failed while running; the command line ends with status 1."""

    exit_status = 1


class InputError(FastexecError):
    """The command line, the study or the data is wrong; status 2, and nothing was written."""

    exit_status = 2


class RefusedError(FastexecError):
    """Refused so that nothing is lost; status 3."""

    exit_status = 3


class Interrupted(KeyboardInterrupt):
    """Asked to stop by a signal, ``number``; status 130."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def kind_of(error: OSError) -> type[FastexecError]:
    """What an error of the system is to a user: InputError where the path can be none, such as a name too long."""
    return InputError if error.errno in _OF_THE_PATH else FastexecError


def listed(names: Sequence[object], most: int = 12) -> str:
    """Names for one line: all, or the first ones and how many there are."""
    shown = ", ".join(str(name) for name in names[:most])
    return shown if len(names) <= most else f"{shown}, ... ({len(names)} in all)"


_in_python = True


@contextlib.contextmanager
def at_command_line() -> Iterator[None]:
    """Within it errors are worded for the command line, otherwise for who writes Python."""
    global _in_python
    before, _in_python = _in_python, False
    try:
        yield
    finally:
        _in_python = before


def said(command_line: str, python: str) -> str:
    """The words of the door that was come through."""
    return python if _in_python else command_line


_LISTS = {"plugin": "plugins", "set": "overrides"}  # given once for each
_FLAGS = {"overwrite", "resume", "trust", "yes"}


def option(name: str, value: object = None) -> str:
    """An option as it is written: ``--max-memory 2GB`` or ``max_memory='2GB'``, without a value ``--out`` or ``out``, of a flag
    ``--resume`` or ``resume=True``.
    """
    python = name.replace("-", "_")
    if name in _LISTS:
        python, shown = _LISTS[name], f"[{str(value)!r}]"
    else:
        shown = repr(value if isinstance(value, (bool, int, float)) else str(value))
    if value is None:
        return said(f"--{name}", f"{python}=True" if name in _FLAGS else python)
    return said(f"--{name} {value}", f"{python}={shown}")


_toml: ContextVar[bool] = ContextVar("toml", default=False)


@contextlib.contextmanager
def of_toml() -> Iterator[None]:
    """Within it a study's errors are worded for who wrote TOML, otherwise for who wrote nested keys in Python."""
    token = _toml.set(True)
    try:
        yield
    finally:
        _toml.reset(token)


def in_study(toml: str, python: str) -> str:
    """The words of the language that a study is written in."""
    return toml if _toml.get() else python


def run_again(folder: object = None) -> str:
    """The call that makes good what is missing in a folder of results."""
    where = ("", "") if folder is None else (f"--out {folder} ", f"out={str(folder)!r}, ")
    return said(f"`fastexec run STUDY {where[0]}--resume`", f"fastexec.run(study, {where[1]}resume=True)")

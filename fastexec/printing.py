r"""The one place through which everything is printed: characters that a terminal would obey are shown instead.

Text comes from files that anybody may have written. What moves a cursor, renames a window or turns the direction of reading
is written as an escape, such as \x1b; printable text of any language stays as it is.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from collections.abc import Iterator
from typing import TextIO

from fastexec.errors import FastexecError

# C0, DEL and C1; marks, overrides and isolates of the reading direction; separators of lines and paragraphs; the mark of a
# byte order and annotations; what is left of bytes that are no UTF-8.
_OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]")
_SHORT = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}
_BYTES = range(0xDC80, 0xDD00)  # how Python reads a byte of a file's name that is no UTF-8
_SHOW_CURSOR = "\r\x1b[K\x1b[?25h"


def harmless(text: str, kept: str = "") -> str:
    """``text`` with the characters that a terminal obeys as escapes, but for those ``kept``."""
    return _OBEYED.sub(lambda found: found[0] if found[0] in kept else _escape(found[0]), text)


def _escape(character: str) -> str:
    number = ord(character)
    if number in _BYTES:
        number -= 0xDC00
    return _SHORT.get(character) or (f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}")


def say(text: str) -> None:
    """A line on standard output."""
    _write(f"{harmless(text)}\n")


def say_lines(text: str) -> None:
    """Text of several lines on standard output, with an end of line behind the last."""
    _write(harmless(text if text.endswith("\n") else f"{text}\n", kept="\n\t"))


def page_lines(text: str) -> None:
    """Text of several lines through the user's pager."""
    page_laid_out(harmless(text, kept="\n\t"), coloured=False)


def page_laid_out(text: str, coloured: bool) -> None:
    """What a console has laid out, and so made harmless, through the user's pager."""
    import click

    with _to_reader():
        click.echo_via_pager(text, color=coloured)


def say_bytes(data: bytes) -> None:
    """Bytes on standard output, for a file or another program."""
    with _to_reader():
        sys.stdout.flush()
        sys.stdout.buffer.write(data)


def tell(text: str) -> None:
    """A line on standard error."""
    StandardError().write(f"{harmless(text)}\n")


def tell_lines(text: str) -> None:
    """Text of several lines on standard error."""
    StandardError().write(harmless(text, kept="\n\t"))


def tell_at_once(text: str) -> None:
    """A line on standard error, past all buffers, by a process that is about to end; a bar's cursor is shown again."""
    shown = _SHOW_CURSOR if os.isatty(2) and os.environ.get("TERM", "dumb") not in ("dumb", "unknown") else ""
    with contextlib.suppress(OSError):  # nobody can be told
        os.write(2, f"{shown}{harmless(text)}\n".encode())


def _write(text: str) -> None:
    with _to_reader():
        sys.stdout.write(text)


@contextlib.contextmanager
def _to_reader() -> Iterator[None]:
    """BrokenPipeError where the reader of standard output left, FastexecError where it cannot be written."""
    try:
        yield
    except OSError as error:
        _forget_output()
        if isinstance(error, BrokenPipeError):
            raise
        raise FastexecError(f"standard output: cannot be written ({error.strerror or error})") from None


def _forget_output(stream: TextIO | None = None) -> None:
    """What waits in the buffer goes nowhere: Python would try again at its end, complain, and end with status 120."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, (stream or sys.stdout).fileno())
    os.close(nowhere)


def prepare() -> None:
    """Make standard output and error ready for any text, where a descriptor is closed or an encoding has few letters.

    A closed descriptor would be given to the next file that is opened, and what is printed would go into it.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - open as long as the process
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def flush() -> None:
    """Everything printed is with its reader; errors as for printing."""
    with _to_reader():
        sys.stdout.flush()


def settle() -> None:
    """Before the process ends: what a stream cannot take any more, of which the user has been told, goes nowhere."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            _forget_output(stream)


def output_is_terminal() -> bool:
    """Whether standard output is a terminal."""
    return sys.stdout.isatty()


def is_read_by_a_person() -> bool:
    """Whether a pager may take the keyboard: standard input and output are a terminal that is not dumb."""
    return os.isatty(0) and output_is_terminal() and os.environ.get("TERM", "dumb") not in ("dumb", "unknown")


def errors_are_to_terminal() -> bool:
    """Whether standard error is a terminal."""
    return sys.stderr.isatty()


class _Standard(io.TextIOBase):
    """A stream for a console, which has made text harmless and writes the codes of colours and cursors itself."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The name of the stream's encoding: a console draws with what it has."""
        return self._stream.encoding or "utf-8"

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Its descriptor."""
        return self._stream.fileno()


class StandardOutput(_Standard):
    """Standard output, in a pipe without the spaces that fill a table's lines up: its reader wants the words alone."""

    def __init__(self) -> None:
        super().__init__(sys.stdout)

    def write(self, text: str) -> int:
        """Write the text, or raise as printing does."""
        with _to_reader():
            self._stream.write(text if self.isatty() else re.sub(r" +(?=\n|$)", "", text))
        return len(text)

    def flush(self) -> None:
        """Hand on what waits."""
        with _to_reader():
            self._stream.flush()


class StandardError(_Standard):
    """Standard error. Whoever listened there may have left: what is going on is worth more than a word of how far it is."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)

    def write(self, text: str) -> int:
        """Write the text if anybody listens."""
        with contextlib.suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Hand on what waits."""
        with contextlib.suppress(OSError):
            self._stream.flush()

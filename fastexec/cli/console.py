"""Consoles of rich that show control characters, whatever they are given to print."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import IO, Any, cast

from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.segment import Segment
from rich.text import Text

from fastexec import printing
from fastexec.printing import harmless

_NARROWEST = 60  # below, no number could be read
_PIPED = 160
_SIZE = re.compile("0*[1-9][0-9]{0,3}")  # columns that a terminal may have


class _Console(Console):
    """Control characters are shown where text is laid out, so that it takes the room it needs, and again in what is laid out:
    no text goes past it.
    """

    def render_str(self, text: str, **options: Any) -> Text:
        """Text as it is shown."""
        return super().render_str(harmless(text, kept="\n"), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Segments as they are shown; those that move the cursor are the console's own."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(harmless(segment.text, kept="\n"), segment.style)

    def on_broken_pipe(self) -> None:
        """The reader left, as `head` does: for the command line to end in peace; rich would end with status 1."""
        raise BrokenPipeError


def shown(text: str) -> str:
    """Text for one line of a console or one cell of a table: no markup, no character that is obeyed."""
    return escape(harmless(text))


def console_of() -> Console:
    """The console for standard output: as wide as the terminal; piped, wide and without a control code."""
    environment = _environment()
    own = environment.get("COLUMNS")
    stream = cast(IO[str], printing.StandardOutput())
    if printing.output_is_terminal():
        console = _Console(highlight=False, emoji=False, file=stream, _environ=environment)
        width = max(int(own) if own else console.width, _NARROWEST)
        return _Console(highlight=False, emoji=False, file=stream, width=width, _environ=environment)
    width = max(int(own), _NARROWEST) if own else _PIPED
    return _Console(
        highlight=False,
        emoji=False,
        width=width,
        file=stream,
        force_terminal=False,
        color_system=None,
        _environ=environment,
    )


def console_of_errors() -> Console:
    """The console for standard error: for progress, in a terminal."""
    return _Console(emoji=False, file=cast(IO[str], printing.StandardError()), _environ=_environment())


def said_once(console: Console, text: str) -> Callable[[str], None]:
    """A function that says a line when it is first called, whatever with."""
    lines = [text]

    def announce(_: str) -> None:
        if lines:
            console.print(shown(lines.pop()))

    return announce


def _environment() -> Mapping[str, str]:
    """The environment without sizes of a terminal that none has, of which rich would fail."""
    sizes = ("COLUMNS", "LINES")
    return {name: value for name, value in os.environ.items() if name not in sizes or _SIZE.fullmatch(value)}

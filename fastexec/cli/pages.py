"""Long texts: through a pager where a person reads them on a terminal, plain in a pipe."""

from __future__ import annotations

from rich.table import Table

from fastexec import printing
from fastexec.cli.console import console_of, shown


def page(text: str) -> None:
    """Text of several lines, through the user's pager where it is longer than the terminal."""
    if _overflows(text):
        printing.page_lines(text)
    else:
        printing.say_lines(text)


def page_markdown(text: str) -> None:
    """Markdown, laid out on a terminal and as it is written in a pipe."""
    if not printing.output_is_terminal():
        printing.say_lines(text)
        return
    from rich.markdown import Markdown

    console = console_of()
    laid_out = Markdown(text, code_theme="ansi_dark")
    with console.capture() as captured:
        console.print(laid_out)
    if _overflows(captured.get()):
        printing.page_laid_out(captured.get(), console.color_system is not None)
    else:
        console.print(laid_out)


def _overflows(text: str) -> bool:
    """Whether a person reads it on a terminal that does not hold all of it."""
    return printing.is_read_by_a_person() and text.count("\n") >= console_of().height


def show_names(what: str, found: list[tuple[str, str]]) -> None:
    """A table of names, each with what it is."""
    table = Table(what, "what it is", box=None, pad_edge=False)
    for name, meaning in found:
        table.add_row(shown(name), shown(meaning))
    console_of().print(table)

"""How the command line ends: one line on standard error and a status, whatever went wrong."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any, TextIO

import click

from fastexec import printing
from fastexec.errors import FastexecError, InputError, at_command_line, kind_of
from fastexec.host import ENDING
from fastexec.wording import nearest

_DONE, _FAILED, _WRONG, _INTERRUPTED = 0, 1, 2, 130
_SAID = {
    "SIGINT": "interrupted",
    "SIGTERM": "terminated (SIGTERM)",
    "SIGHUP": "its terminal hung up (SIGHUP)",
}


@contextlib.contextmanager
def statuses(debug: bool, resumable: bool) -> Iterator[None]:
    """Turn every way to fail into one line on standard error and its exit status."""
    status = _DONE

    def finish(line: str, code: int) -> None:
        nonlocal status
        printing.tell(f"fastexec: {line}")
        status = code
        if debug and code != _INTERRUPTED:
            _trace()

    try:
        with at_command_line():
            yield
        printing.flush()
    except click.exceptions.Exit as ended:
        status = ended.exit_code
    except FastexecError as error:
        finish(str(error), error.exit_status)
    except click.ClickException as error:
        finish(_usage(error), _WRONG)
    except (KeyboardInterrupt, click.Abort) as error:
        finish(_interruption(getattr(error, "number", signal.SIGINT), resumable), _INTERRUPTED)
    except BrokenPipeError:
        status = _DONE  # the reader of our output left, as `head` does
    except OSError as error:
        finish(_of_system(error), kind_of(error).exit_status)
    except Exception as error:
        finish(
            f"a fault of fastexec itself ({type(error).__name__}: {_first_line(error)}); --debug shows where", _FAILED
        )
    printing.settle()
    sys.exit(status)


def watch_signals(resumable: bool) -> None:
    """End with one line and status 130 on Ctrl-C, SIGTERM and SIGHUP; the last two are left alone where they are ignored,
    as under nohup.

    At once, and not through an exception, which in the midst of LLVM ends in a crash; a run's chunks ask for more time.
    """

    def leave(number: int, frame: Any) -> None:
        printing.tell_at_once(f"fastexec: {_interruption(number, resumable)}")
        os._exit(_INTERRUPTED)

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, *ENDING):
            if number == signal.SIGINT or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, leave)


def show_warning(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, file: TextIO | None = None,
    line: str | None = None,
) -> None:  # fmt: skip
    """A warning of Python's as one line, for ``warnings.showwarning``."""
    printing.tell(f"fastexec: warning: {_words(str(message))}")


def watch_warnings() -> None:
    """Warnings are printed as everything is."""
    warnings.showwarning = show_warning


def _interruption(number: int, resumable: bool) -> str:
    return _SAID[signal.Signals(number).name] + ("; what is complete is kept, --resume goes on" if resumable else "")


def _usage(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    hint = f" (see '{context.command_path} --help')" if context is not None else ""
    said = _no_option(error) if isinstance(error, click.NoSuchOption) else _words(error.format_message()).rstrip(".")
    return f"{said}{hint}"


def _no_option(error: click.NoSuchOption) -> str:
    """The nearest by the rule of every other name; click has one of its own."""
    params = error.ctx.command.get_params(error.ctx) if error.ctx else []
    near = nearest(error.option_name, [word for param in params for word in param.opts if word.startswith("--")])
    return f"no option {error.option_name!r}" + (f"; did you mean {near!r}?" if near else "")


def _of_system(error: OSError) -> str:
    name = error.filename or "system"
    where = os.fsdecode(name) if isinstance(name, (str, bytes)) else str(name)
    reason = error.strerror or _first_line(error)
    return f"{where}: is no path ({reason}); give another" if kind_of(error) is InputError else f"{where}: {reason}"


def _words(text: str) -> str:
    """One line of what may be several, whose lists are a line an entry."""
    return " ".join(part.strip() for part in text.split("\n"))


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or ["no reason given"])[0]


def _trace() -> None:
    import traceback

    printing.tell_lines(traceback.format_exc())

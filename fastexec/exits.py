"""How the command line ends: one line on standard error and a status, whatever went wrong."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any

import click

from fastexec.errors import FastexecError

_DONE, _FAILED, _WRONG, _INTERRUPTED = 0, 1, 2, 130
_INTERRUPTION = "interrupted; what is complete is kept, --resume goes on"


@contextlib.contextmanager
def statuses(debug: bool) -> Iterator[None]:
    """Turn every way to fail into one line on standard error and its exit status."""
    status = _DONE

    def finish(line: str, code: int) -> None:
        nonlocal status
        click.echo(f"fastexec: {' '.join(line.split())}", err=True)
        status = code

    try:
        yield
    except click.exceptions.Exit as ended:
        status = ended.exit_code
    except FastexecError as error:
        finish(str(error), error.exit_status)
        _trace(debug)
    except click.ClickException as error:
        finish(_usage(error), _WRONG)
        _trace(debug)
    except (KeyboardInterrupt, click.Abort):
        finish(_INTERRUPTION, _INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output left, as `head` does
        status = _DONE
    except OSError as error:
        finish(f"{error.filename or 'system'}: {error.strerror or error}", _FAILED)
        _trace(debug)
    except Exception as error:
        finish(f"a fault of fastexec itself ({type(error).__name__}: {error}); --debug shows where", _FAILED)
        _trace(debug)
    sys.exit(status)


def leave(number: int, frame: Any) -> None:
    """Ctrl-C outside a run's chunks: at once, and not through an exception, which in the midst of LLVM ends in a crash."""
    os.write(2, f"fastexec: {_INTERRUPTION}\n".encode())
    os._exit(_INTERRUPTED)


def _usage(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    hint = f" (see '{context.command_path} --help')" if context is not None else ""
    return f"{error.format_message().rstrip('.')}{hint}"


def _trace(debug: bool) -> None:
    if debug:
        import traceback

        traceback.print_exc()

"""One writer in a folder of results: the lock of the one who writes."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator

from fastexec.errors import RefusedError, kind_of, option
from fastexec.host import CAREFULLY, take_lock
from fastexec.place import Place

NAME = ".lock"
_FLAGS = os.O_RDONLY | CAREFULLY


@contextlib.contextmanager
def locked(folder: Place) -> Iterator[None]:
    """Hold ``folder/.lock``; RefusedError where another process writes there, or the lock is a link. An object store knows no
    locks.
    """
    if folder.local is None:
        yield
        return
    try:
        folder.local.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder.local / NAME, os.O_CREAT | _FLAGS, 0o644)
    except OSError as error:
        if error.errno == errno.ELOOP and (folder.local / NAME).is_symlink():
            raise RefusedError(f"{folder / NAME}: is a link; remove it, or choose another {option('out')}") from None
        raise kind_of(error)(
            f"{folder}: cannot be written ({error.strerror}); choose another {option('out')}"
        ) from None
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise RefusedError(f"{folder / NAME}: is no regular file; remove it, or choose another {option('out')}")
        if not take_lock(handle):
            raise RefusedError(f"{folder}: another run writes there; wait for it or choose another {option('out')}")
        yield
    finally:
        os.close(handle)


def is_locked(folder: Place) -> bool | None:
    """Whether somebody writes there now; None on an object store, which cannot tell."""
    if folder.local is None:
        return None
    try:
        handle = os.open(folder.local / NAME, _FLAGS)
    except OSError:
        return False
    try:
        return not take_lock(handle)
    finally:
        os.close(handle)

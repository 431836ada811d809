"""One writer in a folder of results: the lock of the one who writes."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from collections.abc import Iterator

from fastexec.errors import RefusedError, kind_of, option
from fastexec.place import Place

NAME = ".lock"
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # a pipe would be waited for


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
        if not _take(handle):
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
        return not _take(handle)
    finally:
        os.close(handle)


def _take(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

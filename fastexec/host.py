"""What differs between operating systems, and nothing else asks for: locks, owners, signals that end, memory, folders on disk.

Tried on Linux. Where a system has no such thing (Windows), what there is instead stands beside it.
"""

from __future__ import annotations

import os
import platform
import signal
import stat
import sys
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl
    import resource

#: For ``os.open`` of files of our own: no link is followed, no pipe waited for, no child inherits it; where the system can.
CAREFULLY = (
    getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOINHERIT", 0)
)
#: The signals beside Ctrl-C by which a system ends a process.
ENDING = tuple(signal.Signals[name] for name in ("SIGTERM", "SIGHUP") if name in signal.Signals.__members__)


def take_lock(handle: int) -> bool:
    """Lock an open file for this process alone until it is closed; whether nobody else holds it. OSError where its file system
    knows no locks.
    """
    try:
        if sys.platform == "win32":
            os.lseek(handle, 0, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # the first byte, also of an empty file
        else:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def belongs_to_another(found: os.stat_result) -> bool:
    """Whether a file or folder is another user's; Windows keeps its owners elsewhere, and nobody is another there."""
    return sys.platform != "win32" and found.st_uid != os.geteuid()


def is_open_to_others(found: os.stat_result) -> bool:
    """Whether others may write there; on Windows, whose modes say nothing of others, they may not."""
    return sys.platform != "win32" and bool(found.st_mode & (stat.S_IWGRP | stat.S_IWOTH))


def peak_memory() -> int | None:
    """The most memory that this process had, in bytes; None where the system does not say (Windows)."""
    if sys.platform == "win32":
        return None
    unit = 1 if platform.system() == "Darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to disk; Windows does so by itself."""
    if sys.platform != "win32":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

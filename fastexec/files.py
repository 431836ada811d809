"""Local files of any name: read by Arrow, written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from fastexec.host import sync_folder

if TYPE_CHECKING:
    import pyarrow as pa


def open_local(path: str | os.PathLike[str]) -> pa.NativeFile:
    """A file for reading anywhere in it; OSError where it cannot be read, or is a pipe or a device, which may never end."""
    import pyarrow as pa

    if not stat.S_ISREG(os.stat(path).st_mode) and not os.path.isdir(path):
        raise OSError(errno.EINVAL, "it is no regular file", os.fspath(path))

    return pa.OSFile(os.fsencode(path))  # as bytes: of texts Arrow takes only UTF-8, and ~ for a home


def commit(path: Path, data: pa.Buffer | bytes) -> None:
    """Write a file as a whole, in folders made for it: temporary name, sync, rename, sync of the folder. OSError where that
    fails, and then an earlier one is still there.

    The name ends in .tmp, which no glob for .parquet sees, and is nobody else's: a cluster may give a chunk out twice.
    """
    if os.path.lexists(path) and not stat.S_ISREG(os.lstat(path).st_mode) and not path.is_dir():
        raise OSError(errno.EINVAL, "a link, pipe or device is in its place", str(path))
    temporary = path.with_name(f"{path.name}.{uuid4().hex[:12]}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
        sync_folder(path.parent)
    except BaseException:
        with contextlib.suppress(OSError):  # the disk is full or gone; the error raised here says so
            temporary.unlink(missing_ok=True)
        raise

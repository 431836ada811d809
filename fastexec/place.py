"""A file or folder on any filesystem of ``pyarrow.fs``, in which files appear whole or not at all.

On a local disk a file is written under a temporary name, synced and renamed. On an object store it is built in memory and
sent as one write, so that what fails half-way is never committed.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastexec.errors import InputError, kind_of, option
from fastexec.files import commit, open_local

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import fs

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_KEYS = re.compile(r"//[^/@]*@")  # s3://key:secret@bucket


class Place:
    """A path on a filesystem, joined with ``/``; its text is what the user wrote, without keys. Pickles as
    what he wrote, a local path from the root on. A local path may be any that the system knows, also one that is no UTF-8,
    so Python's own functions look at it, and Arrow's at objects of a store.
    """

    def __init__(self, text: str, filesystem: fs.FileSystem, path: str) -> None:
        self._text, self.filesystem, self.path = text, filesystem, path

    @classmethod
    def of(cls, where: str | Path | Place) -> Place:
        """A local path, or a URI such as ``s3://bucket/prefix``; InputError where no filesystem is known for it, or the
        path can be none.
        """
        from pyarrow import ArrowException, fs

        if isinstance(where, Place):
            return where
        text = str(where)
        if text and not _URI.match(text):
            _require_possible(text)
            return cls(text, fs.LocalFileSystem(), text)
        try:
            filesystem, path = fs.FileSystem.from_uri(text)
            if not path:
                raise ValueError("it names no folder")
        except (ArrowException, OSError, ValueError) as error:
            raise InputError(
                f"{text}: cannot be used ({_first_line(error)}); give a folder or s3://bucket/prefix"
            ) from None
        return cls(text, filesystem, path.rstrip("/"))

    def __reduce__(self) -> tuple[Any, ...]:
        return (Place.of, (self._text if self.local is None else str(self.local.resolve()),))

    def __str__(self) -> str:
        return _KEYS.sub("//", self._text) if _URI.match(self._text) else self._text

    def __truediv__(self, name: str) -> Place:
        # A URI may end in options; in a local path a question mark is a letter like any other.
        head, mark, query = self._text.partition("?") if _URI.match(self._text) else (self._text, "", "")
        return Place(f"{head.rstrip('/')}/{name}{mark}{query}", self.filesystem, f"{self.path.rstrip('/')}/{name}")

    def beside(self, name: str) -> Place:
        """Another of that name in the same folder."""
        head, mark, query = self._text.partition("?") if _URI.match(self._text) else (self._text, "", "")
        text, path = (f"{whole[: whole.rfind('/') + 1]}{name}" for whole in (head, self.path))
        return Place(f"{text}{mark}{query}", self.filesystem, path)

    @property
    def local(self) -> Path | None:
        """The path on the local disk; None on an object store."""
        return Path(self.path) if self.filesystem.type_name == "local" else None

    @property
    def name(self) -> str:
        """Its last part."""
        return self.path.rpartition("/")[2]

    def absolute(self) -> str:
        """Its text, a local path from the root on."""
        return str(self) if self.local is None else str(self.local.resolve())

    def is_file(self) -> bool:
        """Whether it is a file, or an object of a store."""
        with self._reading():
            if self.local is not None:
                return self.local.is_file()
            return bool(self.filesystem.get_file_info(self.path).is_file)

    def is_folder(self) -> bool:
        """Whether it is a folder; on an object store, whether an object's name begins with it."""
        from pyarrow import fs

        with self._reading():
            if self.local is not None:
                return self.local.is_dir()
            return bool(self.filesystem.get_file_info(self.path).type == fs.FileType.Directory)

    def children(self) -> list[Place]:
        """What lies directly in the folder, by name; nothing where there is no such folder."""
        from pyarrow import fs

        with self._reading():
            if self.local is not None:
                names = os.listdir(self.local) if self.local.is_dir() else []
            else:
                selected = fs.FileSelector(self.path, allow_not_found=True)
                names = [info.base_name for info in self.filesystem.get_file_info(selected)]
        return [self / name for name in sorted(names)]

    def open(self) -> pa.NativeFile:
        """The file, for reading anywhere in it; FileNotFoundError or another OSError where it cannot be read."""
        return self.filesystem.open_input_file(self.path) if self.local is None else open_local(self.local)

    def read_text(self) -> str:
        """The file as UTF-8 text; OSError or ValueError where it is none."""
        with self.open() as stream:
            return bytes(stream.read()).decode("utf-8-sig")

    def write(self, data: pa.Buffer | bytes) -> None:
        """Write the file as a whole; FastexecError where that fails, and then an earlier one is still there."""
        try:
            if self.local is None:
                self._send(data)
            else:
                commit(self.local, data)
        except OSError as error:
            raise kind_of(error)(
                f"{self}: cannot be written ({_first_line(error)}); free room or choose another {option('out')}"
            ) from error

    def _send(self, data: pa.Buffer | bytes) -> None:
        # One write of all bytes: closing a stream commits it, so it is opened when nothing can fail but the sending, and
        # a part that the store refused makes the closing fail too.
        stream = self.filesystem.open_output_stream(self.path)
        stream.write(data)
        stream.close()

    def remove(self) -> None:
        """Remove the file, if it is there."""
        with contextlib.suppress(FileNotFoundError), self._reading():
            if self.local is None:
                self.filesystem.delete_file(self.path)
            else:
                self.local.unlink()

    def remove_folder_if_empty(self) -> None:
        """Remove a local folder in which nothing lies; an object store has none."""
        if self.local is not None:
            with contextlib.suppress(OSError):  # not there, or somebody keeps files of his own in it
                self.local.rmdir()

    @contextlib.contextmanager
    def _reading(self) -> Any:
        """The store cannot be reached, or says no: one line that names the place."""
        try:
            yield
        except FileNotFoundError:
            raise
        except OSError as error:
            raise kind_of(error)(f"{self}: cannot be reached ({_first_line(error)})") from error


def _require_possible(text: str) -> None:
    """A local path that the system can look for, whether or not there is anything."""
    try:
        os.stat(text)
    except ValueError:
        raise InputError(
            f"{text}: is no path (it holds the character NUL); give a folder or s3://bucket/prefix"
        ) from None
    except OSError as error:
        if kind_of(error) is InputError:
            raise InputError(f"{text}: is no path ({error.strerror}); give a folder or s3://bucket/prefix") from None


def _first_line(error: BaseException) -> str:
    told = getattr(error, "strerror", None) or str(error)
    return (told.strip().splitlines() or [type(error).__name__])[0]

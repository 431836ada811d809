"""The cache of compiled kernels: a folder of the user's own, sealed files, and one process at a time that compiles a kernel.

What lies in it is unpickled and handed to the processor as code. So the folder must be such that nobody else writes there,
and a file that is not as it was written (a flipped byte can end the process) counts as absent: its kernel is compiled again.

The one file that leans on how Numba keeps its caches: an index and a data file for each function, written by ``save`` and
read by ``load`` of ``IndexDataCacheFile``.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import io
import os
import pickle
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile, UserProvidedCacheLocator

from fastexec.host import CAREFULLY, belongs_to_another, is_open_to_others, take_lock

_SEAL = hashlib.sha256().digest_size
_LONGEST_WAIT, _PAUSE = 600.0, 0.05  # seconds, for another process that compiles the same kernel


def make_folder(name: str) -> Path:
    """The folder ``name`` of the user's cache, made where it is missing; a temporary one, with a warning, where others may
    write or we may not.
    """
    try:
        base = _base()
        folder = base / name
        _make_private(folder)
        wrong = _not_ours(base) or _not_ours(folder)
        if wrong is None:
            with tempfile.TemporaryFile(dir=folder):
                return folder
    except OSError as error:
        wrong = f"{error.filename or folder} cannot be written ({error.strerror})"
    except RuntimeError:
        wrong = "there is no home folder (set FASTEXEC_CACHE_DIR)"
    spare = Path(tempfile.mkdtemp(prefix="fastexec-kernels-"))
    atexit.register(_remove, spare, os.getpid())
    _warn(f"kernel cache: {wrong}; compiling into {spare} for this run")
    return spare


def _base() -> Path:
    chosen = os.environ.get("FASTEXEC_CACHE_DIR")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fastexec"


def _make_private(folder: Path) -> None:
    """Make a folder and what is missing above it, for the user alone whatever the umask."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        with contextlib.suppress(FileExistsError):  # another process was faster
            path.mkdir(mode=0o700)


def _not_ours(folder: Path) -> str | None:
    """What is wrong with a folder: somebody else's (also the link that leads there), or open to others' writing."""
    found = folder.stat()
    if belongs_to_another(folder.lstat()) or belongs_to_another(found):
        return f"{folder} belongs to another user"
    if is_open_to_others(found):
        return f"others may write into {folder} (chmod 700 {folder})"
    return None


def _remove(spare: Path, process: int) -> None:
    if os.getpid() == process:  # not by a fork that ends earlier
        shutil.rmtree(spare, ignore_errors=True)


def _warn(text: str) -> None:
    """One line on standard error, without a line of our source."""
    warnings.warn_explicit(text, UserWarning, "fastexec", 1)


class _SealedFile(IndexDataCacheFile):  # type: ignore[misc]
    """Numba's index and data files, each headed by the SHA-256 of its name and content."""

    def save(self, key: Any, data: Any) -> None:
        """A cache that cannot be written costs time, not the run."""
        try:
            super().save(key, data)
        except OSError as error:
            _warn(f"kernel cache: {self._cache_path} cannot be written ({error.strerror}); compiled for this run only")

    def _load_index(self) -> dict[Any, str]:
        found = _objects(Path(self._index_path))
        if len(found) != 2:
            return {}
        version, (stamp, overloads) = found
        return overloads if (version, stamp) == (self._version, self._source_stamp) else {}

    def _load_data(self, name: str) -> Any:
        found = _objects(Path(self._data_path(name)))
        if not found:
            raise FileNotFoundError(name)  # which ``load`` takes for absent
        return found[0]

    @contextlib.contextmanager
    def _open_for_write(self, path: str) -> Iterator[io.BytesIO]:
        content = io.BytesIO()
        yield content
        with super()._open_for_write(path) as file:
            file.write(_seal(Path(path), content.getvalue()) + content.getvalue())


def _objects(path: Path) -> list[Any]:
    """What was saved in a sealed file, one object behind the other; nothing where it is not as it was written, or where it
    names a class that has moved or changed since.
    """
    content = _unsealed(path)
    stream = io.BytesIO(content or b"")
    found = []
    try:
        while stream.tell() < len(content or b""):
            found.append(pickle.load(stream))
    except (ImportError, AttributeError, TypeError, ValueError, pickle.UnpicklingError):
        return []
    return found


def _seal(path: Path, content: bytes) -> bytes:
    return hashlib.sha256(path.name.encode() + b"\0" + content).digest()


def _unsealed(path: Path) -> bytes | None:
    """The content of a sealed file; None where it is missing, cannot be read or is not as it was written."""
    try:
        whole = path.read_bytes()
    except OSError:
        return None
    content = whole[_SEAL:]
    return content if whole[:_SEAL] == _seal(path, content) else None


class _Locator(UserProvidedCacheLocator):  # type: ignore[misc]
    """Stands where Numba looks for a folder by the source's place: ``KernelCache`` is given its folder."""

    def __init__(self, function: Callable[..., Any], file: str) -> None:
        self._py_file, self._lineno = file, function.__code__.co_firstlineno

    def get_cache_path(self) -> str:
        return ""

    def ensure_cache_path(self) -> None:
        """It is there."""

    def get_source_stamp(self) -> str:
        return "fixed"  # the folder's name already holds the hash of every kernel file

    @classmethod
    def from_function(cls, function: Callable[..., Any], file: str) -> _Locator:
        return cls(function, file)


class _Implementation(CompileResultCacheImpl):  # type: ignore[misc]
    _locator_classes = [_Locator]


class KernelCache(FunctionCache):  # type: ignore[misc]
    """The cache of one kernel in ``folder``, in files whose names begin with ``base``; ``announce`` is called before it is
    compiled, not when it is found.

    Who does not find the kernel takes a lock of the kernel's own before looking again, and keeps it until ``release``: of
    several processes that start together one compiles, the others load. Without a lock (a folder on a file system that has
    none) each compiles for itself.
    """

    _impl_class = _Implementation

    def __init__(self, function: Callable[..., Any], folder: Path, base: str, announce: Callable[[], None]) -> None:
        super().__init__(function)
        self._cache_path = str(folder)
        self._impl._filename_base = base
        self._cache_file = _SealedFile(self._cache_path, base, self._impl.locator.get_source_stamp())
        self._announce, self._lock_path, self._lock = announce, folder / f"{base}.lock", -1

    def _index_key(self, signature: Any, codegen: Any) -> Any:
        """The file's name holds the hash of all that the code is made of; Numba would look at one function alone."""
        return signature, codegen.magic_tuple()

    def load_overload(self, signature: Any, target: Any) -> Any:
        """The compiled kernel, or None; then the lock is held, where it can be."""
        found = super().load_overload(signature, target)
        if found is None:
            self._acquire()
            found = super().load_overload(signature, target)
        if found is None:
            self._announce()
        return found

    def _acquire(self) -> None:
        try:
            self._lock = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | CAREFULLY, 0o600)
        except OSError:
            return
        end = time.monotonic() + _LONGEST_WAIT
        while time.monotonic() < end:
            try:
                if take_lock(self._lock):
                    return
            except OSError:
                return
            time.sleep(_PAUSE)

    def release(self) -> None:
        """Let others compile the kernel, or load it now."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

"""The text of a plugin file or module: found and read without running anything, and a module run from just that text."""

from __future__ import annotations

import hashlib
import importlib
import sys
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from fastexec.errors import InputError
from fastexec.models.names import shown

_LARGEST = 16_000_000


@dataclass(frozen=True)
class Code:
    """A text and where it was read. name: of the module, "" of a file; search: folders of a package's parts."""

    path: Path
    text: bytes
    name: str = ""
    search: tuple[str, ...] | None = None

    @property
    def sha256(self) -> str:
        """SHA-256 (hex) of the text."""
        return hashlib.sha256(self.text).hexdigest()


def read_file(entry: str, places: Iterable[Path], meant: Collection[str] | None) -> Code:
    """A plugin file, read once: the first of ``places`` whose SHA-256 is ``meant`` by a strategy, else the first there is.

    Raises InputError, one line, where there is none, or it cannot be read.
    """
    first = None
    for place in places:
        if not place.is_file():
            continue
        found = Code(place, _read(entry, place))
        if meant is None or found.sha256 in meant:
            return found
        first = first or found
    if first is None:
        raise InputError(
            f"{shown(entry)}: there is no such plugin file beside the study or in the current folder; name it by --plugin"
        )
    return first


def _read(entry: str, place: Path) -> bytes:
    try:
        if place.stat().st_size > _LARGEST:
            raise InputError(f"{shown(entry)}: cannot be read (it is larger than {_LARGEST // 10**6} MB)")
        text = place.read_bytes()
        text.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise InputError(f"{shown(entry)}: cannot be read ({reason})") from None
    return text


def read_module(entry: str, running: bool = False) -> list[Code]:
    """A module and the packages around it, outermost first; those that this process runs already only if ``running``.

    Nothing is imported, not even a package to look into it. Raises LookupError where one is not found or is no source file.
    """
    if not all(part.isidentifier() for part in entry.split(".")):
        raise LookupError("it is no name of a module")
    importlib.invalidate_caches()
    found: list[Code] = []
    inside: Any = None
    for end in range(1, entry.count(".") + 2):
        name = ".".join(entry.split(".")[:end])
        if name in sys.modules and not running:
            inside = getattr(sys.modules[name], "__path__", ())
            continue
        spec = _spec(name, inside)
        inside = () if spec.submodule_search_locations is None else spec.submodule_search_locations
        if spec.loader is None or spec.origin is None:
            continue  # a folder without __init__.py
        if type(spec.loader) is not SourceFileLoader:
            raise LookupError("it is no source file")
        search = None if spec.submodule_search_locations is None else tuple(spec.submodule_search_locations)
        found.append(Code(Path(spec.origin), _read(entry, Path(spec.origin)), name, search))
    return found


def _spec(name: str, inside: Any) -> ModuleSpec:
    try:
        spec = PathFinder.find_spec(name, inside)
    except (ImportError, KeyError, ValueError) as error:
        raise LookupError(str(error)) from None
    if spec is None:
        raise LookupError(f"no module named {name!r}")
    return spec


def import_text(entry: str, texts: list[Code]) -> ModuleType:
    """Import a module of just the texts that ``read_module`` found: neither a file changed since nor a cached one runs."""
    finder = _Finder(texts)
    sys.meta_path.insert(0, finder)
    try:
        return importlib.import_module(entry)
    finally:
        sys.meta_path.remove(finder)


class _Finder(MetaPathFinder):
    """Knows the modules whose texts it was given, and no others."""

    def __init__(self, texts: list[Code]) -> None:
        self._texts = {text.name: text for text in texts}

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        text = self._texts.get(fullname)
        if text is None:
            return None
        search = None if text.search is None else list(text.search)
        return spec_from_file_location(fullname, text.path, loader=_Loader(text), submodule_search_locations=search)


class _Loader(SourceFileLoader):
    def __init__(self, text: Code) -> None:
        super().__init__(text.name, str(text.path))
        self._text = text.text

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._text, self.path, "exec", dont_inherit=True)

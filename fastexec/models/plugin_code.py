"""The text of a plugin file or module: found and read without running anything, and a module run from just that text."""

from __future__ import annotations

import ast
import hashlib
import importlib
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from fastexec.errors import InputError, option
from fastexec.models.names import shown

LARGEST = 16_000_000  # bytes of a file


#: What a plugin always means by these names, whatever lies beside it.
_NEVER_BESIDE = {"fastexec"}


@dataclass(frozen=True)
class Piece:
    """A part of a text, and where it stands for who wrote it: a file (or a cell, as Python names it) and a line from 1."""

    text: str
    file: str
    line: int


@dataclass(frozen=True)
class Code:
    """A text and where it was read. name: of the module, "" of a file; search: folders of a package's parts.

    beside: of a file those beside it that it imports, and that these import, by name; pieces: of a text that was put together
    what it was made of, in order.
    """

    path: Path
    text: bytes
    name: str = ""
    search: tuple[str, ...] | None = None
    beside: tuple[Code, ...] = ()
    pieces: tuple[Piece, ...] = field(default=(), compare=False, repr=False)

    @property
    def text_sha256(self) -> str:
        """SHA-256 (hex) of this text alone."""
        return hashlib.sha256(self.text).hexdigest()

    @property
    def sha256(self) -> str:
        """SHA-256 (hex) of all that runs: of the text or, where it imports files beside it, of theirs and their names too."""
        if not self.beside:
            return self.text_sha256
        lines = [self.text_sha256, *(f"{code.path.name} {code.text_sha256}" for code in self.beside)]
        return hashlib.sha256("\0".join(["files", *lines]).encode()).hexdigest()  # with \0 it is the text of no plugin


def read_file(entry: str, places: Iterable[Path | Code], meant: Collection[str] | None) -> Code:
    """A plugin file, read once, with those beside it that it imports: the first of ``places`` whose SHA-256 is ``meant`` by a
    strategy, else the first there is. A place may be a text at hand.

    Raises InputError, one line, where there is none, or it cannot be read.
    """
    first = None
    for place in places:
        if isinstance(place, Path) and not place.is_file():
            continue
        found = place if isinstance(place, Code) else with_files_beside(entry, place)
        if meant is None or found.sha256 in meant:
            return found
        first = first or found
    if first is None:
        raise InputError(
            f"{shown(entry)}: there is no such plugin file beside the study or in the current folder; name it by "
            f"{option('plugin')}"
        )
    return first


def with_files_beside(entry: str, place: Path) -> Code:
    """A file with those beside it that it imports, at any remove."""

    def find(name: str, line: int) -> Code | None:
        file = place.with_name(f"{name}.py")
        if file.is_file():
            return Code(file, _read(file.name, file))
        if (place.parent / name / "__init__.py").is_file():
            raise InputError(
                f"{shown(entry)}, line {line}: imports {name}, a folder beside it; a plugin may import files that lie beside "
                "it: put what it needs into one"
            )
        return None

    return gathered(Code(place, _read(entry, place)), find)


def gathered(code: Code, find: Callable[[str, int], Code | None]) -> Code:
    """A text with those that it imports, and that these import, as far as ``find(name, line)`` has them."""
    found: dict[str, Code] = {}
    left = [code]
    while left:
        for name, line in _imports(left.pop()):
            file = f"{name}.py"
            if file not in found and file != code.path.name and (beside := find(name, line)) is not None:
                found[file] = beside
                left.append(beside)
    return replace(code, beside=tuple(found[file] for file in sorted(found)))


def _imports(code: Code) -> Iterator[tuple[str, int]]:
    """(name, line) of what a text imports anywhere in it, each without what follows its first dot."""
    try:
        tree = ast.parse(code.text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return  # whoever runs it says so
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        for name in names:
            if (root := name.partition(".")[0]) not in _NEVER_BESIDE:
                yield root, getattr(node, "lineno", 0)


def _read(entry: str, place: Path) -> bytes:
    try:
        if place.stat().st_size > LARGEST:
            raise InputError(f"{shown(entry)}: cannot be read (it is larger than {LARGEST // 10**6} MB)")
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

"""The kernels' sources and their hashes: of all of them, for results; of those that one kernel is made of, for its cache."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

_PACKAGE = __package__ + "."
#: An import of another kernel file, on a line of its own or in brackets: its module, or the names that may be modules.
_IMPORT = re.compile(r"^from fastexec\.kernels(?:\.([\w.]+))? import (\([^)]*|[\w, ]+)", re.MULTILINE)


def kernel_hash() -> str:
    """SHA-256 (hex) of all kernel sources: what the bits of a result depend on besides the study."""
    folder = Path(__file__).parent
    digest = hashlib.sha256()
    for name in sorted(source.relative_to(folder).as_posix() for source in folder.rglob("*.py")):
        digest.update(name.encode() + b"\0" + (folder / name).read_bytes() + b"\0")
    return digest.hexdigest()


def made_of(function: Callable[..., Any], *modules: str) -> str:
    """What a kernel is made of, as a SHA-256 (hex): the sources of its module, or of ``modules``; of a function from elsewhere
    its own code and all kernels.
    """
    names = modules or (function.__module__,)
    if all(name.startswith(_PACKAGE) for name in names):
        return hash_of(*names)
    code = function.__code__
    own = repr((names, code.co_filename, code.co_code, code.co_consts, code.co_names))
    return hash_of_text(kernel_hash(), own)


def hash_of_text(*parts: str) -> str:
    """SHA-256 (hex) of some texts in their order."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def hash_of(*modules: str) -> str:
    """SHA-256 (hex) of the sources of kernel modules, given by full names, and of all that they import among the kernels."""
    found: dict[str, bytes] = {}
    waiting = [name.removeprefix(_PACKAGE) for name in modules if name.startswith(_PACKAGE)]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name], others = _read(Path(__file__).parent, name)
            waiting.extend(others)
    digest = hashlib.sha256()
    for name in sorted(found):
        digest.update(name.encode() + b"\0" + found[name] + b"\0")
    return digest.hexdigest()


@cache
def _read(folder: Path, name: str) -> tuple[bytes, list[str]]:
    """The source of the module ``name`` below the kernels, and the modules there that it imports."""
    source = (folder / (name.replace(".", "/") + ".py")).read_bytes()
    others = []
    for module, names in _IMPORT.findall(source.decode()):
        parts = [
            f"{module}.{one}".strip(".")
            for one in (word.split()[0] for word in names.lstrip("(").split(",") if word.strip())
        ]
        others.extend(
            [module] if module and _is_file(folder, module) else [part for part in parts if _is_file(folder, part)]
        )
    return source, others


def _is_file(folder: Path, name: str) -> bool:
    return (folder / (name.replace(".", "/") + ".py")).is_file()

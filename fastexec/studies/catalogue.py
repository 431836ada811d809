"""The studies that ship with the package."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files

from fastexec.errors import InputError, listed


def presets() -> list[tuple[str, str]]:
    """(name, description) of each preset, by name; the description is the first line of its file, a comment."""
    found = []
    for entry in files("fastexec.studies").joinpath("presets").iterdir():
        if entry.name.endswith(".toml"):
            found.append((entry.name[:-5], entry.read_text("utf-8").splitlines()[0].lstrip("# ")))
    return sorted(found)


def nearest(name: str, names: Iterable[str], all_are: str) -> str:
    """What to say where ``name`` is none of ``names``: the one that is meant, or all of them behind ``all_are``."""
    from difflib import get_close_matches

    known = list(dict.fromkeys(names))
    near = get_close_matches(name, known, 1)
    return f"did you mean {near[0]!r}?" if near else f"{all_are} {listed(known)}"


def preset_text(name: str) -> str:
    """The TOML text of a preset; InputError with the nearest name where there is none."""
    names = [known for known, _ in presets()]
    if name not in names:
        raise InputError(f"{name}: no such file and no preset of that name; {nearest(name, names, 'presets are')}")
    return files("fastexec.studies").joinpath("presets", f"{name}.toml").read_text("utf-8")

"""The studies that ship with the package."""

from __future__ import annotations

from importlib.resources import files

from fastexec.errors import InputError
from fastexec.wording import did_you_mean


def presets() -> list[tuple[str, str]]:
    """(name, description) of each preset, by name; the description is the first line of its file, a comment."""
    found = []
    for entry in files("fastexec.studies").joinpath("presets").iterdir():
        if entry.name.endswith(".toml"):
            found.append((entry.name[:-5], entry.read_text("utf-8").splitlines()[0].lstrip("# ")))
    return sorted(found)


def preset_text(name: str) -> str:
    """The TOML text of a preset; InputError with the nearest name where there is none."""
    names = [known for known, _ in presets()]
    if name not in names:
        hint = did_you_mean(name, names, "presets are")
        raise InputError(f"{name}: no such file and no preset of that name; {hint}")
    return files("fastexec.studies").joinpath("presets", f"{name}.toml").read_text("utf-8")

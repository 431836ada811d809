"""Where the files are that a study names as `plugins`, and those that a call names in their place."""

from __future__ import annotations

from pathlib import Path

from fastexec.models.trust import Trust

#: Folder, in one of results, of the copies of plugin files.
KEPT = "plugins"


def is_file(entry: str) -> bool:
    """Whether an entry of `plugins` is a file; otherwise it is the name of a module."""
    return entry.endswith(".py") or "/" in entry or "\\" in entry


def find_beside(name: str, folder: Path | None) -> Path:
    """A file that a study names: beside the study file, else from the current folder."""
    given = Path(name)
    beside = given if folder is None else folder / given
    return beside if beside.exists() else given


def places_of(entry: str, folder: Path | None, trust: Trust) -> list[Path]:
    """Where a plugin file may be: beside the study, the copy kept with results, in the current folder.

    One that the call itself names is looked for in the current folder first, and of a study found in a folder of results
    nowhere else: what lies there must not take its place.
    """
    given, named = Path(entry), named_for(entry, trust)
    beside = [] if folder is None else [folder / given, folder / KEPT / given.name]
    if named is not None:
        return [Path(named), *(beside if trust.is_own else [])]
    return [*beside, given]


def named_for(entry: str, trust: Trust) -> str | None:
    """What the call names in the place of an entry of `plugins`: a file of the same name, a module of just this one."""
    if not is_file(entry):
        return entry if entry in trust.named else None
    return next((named for named in trust.named if is_file(named) and Path(named).name == Path(entry).name), None)


def joined(entries: list[str], trust: Trust) -> list[str]:
    """The plugins of a study and those that the call names: of the user's own study, one of the same file name takes the
    other's place; one found in a folder of results keeps its own words, which the files there are signed with.
    """
    given = list(trust.named)
    if trust.is_own:
        names = {Path(entry).name for entry in given}
        return [*(entry for entry in entries if Path(entry).name not in names), *given]
    names = {Path(entry).name for entry in entries}
    return [*entries, *(entry for entry in given if Path(entry).name not in names)]

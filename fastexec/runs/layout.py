"""What lies where in a folder of results, and which names there are the store's own: nothing else is replaced or removed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from fastexec.errors import RefusedError, option
from fastexec.models.plugin_places import KEPT
from fastexec.place import Place

TABLES = ("markets", "episodes", "steps", "moments")
AGENTS = "agents"
STUDY, RUN, PROGRESS, MANIFEST = "study.toml", "run.json", "progress.json", "manifest.parquet"
#: Market paths of the user's own that the study was run on, where it was.
PATHS = "paths.parquet"
#: The files that lie directly in the folder.
FILES = (STUDY, RUN, PROGRESS, "summary.parquet", "comparison.parquet", "scenarios.parquet", MANIFEST, PATHS)
_SCENARIO = "scenario="
_LONGEST = 1_000
_PART = re.compile(r"part-\d{12,16}\.parquet")
_LEFTOVER = re.compile(r"(?P<name>.+)\.[0-9a-f]{12}\.tmp")


def part_name(first: int) -> str:
    """The file of the chunk that starts with an episode."""
    return f"part-{first:012d}.parquet"


def home_name(table: str, scenario: str | None = None) -> str:
    """The folder of a table's parts, from the results' folder; of a sweep's scenario one of its own, named as readers of
    Parquet know it.
    """
    return table if scenario is None else f"{table}/{_SCENARIO}{scenario}"


def home_of(folder: Place, table: str, scenario: str | None = None) -> Place:
    """The folder of a table's parts."""
    return folder / home_name(table, scenario)


def parts(home: Place) -> list[Place]:
    """The parts in a table's folder, by first episode."""
    return [entry for entry in home.children() if _PART.fullmatch(entry.name)]


def homes(folder: Place, table: str) -> list[Place]:
    """The folders of a table's parts: its own, and those of scenarios."""
    return [folder / table, *(entry for entry in (folder / table).children() if entry.name.startswith(_SCENARIO))]


def all_parts(folder: Place, table: str) -> list[Place]:
    """A table's parts, those of every scenario."""
    return [part for home in homes(folder, table) for part in parts(home)]


def kind_of(name: str) -> str:
    """Table or kind of a file by its path within the folder: markets, agents, plugins, summary, study.toml."""
    head, slash, _ = name.partition("/")
    return head if slash else head.removesuffix(".parquet")


def table_of(place: Place) -> str:
    """The table that a Parquet file of results holds, by where it lies."""
    *folders, name = place.path.split("/")
    if not _PART.fullmatch(name):
        return name.removesuffix(".parquet")
    return next((folder for folder in reversed(folders) if not folder.startswith(_SCENARIO)), "")


def _is_own(home: str, name: str) -> bool:
    """Whether a file's name is one that the store gives in that folder ("" is the results' folder itself)."""
    table = home.partition("/")[0]
    if table in TABLES:
        return _PART.fullmatch(name) is not None
    ending = {AGENTS: ".parquet", KEPT: ".py"}.get(table)
    return name in FILES if ending is None else name.endswith(ending)


def is_own_path(name: str) -> bool:
    """Whether a path within the folder is one that the store gives a file of its own."""
    home, _, last = name.rpartition("/")
    table, slash, scenario = home.partition("/")
    fits = (
        table in ("", *TABLES, AGENTS, KEPT) and "/" not in scenario and (not slash or scenario.startswith(_SCENARIO))
    )
    return len(name) <= _LONGEST and last not in ("", ".", "..") and fits and _is_own(home, last)


def _local_homes(root: Path) -> Iterator[tuple[str, Path]]:
    """The folders of a local folder of results in which the store has files, by path within it."""
    yield "", root
    for table in (*TABLES, AGENTS, KEPT):
        home = root / table
        yield table, home
        if home.is_dir() and not home.is_symlink():
            for inner in sorted(home.iterdir()):
                if inner.name.startswith(_SCENARIO):
                    yield f"{table}/{inner.name}", inner


def refuse_links(folder: Place) -> None:
    """RefusedError where a name of the store's is a link, or lies behind one: whoever made it keeps what it points to.

    The folder itself may be a link.
    """
    if folder.local is None:
        return
    for home, path in _local_homes(folder.local):
        inner = sorted(path.iterdir()) if path.is_dir() and (home == "" or not path.is_symlink()) else []
        own = [entry for entry in inner if _is_own(home, entry.name)]
        for entry in [*([path] if home else []), *own]:
            if entry.is_symlink():
                raise RefusedError(
                    f"{folder / str(entry.relative_to(folder.local))}: is a link; results are not written through links; "
                    f"put what it points to in its place, or use another {option('out')}"
                )


def clear_leftovers(folder: Place) -> None:
    """Remove what an interrupted run left half-written; on an object store there is nothing half-written."""
    if folder.local is None:
        return
    for home, path in _local_homes(folder.local):
        for entry in sorted(path.iterdir()) if path.is_dir() and (home == "" or not path.is_symlink()) else []:
            found = _LEFTOVER.fullmatch(entry.name)
            if found and _is_own(home, found["name"]) and entry.is_file() and not entry.is_symlink():
                entry.unlink()


def is_leftover(name: str) -> bool:
    """Whether a file is named as what an interrupted run leaves half-written."""
    return _LEFTOVER.fullmatch(name) is not None


def remove_results(folder: Place, named: Iterable[str] = ()) -> None:
    """Remove a run's own files, and nothing else that may lie in the folder.

    ``named``: paths within the folder of its agents and copies of plugins, whose names are the study's.
    """
    wanted = set(named)
    for table in (*TABLES, AGENTS, KEPT):
        for home in reversed(homes(folder, table)):
            inside = home.path.removeprefix(f"{folder.path.rstrip('/')}/")
            for entry in parts(home) if table in TABLES else home.children():
                name = f"{inside}/{entry.name}"
                if table in TABLES or (name in wanted and _is_own(inside, entry.name)):
                    entry.remove()
            home.remove_folder_if_empty()
    for name in FILES:
        (folder / name).remove()

"""Whether a study is the user's own, or that of a folder of results, whose code runs only where the user vouches for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fastexec.models.trust import Trust
from fastexec.place import Place

_RESULTS = ("summary.parquet", "comparison.parquet", "run.json", "manifest.parquet", "markets", "episodes", "moments")
_HEAD = b"# chunk = "


def trust_for(folder: Path | None, out: Place | None, plugins: Sequence[str], trust: bool) -> Trust:
    """What of its code a study may run: all of it where it is the user's own.

    folder: of the study file, None of a preset. out: of the results. A study file that lies there, or among other results, is
    whose these are. plugins, trust: the options --plugin and --trust.
    """
    if folder is None or not (_lies_in(folder, out) or _holds_results(folder)):
        return Trust.OWN.naming(plugins)
    return Trust.of(plugins, trust)


def _lies_in(folder: Path, out: Place | None) -> bool:
    return out is not None and out.local is not None and folder.resolve().is_relative_to(out.local.resolve())


def _holds_results(folder: Path) -> bool:
    if any((folder / name).exists() for name in _RESULTS):
        return True
    study = folder / "study.toml"
    if not study.is_file():
        return False
    with study.open("rb") as stream:
        return stream.read(len(_HEAD)) == _HEAD

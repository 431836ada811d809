"""Market paths of the user's own in a folder of results: an input that the folder itself holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from fastexec.arrow import numbers
from fastexec.columns import build
from fastexec.data.paths import MarketPaths
from fastexec.errors import InputError, RefusedError, option
from fastexec.place import Place
from fastexec.runs import store
from fastexec.runs.layout import PATHS
from fastexec.runs.manifest import Entry, entry_of
from fastexec.runs.options import RunOptions
from fastexec.studies.study import Study

_MOST = 2**31 - 1
_BY_STEP, _BY_EPISODE = ("mid", "spread", "volume"), ("arrival", "last_mid", "last_spread")


class GivenPaths(NamedTuple):
    """The paths, the bytes of their file, and what these are known by."""

    paths: MarketPaths
    data: pa.Buffer
    entry: Entry


def paths_for(study: Study, folder: Place, paths: Any, how: RunOptions) -> tuple[Study, GivenPaths | None]:
    """The study, of as many episodes as there are paths, and these: those given or, of a run that goes on, the folder's own.

    InputError where what is given are none, or a shard of the study is asked for.
    """
    if paths is None:
        held = how.resume and (folder / PATHS).is_file()
        given = held_paths(folder) if held else None
    elif not isinstance(paths, MarketPaths):
        raise InputError(f"paths: must be a MarketPaths(mid, spread, volume), not {type(paths).__name__}")
    else:
        given = _written(paths)
    if given is None:
        return study, None
    if how.first_episode or how.episodes is not None:
        raise InputError(
            "paths: all of them are run, in one folder; give those of a shard alone, without first_episode"
        )
    return study.changed({"episodes": len(given.paths.mid)}), given


def _written(paths: MarketPaths) -> GivenPaths:
    episodes, steps = paths.mid.shape
    if paths.mid.size > _MOST:
        raise InputError(
            f"paths: hold {paths.mid.size:,} steps, and a file at most {_MOST:,}; run them in several folders"
        )
    columns: dict[str, Any] = {"episode": np.arange(episodes)} | {name: getattr(paths, name) for name in _BY_EPISODE}
    ends = pa.array(np.arange(0, episodes * steps + 1, steps, dtype=np.int32))
    columns |= {
        name: pa.ListArray.from_arrays(ends, numbers(getattr(paths, name).ravel(), pa.float64())) for name in _BY_STEP
    }
    data = store.plain_bytes(build("paths", columns))
    return GivenPaths(paths, data, entry_of(data, episodes))


def held_paths(folder: Place) -> GivenPaths:
    """Those that lie in a folder; InputError, one line, where they are missing or damaged."""
    place = folder / PATHS
    if not place.is_file():
        raise InputError(f"{place}: the paths that the study was run on are missing; put them back")
    data = store.read_bytes(place)
    table = store.read_table(place, data=data)
    rows = {name: np.asarray(table[name].to_numpy(), np.float64) for name in _BY_EPISODE}
    try:
        steps = {name: table[name].combine_chunks() for name in _BY_STEP}
        shaped = {name: column.flatten().to_numpy().reshape(len(table), -1) for name, column in steps.items()}
        even = all(
            (np.diff(column.offsets.to_numpy()) == shaped[name].shape[1]).all() for name, column in steps.items()
        )
        if not even:
            raise ValueError("rows of different lengths")
        paths = MarketPaths(**shaped, **rows)
    except (ValueError, InputError) as error:
        raise InputError(
            f"{place}: holds no market paths ({error}); put back those that the study was run on"
        ) from None
    return GivenPaths(paths, data, entry_of(data, len(table)))


def paths_behind(folder: Place, footer: Mapping[str, Any] | None) -> GivenPaths | None:
    """Those that results were made on, as the footer of one of their files says; None where it was the study's own market."""
    if footer is not None and PATHS not in footer["inputs"]:
        return None
    return held_paths(folder) if footer is not None or (folder / PATHS).is_file() else None


def require_same_paths(place: Place, footer: Mapping[str, Any], inputs: Mapping[str, str]) -> None:
    """RefusedError where results were made on other paths than are given now, or on paths and now none are, or the reverse."""
    then, now = footer["inputs"].get(PATHS), inputs.get(PATHS)
    if then != now:
        what = "its own market" if then is None else "other paths" if now else "paths that were given"
        raise RefusedError(
            f"{place}: was made on {what}; run it on those, choose another {option('out')}, or {option('overwrite')}"
        )

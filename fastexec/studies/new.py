"""A new study file: a study that runs, each key with its meaning from the models themselves."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from fastexec.errors import InputError, RefusedError, kind_of
from fastexec.files import commit
from fastexec.studies.catalogue import preset_text
from fastexec.studies.study import Study

_SHARE = 0.05  # of the market's volume
_HEAD = re.compile(r"\[+([\w.\"-]+)\]+$")
_FOR = re.compile(r"^# for an order of steps = (\d+), step_seconds = ([\d.]+)", re.MULTILINE)
_STRATEGIES = [
    {"model": "twap"},
    {"model": "vwap"},
    {"model": "pov", "rate": 0.1},
    {"model": "almgren_chriss", "risk_aversion": 1e-6},
]


def study_from(source: str, name: str) -> Study:
    """The study ``name`` of a preset, or of a calibration's sections with an order and strategies.

    Raises InputError where the source is neither, or ``name`` is none that a study may have.
    """
    path = Path(source)
    if not path.is_file() and not source.endswith(".toml"):
        return Study.from_dict(tomllib.loads(preset_text(source)) | {"name": name}, f"new {name}")
    try:
        text = path.read_text("utf-8")
        data = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or "it is no TOML"
        raise InputError(
            f"--from {source}: cannot be read ({reason}); give a preset, or a file of `fastexec calibrate --out`"
        ) from None
    if "strategies" in data or "market" not in data:
        raise InputError(f"--from {source}: is no calibration ([market] and [costs] alone); copy a study to change it")
    return Study.from_dict(
        data | {"name": name, "seed": 7, "order": _order(text, data), "strategies": _STRATEGIES}, source
    )


def _order(text: str, data: dict[str, Any]) -> dict[str, Any]:
    """For the steps that the calibration names, a twentieth of their volume where its mean is a number."""
    named = _FOR.search(text)
    order: dict[str, Any] = {} if named is None else {"steps": int(named[1]), "step_seconds": float(named[2])}
    volume = data["market"].get("volume") if isinstance(data["market"], dict) else None
    mean = volume.get("mean") if isinstance(volume, dict) else None
    if (
        isinstance(mean, (int, float))
        and 10.0 <= (shares := float(f"{_SHARE * mean * order.get('steps', 60):.2g}")) < 1e15
    ):
        order["shares"] = shares
    return order


def write_new(path: Path, study: Study, source: str) -> None:
    """Write the study, commented; RefusedError where the file is there already."""
    if path.exists() or path.is_symlink():
        raise RefusedError(f"{path}: is there already; choose another name")
    if not path.parent.is_dir():
        raise InputError(f"{path}: lies in no folder that there is; make {path.parent}, or name another")
    head = (
        f"# {study.name}: from {source}; every key there is: fastexec schema, or a part: fastexec schema market.price\n"
    )
    try:
        commit(path, (head + commented(study)).encode())
    except OSError as error:
        raise kind_of(error)(f"{path}: cannot be written ({error.strerror})") from None


def commented(study: Study) -> str:
    """The resolved study as TOML, behind each section and key what it means."""
    lines: list[str] = []
    place: list[str] = []
    counts: dict[str, int] = {}
    for line in study.to_toml().splitlines():
        head = _HEAD.match(line)
        if head is not None:
            place = head[1].replace('"', "").split(".")
            if line.startswith("[["):
                counts[head[1]] = counts.get(head[1], -1) + 1
        lines.append(line + _meaning(line, list(_along(study, place, counts)), head is not None))
    return "\n".join(lines) + "\n"


def _along(study: Study, place: list[str], counts: dict[str, int]) -> Iterator[Any]:
    """The study and what lies in it on the way to a place; of a list the item that is being written."""
    here: Any = study
    yield here
    for depth, part in enumerate(place, 1):
        here = here[part] if isinstance(here, dict) else getattr(here, part, None)
        if isinstance(here, tuple):
            here = here[counts[".".join(place[:depth])]]
        yield here


def _meaning(line: str, way: list[Any], is_head: bool) -> str:
    here = way[-1]
    if not isinstance(here, BaseModel):
        return ""
    if is_head:
        text = (type(here).__doc__ or "").strip().splitlines()[:1]
        return f"    # {text[0]}" if text else ""
    key = re.match(r"([\w-]+) = ", line)
    field = type(here).model_fields.get(key[1]) if key else None
    return f"    # {field.description}" if field is not None and field.description else ""

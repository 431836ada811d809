"""A run of the suite as a file: JSON of a schema of its own, checked when it is read; and what changed between two."""

from __future__ import annotations

import json
import math
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from machine import commit, machine, versions

KIND, SCHEMA = "fastexec benchmark", 1
#: A change is marked beyond so many noises of both runs together, and never below a share: a larger one where a run has
#: few rounds, whose quartiles tell little.
NOISES, LEAST, LEAST_OF_FEW, FEW = 3.0, 0.02, 0.05, 5


class RecordError(Exception):
    """A file cannot be used; the message is one line."""


def record(rows: list[dict[str, Any]], growth: list[dict[str, Any]], notes: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": KIND,
        "schema": SCHEMA,
        "measured": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "versions": versions(),
        "commit": commit(),
        **notes,
        "jobs": rows,
        "growth": growth,
    }


def load(path: Path) -> dict[str, Any]:
    """RecordError where the file is missing, damaged, or not of this suite."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror}); give a file that --out wrote") from None
    except (ValueError, RecursionError):
        raise RecordError(f"{path}: is no JSON; give a file that --out wrote") from None
    if not isinstance(found, dict) or found.get("kind") != KIND:
        raise RecordError(f"{path}: is no run of this suite; give a file that --out wrote")
    if found.get("schema") != SCHEMA:
        raise RecordError(f"{path}: is of schema {found.get('schema')}, this suite writes {SCHEMA}; measure again")
    if not _is_whole(found):
        raise RecordError(f"{path}: is damaged (machine, jobs or their figures are missing); measure again")
    return found


def _is_whole(found: dict[str, Any]) -> bool:
    """Whether all is there that the tables read."""
    try:
        for row in found["jobs"]:
            _ = row["name"], row["group"], row["unit"], row.get("baselines", {}).items()
            figures = [row[key] for key in ("one", "all") if key in row]
            numbers = [row["work"], *(figure[key] for figure in figures for key in ("median", "noise", "rounds"))]
            numbers += [row["faster"]] if "all" in row else []
            if not all(map(math.isfinite, numbers)) or not ("one" in row or "missing" in row):
                return False
        for series in found["growth"]:
            _ = series["series"], series["exponent"], [(x, y) for x, y in series["points"]]
        described = all(isinstance(found[key], dict) for key in ("machine", "versions"))
        return described and {"measured", "commit", "quick", "only", "kernels_ready_s", "took_s"} <= found.keys()
    except (KeyError, TypeError, ValueError, AttributeError):
        return False


def require_same_machine(path: Path, earlier: dict[str, Any]) -> None:
    here, there = machine(), earlier["machine"]
    for key in here:
        if here[key] != there.get(key):
            raise RecordError(
                f"{path}: was measured on another machine ({key}: {there.get(key)!r}, here {here[key]!r}); "
                "compare runs of one machine"
            )


def require_writable(path: Path) -> None:
    """Before anything is measured."""
    if path.is_dir():
        raise RecordError(f"{path}: is a folder; --out takes a file")
    if not path.parent.is_dir():
        raise RecordError(f"{path}: there is no folder {path.parent}; make it, or choose another --out")
    try:
        with tempfile.TemporaryFile(dir=path.parent):  # os.access says yes to root for folders that take no file
            pass
    except OSError as error:
        raise RecordError(f"{path}: cannot be written ({error.strerror}); choose another --out") from None


def save(path: Path, found: dict[str, Any]) -> None:
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    os.replace(temporary, path)


def changes(now: dict[str, Any], earlier: dict[str, Any]) -> dict[str, tuple[float, bool]]:
    """By job: its time for a unit of work over the earlier one's on one thread, and whether noise cannot explain it.

    Jobs of another size are not compared.
    """
    before = {(row["name"], row["work"]): row["one"] for row in earlier["jobs"] if "one" in row}
    found = {}
    for row in now["jobs"]:
        then = before.get((row["name"], row["work"]))
        if "one" in row and then is not None:
            ratio = row["one"]["median"] / then["median"]
            noise = math.hypot(row["one"]["noise"], then["noise"])
            least = LEAST if min(row["one"]["rounds"], then["rounds"]) >= FEW else LEAST_OF_FEW
            found[row["name"]] = ratio, abs(math.log(ratio)) > max(least, NOISES * noise)
    return found

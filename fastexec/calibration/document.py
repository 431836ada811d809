"""What the command line reads and writes around a calibration: days, spans of the day, the file of sections."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from fastexec.calibration.calibrate import Calibration
from fastexec.errors import InputError, RefusedError, kind_of
from fastexec.files import commit
from fastexec.models.times import RIGHT, seconds_between


def day_of(text: str | None) -> int | None:
    """yyyymmdd out of 2013-10-08 or 20131008."""
    if text is None:
        return None
    try:
        return int(datetime.strptime(text.replace("-", ""), "%Y%m%d").strftime("%Y%m%d"))
    except ValueError:
        raise InputError(f"--until {text}: is no day; write for example 2013-10-08") from None


def seconds_of(text: str | None) -> tuple[int, int] | None:
    """Seconds since midnight out of 10:30-11:30."""
    if text is None:
        return None
    if (found := seconds_between(text)) is None:
        raise InputError(f"--window {text}: is no part of a day; {RIGHT}")
    return found


def columns_of(texts: tuple[str, ...]) -> dict[str, str]:
    """Our column -> the file's, out of texts OURS=THEIRS."""
    for text in texts:
        if "=" not in text:
            raise InputError(f"--column {text}: is not OURS=THEIRS; write for example volume=Vol")
    return {ours: theirs for ours, _, theirs in (text.partition("=") for text in texts)}


def require_free(path: Path, overwrite: bool) -> None:
    """RefusedError where the file is there already, InputError where it cannot be one."""
    if path.is_dir() or not path.parent.is_dir():
        raise InputError(f"--out {path}: is a folder, or lies in none; name a file such as market.toml")
    if path.exists() and not overwrite:
        raise RefusedError(f"--out {path}: is there already; name another file, or --overwrite")


def save(found: Calibration, path: Path) -> None:
    """Write the sections whole or not at all."""
    try:
        commit(path, found.to_toml().encode())
    except OSError as error:
        raise kind_of(error)(f"--out {path}: cannot be written ({error.strerror})") from None

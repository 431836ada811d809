"""What the command line reads and writes around a calibration: days, spans of the day, the file of sections."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

from fastexec.calibration.calibrate import Calibration
from fastexec.errors import InputError, RefusedError, kind_of
from fastexec.files import commit
from fastexec.models.times import RIGHT, seconds_between

_SHARE, _MOST_NAME = 0.05, 40
_STRATEGIES = """[[strategies]]
model = "twap"

[[strategies]]
model = "vwap"

[[strategies]]
model = "pov"
rate = 0.1

[[strategies]]
model = "almgren_chriss"
risk_aversion = 1e-6
"""


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


def require_free(option: str, path: Path, overwrite: bool) -> None:
    """RefusedError where the file is there already, InputError where it cannot be one."""
    if path.is_dir() or not path.parent.is_dir():
        raise InputError(f"{option} {path}: is a folder, or lies in none; name a file such as market.toml")
    if path.exists() and not overwrite:
        raise RefusedError(f"{option} {path}: is there already; name another file, or --overwrite")


def save(option: str, text: str, path: Path) -> None:
    """Write a file whole or not at all."""
    try:
        commit(path, text.encode())
    except OSError as error:
        raise kind_of(error)(f"{option} {path}: cannot be written ({error.strerror})") from None


def study_text(found: Calibration) -> str:
    """A whole study of the fitted market: an order of a twentieth of the volume in its steps, and strategies to compare."""
    shares = float(f"{_SHARE * found.volume:.2g}")
    order = {"side": "sell", "shares": max(shares, 1.0) if shares >= 10.0 else shares, "steps": found.steps}
    order |= {"step_seconds": float(found.step_seconds), "lot": 1.0 if shares >= 10.0 else 0.0}
    name = re.sub(r"[^A-Za-z0-9_-]", "_", str(found.market["fitted"]["symbol"]))[:_MOST_NAME]
    head = {"name": f"fitted_{name}", "seed": 7, "episodes": 10_000, "order": order}
    return f"{found.to_toml(head)}\n{_STRATEGIES}"
